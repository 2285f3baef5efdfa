"""Each kind of change, as a timeline of which a stricter or laxer policy makes something else."""

import pytest

from schemas.codec import dumps, loads
from schemas.times import MINUTE
from streams.policy_diff.headlines import headlines
from tests.policy_diff.trial import answer_within, changed, plan, tried
from tests.timelines.timeline import email, phone, social

ASKED = email("10:00", "contact")
SWITCHED = (phone("10:00", "contact"), email("10:30", "contact"))


def patterns(**on):
    return plan(patterns=on)


def test_a_policy_and_itself_differ_in_nothing():
    """The diff of a policy with itself is empty."""
    story = [ASKED, phone("10:05", "contact"), social("10:20", "contact"), email("11:30", "reply")]
    document = answer_within("30m", patterns={"channel_switch": {}, "went_public": {}})
    diff = tried(document, document, *story)
    assert changed(diff) == {}
    assert diff.found.same == diff.found.total.old == diff.found.total.new > 0
    assert (diff.differs, diff.breaches.only_old, diff.breaches.only_new) == (False, 0, 0)
    assert [line.split(":")[0] for line in headlines(diff)] == ["Nothing changes"]
    assert diff.as_record()["examples"] == {}


def test_a_tighter_target_makes_an_escalation_appear():
    """A reply that was in time under A and late under B is an escalation that appears, and a breach that A misses."""
    diff = tried(answer_within("1h"), answer_within("30m"), ASKED, email("10:40", "reply"))
    assert changed(diff) == {"appears": 1}
    assert (diff.breaches.old, diff.breaches.new, diff.breaches.only_new) == (0, 1, 1)
    assert diff.totals()["pages"] == (0, 1)
    row = diff.found.by["kind"]["sla first_response"]
    assert (row.old, row.new, row.changes["appears"]) == (0, 1, 1)
    assert any("1 breach that A misses" in line for line in headlines(diff))


def test_a_laxer_target_makes_it_vanish():
    """The other way round it vanishes, and only A sees the breach."""
    diff = tried(answer_within("30m"), answer_within("1h"), ASKED, email("10:40", "reply"))
    assert changed(diff) == {"vanishes": 1}
    assert (diff.breaches.only_old, diff.breaches.only_new) == (1, 0)
    assert diff.found.by["channel"]["email"].as_record()["vanishes"] == 1


@pytest.mark.parametrize(("old", "new", "change"), [("1h", "30m", "earlier"), ("30m", "1h", "later")])
def test_an_escalation_that_moves_is_one(old, new, change):
    """The same clock under another target is the same escalation, earlier or later by its warning."""
    diff = tried(answer_within(old), answer_within(new), ASKED)
    assert changed(diff) == {change: 1}
    assert diff.found.shifts[change] == [24 * MINUTE]
    assert (diff.breaches.both, diff.breaches.only_old, diff.breaches.only_new) == (1, 0, 0)


def test_a_breach_that_moves_behind_the_same_warning_counts_as_moved():
    """Where the warning stays, the breach says what has moved."""
    diff = tried(answer_within("40m", warn_at="60%"), answer_within("30m", warn_at="80%"), ASKED)
    assert changed(diff) == {"earlier": 1}
    assert diff.found.shifts["earlier"] == [10 * MINUTE]


@pytest.mark.parametrize(("old", "new", "change"), [("warning", "error", "higher"), ("error", "warning", "lower")])
def test_a_change_of_severity(old, new, change):
    """A pattern of another severity makes no new escalation, but a graver or lighter one."""
    diff = tried(patterns(channel_switch={"severity": old}), patterns(channel_switch={"severity": new}), *SWITCHED,
                 until="10:40")  # fmt: skip
    assert changed(diff) == {change: 1}
    rows = diff.found.by["severity"]
    assert (rows[old].old, rows[old].new, rows[new].old, rows[new].new) == (1, 0, 0, 1)


def test_another_route():
    """The same escalation for somebody else is rerouted, and the pages move from one role to the other."""
    diff = tried(
        answer_within("30m", ladders={}),
        answer_within("30m", ladders={}, routes=[{"when": {"channel": "email"}, "role": "night_desk"}, {"role": "desk"}]),
        ASKED,
    )  # fmt: skip
    assert changed(diff) == {"rerouted": 1}
    assert {role: load.pages for role, load in diff.roles.items()} == {"desk": (1, 0), "night_desk": (0, 1)}
    assert diff.everybody.pages == (1, 1)


def test_another_pattern_for_the_same_history():
    """A pattern that joins another one changes the reasons of the history that is there."""
    more = {"channel_switch": {}, "third_channel": {"channels": 2, "severity": "warning"}}
    diff = tried(patterns(channel_switch={}), patterns(**more), *SWITCHED)
    assert changed(diff) == {"reasons": 1}
    rows = diff.found.by["kind"]
    assert (rows["history channel_switch"].old, rows["history channel_switch"].new) == (1, 1)
    assert (rows["history third_channel"].old, rows["history third_channel"].new) == (0, 1)


def test_one_escalation_may_change_in_several_ways():
    """Earlier, graver, and so at the next step of the ladder: one escalation, three changes."""
    diff = tried(answer_within("65m"), answer_within("30m"), ASKED, email("11:00", "reply"))
    assert changed(diff) == {"earlier": 1, "higher": 1, "rerouted": 1}
    assert (diff.found.total.old, diff.found.total.new, diff.found.same) == (1, 1, 0)


def test_a_metric_that_gets_a_target():
    """Clocks that are there under one policy only are counted under that one only."""
    new = plan(targets=[{"first_response": "1h", "resolution": "90m"}])
    diff = tried(answer_within("1h"), new, ASKED, email("10:10", "reply"))
    assert (diff.counted("first_response"), diff.counted("resolution")) == ((1, 1), (0, 1))
    record = diff.as_record()["metrics"]
    assert record["first_response"]["new"] == {"clocks": 1, "breached": 0, "share": 0.0}
    assert record["resolution"]["old"] == {"clocks": 0, "breached": 0, "share": None}
    assert record["resolution"]["new"] == {"clocks": 1, "breached": 1, "share": 1.0}


def test_the_team_that_had_it():
    """Escalations are broken down by the team that the thread was with."""
    moved = email("10:05", "transfer", to_team="billing")
    diff = tried(answer_within("1h"), answer_within("30m"), ASKED, moved, email("10:40", "reply"))
    assert diff.found.by["team"]["billing"].changes["appears"] == 1


def test_an_example_says_where_to_look():
    """An example names the customer and the thread, and what was said under either policy."""
    diff = tried(answer_within("1h"), answer_within("30m"), ASKED, email("10:40", "reply"))
    record = loads(dumps(diff.as_record()))
    (example,) = record["examples"]["appears"]
    assert (example["kind"], example["metric"], example["thread"], example["old"]) == (
        "sla", "first_response", "email:1", None)  # fmt: skip
    assert example["customer_id"].startswith("cus_")
    assert example["new"]["start"] == "2026-06-08T10:24:00.000Z"
    assert example["new"]["breached_at"] == "2026-06-08T10:30:00.000Z"
    assert example["new"]["end"] == "2026-06-08T10:40:00.000Z"
    assert example["new"]["roles"] == ["desk"]
