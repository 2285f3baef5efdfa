"""A shadow reads what the live system reads, and writes to topics of its own."""

import asyncio
import time

import pytest

from agents.settings import Settings, settings_from
from agents.topic_admin import create_topics
from tests.shell.conftest import eventually
from tests.shell.test_core_on_kafka import breached, contact, revisions, worker
from tests.shell.traffic import everything, send
from topics.table import TOPICS, logical, physical

__all__ = ["worker"]  # a fixture


def _shadow(settings: Settings) -> Settings:
    given = {
        "MINDGAP_BROKER": settings.broker,
        "MINDGAP_BROKER_KIND": settings.broker_kind,
        "MINDGAP_TOPIC_PREFIX": settings.topic_prefix,
        "MINDGAP_PARTITIONS": str(settings.partitions),
        "MINDGAP_SHADOW": "1",
    }
    return settings_from(given)


def test_a_shadow_shares_the_input_and_nothing_else() -> None:
    """Its names are those of the live system for what is read, and its own for all that is written; so is its group."""
    live = settings_from({}, topic_prefix="city.")
    shadow = settings_from({"MINDGAP_SHADOW": "1"}, topic_prefix="city.")
    assert shadow.app_id == "city.shadow.mindgap" != live.app_id
    for name, topic in TOPICS.items():
        theirs = physical(shadow.topic_prefix, name)
        assert logical(shadow.topic_prefix, theirs) == name
        assert (theirs == physical(live.topic_prefix, name)) == (topic.role == "input")
        if topic.role != "input":
            assert theirs == f"city.shadow.{name}"
            with pytest.raises(KeyError):
                logical(shadow.topic_prefix, f"city.{name}")


@pytest.mark.timeout(80)
def test_a_shadow_beside_a_live_worker(settings, worker, monkeypatch) -> None:
    """Both see the same contacts breach; the live topics hold what the live worker said, and not a record more."""
    live = worker()
    shadow = _shadow(settings)
    monkeypatch.setenv("MINDGAP_SHADOW", "1")
    asyncio.run(create_topics(shadow))
    worker()
    start = time.time_ns() // 1_000_000
    send(settings, "interactions.chat", [contact(number, start) for number in range(6)])
    expected = {f"chat:{number}" for number in range(6)}
    eventually(lambda: breached(settings) == expected, 40, "the live breaches")
    eventually(lambda: breached(shadow) == expected, 40, "the shadow's breaches")
    said = len(everything(settings, "escalations"))
    assert {id_ for id_, _ in revisions(settings)} == {id_ for id_, _ in revisions(shadow)}
    live.kill()
    live.wait(10)
    send(settings, "interactions.chat", [contact(9, time.time_ns() // 1_000_000)])
    eventually(lambda: "chat:9" in breached(shadow), 40, "the shadow alone")
    assert len(everything(settings, "escalations")) == said
