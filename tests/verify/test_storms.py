"""A storm as it happens, live and in replay: hotspots, notifications and channel gaps, through kill -9."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agents.brokers import embedded_broker
from agents.clock import WallClock
from agents.commands.compare import run_of, told
from agents.demo.source import Outgoing
from agents.policy_input import load_policy_or_fail
from agents.settings import Settings, settings_from
from agents.topic_admin import create_topics
from agents.verify.live import Backlog, Place, Workers, arrivals, send, workers
from agents.verify.run import compare_live, replay_input, write_input
from schemas.codec import dumps
from schemas.times import SECOND, format_time
from streams.compare import Comparison, Run, Terms
from streams.policy import compile_policy

POLICY = """
version: storm.1
calendars: {always: {zone: UTC, week: {mon-sun: ["00:00-24:00"]}}}
channels: {social: {public: true}}
targets: [{first_response: 2s, calendar: always}]
hotspots: {customers: 5}
notify: {group_wait: 1s, group_interval: 3s}
"""
SLACK = 4 * SECOND
SESSION_S = 3.0
LEFT = {"outage": 6, "billing": 3, "login": 3}
"""How many customers of each topic are never answered: five make a hotspot."""
WHO = {"outage": 8, "billing": 7, "login": 3}
_PAUSE_S = 0.1
_BREACHED_S = 3.0
"""By then everybody has waited for too long."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Settings of a broker; topics are made, and no worker is there."""
    common = {"partitions": 3, "session_s": SESSION_S if request.param == "embedded" else 6.0}
    if request.param == "kafka":
        prefix = f"storm{WallClock().now()}."
        yield settings_from(request.getfixturevalue("kafka").environment(), topic_prefix=prefix, **common)
        return
    with embedded_broker() as url:
        yield settings_from({}, broker=url, broker_kind="embedded", **common)


def record(topic: str, number: int, kind: str, at: int) -> Outgoing:
    """A contact of a customer of their own, or the solve of their thread."""
    channel = ("chat", "phone", "social")[number % 3]
    who = f"{topic}{number}@example.com"
    value = {
        "id": f"{kind}:{topic}:{number}",
        "occurred_at": format_time(at),
        "channel": channel,
        "kind": kind,
        "topic": topic,
        "thread": f"{channel}:{topic}:{number}",
        "identities": [{"type": "email", "value": who}],
        **({"actor": {"type": "agent"}, "data": {"status": "solved"}} if kind == "status" else {}),
    }
    return Outgoing(f"interactions.{channel}", f"email:{who}".encode(), dumps(value), at)


def story() -> list[list[tuple[str, int, str]]]:
    """First everybody writes, topic by topic in turn; then all but the last of each topic are answered."""
    wrote = sorted(((topic, n, "contact") for topic, count in WHO.items() for n in range(count)), key=lambda e: e[1])
    return [wrote, [(topic, n, "status") for topic, count in WHO.items() for n in range(count - LEFT[topic])]]


def test_a_storm_is_told_live_as_in_replay(tmp_path, settings):
    """One hotspot lasts, one ends, one never opens; their groups page; twice a worker is killed in the midst of it."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    asyncio.run(create_topics(settings))
    environment = settings.environment() | {"MINDGAP_POLICY": str(policy)}
    with workers(environment, tmp_path, 2) as pool:
        comparison = asyncio.run(_verified(settings, policy, tmp_path, pool))
    assert comparison.agree, "\n".join([*told(comparison), f"files: {tmp_path}"])
    for side in ("replay", "live"):
        run = run_of(tmp_path / side)
        assert ends(run) == {"outage": [None], "billing": ["no_longer_holds"]}, side
        changes = Counter((note["group_key"], note["change"]) for note in notes(run))
        assert changes["kind=hotspot/topic=outage/channel=", "first"] == 1, side
        assert changes["kind=hotspot/topic=billing/channel=", "resolved"] == 1, side
        assert {key for key, change in changes if change == "first"} == {
            *(f"kind=sla/topic={topic}/channel={channel}" for topic in WHO for channel in ("chat", "phone", "social")),
            *(f"kind=hotspot/topic={topic}/channel=" for topic in ("outage", "billing")),
        }


async def _verified(settings: Settings, policy: Path, folder: Path, pool: Workers) -> Comparison:
    """Send the story as it happens, let its timers run out, and compare."""
    await pool.ready()
    sent: list[Outgoing] = []
    places: list[Place] = []
    for part in story():
        for number, (topic, who, kind) in enumerate(part):
            one = record(topic, who, kind, WallClock().now())
            sent.append(one)
            places += await send(settings, [one])
            if number == len(part) // 2:
                pool.kill()
            await asyncio.sleep(_PAUSE_S)
        await pool.ready()
        async with Backlog(settings) as backlog:  # else who has both in a backlog has waited unnoticed
            await backlog.drained(pool)
        await asyncio.sleep(_BREACHED_S)
    await asyncio.sleep(SLACK / SECOND + 4)  # what is compared must lie as long ago; and the groups' intervals end
    until = WallClock().now()
    arrived = await arrivals(settings, {one.topic for one in sent}, places)
    write_input(folder, sent, arrived)
    replay_input(folder, policy, until)
    document = load_policy_or_fail(str(policy))
    return await compare_live(settings, document, Terms(compile_policy(document), until, SLACK), folder)


def ends(run: Run) -> dict[str, list[str | None]]:
    """By topic how each of its hotspots ended, in order; None for one that lasts."""
    newest: dict[str, dict[str, Any]] = {}
    for each in sorted(run.escalations(), key=lambda record: record["revision"]):
        if each["kind"] == "hotspot":
            newest[each["escalation_id"]] = each
    found: dict[str, list[str | None]] = {}
    for each in newest.values():
        found.setdefault(each["topic"], []).append(each.get("reason"))
    return found


def notes(run: Run) -> list[dict[str, Any]]:
    """The notifications."""
    assert run.notifications is not None
    return list(run.notifications())
