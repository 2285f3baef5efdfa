"""Watches who writes to the changelogs, and what each owner begins with: at once, because later work repairs nearly all."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord
from faust.types import TP

from agents.worker.ports import State
from tests.shellsim.broker import Broker
from tests.shellsim.group import Group
from tests.shellsim.loop import Owner
from topics.table import CHANGELOGS

_TOPICS = frozenset(CHANGELOGS.values())


@dataclass
class _History:
    """One changelog as if it were never compacted, by the rule of ADR 0008, which is here told a second time."""

    term: int = 0
    state: dict[bytes, bytes] = field(default_factory=dict)
    claimed: set[tuple[Owner | None, int]] = field(default_factory=set)
    said: set[tuple[bytes, bytes | None]] = field(default_factory=set)
    at_claim: dict[Owner | None, dict[bytes, bytes]] = field(default_factory=dict)
    """What the records before an owner's last claim say."""


class Owners:
    """`faults` hears of it."""

    def __init__(self, broker: Broker, group: Group, faults: list[str]) -> None:
        self._broker = broker
        self._group = group
        self._faults = faults
        self._histories: dict[TP, _History] = {}
        broker.watchers.append(self._appended)
        broker.on_send = self._sent

    def begun(self, owner: Owner, number: int, tables: Mapping[str, State]) -> None:
        """A lane takes its first batch from now on; `tables` is the state that it begins with."""
        for table, state in tables.items():
            before = self._history(TP(CHANGELOGS[table], number)).at_claim.get(owner)
            if before != state:
                what = "without a claim" if before is None else "with other state than is in its changelog"
                self._faults.append(f"{owner.name} begins {table} of partition {number} {what}")

    def applied(self, owner: Owner, tp: TP, key: bytes, value: bytes | None) -> None:
        """An owner changes its state so: some record says it."""
        if (key, value) not in self._history(tp).said:
            self._faults.append(f"the memory of {owner.name} says what is not in {tp.topic}/{tp.partition}")

    def _appended(self, record: ConsumerRecord) -> None:
        if record.topic not in _TOPICS:
            return
        tp = TP(record.topic, record.partition)
        history, sender = self._history(tp), self._broker.senders[tp, record.offset]
        term = int(dict(record.headers)["term"])
        if not record.key:
            history.claimed.add((sender, term))
        elif (sender, term) not in history.claimed:
            self._faults.append(f"{tp.topic}/{tp.partition} is written in term {term} by who has not claimed it")
        history.said.add((record.key, record.value))
        if term < history.term:
            return
        history.term = term
        if not record.key:
            history.at_claim[sender] = dict(history.state)
        elif record.value is None:
            history.state.pop(record.key, None)
        else:
            history.state[record.key] = record.value

    def _sent(self, sender: Owner, tp: TP) -> None:
        """A record goes into a producer's buffer: whose it is may believe that the partition is its own."""
        if tp.topic in _TOPICS and not self._group.may_write(sender.member, tp.partition):
            self._faults.append(f"{sender.name} writes to {tp.topic}/{tp.partition}, which is somebody else's")

    def _history(self, tp: TP) -> _History:
        return self._histories.setdefault(tp, _History())
