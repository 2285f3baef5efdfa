"""Hotspots and notifications, held against the escalations of their own side: what must be so, and what may differ."""

from typing import Any

import pytest

from schemas.times import HOUR, MINUTE, SECOND, format_time
from streams.compare import Terms, compare
from streams.replay import Line, Replay
from tests.compare.runs import Files, found
from tests.node.cluster import policy
from tests.node.test_storms import contact, reply

T0 = 20 * 24 * HOUR
RULES = policy(
    targets=[{"first_response": "1h"}],
    hotspots={"customers": 4},
    notify={"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"},
)
END = T0 + 6 * HOUR
Records = list[dict[str, Any]]


def stormy() -> tuple[Records, Records]:
    """Escalations and notifications: a hotspot on `outage` that lasts, one on `billing` that has ended."""
    lines = [Line(T0 + n, "interactions", contact(n, T0 + n, topic="outage")) for n in range(5)]
    lines += [Line(T0 + n, "interactions", contact(n, T0 + n, topic="billing", channel="email")) for n in range(5, 9)]
    at = T0 + 2 * HOUR
    lines += [Line(at + n, "interactions", reply(n, at + n)) for n in range(5, 9)]
    outcomes = list(Replay(RULES).run(lines, END))
    escalations = [record for outcome in outcomes for record in outcome.escalations]
    return escalations, [note for outcome in outcomes for note in outcome.notifications]


def differences(escalations: Records, notes: Records, until: int = END) -> list[tuple[str, str]]:
    """What is wrong with a side that said this: section and kind."""
    run = Files([], [], [], escalations).run()._replace(notifications=lambda: iter(notes))
    good, pages = stormy()
    other = Files([], [], [], good).run()._replace(notifications=lambda: iter(pages))
    comparison = compare(run, other, terms=Terms(RULES, until))
    return sorted({(s, what) for s, _, what in found(comparison) if s in ("hotspots", "notifications")})


def test_a_replay_has_nothing_to_excuse():
    """What replay says of a storm holds, whatever is asked of it, and is counted."""
    escalations, notes = stormy()
    assert {record["status"] for record in escalations if record["kind"] == "hotspot"} == {"open", "resolved"}
    assert {note["change"] for note in notes} == {"first", "repeat", "resolved"}
    assert differences(escalations, notes) == []
    run = Files([], [], [], escalations).run()._replace(notifications=lambda: iter(notes))
    sections = {s.name: s for s in compare(run, run, terms=Terms(RULES, END)).sections}
    assert (sections["hotspots"].a, sections["notifications"].b) == (2, len(notes))


def hot(record: dict[str, Any], topic: str) -> bool:
    return record["kind"] == "hotspot" and record["topic"] == topic


def test_a_hotspot_that_is_missing_is_found():
    """Enough customers wait, and no hotspot was ever opened."""
    escalations, notes = stormy()
    left = [record for record in escalations if not hot(record, "outage")]
    assert ("hotspots", "enough customers wait, and none stands (A)") in differences(left, notes)


def test_a_hotspot_that_a_command_ended_is_not_missed():
    """Resolved by hand, it does not stand while its customers still wait."""
    escalations, notes = stormy()
    (opened,) = [record for record in escalations if hot(record, "outage")]
    over = {**opened, "revision": 2, "status": "resolved", "change": "resolved", "reason": "command"}
    assert not [what for what in differences([*escalations, over], notes) if what[0] == "hotspots"]
    ended = {**over, "reason": "no_longer_holds"}
    assert ("hotspots", "enough customers wait, and none stands (A)") in differences([*escalations, ended], notes)


def test_a_hotspot_without_customers_is_found():
    """It stands, and its customers were answered long ago; not where that was a moment ago."""
    escalations, notes = stormy()
    left = [record for record in escalations if not (hot(record, "billing") and record["status"] == "resolved")]
    expected = ("hotspots", "stands, and too few customers are left (A)")
    assert expected in differences(left, notes)
    assert expected not in differences(left, notes, T0 + 2 * HOUR + 30 * SECOND)


def test_two_hotspots_on_one_topic_are_found():
    """One topic has one at a time."""
    escalations, notes = stormy()
    (opened,) = [record for record in escalations if hot(record, "outage")]
    assert ("hotspots", "two stand on one topic (A)") in differences(
        [*escalations, {**opened, "escalation_id": "esc_2"}], notes
    )


def test_customers_who_came_far_apart_need_no_hotspot():
    """As many as make one, but never so many within the window."""
    lines = [Line(T0 + n * 2 * HOUR, "interactions", contact(n, T0 + n * 2 * HOUR, topic="outage")) for n in range(5)]
    end = T0 + 12 * HOUR
    outcomes = list(Replay(RULES).run(lines, end))
    escalations = [record for outcome in outcomes for record in outcome.escalations]
    notes = [note for outcome in outcomes for note in outcome.notifications]
    assert not any(record["kind"] == "hotspot" for record in escalations)
    assert differences(escalations, notes, end) == []


def changed(notes: Records, group: str, change: str, **values: Any) -> Records:
    """With other values in the notifications of the group that say this."""
    return [{**n, **values} if n["change"] == change and group in n["group_key"] else n for n in notes]


def without(notes: Records, change: str) -> Records:
    return [note for note in notes if note["change"] != change]


NOTES = {
    "called, and was not paged": lambda notes: [n for n in notes if "kind=sla/topic=outage" not in n["group_key"]],
    "nobody is left, and it was not resolved": lambda notes: without(notes, "resolved"),
    "does not begin with the first": lambda notes: without(notes, "first"),
    "one group and instant, two contents": lambda notes: [*notes, {**notes[0], "count": 77}],
    "goes on after it was resolved": lambda notes: [
        *notes,
        *({**n, "at": format_time(END), "change": "more"} for n in notes if n["change"] == "resolved"),
    ],
    "pages sooner than `group_interval` after the last": lambda notes: [
        *notes,
        {**notes[0], "change": "more", "at": format_time(T0 + HOUR + MINUTE)},
    ],
}


@pytest.mark.parametrize("what", NOTES)
def test_a_wrong_page_is_found(what):
    """What must not be is named."""
    escalations, notes = stormy()
    assert ("notifications", f"{what} (A)") in differences(escalations, NOTES[what](notes))


def test_what_was_sent_twice_is_no_difference():
    """At least once: the same record again is counted, and nothing more."""
    escalations, notes = stormy()
    assert differences(escalations * 2, notes * 2) == []
