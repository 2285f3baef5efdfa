"""`mindgap due` and `mindgap policy check`, as a shell sees them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from agents.cli import main
from schemas.times import parse_time

DATA = Path(__file__).parent / "data"
CASES = Path(__file__).parents[3] / "shared" / "cases" / "due.json"


def run(*args, text=None):
    return CliRunner().invoke(main, [str(arg) for arg in args], input=text)


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"version": "1", "calendars": {"never": {"zone": "UTC"}, "always": {"zone": "UTC", "week": {"mon-sun": ["00:00-24:00"]}}}}))  # fmt: skip
    return path


def due(policy, calendar="always", start="2026-06-08T08:00:00Z", target="2h", *more):
    return run("due", "--policy", policy, "--calendar", calendar, "--start", start, "--target", target, *more)


def test_due_cases_of_the_contract(tmp_path):
    """Every due case that others rely on comes out as they expect."""
    if not CASES.exists():
        pytest.skip(f"{CASES} is not there: the shared cases are not checked")
    book = json.loads(CASES.read_text())
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"version": "1", "calendars": book["calendars"]}))
    for case in book["cases"]:
        pauses = [part for a, b in case["pauses"] for part in ("--pause", f"{a}/{b}")]
        done = due(path, case["calendar"], case["start"], case["target"], *pauses)
        assert done.exit_code == 0, case["id"]
        assert parse_time(json.loads(done.stdout)["due_at"]) == parse_time(case["due"]), case["id"]


def test_due_is_null_where_it_never_comes(policy):
    """A calendar without windows has no due time."""
    assert json.loads(due(policy, "never").stdout) == {"due_at": None}


def test_due_with_pauses_in_any_offset(policy):
    """Pauses may be given in any offset, and more than one."""
    done = due(
        policy, "always", "2026-06-08T08:00:00Z", "2h",
        "--pause", "2026-06-08T11:00:00+02:00/2026-06-08T12:05:00+02:00", "--pause", "2026-06-08T09:30:00Z/2026-06-08T10:05:00Z",
    )  # fmt: skip
    assert json.loads(done.stdout) == {"due_at": "2026-06-08T11:05:00.000Z"}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"calendar": "alwys"}, "did you mean 'always'"),
        ({"start": "2026-06-08"}, "RFC 3339"),
        ({"start": "9999-01-01T00:00:00Z"}, "between 1970 and 2200"),
        ({"target": "2"}, "not a duration"),
        ({"target": "999999999d"}, "longer than"),
    ],
)
def test_due_wrong_usage(policy, args, says):
    """A value that cannot be used ends with 2 and says why."""
    done = due(policy, **args)
    assert done.exit_code == 2
    assert says in done.stderr


@pytest.mark.parametrize("pause", ["x", "2026-06-08T09:00:00Z", "2026-06-08T09:00:00Z/2026-06-08T08:00:00Z", "/"])
def test_due_wrong_pauses(policy, pause):
    """A pause is two times in order."""
    assert due(policy, "always", "2026-06-08T08:00:00Z", "2h", "--pause", pause).exit_code == 2


def test_due_with_an_unsound_policy():
    """An unsound policy ends with 1, names its first problem and how to see the rest."""
    done = due(DATA / "bad" / "windows.yaml")
    assert done.exit_code == 1
    assert "windows.yaml:6:13: " in done.stderr
    assert "and 6 more: mindgap policy check" in done.stderr


def test_check_of_sound_files(policy):
    """A sound file is summed up and ends with 0."""
    done = run("policy", "check", policy)
    assert done.exit_code == 0
    assert "version 1 is sound" in done.stdout
    assert "2 calendars" in done.stdout


def test_check_of_unsound_files(policy):
    """All files are checked, all problems are on standard error as FILE:LINE:COLUMN, and it ends with 1."""
    bad = DATA / "bad" / "undefined-calendar.yaml"
    done = run("policy", "check", bad, policy)
    assert done.exit_code == 1
    assert done.stderr.count(f"{bad}:") == 3
    assert (
        f"{bad}:5:21: channels.phone.calendar: no calendar is called 'offcie' (did you mean 'office'?)" in done.stderr
    )
    assert "is sound" in done.stdout


def test_check_of_standard_input():
    """`-` is standard input."""
    assert run("policy", "check", "-", text="version: 1\n").exit_code == 0
    assert "<stdin>:1:1: 'version' is missing" in run("policy", "check", "-", text="a: 1\n").stderr


def test_check_of_no_file(tmp_path):
    """A file that is not there ends with 1, no file at all with 2."""
    assert run("policy", "check", tmp_path / "nothing").exit_code == 1
    assert run("policy", "check").exit_code == 2


def test_remarks_do_not_fail_the_check(tmp_path):
    """What is probably not meant is said, and the policy is sound all the same."""
    path = tmp_path / "p.yaml"
    path.write_text("version: a\nroles: {idle: {}}\n")
    done = run("policy", "check", path)
    assert done.exit_code == 0
    assert "remark: roles.idle is used by no ladder and no route" in done.stderr
