"""`mindgap gaps` as a user runs it."""

import asyncio
import gzip
import json
from io import BytesIO

import pytest
from click.testing import CliRunner

from agents.brokers import embedded_broker
from agents.cli import main
from agents.produce import Record, produce
from agents.settings import settings_from
from agents.topic_admin import create_topics
from schemas.codec import dumps
from schemas.times import DAY, HOUR, format_time, parse_time
from streams.simulate import Simulation
from tests.house.command import run

START = parse_time("2026-06-01T04:00:00Z")
POLICY = {
    "version": "1",
    "channels": {"social": {"public": True}, "community": {"public": True}},
    "targets": [{"first_response": "1h", "resolution": "8h"}],
}


def gap(hour: int, channel: str, **more: object) -> dict:
    """A gap record."""
    counts = ("contacts", "first_responses", "breached", "resolved", "queue_jumps", "overtaken", "resolved_here")
    counts += ("ended_elsewhere", "public_first", "public_first_returning")
    lengths = ("first_response_p50_s", "first_response_p90_s", "next_response_p90_s", "median_resolution_s")
    lengths += ("ratio_to_public", "contacts_per_issue_p50")
    return {
        "revision": 1,
        "window_start": format_time(START + hour * HOUR),
        "window_end": format_time(START + (hour + 1) * HOUR),
        "channel": channel,
        **dict.fromkeys(counts, 0),
        **dict.fromkeys(lengths),
        **more,
    }


RECORDS = [
    gap(0, "email", contacts=7, first_responses=3, first_response_p50_s=3600),
    gap(1, "email", contacts=5, first_responses=4, first_response_p50_s=7200),
    gap(1, "social", contacts=2, first_responses=2, first_response_p50_s=720, queue_jumps=1, overtaken=4),
]


def invoke(*args: object, **more: object):
    """The command in this process: a hundred times faster than in one of its own."""
    return CliRunner(**more).invoke(main, ["gaps", *map(str, args)])


def rows(output: str) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture
def recorded(tmp_path):
    path = tmp_path / "gaps.jsonl"
    path.write_bytes(b"".join(dumps(record) + b"\n" for record in RECORDS))
    return path


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A small company's ten days and its policy."""
    folder = tmp_path_factory.mktemp("simulated")
    lines = (dumps(line.as_record()) + b"\n" for line in Simulation(5, START, 10 * DAY, 150))
    (folder / "in.jsonl").write_bytes(b"".join(lines))
    (folder / "policy.json").write_bytes(dumps(POLICY))
    return folder


def test_records_are_shown_as_a_table_with_the_answer_first(recorded):
    """Ten times as long in private; sums of counts, medians weighted by answers, the public channel marked."""
    done = run("gaps", str(recorded))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == (
        "Answered in public after 12 min, in private after 2.0 h (median): 10 times as long. "
        "Complaining in public pays."
    )
    assert "14 contacts, 1 queue jump, 4 times a private thread was overtaken" in lines[1]
    email = next(line.split() for line in lines if line.strip().startswith("email"))
    assert email[:6] == ["email", "12", "7", "2.0", "h", "-"]
    assert email[6:8] == ["10", "x"]
    assert any(line.strip().startswith("social (public)") for line in lines)


def test_what_replay_writes_is_read(simulated, tmp_path):
    """Plain, compressed and from standard input alike."""
    out = tmp_path / "gaps.jsonl"
    policy, source = str(simulated / "policy.json"), str(simulated / "in.jsonl")
    until = ["--until", "2026-06-04T00:00:00Z"]
    done = CliRunner().invoke(main, ["replay", "--policy", policy, "--gaps", str(out), *until, source])
    assert done.exit_code == 0, done.output
    plain = invoke("--json", out)
    (tmp_path / "gaps.jsonl.gz").write_bytes(gzip.compress(out.read_bytes()))
    assert invoke("--json", tmp_path / "gaps.jsonl.gz").stdout == plain.stdout
    stdin = CliRunner().invoke(main, ["gaps", "--json", "-"], input=BytesIO(out.read_bytes()))
    assert stdin.stdout == plain.stdout
    computed = invoke("--json", "--policy", policy, *until, source)
    for name in ("contacts", "first_responses", "breached", "resolved", "queue_jumps"):
        assert {r["channel"]: r[name] for r in rows(plain.stdout)} == {
            r["channel"]: r[name] for r in rows(computed.stdout)
        }


def test_interactions_are_told_by_topic_and_team(simulated):
    """With --policy, the rows of a topic add up to those of the channel."""
    by = {name: rows(invoke("--json", "--policy", simulated / "policy.json", *option, simulated / "in.jsonl").stdout)
          for name, option in (("all", ()), ("topic", ("--by", "topic")), ("team", ("--by", "team")))}  # fmt: skip
    for name in ("topic", "team"):
        assert all(set(row["by"]) == {name} for row in by[name])
        for total in by["all"]:
            mine = [row for row in by[name] if row["channel"] == total["channel"]]
            assert sum(row["contacts"] for row in mine) == total["contacts"]
            assert sum(row["first_responses"] for row in mine) == total["first_responses"]
    assert len({row["by"]["topic"] for row in by["topic"]}) > 3


def test_suggestions_name_a_channel_for_each_topic(simulated):
    """As a table beside the other, and as lines of JSON."""
    args = ("--policy", simulated / "policy.json", "--suggest", simulated / "in.jsonl")
    shown = invoke(*args)
    assert shown.exit_code == 0, shown.output
    assert "Where to guide customers to" in shown.stdout
    found = [row for row in rows(invoke("--json", *args).stdout) if "suggest" in row]
    assert {"suggest", "topic", "contacts", "channels"} == set(found[0])
    for each in found:
        private = [channel for channel in each["channels"] if not channel["public"]]
        assert each["suggest"] == (private[0]["channel"] if private else None)
        medians = [channel["median_resolution_s"] for channel in each["channels"]]
        assert medians == sorted(medians)
        assert all(channel["solved"] >= 10 for channel in each["channels"])
    assert any(each["suggest"] for each in found)


def test_the_plot_is_written_where_it_was_asked_for(recorded, tmp_path):
    """And said on standard error, so that the table stays clean."""
    picture = tmp_path / "out.svg"
    done = invoke("--plot", picture, recorded)
    assert done.exit_code == 0, done.output
    assert picture.read_bytes().startswith(b"<?xml")
    assert done.stderr == f"{picture}: drawn\n"


def test_without_the_plot_library_the_table_still_comes(recorded, tmp_path):
    """And one line says what to install; without --plot nobody misses it."""
    (tmp_path / "matplotlib.py").write_text("raise ModuleNotFoundError('none', name='matplotlib')")
    environment = {"PYTHONPATH": str(tmp_path)}
    import os
    import subprocess
    import sys

    def with_none(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "agents.cli", "gaps", *args, str(recorded)]
        return subprocess.run(
            command, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
        )

    done = with_none("--plot", str(tmp_path / "out.png"))
    assert (done.returncode, "10 times as long" in done.stdout) == (1, True)
    assert "needs matplotlib" in done.stderr
    assert with_none().returncode == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "gaps.jsonl:4: not JSON"),
        (b"[]", "gaps.jsonl:4: not a JSON object"),
        (b'{"id": "e1", "kind": "contact"}', "gaps.jsonl:4: not a gap record (no window_start)"),
        (dumps(gap(0, "pigeon")), "gaps.jsonl:4: not a gap record: channel"),
        (dumps(gap(0, "email", contacts=-1)), "gaps.jsonl:4: not a gap record: contacts"),
        (b'{"window_start": "x' + b"a" * 70_000 + b'"}', "gaps.jsonl:4: not JSON"),
    ],
)
def test_a_line_that_is_no_record_is_named(recorded, line, said):
    """File and line, status 1, and not the value: it may be anything."""
    with recorded.open("ab") as file:
        file.write(line + b"\n")
    done = invoke(recorded)
    assert done.exit_code == 1
    assert said in done.stderr
    assert "pigeon" not in done.stderr


def test_a_field_of_a_newer_version_is_let_pass(recorded):
    """Unknown fields never fail a reader."""
    recorded.write_bytes(dumps(RECORDS[0] | {"mood": "good"}))
    assert invoke(recorded).exit_code == 0


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        ((), 2, "name FILES, or --broker"),
        (("--broker", "gaps.jsonl"), 2, "name FILES, or --broker"),
        (("--suggest", "gaps.jsonl"), 2, "--suggest needs --policy"),
        (("--until", "2026-06-01T00:00:00Z", "gaps.jsonl"), 2, "--until needs --policy"),
        (("--plot", "out.pdf", "gaps.jsonl"), 2, "end the name with .svg or .png"),
        (("--by", "mood", "gaps.jsonl"), 2, "topic"),
        (("--by", "topic", "gaps.jsonl"), 1, "none of 3 gap records is by topic"),
        (("nowhere.jsonl",), 1, "nowhere.jsonl: No such file"),
        (("--plot", "nowhere/out.png", "gaps.jsonl"), 1, "nowhere/out.png: No such file"),
        (("--policy", "nowhere.yaml", "gaps.jsonl"), 1, "nowhere.yaml: No such file"),
        (("half.jsonl.gz",), 1, "half.jsonl.gz: not a whole gzip file"),
        (("plain.jsonl.gz",), 1, "plain.jsonl.gz: "),
    ],
)
def test_wrong_usage_and_bad_input_are_told_apart(recorded, monkeypatch, args, status, said):
    """Status 2 and 1, one line, never a traceback."""
    monkeypatch.chdir(recorded.parent)
    (recorded.parent / "half.jsonl.gz").write_bytes(gzip.compress(recorded.read_bytes() * 99)[:-20])
    (recorded.parent / "plain.jsonl.gz").write_bytes(recorded.read_bytes())
    done = invoke(*args)
    assert (done.exit_code, done.stderr.count("\n")) == (status, 1), done.stderr
    assert said in done.stderr


def test_an_empty_file_is_nothing_to_compare(tmp_path):
    """Said, not crashed on."""
    (tmp_path / "none.jsonl").write_bytes(b"")
    done = invoke(tmp_path / "none.jsonl")
    assert done.exit_code == 0
    assert done.stdout.startswith("Nobody was answered in public")


def test_the_topic_is_read_to_its_end():
    """From a broker: the records that are there now, over all partitions; a broker that is away is said."""
    with embedded_broker({}) as address:
        environment = {"MINDGAP_BROKER": address, "MINDGAP_BROKER_KIND": "embedded", "MINDGAP_PARTITIONS": "2"}
        settings = settings_from(environment)
        asyncio.run(create_topics(settings))
        sent = [Record("channel-gaps", record["channel"].encode(), dumps(record)) for record in RECORDS]
        asyncio.run(produce(settings, sent))
        done = invoke("--broker", "--json", env=environment)
        assert done.exit_code == 0, done.output
        assert {row["channel"]: row["contacts"] for row in rows(done.stdout)} == {"email": 12, "social": 2}
        asyncio.run(produce(settings, [Record("channel-gaps", b"x", b"{}")]))
        bad = invoke("--broker", env=environment)
        assert bad.exit_code == 1
        assert "channel-gaps, partition" in bad.stderr
    away = invoke("--broker", env={"MINDGAP_BROKER": "127.0.0.1:1"})
    assert away.exit_code == 1
    assert "127.0.0.1:1" in away.stderr
