"""The processor, held against the truth of simulated stories, by way of `mindgap replay`."""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

POLICY = {
    "version": "1",
    "calendars": {"always": {"zone": "UTC", "week": {"mon-sun": ["00:00-24:00"]}}},
    "channels": {"social": {"calendar": "always", "public": True}, "community": {"calendar": "always", "public": True}},
    "targets": [{"first_response": "8h"}],
}
INFO = {"self_service_failed"}
"""Too light to open an escalation by itself."""


def mindgap(*arguments: str, into: Path) -> list[dict]:
    with into.open("wb") as out:
        subprocess.run([sys.executable, "-m", "agents.cli", *arguments], stdout=out, timeout=100, check=True)
    return read(into)


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> tuple[list[dict], list[dict], list[dict]]:
    """The truth, the escalations, and the customers of one simulated week."""
    folder = tmp_path_factory.mktemp("truth")
    policy, stream = folder / "policy.json", folder / "stream.jsonl"
    policy.write_text(json.dumps(POLICY))
    size = ["--seed", "11", "--customers", "250", "--days", "8"]
    mindgap("simulate", *size, "--truth", str(folder / "truth.jsonl"), into=stream)
    outputs = ["--customers", str(folder / "customers.jsonl"), "--dead-letters", str(folder / "dead.jsonl")]
    escalations = mindgap("replay", "--policy", str(policy), *outputs, str(stream), into=folder / "escalations.jsonl")
    assert read(folder / "dead.jsonl") == []
    return read(folder / "truth.jsonl"), escalations, read(folder / "customers.jsonl")


def test_patterns_are_found_where_they_are_and_not_elsewhere(run):
    """Of the stories that the input joins, nearly all show exactly the patterns that an all-knowing observer saw.

    Nearly: for an event that arrives hours late, an escalation says for a while what is not so.
    """
    truths, escalations, customers = run
    alias = {old: one["customer_id"] for one in customers for old in [one["customer_id"], *one["aliases"]]}
    owner = {f"{i['type']}:{i['value']}": one["customer_id"] for one in customers for i in one["identities"]}
    found: dict[tuple, set[str]] = defaultdict(set)
    for record in escalations:
        if record["kind"] == "history":
            found[alias[record["customer_id"]], record.get("topic")] |= set(record["patterns"]) - INFO
    stories = Counter((truth["customer_id"], truth["topic"]) for truth in truths)
    judged = exact = 0
    there: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for truth in truths:
        if not truth["joined"] or stories[truth["customer_id"], truth["topic"]] > 1:
            continue
        customer = next(owner[name] for name in truth["identities"] if name in owner)
        expected, got = set(truth["patterns"]) - INFO, found[customer, truth["topic"]]
        judged += 1
        exact += expected == got
        there.update(expected)
        missed.update(expected - got)
    assert judged > 200
    assert exact / judged > 0.9, (exact, judged, missed)
    for pattern in ("went_public", "third_channel", "repeat_contact", "channel_switch", "broken_promise", "ignored"):
        assert missed[pattern] <= 0.06 * there[pattern] + 1, (pattern, missed[pattern], there[pattern])


def test_nobody_is_told_apart_or_mixed_up(run):
    """No customer that the processor knows has two customer ids."""
    for customer in run[2]:
        named = [one["value"] for one in customer["identities"] if one["type"] == "customer_id"]
        assert len(named) <= 1
