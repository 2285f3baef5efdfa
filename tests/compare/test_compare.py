"""Comparing two runs: what must be equal is, and each kind of difference is found and named."""

import random

import pytest

from schemas.times import HOUR, MINUTE, parse_time
from streams.compare import Terms
from streams.compare.on_record import check_escalations
from tests.compare.runs import Files, breach, clock, compared, customer, escalations, found, history, issue, said
from tests.node.cluster import policy


def test_equal_runs_agree():
    """A run agrees with itself, and the counts are told."""
    result = compared(Files(), Files())
    assert result.agree
    assert {section.name: (section.a, section.b) for section in result.sections} == {
        "customers": (1, 1),
        "issues": (1, 1),
        "clocks": (1, 1),
        "episodes": (2, 2),
        "escalations": (2, 2),
    }


def test_customer_ids_may_differ():
    """Customers are matched by who they are, not by what they are called."""
    other = Files(
        [customer("cus_9", aliases=["cus_1"])],
        [clock(customer_id="cus_9")],
        [breach(customer_id="cus_9"), history(customer_id="cus_9")],
    )
    assert compared(Files(), other).agree


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_lines_is_irrelevant(seed):
    """Shuffled files compare as the sorted ones do, also where several records share a key."""
    many = Files(episodes=[breach(), breach(start="2026-06-08T15:30:00.000Z"), history()])
    shuffled = Files(episodes=list(many.episodes))
    for records in (shuffled.customers, shuffled.clocks, shuffled.episodes, shuffled.escalations):
        random.Random(seed).shuffle(records)
    shuffled.customers[0]["identities"].reverse()
    assert compared(many, shuffled).agree
    assert (
        found(compared(Files(), shuffled)) == found(compared(Files(), many)) == [("episodes", "sla clk_1", "only in B")]
    )


FACTS = {
    "an issue's field": (Files([customer(issues=[issue(contacts=3)])]), ("issues", "iss_1", "differs")),
    "an issue that is not there": (Files([customer(issues=[])]), ("issues", "iss_1", "only in A")),
    "an issue more": (
        Files([customer(issues=[issue(), issue(issue_id="iss_2")])]),
        ("issues", "iss_2", "only in B"),
    ),
    "a customer that is not there": (Files([]), ("customers", "cus_1", "only in A")),
    "a clock's field": (Files(clocks=[clock(due_at=None)]), ("clocks", "clk_1", "differs")),
    "a ledger": (Files(clocks=[clock(paused=[["a", "b"]])]), ("clocks", "clk_1", "differs")),
    "a field that one side lacks": (Files(clocks=[clock(covered_by=None)]), ("clocks", "clk_1", "differs")),
    "a clock that is not there": (Files(clocks=[]), ("clocks", "clk_1", "only in A")),
    "a clock twice": (Files(clocks=[clock(), clock()]), ("clocks", "clk_1", "only in B")),
    "an episode's end": (
        Files(episodes=[breach(end="2026-06-08T16:00:00.001Z"), history()]),
        ("episodes", "sla clk_1", "differs"),
    ),
    "how an episode ended": (
        Files(episodes=[breach(ended_by="solved"), history()]),
        ("episodes", "sla clk_1", "differs"),
    ),
    "an episode's severity": (
        Files(episodes=[breach(), history(severity="error")]),
        ("episodes", "history iss_1", "differs"),
    ),
    "an episode that is not there": (Files(episodes=[breach()]), ("episodes", "history iss_1", "only in A")),
}


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_that_differs_is_named(name):
    """Each planted difference of the facts is found, in its section, under its id."""
    other, expected = FACTS[name]
    result = compared(Files(), other)
    assert not result.agree
    assert expected in found(result)


def test_both_values_are_shown():
    """Of records that differ, only the fields that do are shown, with both values."""
    (difference,) = compared(Files(), Files(clocks=[clock(counted_s=1, state="met")])).sections[2].differences
    assert (difference.a, difference.b) == (
        {"state": "breached", "counted_s": 10800},
        {"state": "met", "counted_s": 1},
    )


def test_customers_joined_on_one_side_only_are_one_difference():
    """Two customers that the other run has as one are told together."""
    half = {"aliases": [], "issues": []}
    a = Files([customer("cus_1", issues=[])])
    b = Files(
        [
            customer("cus_2", identities=[{"type": "email", "value": "kim@example.com"}], **half),
            customer(
                "cus_3",
                identities=[{"type": "thread", "value": "t1"}, {"type": "thread", "value": "t2"}],
                **half,
            ),
        ]
    )
    result = compared(a, b)
    assert result.sections[0].differ == 1
    (difference,) = result.sections[0].differences
    assert difference.what == "1 in A, 2 in B"
    assert [one["customer_id"] for one in difference.b] == ["cus_2", "cus_3"]


def test_an_issue_with_another_customer_is_a_difference():
    """Two customers that have swapped their issues do not pass for the same."""
    kim, lee = [{"type": "email", "value": "kim@example.com"}], [{"type": "email", "value": "lee@example.com"}]
    mine, other = [issue()], [issue(issue_id="iss_2")]
    a = [customer("c1", identities=kim, issues=mine), customer("c2", identities=lee, issues=other)]
    b = [customer("c1", identities=kim, issues=other), customer("c2", identities=lee, issues=mine)]
    assert ("issues", "iss_1", "differs") in found(compared(Files(a), Files(b)))


def test_the_limit_keeps_the_count():
    """Only so many differences are kept; all are counted."""
    many = [clock(clock_id=f"clk_{number}") for number in range(50)]
    result = compared(Files(), Files(clocks=[clock(), *many]), limit=3)
    clocks = result.sections[2]
    assert clocks.differ == 50
    assert len(clocks.differences) == 3


# -- escalations, each side against its own episodes ---------------------------------------------------------------


def without(place: int) -> list[dict]:
    records = escalations()
    del records[place]
    return records


RESOLVED = {"status": "resolved", "reason": "answered"}
RECORDS = {
    "a revision is missing": (without(1), ("esc_1", "revisions are missing (B)")),
    "the first revision is missing": (without(0), ("esc_1", "revisions are missing (B)")),
    "one revision has two contents": (
        [*escalations(), said(2, "14:00:01")],
        ("esc_1", "one revision, two contents (B)"),
    ),
    "an episode that nobody escalated": (without(2), ("iss_1", "not on record (B)")),
    "an escalation that ended before its episode began": (
        [said(1, "13:00:00", phase="breached"), said(2, "13:30:00", **RESOLVED), *without(0)[1:2]],
        ("clk_1", "not on record (B)"),
    ),
    "an episode that lasts, resolved on record": (
        [*escalations(), {**escalations()[2], **RESOLVED, "revision": 2}],
        ("iss_1", "lasts, and no escalation is open (B)"),
    ),
    "an escalation that is still open": (without(3), ("esc_1", "open, and no episode lasts (B)")),
    "a warning that is still open": (
        [*escalations(), said(1, "13:48:00", escalation_id="esc_3", severity="warning", phase="at_risk")],
        ("esc_3", "open, and its clock has ended (B)"),
    ),
    "an escalation that opened after its episode had ended": (
        [
            said(1, "18:00:00", first_contact_at="2026-06-08T13:00:00.000Z"),
            said(2, "19:00:00", first_contact_at="2026-06-08T13:00:00.000Z", **RESOLVED),
            escalations()[2],
        ],
        ("clk_1", "not on record (B)"),
    ),
    "only retracted": (
        [
            said(1, "14:00:00"),
            said(2, "16:00:00", status="resolved", reason="late_evidence", retracted=True),
            escalations()[2],
        ],
        ("clk_1", "on record only as retracted (B)"),
    ),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_that_does_not_fit_the_episodes_is_named(name):
    """Each planted fault of one side's escalations is found on that side, under its id."""
    records, expected = RECORDS[name]
    result = compared(Files(), Files(escalations=records))
    assert not result.agree
    assert ("escalations", *expected) in found(result)


def test_a_breach_that_is_only_warned_of_is_a_difference():
    """While a clock is breached, an open escalation that still warns of it is not enough."""
    lasting = {"episodes": [breach(end=None, ended_by=None)]}
    good = Files(**lasting, escalations=escalations()[:2])
    bad = Files(**lasting, escalations=escalations()[:1])
    assert compared(good, good).agree
    assert ("escalations", "clk_1", "still only a warning (B)") in found(compared(good, bad))


def more(*records: dict) -> Files:
    return Files(escalations=[*escalations(), *records])


OTHER = {"escalation_id": "esc_3"}
ALLOWED = {
    "identical duplicates": more(*escalations()),
    "later detection": Files(
        escalations=[
            said(1, "14:20:00", detection_lag_s=1200),
            said(2, "16:30:00", status="resolved", reason="answered", detection_lag_s=1800),
            escalations()[2],
        ]
    ),
    "backfilled": Files(
        escalations=[
            said(1, "20:00:00", detection_lag_s=21600, backfilled=True),
            said(2, "20:00:00", detection_lag_s=14400, backfilled=True, **RESOLVED),
            escalations()[2],
        ]
    ),
    "opened for what proved wrong, closed for what is so": Files(
        escalations=[
            said(1, "18:00:00", detection_lag_s=600),
            said(2, "19:00:00", detection_lag_s=10800, **RESOLVED),
            escalations()[2],
        ]
    ),
    "moved back by late events": Files(
        escalations=[
            said(1, "18:00:00", first_contact_at="2026-06-08T17:00:00.000Z"),
            said(2, "18:30:00", first_contact_at="2026-06-08T13:00:00.000Z"),
            said(3, "19:00:00", **RESOLVED),
            escalations()[2],
        ]
    ),
    "retracted": more(
        said(1, "18:00:00", **OTHER),
        said(2, "18:05:00", status="resolved", reason="late_evidence", retracted=True, **OTHER),
    ),
    "merged": more(said(1, "18:00:00", **OTHER), said(2, "18:05:00", status="resolved", reason="merged", **OTHER)),
    "contradicted after it was resolved": more(said(1, "18:00:00", **OTHER), said(2, "18:05:00", **OTHER, **RESOLVED)),
    "warned, and met in time": more(
        said(1, "18:00:00", severity="warning", phase="at_risk", **OTHER),
        said(2, "18:05:00", severity="warning", phase="at_risk", status="resolved", reason="met", **OTHER),
    ),
    "a command": more({**escalations()[2], "revision": 2, "status": "resolved", "reason": "command"}),
    "another id of the issue at the time": Files(
        escalations=[*without(2), {**escalations()[2], "issue_id": "iss_then"}],
    ),
    "a hotspot": more(said(1, "18:00:00", escalation_id="esc_h", kind="hotspot", clock=None)),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_an_observer_may_say_is_no_difference(name):
    """What section 11 of the contract lets differ between runs does not count as a difference."""
    result = compared(Files(), ALLOWED[name])
    assert result.agree, found(result)


def test_duplicates_are_counted():
    """Redelivered records are told, and harm nothing."""
    assert compared(Files(), ALLOWED["identical duplicates"]).sections[4].remarks["sent more than once"] == {
        "A": 0,
        "B": 4,
    }


def test_strict_allows_no_contradiction():
    """Under --strict, an escalation resolved for an episode that never was is a difference."""
    other = ALLOWED["contradicted after it was resolved"]
    result = compared(Files(), other, strict=True)
    assert ("escalations", "esc_3", "resolved, and there was no episode (B)") in found(result)


def test_a_raise_that_was_disproved_claims_nothing():
    """A breach that was said and taken back needs no episode."""
    records = [
        said(1, "18:00:00", severity="warning", phase="at_risk", **OTHER),
        said(2, "18:02:00", **OTHER),
        said(3, "18:03:00", severity="warning", phase="at_risk", retracted=True, **OTHER),
        said(4, "18:05:00", severity="warning", phase="at_risk", status="resolved", reason="met", **OTHER),
    ]
    assert compared(Files(), more(*records), strict=True).agree


def test_an_open_escalation_that_took_a_raise_back_is_on_record():
    """Only a resolution retracts an escalation: one whose raise was disproved still stands for its episode."""
    records = [*escalations(), {**escalations()[2], "revision": 2, "retracted": True}]
    assert compared(Files(), Files(escalations=records), strict=True).agree


FLAPPING = [*without(3), said(3, "16:00:02", change="updated", flapping=True)]


def test_what_flaps_stays_open_until_it_has_been_quiet():
    """An escalation that flaps may be open though nothing holds, for as long as the policy says, and no longer."""
    run = Files(escalations=FLAPPING)
    assert compared(Files(), run).agree
    until, rules = parse_time("2026-06-08T16:00:00.000Z") + MINUTE, policy(flap={"limit": 3, "quiet": "2h"})
    assert not check_escalations({"B": run.run()}, 10, terms=Terms(rules, until + 2 * HOUR)).differ
    without_cause = Files(episodes=[history()], escalations=FLAPPING)
    assert check_escalations({"B": without_cause.run()}, 10).differ == 1
    (late,) = check_escalations({"B": run.run()}, 10, terms=Terms(rules, until + 2 * HOUR + 1)).differences
    assert (late.id, late.what) == ("esc_1", "open, and no episode lasts (B)")


def test_a_warning_that_flaps_may_outlive_its_clock():
    """Of a warning that is over nothing is told but its escalation."""
    again = said(1, "13:48:00", escalation_id="esc_3", severity="warning", phase="at_risk", flapping=True)
    assert compared(Files(), Files(escalations=[*escalations(), again])).agree
