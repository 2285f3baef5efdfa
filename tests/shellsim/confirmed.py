"""Watches every commit: an offset may be committed only once what the records before it led to is at the broker."""

import re

from aiokafka import ConsumerRecord
from faust.types import TP

from tests.shellsim.broker import Broker
from tests.shellsim.group import Group
from tests.shellsim.traffic import CHAT, SOCIAL
from topics.table import CHANGELOGS, DEAD, INBOXES

_NAME = re.compile(rb"event-\d+-")
_KEPT = frozenset({*CHANGELOGS.values(), *INBOXES})


class Confirmed:
    """Names of events that are in somebody's state or on their way to it; offsets of what is set aside."""

    def __init__(self, broker: Broker, group: Group, faults: list[str]) -> None:
        self._broker = broker
        self._group = group
        self._faults = faults
        self._names: set[bytes] = set()
        self._dead = 0
        self._broken: set[tuple[TP, int]] = set()
        broker.watchers.append(self._appended)
        group.on_commit = self._committed

    def _appended(self, record: ConsumerRecord) -> None:
        if record.topic in _KEPT:
            self._names.update(_NAME.findall(record.value or b""))
        elif record.topic == DEAD:
            self._dead += 1

    def _committed(self, tp: TP, offset: int) -> None:
        if tp.topic not in (CHAT, SOCIAL):  # a link that joins what is joined already leaves no trace
            return
        for record in self._broker.log(tp).since(self._group.committed.get(tp, 0), offset):
            names = _NAME.findall(record.value or b"")
            if not names:
                self._broken.add((tp, record.offset))
            elif names[0] not in self._names:
                self._faults.append(f"{tp.topic}/{tp.partition} is committed to {offset}, and {names[0]!r} is nowhere")
        if len(self._broken) > self._dead:
            self._faults.append(f"{len(self._broken)} broken records are committed, and {self._dead} set aside")
