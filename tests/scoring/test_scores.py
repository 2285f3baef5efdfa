"""The core, held against the truth of simulated stories."""

import json

import pytest
from click.testing import CliRunner

from agents.cli import main
from agents.commands.score import one_run
from schemas.policy_patterns import PATTERNS
from schemas.times import DAY, parse_time
from streams.scoring import Evidence, Score, gather, judge
from streams.scoring.evidence import Place
from streams.simulate import TIDY, Simulation, StoryTruth

START = parse_time("2026-06-01T04:00:00Z")


def truth(patterns: list[str], *threads: str, joined: bool = True) -> StoryTruth:
    """Of customer C1, about billing."""
    since = dict.fromkeys(patterns, 0)
    names = tuple((thread, "email") for thread in threads)
    return StoryTruth("C1", ("customer_id:C1",), "billing", "easy", names, 0, None, joined, since)


def evidence(**issues: tuple[list[str], list[str]]) -> Evidence:
    """Issues of a customer `cus`: their threads, and the patterns on record."""
    found = Evidence(owners={"customer_id:C1": "cus"})
    for name, (threads, patterns) in issues.items():
        found.threads[Place("cus", name)] = frozenset(threads)
        found.on_record[Place("cus", name)] = found.said[Place("cus", name)] = set(patterns)
    return found


def counts(score: Score, pattern: str) -> tuple[int, int, int]:
    one = score.patterns[pattern]
    return one.expected, one.found, one.right


def test_a_hit_a_miss_and_a_false_alarm():
    """Expected and found is right; expected only is missed; found only is extra."""
    score = judge([truth(["ignored", "reopened"], "a")], evidence(i=(["a"], ["ignored", "abandoned"])))
    assert counts(score, "ignored") == (1, 1, 1)
    assert counts(score, "reopened") == (1, 0, 0)
    assert counts(score, "abandoned") == (0, 1, 0)
    assert (score.patterns["ignored"].precision, score.patterns["reopened"].recall) == (1, 0)
    assert (score.patterns["reopened"].precision, score.patterns["abandoned"].recall) == (None, None)
    assert {(miss.what, miss.pattern) for miss in score.misses} == {("missed", "reopened"), ("extra", "abandoned")}
    assert (score.judged, score.told_apart) == (1, 1)


def test_an_issue_that_is_nobodys_problem_counts_against_precision():
    """Patterns of an issue that no story tells of are false alarms."""
    score = judge([truth([], "a")], evidence(i=(["a"], []), other=(["b"], ["lapsed"])))
    assert counts(score, "lapsed") == (0, 1, 0)


def test_a_problem_in_two_issues_is_not_told_apart():
    """A problem that the core takes for two is judged by both, and not counted as told apart."""
    score = judge([truth(["lapsed"], "a", "b")], evidence(i=(["a"], []), other=(["b"], ["lapsed"])))
    assert counts(score, "lapsed") == (1, 1, 1)
    assert (score.judged, score.told_apart) == (1, 0)


def test_what_the_input_does_not_tie_together_is_not_judged():
    """Nobody can know that two calls without a number are one person's."""
    score = judge([truth(["lapsed"], "a", "b", joined=False)], evidence(i=(["a"], ["ignored"])))
    assert (score.problems, score.judged) == (1, 0)
    assert counts(score, "ignored") == (0, 0, 0)


def test_tidy_records_are_understood_without_a_difference():
    """Where records are in order, precision and recall are 1, and every problem is exactly one issue."""
    simulation = Simulation(5, START, 24 * DAY, 50, untidy=TIDY)
    lines = list(simulation)
    score = judge(list(simulation.truth()), gather(lines, simulation.end))
    assert score.misses == []
    assert score.told_apart == score.judged > 120
    assert sum(1 for one in score.patterns.values() if one.expected) >= 14


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_untidy_records_are_understood(seed):
    """Late, doubled and mistaken records: what is on record at the end is what was so."""
    score = one_run(seed, customers=150, days=30, tidy=False)
    assert score.judged > 500
    assert set(PATTERNS) - {name for name, one in score.patterns.items() if one.expected} <= {"reopened"}
    for name, one in score.patterns.items():
        assert one.right >= 0.97 * max(one.expected, one.found) - 1, name


def test_the_command_prints_a_table_or_json():
    """`mindgap score` names every pattern, and says how much was judged; --json says it for machines."""
    arguments = ["score", "--seeds", "2", "--customers", "12", "--days", "6", "--jobs", "1"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    named = [line.split()[0] for line in done.output.splitlines() if line and not line.startswith(("missed", "extra"))]
    assert named[1:-1] == [*PATTERNS, "all"]
    record = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).output)
    assert set(record["patterns"]) == set(PATTERNS)
    assert 0 < record["judged"] <= record["problems"]
