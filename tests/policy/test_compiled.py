"""What a compiled policy answers."""

import pytest

from schemas.policy import PolicyDocument
from schemas.policy_patterns import PATTERNS
from schemas.times import DAY, HOUR, MINUTE, parse_time
from streams.policy import BEGINNING, EscalationFacts, PolicyHistory, TargetFacts, compile_policy
from streams.policy_file import read_policy_value
from streams.policy_remarks import remarks


def policy(**parts):
    return compile_policy(read_policy_value({"version": "1", **parts}, "test"))


OFFICE = {"office": {"zone": "America/New_York", "week": {"mon-fri": ["09:00-17:00"]}}}


def test_defaults_are_the_contract_s():
    """A document with nothing but its version holds what the contract says is the default."""
    bare = policy()
    assert bare.apply == "open"
    assert bare.effective_at is None
    assert bare.warn_at == 0.8
    assert bare.pauses == {"pending"}
    assert bare.repeat_window == bare.window == 168 * HOUR
    assert (bare.quiet_after, bare.drop_after) == (336 * HOUR, 2160 * HOUR)
    assert (bare.handoff_window, bare.ignored_after) == (24 * HOUR, 24 * HOUR)
    assert bare.promise_grace == 15 * MINUTE
    assert bare.ack_timeout == 30 * MINUTE
    assert (bare.answers_canned, bare.answers_bot) == (False, False)
    assert bare.identity_limits == {"customer_id": 1, "email": 5, "phone": 5, "handle": 5}
    assert bare.identity_max == 100
    assert (bare.hotspots.customers, bare.hotspots.window) == (20, HOUR)
    assert bare.notify.min_severity == "error"
    assert bare.notify.group_by == ("kind", "topic", "channel")
    assert (bare.notify.group_wait, bare.notify.group_interval) == (30_000, 5 * MINUTE)
    assert bare.notify.repeat_interval == 4 * HOUR
    assert (bare.max_future, bare.max_age, bare.max_bytes) == (5 * MINUTE, 400 * DAY, 1_048_576)
    assert (bare.excerpts, bare.identities_clear, bare.max_stall) == (True, False, MINUTE)
    assert (bare.canned_customers, bare.flap.limit) == (5, 3)
    assert bare.issue_target is None
    assert bare.ladders == {}
    assert bare.route(EscalationFacts()) is None


SEVERITIES = {
    "channel_switch": "warning",
    "third_channel": "error",
    "went_public": "critical",
    "repeat_contact": "warning",
    "reopened": "error",
    "deflection_loop": "error",
    "handoff_dropped": "warning",
    "broken_promise": "error",
    "comp_in_place_of_fix": "warning",
    "canned_only": "warning",
    "ignored": "error",
    "abandoned": "warning",
    "long_hold": "warning",
    "passed_around": "warning",
    "public_argument": "warning",
    "spreading": "critical",
    "lapsed": "error",
    "self_service_failed": "info",
}


def test_patterns_have_the_contract_s_severities_and_numbers():
    """Every pattern of the table is on, with its default."""
    rules = policy().patterns
    assert {name: rule.severity for name, rule in rules.items()} == SEVERITIES
    assert tuple(SEVERITIES) == PATTERNS
    assert rules["third_channel"].channels == 3
    assert rules["repeat_contact"].threads == 3
    assert rules["spreading"].reach == 10_000
    assert (rules["spreading"].customers, rules["spreading"].window) == (5, DAY)
    assert rules["long_hold"].after == 30 * MINUTE
    counts = {name: rule.count for name, rule in rules.items() if rule.count}
    assert counts == {
        "reopened": 2,
        "deflection_loop": 2,
        "canned_only": 2,
        "abandoned": 2,
        "passed_around": 3,
        "public_argument": 3,
    }


def test_pattern_windows_follow_the_issues():
    """A window that a pattern does not give is that of `issues`; one that it gives is its own."""
    rules = policy(
        issues={"window": "10h", "repeat_window": "20h", "handoff_window": "30h", "quiet_after": "40h"},
        patterns={"third_channel": {"window": "1h"}, "handoff_dropped": {"handoff_window": "2h"}},
    ).patterns
    assert rules["channel_switch"].window == rules["deflection_loop"].window == rules["abandoned"].window == 10 * HOUR
    assert rules["repeat_contact"].window == rules["comp_in_place_of_fix"].window == 20 * HOUR
    assert rules["deflection_loop"].handoff_window == 30 * HOUR
    assert rules["lapsed"].after == 40 * HOUR
    assert rules["third_channel"].window == HOUR
    assert rules["handoff_dropped"].window == rules["handoff_dropped"].handoff_window == 2 * HOUR


def test_first_match_wins_per_metric():
    """A row that matches but does not give the metric leaves it to the rows below."""
    rules = policy(
        targets=[
            {"when": {"channel": "social"}, "first_response": "1h"},
            {"when": {"channel": ["social", "phone"], "tier": "gold"}, "first_response": "5m", "resolution": "2h"},
            {"first_response": "8h", "resolution": "40h"},
        ]
    )
    social = TargetFacts(channel="social", tier="gold")
    assert rules.target("first_response", social).target_ms == HOUR
    assert rules.target("resolution", social).target_ms == 2 * HOUR
    assert rules.target("first_response", TargetFacts(channel="phone")).target_ms == 8 * HOUR
    assert rules.target("next_response", social) is None


def test_unknown_facts_match_no_condition():
    """What is not known is not easy, not gold, and neither public nor private."""
    rules = policy(
        targets=[{"when": {"public": False}, "resolution": "1h"}, {"when": {"topic": "x"}, "resolution": "2h"}]
    )
    assert rules.target("resolution", TargetFacts()) is None
    assert rules.target("resolution", TargetFacts(public=False)).target_ms == HOUR
    assert rules.target("resolution", TargetFacts(public=True, topic="x")).target_ms == 2 * HOUR


def test_calendar_of_a_target():
    """The row's calendar, else the channel's, else always."""
    rules = policy(
        calendars=OFFICE,
        channels={"phone": {"calendar": "office"}},
        targets=[{"resolution": "1h"}, {"first_response": "1h", "calendar": "office"}],
        issue_resolution="48h",
    )
    assert rules.target("resolution", TargetFacts("phone")).calendar.name == "office"
    assert rules.target("resolution", TargetFacts("email")).calendar.name == "always"
    assert rules.target("first_response", TargetFacts("email")).calendar.name == "office"
    assert rules.issue_target.calendar.name == "always"
    assert rules.issue_target.target_ms == 48 * HOUR


def test_a_calendar_named_always_is_the_policy_s():
    """Whoever defines `always` gets what he defined, for channels that are not named too."""
    rules = policy(calendars={"always": OFFICE["office"]})
    assert not rules.channel_calendar("chat").is_always
    assert policy().channel_calendar("chat").is_always


def test_warning_point():
    """The warning comes at the share of the target, exactly; at 100% and at off there is none."""
    targets = [{"resolution": "4h"}]
    facts = TargetFacts()
    assert policy(targets=targets).target("resolution", facts).warn_ms == 11_520_000
    assert policy(targets=targets, warn_at="33.3%").target("resolution", facts).warn_ms == 4_795_200
    assert policy(targets=targets, warn_at="100%").target("resolution", facts).warn_ms is None
    assert policy(targets=targets, warn_at="off").target("resolution", facts).warn_ms is None


def test_routes_and_silences():
    """The first route that matches, and the silences that hold now."""
    rules = policy(
        routes=[{"when": {"topic": "billing", "difficulty": "easy"}, "role": "billing"}, {"role": "lead"}],
        silences=[{"when": {"channel": "chat"}, "from": "2026-12-01T02:00:00Z", "until": "2026-12-01T04:00:00Z"}],
    )
    assert rules.route(EscalationFacts(topic="billing", difficulty="easy")) == "billing"
    assert rules.route(EscalationFacts(topic="billing")) == "lead"
    two, four = parse_time("2026-12-01T02:00:00Z"), parse_time("2026-12-01T04:00:00Z")
    chat = EscalationFacts("chat")
    assert [bool(rules.silence(chat, at)) for at in (two - 1, two, four - 1, four)] == [False, True, True, False]
    assert rules.silence(EscalationFacts("phone"), two) is None


def test_blocked_values_are_normalised():
    """A blocked value is known in each form in which an identity can have it."""
    blocked = policy(identities={"blocked": ["+49 69 5550100", "555-0100", "@Bot", "NOBODY@x.org"]}).blocked
    assert {"+49695550100", "5550100", "bot", "nobody@x.org"} <= blocked


def test_compiling_what_was_never_checked():
    """A document that names a calendar or zone that is not there does not compile."""
    with pytest.raises(ValueError, match="no calendar 'x'"):
        compile_policy(PolicyDocument.model_validate({"version": "1", "channels": {"phone": {"calendar": "x"}}}))
    with pytest.raises(ValueError, match="time zone"):
        compile_policy(PolicyDocument.model_validate({"version": "1", "calendars": {"x": {"zone": "Mars"}}}))


def version(name, **parts):
    return compile_policy(PolicyDocument.model_validate({"version": name, **parts}))


def test_history_takes_effect_at_the_later_of_two_times():
    """A version holds from its effective time or its arrival, whichever is later, and the first from ever."""
    history = PolicyHistory(version("1"))
    assert history.add(version("2", effective_at="1970-01-01T00:00:05Z"), 1_000)
    assert history.add(version("3", effective_at="1970-01-01T00:00:01Z"), 3_000)
    assert [(entry.since, entry.policy.version) for entry in history.entries] == [
        (BEGINNING, "1"),
        (3_000, "3"),
        (5_000, "2"),
    ]
    assert [history.at(when).version for when in (-(10**15), 2_999, 3_000, 4_999, 5_000)] == ["1", "1", "3", "3", "2"]
    assert [history.next_change(when) for when in (0, 3_000, 5_000)] == [3_000, 5_000, None]


def test_the_same_version_twice_is_ignored():
    """A replayed policy changes nothing, the first one too."""
    history = PolicyHistory(version("1"))
    assert history.add(version("2"), 1_000)
    before = history.entries
    assert not history.add(version("2", apply="new"), 9_000)
    assert not history.add(version("1"), 9_000)
    assert history.entries == before


def test_versions_of_one_instant():
    """Of versions that take effect together the one that came last holds."""
    history = PolicyHistory(version("1"))
    history.add(version("2"), 1_000)
    history.add(version("3"), 1_000)
    assert history.at(1_000).version == "3"


def test_chain_leaves_out_versions_for_new_clocks():
    """A running clock is under the policy of its start and under later ones for open clocks only."""
    history = PolicyHistory(version("1"))
    history.add(version("2", apply="new"), 1_000)
    history.add(version("3"), 2_000)
    history.add(version("4", apply="new"), 3_000)
    chains = {at: [entry.policy.version for entry in history.chain(at)] for at in (0, 1_000, 2_500, 3_000)}
    assert chains == {0: ["1", "3"], 1_000: ["2", "3"], 2_500: ["3"], 3_000: ["4"]}


def test_remarks():
    """Rows that nothing reaches, calendars and roles that nothing uses, calendars that never open."""
    document = read_policy_value(
        {
            "version": "1",
            "calendars": {**OFFICE, "never": {"zone": "UTC"}, "spare": {"zone": "UTC"}},
            "channels": {"phone": {"calendar": "never"}, "chat": {"calendar": "office"}},
            "targets": [
                {"when": {"channel": ["phone", "chat"]}, "resolution": "1h"},
                {"when": {"channel": "phone", "tier": "gold"}, "resolution": "5m", "first_response": "5m"},
            ],
            "roles": {"lead": {}, "idle": {}},
            "routes": [{"role": "lead"}, {"when": {"topic": "x"}, "role": "lead"}],
        },
        "test",
    )
    assert list(remarks(document)) == [
        "targets[1].resolution is never used: targets[0] matches whatever it matches",
        "routes[1] is never used: routes[0] matches whatever it matches",
        "calendars.never is never open: clocks in it are never due",
        "calendars.spare is used by nothing",
        "roles.idle is used by no ladder and no route",
    ]
