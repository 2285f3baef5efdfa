"""State that an owner which overslept still sends, on a real broker: in time, too late, and behind newer state."""

import asyncio
import signal
from pathlib import Path

import pytest

from agents.settings import Settings
from agents.topic_admin import create_topics
from agents.worker.terms import Reading, term_of
from tests.shell.conftest import eventually
from tests.shell.traffic import assert_exact, event, everything, outputs, send, state

pytestmark = pytest.mark.timeout(100)
CUSTOMERS = 2


@pytest.fixture(autouse=True)
def _topics(settings: Settings) -> None:
    asyncio.run(create_topics(settings))


def counted(settings: Settings) -> int:
    return sum(len(ids) for ids in state(settings).values())


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def values(settings: Settings, key: bytes) -> list[bytes | None]:
    """What the customers' changelog says of a key, in its order."""
    return [record.value for record in everything(settings, "changelog.customers") if record.key == key]


def late(settings: Settings) -> int:
    """How many records of the customers' changelog do not count."""
    readings = [Reading() for _ in range(settings.partitions)]
    number = 0
    for record in everything(settings, "changelog.customers"):
        before = readings[record.partition].term
        readings[record.partition].counts(record)
        number += term_of(record) < before
    return number


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux whether a process is stopped")
def test_state_that_was_in_the_buffer_does_not_come_back(settings, start_worker):
    """A state record that is sent on waking, behind the next owner's newer one, is read by no later recovery."""
    first = start_worker(STOP_AT='"event-3"').wait_until_ready()
    send(settings, "interactions.email", [event(number, CUSTOMERS) for number in range(1, 3)])
    eventually(lambda: counted(settings) == 2, 20, "the first events")
    send(settings, "interactions.email", [event(3, CUSTOMERS)])
    eventually(lambda: is_stopped(first.process.pid), 20, "the first worker stops before it sends")
    assert counted(settings) == 2
    second = start_worker().wait_until_ready()
    send(settings, "interactions.email", [event(number, CUSTOMERS) for number in range(4, 30)])
    eventually(lambda: counted(settings) == 29, 30, "the second worker has taken over")
    assert late(settings) == 0
    first.signal(signal.SIGCONT)
    eventually(lambda: late(settings) > 0, 20, "the first worker sends what was in its buffer")
    assert counted(settings) == 29
    eventually(lambda: any(w.events("foreign_state_overwritten") for w in (first, second)), 20, "it is mended in quiet")
    second.kill()
    first.kill()
    third = start_worker().wait_until_ready()
    send(settings, "interactions.chat", [event(number, CUSTOMERS) for number in range(30, 40)])
    eventually(lambda: counted(settings) == 39, 30, "the events after it all")
    eventually(lambda: len(outputs(settings)) == 39, 20, "all outputs sent")
    assert_exact(settings, range(1, 40), CUSTOMERS)
    assert not third.events("foreign_state_overwritten"), "what was late is still the last of its key"
    assert not third.events("lane_crashed")


def test_an_owner_in_quiet_mends_its_changelog(settings, start_worker):
    """A late record in the changelog of an owner that has nothing to write is not left to be the last of its key."""
    owner = start_worker().wait_until_ready()
    send(settings, "interactions.email", [event(1, CUSTOMERS)])
    eventually(lambda: counted(settings) == 1, 20, "the event counted")
    key, mine = next(
        (record.key, record.value) for record in everything(settings, "changelog.customers") if record.value
    )
    send(settings, "changelog.customers", [(key, b"late")])
    written = [mine, b"late", mine]
    eventually(lambda: values(settings, key) == written, 20, "written again")
    assert [line["records"] for line in owner.events("foreign_state_overwritten")] == [1]
