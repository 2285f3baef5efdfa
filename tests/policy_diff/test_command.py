"""`mindgap policy diff`, as a shell sees it."""

import io
import json
import re

import pytest
from click.testing import CliRunner

from agents.cli import main
from agents.commands import policy_diff as command
from agents.policy_diff import people_zone, read_input, replay_both
from agents.policy_diff_screen import WIDTH, Trial, show
from agents.policy_input import load_document
from schemas.codec import dumps
from schemas.times import DAY, parse_time
from streams.policy_diff import compare
from streams.policy_file import read_policy_value
from streams.simulate import Simulation
from tests.house.command import ROOT
from tests.house.command import run as run_apart
from tests.policy_diff.trial import answer_within
from tests.timelines.timeline import email

TOP = {
    "old", "new", "input", "headlines", "differs", "zone", "totals", "changes", "median_shift_s", "breaches", "metrics",
    "busiest_hour", "roles", "by", "set_aside", "examples",
}  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def given(tmp_path):
    """Two policies and a history: one question, one late answer."""
    for name, document in (("a", answer_within("1h")), ("b", {**answer_within("30m"), "version": "2"})):
        (tmp_path / f"{name}.json").write_bytes(dumps(document))
    story = [email("10:00", "contact"), email("10:40", "reply"), email("12:00", "note")]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(dumps(line.value) for line in story))
    return tmp_path


def diff(folder, *more, old="a.json", new="b.json", files=("in.jsonl",), text=None):
    args = ["policy", "diff", "--old", folder / old, "--new", folder / new, *more, *(folder / name for name in files)]
    return CliRunner().invoke(main, [str(arg) for arg in args], input=text)


def simulated():
    lines = Simulation(5, parse_time("2026-06-01T04:00:00Z"), 2 * DAY, 60)
    return b"\n".join(dumps(line.as_record()) for line in lines)


def document(target, **parts):
    return read_policy_value(answer_within(target, **parts), "test")


def test_the_answer_comes_first(given):
    """Plain text where nobody watches: who is paged more, before any table."""
    done = diff(given)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "If you switch from A to B"
    assert "- 1 more page for desk (0 to 1); busiest hour Mon 8 Jun 10:00 has 1." in lines
    assert lines.index("Pages by role") > lines.index("- 1 breach that A misses (0 to 1 in all).")
    assert all(len(line) <= WIDTH for line in lines)


def test_one_json_object(given):
    """With --json everything is in one object, with the fields that are documented."""
    done = diff(given, "--json")
    record = json.loads(done.stdout)
    assert (done.exit_code, set(record)) == (0, TOP)
    assert (record["old"]["version"], record["new"]["version"]) == ("1", "2")
    assert record["changes"]["appears"] == record["totals"]["breaches"]["new"] == 1
    assert record["input"] | {"files": 1} == {
        "files": 1, "lines": 3, "policies_left_out": 0,
        "start": "2026-06-08T10:00:00.000Z", "end": "2026-06-08T12:00:00.000Z",
    }  # fmt: skip
    assert record["roles"]["desk"]["busiest_hour"] == {
        "old": None, "new": {"hour": "2026-06-08T10:00:00.000Z", "pages": 1, "other": 0}
    }  # fmt: skip
    assert record["differs"] is True


def test_a_policy_and_itself(given):
    """No difference is no error, and nothing is listed."""
    done = diff(given, "--json", new="a.json")
    record = json.loads(done.stdout)
    assert (done.exit_code, record["differs"], record["examples"]) == (0, False, {})
    assert record["headlines"] == ["Nothing changes: 0 escalations, 0 pages, 0 breaches under both."]


def test_until_ends_it_sooner(given):
    """Nothing after --until is looked at."""
    record = json.loads(diff(given, "--json", "--until", "2026-06-08T10:20:00Z").stdout)
    assert (record["differs"], record["input"]["end"]) == (False, "2026-06-08T10:20:00.000Z")
    assert record["metrics"]["first_response"]["old"]["clocks"] == 1


def test_versions_of_a_policy_in_the_input_are_left_out(given):
    """They would replace the policy on trial; that they are there is said."""
    line = {"topic": "policies", "arrived_at": "2026-06-08T10:01:00Z", "value": answer_within("9h")}
    with (given / "in.jsonl").open("ab") as file:
        file.write(b"\n" + dumps(line))
    done = diff(given)
    assert "1 version of a policy in the input left out" in done.stdout
    assert "1 breach that A misses" in done.stdout


def test_a_policy_that_is_not_sound_is_named_by_line_and_column(given):
    """Both policies are checked before anything is read."""
    (given / "bad.yaml").write_text("version: '1'\ntargets:\n  - {first_response: soon}\n")
    for old, new in (("bad.yaml", "b.json"), ("a.json", "bad.yaml")):
        done = diff(given, old=old, new=new, files=("absent.jsonl",))
        assert done.exit_code == 1
        assert "bad.yaml:3:" in done.stderr
        assert "absent" not in done.stderr


@pytest.mark.parametrize(
    ("more", "files", "status", "says"),
    [
        ((), ("absent.jsonl",), 1, "absent.jsonl: No such file"),
        ((), ("empty.jsonl",), 1, "no line to replay"),
        ((), (), 2, "FILE"),
        (("--until", "soon"), ("in.jsonl",), 2, "--until"),
        (("--zone", "Mars/Base"), ("in.jsonl",), 2, "--zone"),
        (("--examples", "-1"), ("in.jsonl",), 2, "--examples"),
    ],
)  # fmt: skip
def test_what_cannot_be_used(given, more, files, status, says):
    """1 is bad input, 2 is wrong usage, each in one line."""
    (given / "empty.jsonl").touch()
    done = diff(given, *more, files=files)
    assert (done.exit_code, done.stderr.count("\n")) == (status, 1)
    assert says in done.stderr


def test_standard_input_is_read_once(given):
    """History may come from standard input; two things may not."""
    text = (given / "in.jsonl").read_text()
    args = ["policy", "diff", "--old", str(given / "a.json"), "--new", str(given / "b.json"), "--json", "-"]
    assert json.loads(CliRunner().invoke(main, args, input=text).stdout)["changes"]["appears"] == 1
    assert CliRunner().invoke(main, [*args, "-"], input=text).exit_code == 2


def test_on_a_terminal_it_fits(given):
    """Tables on a terminal are at most 100 columns wide, and a role's control characters do not reach it."""
    old, new = document("1h", routes=[{"role": "desk"}]), document("30m")
    given_lines = read_input([str(given / "in.jsonl")], 1 << 20)
    found = compare(*replay_both(old, new, given_lines.lines, None), people_zone(None, new))
    out = Terminal()
    show(Trial("a\x1b[31m.json", "b.json", ["in.jsonl"], 3, 0, 0, 0), found, out)
    text = out.getvalue()
    assert "1 breach that A misses" in text
    assert "\x1b[31m.json" not in text
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in text.splitlines()) <= WIDTH


def test_two_processes_say_what_one_says(given):
    """The result depends on the input alone, not on how the work was shared out; twice is the same."""
    path = given / "many.jsonl"
    path.write_bytes(simulated())
    lines = read_input([str(path)], 1 << 20).lines
    old, new = document("1h"), document("30m", patterns={"channel_switch": {}, "ignored": {}})
    zone = people_zone(None, new)
    records = [
        compare(*replay_both(old, new, lines, None, apart=apart), zone).as_record() for apart in (False, True, True)
    ]
    assert records[0]["differs"]
    assert records[0] == records[1] == records[2]


def test_a_simulated_company_under_one_policy_twice(given):
    """The diff of a policy with itself is empty, whatever the history."""
    path = given / "many.jsonl"
    path.write_bytes(simulated())
    lines = read_input([str(path)], 1 << 20).lines
    default = load_document(str(ROOT / "deploy/policy/default.yaml"))
    found = compare(*replay_both(default, default, lines, None), people_zone(None, default))
    assert not found.differs
    assert found.found.total.changed == 0
    assert found.found.same == found.found.total.old > 0


def test_the_zone_is_that_of_most_calendars():
    """Nights are those of the people who are paged; --zone says otherwise."""
    week = {"mon-fri": ["09:00-17:00"]}
    calendars = {
        name: {"zone": zone, "week": week} for name, zone in (("a", "Europe/Oslo"), ("b", "UTC"), ("c", "UTC"))
    }
    found = document("1h", calendars=calendars)
    assert people_zone(None, found).key == "Europe/Oslo"
    assert people_zone("Asia/Tokyo", found).key == "Asia/Tokyo"
    assert people_zone(None, document("1h")).key == "UTC"


def test_help_in_a_process_of_its_own():
    """The subcommand is there, and checking a policy does not load what only a replay needs."""
    assert "--old" in run_apart("policy", "diff", "--help").stdout
    assert command.__file__.startswith(str(ROOT))
