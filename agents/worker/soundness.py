"""State that cannot be read: held back, so that one damaged value does not stop its partition.

A damaged value is nobody's to guess at, and is not thrown away: it stays in the changelog. The core does not see it
when it looks through the state; where it asks for it, that record alone fails and is set aside, to be put back when
the value has been repaired.

Looking at every value takes a while, so that is done once for each assignment of a partition, and only when the core
has failed: all that is written from then on is our own.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping

from agents import log
from agents.worker.metrics import Metrics
from agents.worker.ports import Node, State

IsSound = Callable[[str, bytes, bytes], bool]
"""Can the core read, of this table and key, this value? Raises ValueError for one that a newer program wrote."""
States = Mapping[str, Mapping[bytes, bytes]]
Make = Callable[[States], Node]
"""A node over these tables, rebuilt."""
_AT_ONCE = 200
_log = log.get("mindgap.soundness")


class UnreadableState(ValueError):  # noqa: N818 - says what is wrong
    """The stored state that a record needs is damaged."""


class Soundness:
    """The tables of one partition, by name, and which of their keys are held back."""

    def __init__(
        self, partition: int, states: Mapping[str, State], make: Make, is_sound: IsSound, metrics: Metrics
    ) -> None:
        self._partition = partition
        self._states = states
        self._make = make
        self._is_sound = is_sound
        self._metrics = metrics
        self._held: dict[str, frozenset[bytes]] = {name: frozenset() for name in states}
        self._looked = False

    def node(self) -> Node:
        """A node over what can be read. Raises what `make` raises over state that is sound, or of a newer program."""
        try:
            return self._make(self._views())
        except Exception:
            if self._looked:
                raise
            for _ in self._look():
                pass
            if not any(self._held.values()):
                raise
            return self._make(self._views())

    async def check(self) -> None:
        """Look at every value, unless that has been done; a node made after this does without the damaged ones.

        Raises ValueError for a value of a newer program.
        """
        if not self._looked:
            for _ in self._look():
                await asyncio.sleep(0)

    def _views(self) -> States:
        return {
            name: _Readable(state, self._held[name]) if self._held[name] else state
            for name, state in self._states.items()
        }

    def _look(self) -> Iterator[None]:
        """Look at every value, so many between two pauses, in which the owner of the state may change it."""
        for name, state in self._states.items():
            held = set()
            for number, key in enumerate(list(state)):
                if number % _AT_ONCE == 0:
                    yield
                value = state.get(key)
                if value is not None and not (self._is_sound(name, key, value) and self._can_stand(name, key, value)):
                    held.add(key)
            self._hold(name, held)
        self._looked = True

    def _can_stand(self, name: str, key: bytes, value: bytes) -> bool:
        """Can a node be made where this is all there is?"""
        alone: dict[str, dict[bytes, bytes]] = {table: {} for table in self._states}
        alone[name][key] = value
        try:
            self._make(alone)
        except Exception:  # noqa: BLE001 - whatever a damaged value leads to
            return False
        return True

    def _hold(self, name: str, keys: Collection[bytes]) -> None:
        self._held[name] = frozenset(keys)
        self._metrics.unreadable_state.labels(str(self._partition), name).set(len(keys))
        if keys:
            _log.critical("state_unreadable", partition=self._partition, table=name, values=len(keys))


class _Readable(Mapping[bytes, bytes]):
    """A table without the values that are held back. Who asks for one of them gets UnreadableState."""

    def __init__(self, state: State, held: Collection[bytes]) -> None:
        self._state = state
        self._held = held

    def __getitem__(self, key: bytes) -> bytes:
        if key in self._held:
            raise UnreadableState("this value of the state is damaged")
        return self._state[key]

    def __iter__(self) -> Iterator[bytes]:
        return (key for key in self._state if key not in self._held)

    def __len__(self) -> int:
        return sum(1 for _ in self)
