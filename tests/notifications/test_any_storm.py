"""Notifications over arbitrary lives of escalations."""

import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.times import MINUTE, SECOND, format_time, parse_time
from tests.notifications.records import escalation, policy
from tests.notifications.storm import T0, Groups, batches, said

RULES = policy(
    notify={"group_wait": "30s", "group_interval": "5m", "repeat_interval": "20m", "group_by": ["topic", "channel"]},
    silences=[
        {"when": {"topic": "a"}, "from": format_time(T0 + 5 * MINUTE), "until": format_time(T0 + 11 * MINUTE)},
        {"when": {"channel": "chat"}, "from": format_time(T0), "until": format_time(T0 + 9 * MINUTE)},
    ],
)

moves = st.lists(
    st.tuples(
        st.integers(0, 5),  # which escalation
        st.sampled_from([0, 0, 1, 20, 60, 400]),  # seconds since the move before
        st.sampled_from(["open", "open", "open", "acknowledged", "suppressed", "resolved"]),
        st.sampled_from(["warning", "error", "critical"]),
        st.sampled_from([None, "a", "b"]),
        st.sampled_from(["phone", "chat"]),
    ),
    max_size=40,
)


def end_of(steps: list[tuple[Any, ...]]) -> int:
    """Before a repeat of what was paged last, and after every silence."""
    return T0 + sum(step[1] for step in steps) * SECOND + 19 * MINUTE


@settings(max_examples=300, deadline=None)
@given(moves)
def test_any_storm_is_grouped(steps):
    """No group pages more often than allowed; all that stays open is in a page; a group's changes are in order."""
    storm = batches(steps, RULES)
    played = Groups(RULES).play(storm, end_of(steps))
    groups: dict[str, list[dict[str, Any]]] = {}
    for record in played.sent:
        groups.setdefault(record["group_key"], []).append(record)
    for records in groups.values():
        out = False
        for number, record in enumerate(records):
            assert (record["change"] == "first") == (not out)
            assert (record["change"] == "resolved") == (record["count"] == 0)
            out = record["change"] != "resolved"
            if number and out and records[number - 1]["change"] != "resolved":
                between = parse_time(record["at"]) - parse_time(records[number - 1]["at"])
                assert between >= (20 if record["change"] == "repeat" else 5) * MINUTE
        pages = [parse_time(record["at"]) for record in records if record["change"] != "resolved"]
        assert all(later - earlier >= 5 * MINUTE for earlier, later in pairwise(pages))
    where: dict[str, dict[str, Any]] = {}
    for _, envelopes in storm:
        for _, key, message in envelopes:
            where.setdefault(message["id"], {})[key] = message
    for id_, keys in where.items():
        for key, message in keys.items():
            if not message.get("gone") and message["status"] == "open":
                assert any(id_ in page["escalation_ids"] for page in groups[key])
                assert groups[key][-1]["change"] != "resolved"


@settings(max_examples=300, deadline=None)
@given(moves, st.integers(0, 2**32))
def test_disorder_changes_nothing(steps, seed):
    """Messages shuffled within their instant, doubled, delivered late, and repeated after crashes page the same."""
    storm, end = batches(steps, RULES), end_of(steps)
    assert said(Groups(RULES, random.Random(seed)).play(storm, end)) == said(Groups(RULES).play(storm, end))


@pytest.mark.parametrize("seed", range(5))
def test_500_breaches_in_a_minute_page_at_most_twice(seed):
    """However they come, doubled and after crashes: 2 notifications in 5.5 minutes, which count all 500."""
    chance = random.Random(seed)
    rules = policy()
    times = sorted(chance.randrange(60_000) for _ in range(500))
    steps = [
        (number, 0, "open", chance.choice(["error", "critical"]), "billing", "phone") for number in range(len(times))
    ]
    storm = [
        (T0 + at, batch) for at, (_, batch) in zip(times, (batches([step], rules)[0] for step in steps), strict=True)
    ]
    played = Groups(rules, chance).play(storm, T0 + 5 * MINUTE + 30 * SECOND)
    assert [(note["change"], note["count"]) for note in played.sent][-1] == ("more", 500)
    assert [note["change"] for note in played.sent] == ["first", "more"]
    assert len({envelope.message["id"] for _, batch in storm for envelope in batch}) == 500


def test_an_older_revision_that_comes_later_changes_nothing():
    """The escalation was resolved by revision 3; revisions 1 and 2, delivered a minute later, page nobody."""
    rules = policy()
    life = [escalation("e", 1), escalation("e", 2, severity="critical"), escalation("e", 3, status="resolved")]
    storm = batches([(0, 0, "open", "error", "a", "chat"), (0, 0, "open", "critical", "a", "chat")], rules)
    late = storm[0][1]
    over = list(batches([(0, 0, r["status"], r["severity"], "a", "chat") for r in life], rules)[0][1])[-1:]
    played = Groups(rules).play([(T0, over), (T0 + MINUTE, late)], T0 + 10 * MINUTE)
    assert played.sent == []
