"""The channel gaps, where all partitions' shares are added up: on partition 0.

Every message is stored as it came, under its own key; so is every record, with its revision. What is added up is known
in memory only, and made anew from these after a restart.
"""

from collections.abc import Mapping
from typing import Any

from schemas.codec import loads
from schemas.times import HOUR, MINUTE, parse_time
from streams.aggregates.kept import TABLE, encode_plain
from streams.aggregates.messages import GAP
from streams.effects import Effects
from streams.gaps import RETENTION, Cell, GapTotals, Message, Sweep, decode
from streams.intervals import FOREVER

GAPS = "channel-gaps"
GRACE = MINUTE // 2
"""How long (ms) after its end a window is told: by then all partitions have told what they have."""
_SAID, _HORIZON = f"{GAP}/said/", f"{GAP}/horizon"


class GapDesk:
    """Takes messages, tells records; what is to be written and sent goes into effects."""

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self._values = values
        self.reset()

    def reset(self) -> None:
        """Begin anew from what is stored."""
        self._totals = GapTotals(retention=RETENTION)
        self._ends: dict[str, int] = {}
        """By key when (ms) what is stored there ends to matter."""
        self._sources: dict[str, tuple[int, int]] = {}
        """By key of a message its source and sequence."""
        self._horizon = -FOREVER
        for raw, value in self._values.items():
            name = raw.decode()
            if name.startswith(f"{GAP}/"):
                self._load(name, loads(value)["s"])

    def _load(self, name: str, stored: Any) -> None:
        if name == _HORIZON:
            self._horizon = stored
        elif name.startswith(_SAID):
            self._totals.remember(stored)
            self._ends[name] = parse_time(stored["window_end"])
        else:
            message = decode(stored)
            self._totals.take(message)
            self._note(name, message)

    def _note(self, name: str, message: Message) -> None:
        self._sources[name] = (message.source, message.sequence)
        self._ends[name] = _end(message)

    @property
    def next_wake(self) -> int | None:
        """When `close` has something to do (ms), or None."""
        due = self._totals.next_wake
        return None if due is None else due + GRACE

    def take(self, name: str, stored: dict[str, Any], batch: int, effects: Effects) -> None:
        """Take a message in, which may have come before."""
        message = decode(stored)
        known = self._sources.get(name)
        if known is None and _end(message) <= self._horizon:
            return
        if known is not None and known[1] >= message.sequence:
            return
        if not self._totals.take(message) and known is None:
            return
        self._note(name, message)
        effects.writes.append((TABLE, name.encode(), encode_plain(stored, batch)))
        if isinstance(message, Sweep):
            for key, (source, sequence) in list(self._sources.items()):
                if source == message.source and sequence < message.sequence:
                    self._drop(key, effects)

    def close(self, now: int, batch: int, effects: Effects) -> list[tuple[str, str, dict[str, Any]]]:
        """The records (topic, key, value) of windows that ended by `now` and say something new."""
        found = []
        for record in self._totals.close(now - GRACE):
            name = f"{_SAID}{record['window_start']}/{record['channel']}"
            out = (GAPS, record["channel"], record)
            effects.writes.append((TABLE, name.encode(), encode_plain(record, batch, [out])))
            self._ends[name] = parse_time(record["window_end"])
            found.append(out)
        horizon = (now - GRACE - RETENTION) // HOUR * HOUR
        if horizon > self._horizon:
            self._horizon = horizon
            effects.writes.append((TABLE, _HORIZON.encode(), encode_plain(horizon, batch)))
            for name in [name for name, end in self._ends.items() if end <= horizon]:
                self._drop(name, effects)
        return found

    def _drop(self, name: str, effects: Effects) -> None:
        self._ends.pop(name, None)
        self._sources.pop(name, None)
        effects.writes.append((TABLE, name.encode(), None))


def _end(message: Message) -> int:
    """When (ms) it ends to matter: with its window, or with the last of its waits."""
    if isinstance(message, Cell):
        return message.window + HOUR
    if isinstance(message, Sweep):
        return FOREVER
    return max([message.begin + MINUTE, *(end for _, end in message.waits)])
