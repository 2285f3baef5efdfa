"""`mindgap simulate`, as a shell sees it."""

import json
import time

import pytest
from click.testing import CliRunner

from agents.cli import main
from schemas.times import parse_time


def simulate(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["simulate", "--customers", "30", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_truth_stands_beside_the_lines(tmp_path):
    """Each problem with its patterns, and since when, for threads that the lines speak of."""
    lines = [json.loads(line) for line in simulate("--days", "6", "--truth", str(tmp_path / "t.jsonl")).splitlines()]
    truths = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    threads = {line["value"].get("thread") for line in lines}
    assert truths
    for truth in truths:
        assert {one["thread"] for one in truth["threads"]} <= threads
        assert list(truth["since"]) == truth["patterns"]
        assert all(truth["first_contact_at"] <= at for at in truth["since"].values())


def test_more_problems_make_more_of_everything():
    """Ten times the problems, many times the lines."""
    few, many = (simulate("--days", "5", "--problems", rate).count("\n") for rate in ("0.1", "1"))
    assert many > 3 * few


def test_tidy_lines_come_once():
    """With --tidy no record is sent twice."""
    values = [json.loads(line)["value"]["id"] for line in simulate("--days", "5", "--tidy").splitlines()]
    assert len(set(values)) == len(values)


def test_lines_are_written_at_a_pace():
    """With --speed the company's time passes at so many seconds a second, and the lines are the same."""
    fast = simulate("--days", "2")
    lines = [json.loads(line) for line in fast.splitlines()]
    span = parse_time(lines[-1]["arrived_at"]) - parse_time("2026-06-01T04:00:00Z")
    begun = time.monotonic()
    assert simulate("--days", "2", "--speed", str(span / 1000)) == fast
    assert 0.9 < time.monotonic() - begun < 20


@pytest.mark.parametrize("wrong", [["--start", "yesterday"], ["--problems", "0"], ["--days", "-1"]])
def test_wrong_input_is_said_in_a_line(wrong):
    """A start that is no time, and numbers out of range, are refused."""
    done = CliRunner().invoke(main, ["simulate", *wrong])
    assert done.exit_code in (1, 2)
    assert done.stdout == ""
