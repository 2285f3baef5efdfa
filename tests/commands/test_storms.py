"""A storm on `mindgap worker`: the hotspot, commands on it, its page, and the switch that stops all paging."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import Result

from agents.free_port import free_port
from agents.settings import Settings, settings_from
from agents.topic_admin import create_topics
from schemas.escalation import validate_escalation
from schemas.notification import validate_notification
from schemas.times import format_time
from tests.commands.conftest import invoke, put, sent, start_worker
from tests.shell.conftest import eventually

pytestmark = pytest.mark.timeout(120)

POLICY = """
version: "storm.1"
calendars: {always: {zone: UTC, week: {mon-sun: ["00:00-24:00"]}}}
targets: [{first_response: 1s, calendar: always}]
ack_timeout: 1h
hotspots: {customers: 4}
notify: {group_wait: 1s, group_interval: 5s}
"""
LIMIT_S = 30
TOPIC = "outage"


class Deployment(NamedTuple):
    """Topics and one worker."""

    settings: Settings
    log: Path
    web: str

    def run(self, *args: str) -> Result:
        """`mindgap ARGS` on it."""
        return invoke(*args, **(self.settings.environment() | {"MINDGAP_PARTITIONS": "", "MINDGAP_REDIS": ""}))

    def said(self, event: str) -> list[dict[str, Any]]:
        """The worker's log lines of this event."""
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in map(json.loads, lines) if line.get("event") == event]

    def metric(self, name: str) -> float | None:
        """A gauge of the worker; None where it has none, or does not serve yet."""
        try:
            with urllib.request.urlopen(f"{self.web}/metrics", timeout=5) as answer:  # noqa: S310 - our own worker
                values = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[0] != "#")
        except urllib.error.URLError:
            return None
        return float(values[name]) if name in values else None

    def hot(self) -> list[dict[str, Any]]:
        """The revisions of hotspots, in order."""
        found = [record for record in sent(self.settings, "escalations") if record["kind"] == "hotspot"]
        return sorted(found, key=lambda record: record["revision"])


@pytest.fixture(scope="module")
def deployment(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Topics and one worker."""
    settings = settings_from(
        {}, broker=broker, broker_kind="embedded", topic_prefix="storm.", partitions=3, session_s=3.0
    )
    asyncio.run(create_topics(settings))
    folder = tmp_path_factory.mktemp("worker")
    (folder / "policy.yaml").write_text(POLICY)
    port = free_port()
    worker = start_worker(settings, folder, port)
    try:
        yield Deployment(settings, folder / "worker.log", f"http://127.0.0.1:{port}")
    finally:
        worker.kill()
        worker.wait(10)


def contacts(deployment: Deployment, who: range) -> None:
    """A first contact of each, by chat and phone in turn, on the topic."""
    for number in who:
        channel = ("chat", "phone")[number % 2]
        value = {
            "id": f"s{number}",
            "occurred_at": format_time(time.time_ns() // 1_000_000),
            "channel": channel,
            "kind": "contact",
            "topic": TOPIC,
            "thread": f"{channel}:{number}",
            "identities": [{"type": "email", "value": f"p{number}@example.com"}],
        }
        put(deployment.settings, f"interactions.{channel}", (f"email:p{number}@example.com".encode(), value))


def test_a_hotspot_is_acknowledged_silenced_and_resolved_by_its_id(deployment):
    """Customers of all partitions open one hotspot, which pages; each command ends with the revision that it made."""
    contacts(deployment, range(4))
    eventually(deployment.hot, LIMIT_S, "the hotspot")
    opened = deployment.hot()[0]
    validate_escalation(opened)
    cases = [record for record in sent(deployment.settings, "escalations.current") if record["kind"] == "sla"]
    assert set(opened["evidence"]) <= {record["escalation_id"] for record in cases}
    assert (opened["topic"], opened["channels"], opened["contacts"]) == (TOPIC, ["chat", "phone"], 4)
    assert len(opened["evidence"]) == 4
    assert "after 4 contacts by chat 50%, phone 50%; the earliest since" in opened["summary"]
    id_ = opened["escalation_id"]

    def page() -> list[dict[str, Any]]:
        notes = sent(deployment.settings, "notifications")
        return [note for note in notes if note["escalation_ids"] == [id_]]

    eventually(page, LIMIT_S, "its page")
    validate_notification(page()[0])
    steps = [
        (("ack", id_), "acknowledged, revision 2"),
        (("suppress", id_, "--until", "1h"), "suppressed, revision 3"),
        (("unsuppress", id_), "unsuppressed, revision 4"),
        (("unsuppress", id_), "not suppressed"),
        (("resolve", id_), "resolved, revision 5"),
        (("resolve", id_), "resolved already"),
    ]
    for arguments, said in steps:
        done = deployment.run(*arguments, "--by", "sam", "--wait", "30")
        assert (done.exit_code, said in done.stdout) == (0, True), done.output
    revisions = deployment.hot()
    assert [record["revision"] for record in revisions] == [1, 2, 3, 4, 5]
    assert [record["status"] for record in revisions][1:] == ["acknowledged", "suppressed", "open", "resolved"]
    assert (revisions[1]["acknowledged_by"], revisions[-1]["reason"]) == ("sam", "command")
    assert deployment.run("ack", id_, "--by", "sam").exit_code == 1
    assert sent(deployment.settings, "interactions.dead") == []


def test_paging_that_is_switched_off_is_said_by_the_worker(deployment, tmp_path):
    """A published policy stops every page: the worker's log and its metrics say so, and that it is on again."""
    eventually(lambda: deployment.metric("mindgap_paging_off") == 0, LIMIT_S, "the metric")
    off = tmp_path / "off.yaml"
    more = "notify: {group_wait: 1s, group_interval: 5s, paging: off, reason: drill}"
    off.write_text(POLICY.replace("storm.1", "storm.2").rsplit("notify", 1)[0] + more)
    assert deployment.run("policy", "publish", str(off)).exit_code == 0
    eventually(lambda: deployment.metric("mindgap_paging_off") == 1, LIMIT_S, "the metric")
    (line,) = deployment.said("paging_off")
    assert (line["level"], line["policy_version"], line["reason"]) == ("warning", "storm.2", "drill")
    on = tmp_path / "on.yaml"
    on.write_text(POLICY.replace("storm.1", "storm.3"))
    assert deployment.run("policy", "publish", str(on)).exit_code == 0
    eventually(lambda: deployment.said("paging_on"), LIMIT_S, "the line")
    assert deployment.metric("mindgap_paging_off") == 0
