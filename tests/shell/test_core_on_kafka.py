"""The real core in real worker processes: `mindgap worker` on the embedded broker."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.settings import Settings
from agents.topic_admin import create_topics
from schemas.escalation import validate_escalation
from schemas.times import format_time
from tests.shell.conftest import eventually
from tests.shell.traffic import changes, everything, send

pytestmark = pytest.mark.timeout(80)

POLICY = """
version: "test.1"
calendars: {always: {zone: UTC, week: {mon-sun: ["00:00-24:00"]}}}
channels: {chat: {calendar: always}}
targets: [{first_response: 6s, calendar: always}]
"""


def contact(number: int, at: int, **more) -> tuple[bytes, bytes]:
    """A contact of a customer of its own at `at` (ms)."""
    identity = {"type": "customer_id", "value": f"C{number}"}
    value = {
        "id": f"e{number}",
        "occurred_at": format_time(at),
        "channel": "chat",
        "kind": "contact",
        "identities": [identity],
        "thread": f"chat:{number}",
        **more,
    }
    return f"customer_id:C{number}".encode(), json.dumps(value).encode()


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator:
    """Starts `mindgap worker`; kills what still runs at the end."""
    asyncio.run(create_topics(settings))
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "agents.cli", "worker", "--policy", str(policy), "--web-port", "0"],
                env=os.environ | settings.environment(),
                stdout=log,
                stderr=log,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def revisions(settings: Settings) -> dict[tuple[str, int], set[bytes]]:
    """Every content of each (escalation id, revision)."""
    found: dict[tuple[str, int], set[bytes]] = {}
    for record in everything(settings, "escalations"):
        value = json.loads(record.value)
        found.setdefault((value["escalation_id"], value["revision"]), set()).add(record.value)
    return found


def breached(settings: Settings) -> set[str]:
    """Threads whose escalation is breached and open, by its newest revision."""
    newest: dict[str, dict] = {}
    for (escalation, _), contents in sorted(revisions(settings).items()):
        newest[escalation] = json.loads(next(iter(contents)))
    return {
        value["thread"] for value in newest.values() if value.get("phase") == "breached" and value["status"] == "open"
    }


def test_breaches_survive_a_kill(settings, worker):
    """Unanswered contacts breach, each once, through a kill -9 between contact and breach; answered ones do not."""
    first = worker()
    start = time.time_ns() // 1_000_000
    send(settings, "interactions.chat", [contact(number, start) for number in range(40)])
    eventually(lambda: len(changes(settings)) >= 40, 40, "the contacts taken in")
    first.kill()
    first.wait(10)
    actor = {"type": "agent", "id": "a1"}
    send(
        settings,
        "interactions.chat",
        [contact(number, start + 1000, id=f"r{number}", kind="reply", actor=actor) for number in range(0, 40, 2)],
    )
    second = worker()
    expected = {f"chat:{number}" for number in range(1, 40, 2)}
    eventually(lambda: breached(settings) >= expected, 40, "the breaches")
    eventually(lambda: breached(settings) == expected, 10, "no breach of what was answered in time")
    found = revisions(settings)
    assert all(len(contents) == 1 for contents in found.values()), "one revision, two contents"
    by_id: dict[str, list[int]] = {}
    for escalation, revision in found:
        by_id.setdefault(escalation, []).append(revision)
    assert all(sorted(numbers) == list(range(1, len(numbers) + 1)) for numbers in by_id.values()), "a revision lacks"
    for contents in found.values():
        validate_escalation(json.loads(next(iter(contents))))
    assert everything(settings, "interactions.dead") == []
    second.send_signal(signal.SIGTERM)
    assert second.wait(20) == 0
