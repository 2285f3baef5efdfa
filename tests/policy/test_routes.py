"""Whom an escalation is for: what routes can ask for, the ladder before them, and that nobody is left out."""

import json

import pytest
from click.testing import CliRunner

from agents.cli import main
from schemas.policy_problem import PolicyError
from streams.policy import EscalationFacts, compile_policy
from streams.policy_file import read_policy, read_policy_value
from streams.policy_remarks import covers, remarks
from streams.policy_routing import assign

PUBLIC_VENT = EscalationFacts(
    channel="social",
    topic="refund",
    priority="high",
    difficulty="easy",
    tier="gold",
    public=True,
    team="cards",
    kind="history",
    severity="critical",
    level=0,
    contacts=4,
    attempts=3,
    patterns=("ignored", "went_public"),
)
DESKS = """
version: desks
ladders:
  error: [{after: 0m}, {after: 1h}, {after: 8h, role: head}]
roles: {desk: {}, senior: {}, billing: {}, billing_lead: {}, head: {}}
routes:
  - {when: {public: true, min_attempts: 3}, role: senior}
  - {when: {topic: billing, difficulty: easy, level: [0, 1]}, role: billing}
  - {when: {topic: billing, min_level: 2}, role: billing_lead}
  - {role: desk}
"""


def policy(**parts):
    return compile_policy(read_policy_value({"version": "1", **parts}, "test"))


def first(when, facts=PUBLIC_VENT):
    """The role of a policy with one narrow route and one for all the rest."""
    return assign(policy(routes=[{"when": when, "role": "narrow"}, {"role": "rest"}]), facts)["role"]


@pytest.mark.parametrize(
    "when",
    [
        {"channel": "social"},
        {"topic": ["refund", "billing"]},
        {"priority": "high"},
        {"difficulty": "easy"},
        {"tier": "gold"},
        {"public": True},
        {"team": "cards"},
        {"kind": "history"},
        {"severity": ["error", "critical"]},
        {"min_severity": "error"},
        {"level": 0},
        {"min_level": 0},
        {"min_contacts": 4},
        {"min_attempts": 3},
        {"pattern": "went_public"},
        {"pattern": ["lapsed", "ignored"]},
        {"public": True, "min_attempts": 3, "pattern": "went_public", "tier": "gold"},
    ],
)
def test_a_route_can_ask_for(when):
    """All that is known of an escalation."""
    assert first(when) == "narrow"


@pytest.mark.parametrize(
    "when",
    [
        {"channel": "phone"},
        {"kind": ["sla", "hotspot"]},
        {"metric": "first_response"},
        {"severity": "error"},
        {"severity": "critical", "min_severity": "critical", "level": 1},
        {"min_level": 1},
        {"min_contacts": 5},
        {"min_attempts": 4},
        {"pattern": "lapsed"},
        {"public": True, "tier": "silver"},
    ],
)
def test_a_route_that_does_not_match_is_passed_over(when):
    """Every condition must hold."""
    assert first(when) == "rest"


def test_what_is_unknown_fulfils_no_condition():
    """A hotspot has no channel and no attempts, a clock no pattern."""
    nothing = EscalationFacts()
    for when in ({"channel": "phone"}, {"min_attempts": 1}, {"pattern": "ignored"}, {"level": 0}, {"public": False}):
        assert first(when, nothing) == "rest"


@pytest.mark.parametrize(
    ("changes", "role"),
    [
        ({}, "senior"),
        ({"attempts": 2}, "desk"),
        ({"topic": "billing", "attempts": 1}, "billing"),
        ({"topic": "billing", "attempts": 1, "difficulty": "hard"}, "desk"),
        ({"topic": "billing", "attempts": 1, "severity": "error", "level": 1}, "billing"),
        ({"topic": "billing", "attempts": 1, "severity": "error", "level": 2}, "billing_lead"),
        ({"topic": "billing", "attempts": 1, "severity": "error", "level": 3}, "head"),
    ],
)
def test_a_public_vent_goes_to_a_senior_person_and_an_easy_question_to_the_billing_desk(changes, role):
    """First match wins; a step of the ladder with a role goes before, one without leaves it to the routes."""
    rules = compile_policy(read_policy(DESKS, "desks", routable=True))
    assert assign(rules, PUBLIC_VENT._replace(**changes)) == {"role": role}


def test_the_contact_of_the_role_is_told():
    """A role with a contact brings it; without any route and ladder it is for nobody."""
    rules = policy(routes=[{"role": "lead"}], roles={"lead": {"contact": "pagerduty:P1"}})
    assert assign(rules, EscalationFacts()) == {"role": "lead", "contact": "pagerduty:P1"}
    assert assign(policy(), EscalationFacts()) == {"role": "unassigned"}


def unroutable(text):
    """What the check says where some escalation would be for nobody."""
    try:
        read_policy(text, "p.yaml", routable=True)
    except PolicyError as problem:
        return [str(each) for each in problem.problems]
    return []


ALL_LADDERS = "{warning: [{after: 0m, role: a}], error: [{after: 0m, role: a}], critical: [{after: 0m, role: b}]}"


@pytest.mark.parametrize(
    "text",
    [
        "version: a",
        "version: a\nroles: {lead: {}}",
        "version: a\nroutes: [{role: lead}]",
        "version: a\nroutes: [{when: {topic: x}, role: a}, {role: lead}]",
        f"version: a\nladders: {ALL_LADDERS}",
        "version: a\nroutes: [{when: {public: true}, role: a}, {when: {public: false}, role: b}]",
        "version: a\nroutes: [{when: {min_severity: error}, role: a}, {when: {severity: [warning]}, role: b}]",
        "version: a\nroutes: [{when: {kind: [sla, history]}, role: a}, {when: {kind: hotspot, severity: error}, role: b}]",
        "version: a\nladders: {error: [{after: 0m}]}\nroutes: [{when: {level: 0}, role: a}, {when: {min_level: 1}, role: b}]",
    ],
)
def test_where_all_reach_somebody_or_nobody_is_named_the_policy_is_sound(text):
    """A last route for all the rest, ladders that begin at once for every severity, or routes that share all out."""
    assert unroutable(text) == []


@pytest.mark.parametrize(
    ("text", "where", "example", "role"),
    [
        (
            "version: a\nroutes:\n  - {when: {topic: billing}, role: billing}\n",
            "2:1: routes",
            "sla of severity warning",
            "billing",
        ),
        (
            "version: a\nladders:\n  critical: [{after: 0m, role: lead}]\n",
            "2:1: ladders",
            "sla of severity warning",
            "lead",
        ),
        (
            f"version: a\nladders: {ALL_LADDERS.replace('error: [{after: 0m', 'error: [{after: 5m')}",
            "2:1: ladders",
            "sla of severity error",
            "a",
        ),
        (
            "version: a\nroutes: [{when: {kind: [sla, history]}, role: a}]",
            "2:1: routes",
            "hotspot of severity error",
            "a",
        ),
        (
            "version: a\nladders: {error: [{after: 0m}]}\nroutes: [{when: {level: 0}, role: a}]",
            "3:1: routes",
            "sla of severity warning, not public, at level 1",
            "a",
        ),
        (
            "version: a\nroutes: [{when: {public: true}, role: a}, {when: {public: false, tier: [gold]}, role: b}]",
            "2:1: routes",
            "sla of severity warning, not public, at level 0",
            "b",
        ),
    ],
)
def test_that_an_escalation_may_be_for_nobody_is_an_error_of_the_check(text, where, example, role):
    """With file, line, column, an example of who would be left out, and what to add."""
    (problem,) = unroutable(text)
    assert problem.startswith(f"p.yaml:{where}: an escalation may be for nobody ({example}")
    assert problem.endswith(f"): end routes with one for all the rest, {{role: {role}}}")


def test_check_and_publish_refuse_what_a_worker_takes(tmp_path):
    """Whoever writes a policy hears of it; what is in force already, or recorded, is taken as it is."""
    path = tmp_path / "p.yaml"
    path.write_text("version: a\nroutes:\n  - {when: {topic: billing}, role: billing}\n")
    for command in (["policy", "check", str(path)], ["policy", "publish", str(path)]):
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 1
        assert f"{path}:2:1: routes: an escalation may be for nobody" in done.stderr
    lines = tmp_path / "in.jsonl"
    lines.write_text("")
    assert CliRunner().invoke(main, ["replay", "--policy", str(path), str(lines)]).exit_code == 0


def test_paging_off_is_said_loudly_by_the_check(tmp_path):
    """A warning with the reason; the policy is sound all the same."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"version": "a", "notify": {"paging": "off", "reason": "move of the pager"}}))
    done = CliRunner().invoke(main, ["policy", "check", str(path)])
    assert done.exit_code == 0
    assert "warning: notify.paging is off (move of the pager): nobody is paged while this" in done.stderr


@pytest.mark.parametrize("word", ["maybe", 1, None, []])
def test_paging_is_on_or_off(word):
    """Anything else is an error; `on`, `off`, true and false are understood."""
    with pytest.raises(PolicyError):
        read_policy_value({"version": "1", "notify": {"paging": word}}, "x")
    for value, paging in (("on", True), ("off", False), (True, True), (False, False)):
        document = read_policy_value({"version": "1", "notify": {"paging": value}}, "x")
        assert document.notify.paging is paging
        assert read_policy_value(document.to_json(), "x") == document


def test_remarks_on_routes_and_silences():
    """Rows that another covers, conditions that cannot all hold, and roles without a contact beside others with one."""
    late = {"from": "2026-12-01T02:00:00Z", "until": "2026-12-01T04:00:00Z"}
    document = read_policy_value(
        {
            "version": "1",
            "roles": {"a": {"contact": "x"}, "b": {}},
            "routes": [
                {"when": {"min_severity": "error"}, "role": "a"},
                {"when": {"severity": "critical", "min_contacts": 2}, "role": "b"},
                {"when": {"severity": "warning", "min_severity": "error"}, "role": "b"},
                {"role": "b"},
            ],
            "silences": [{"when": {"level": 0, "min_level": 1}, **late}],
            "notify": {"reason": "x"},
            "hotspots": {"customers": 5000},
        },
        "test",
    )
    assert list(remarks(document)) == [
        "routes[1] is never used: routes[0] matches whatever it matches",
        "routes[2] is never used: no escalation fulfils all of its conditions",
        "silences[0] matches nothing: no escalation fulfils all of its conditions",
        "roles.b has no contact, and other roles have one",
        "hotspots.customers is above 1,000: with several escalations each, so many are not told apart",
        "notify.reason is told only while notify.paging is off",
    ]


def test_what_covers_what():
    """A row that asks for less covers one that asks for more."""
    routes = read_policy_value(
        {
            "version": "1",
            "routes": [
                {"when": when, "role": "x"}
                for when in (
                    {},
                    {"min_contacts": 2},
                    {"min_contacts": 3, "min_attempts": 2},
                    {"pattern": ["ignored", "lapsed"]},
                    {"pattern": "lapsed", "kind": "history"},
                    {"level": [1, 2]},
                    {"min_level": 1},
                )
            ],
        },
        "x",
    ).routes
    found = {(a, b) for a, x in enumerate(routes) for b, y in enumerate(routes) if a != b and covers(x.when, y.when)}
    assert found == {*((0, b) for b in range(1, 7)), (1, 2), (3, 4), (6, 5)}
