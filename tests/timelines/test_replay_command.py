"""`mindgap replay` on files: order, dead letters, exit status (contract, sections 2 and 10)."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

from tests.timelines.timeline import email, iso, policy

ROOT = Path(__file__).parents[2]
HOUR = policy(targets=[{"first_response": "1h"}], warn_at="100%")


def replay(
    folder: Path, *arguments: str, given: bytes | None = None, document: dict = HOUR
) -> subprocess.CompletedProcess:
    (folder / "policy.json").write_text(json.dumps(document))
    return subprocess.run(
        [sys.executable, "-m", "agents.cli", "replay", "--policy", str(folder / "policy.json"), *arguments],
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def row(at: str, kind: str, **fields) -> bytes:
    return json.dumps(email(at, kind, **fields).value).encode()


def test_lines_are_taken_in_order_of_arrival(tmp_path):
    """Whatever their order in the files, plain, gzipped or from standard input; results go to standard output."""
    (tmp_path / "a.jsonl").write_bytes(row("12:00", "reply") + b"\n\n")
    with gzip.open(tmp_path / "b.jsonl.gz", "wb") as file:
        file.write(row("10:00", "contact") + b"\n")
    nothing = row("12:30", "note")
    done = replay(tmp_path, str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl.gz"), "-", given=nothing)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["change"], r["detected_at"]) for r in said] == [("opened", iso("11:00")), ("resolved", iso("12:00"))]


def test_what_cannot_be_read_is_set_aside_and_the_rest_goes_on(tmp_path):
    """No JSON, too large, no interaction, unknown escalation: each with its reason and its bytes; the clock runs on."""
    rows = [
        row("10:00", "contact"),
        b"{not json",
        b"\xff\xfe",
        row("10:01", "note", text="x" * 3000),
        b"[]",
        json.dumps(
            {
                "topic": "escalations.commands",
                "arrived_at": iso("10:02"),
                "value": {
                    "id": "c",
                    "at": iso("10:02"),
                    "customer_id": "cus_1",
                    "escalation_id": "esc_1",
                    "action": "resolve",
                    "by": "sam",
                },
            }
        ).encode(),
        row("11:30", "note"),
    ]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(rows))
    dead = tmp_path / "dead.jsonl"
    done = replay(
        tmp_path,
        "--dead-letters",
        str(dead),
        str(tmp_path / "in.jsonl"),
        document={**HOUR, "limits": {"max_bytes": 2048}},
    )
    assert done.returncode == 0, done.stderr
    letters = read(dead)
    assert [letter["reason"] for letter in letters] == [
        "not_json",
        "not_json",
        "too_large",
        "schema",
        "unknown_escalation",
    ]
    assert letters[0]["value"] == "{not json"
    assert letters[1]["value_encoding"] == "base64"
    assert len(done.stdout.splitlines()) == 1


def test_until_runs_timers_and_reads_no_later_line(tmp_path):
    """Time passes to `--until`; what arrives after it is not read."""
    (tmp_path / "in.jsonl").write_bytes(row("10:00", "contact") + b"\n" + row("10:30", "reply"))
    done = replay(
        tmp_path, "--until", iso("10:29"), "--clocks", str(tmp_path / "clocks.jsonl"), str(tmp_path / "in.jsonl")
    )
    assert done.returncode == 0, done.stderr
    assert [clock["state"] for clock in read(tmp_path / "clocks.jsonl")] == ["running"]
    (tmp_path / "in.jsonl").write_bytes(row("10:00", "contact"))
    done = replay(tmp_path, "--until", iso("12:00"), str(tmp_path / "in.jsonl"))
    assert [json.loads(line)["detected_at"] for line in done.stdout.splitlines()] == [iso("11:00")]


def test_bad_files_and_policies_end_it_with_one(tmp_path):
    """A file that is not there, a policy with an unknown key, and a gzip file cut short."""
    (tmp_path / "in.jsonl").write_bytes(row("10:00", "contact"))
    assert replay(tmp_path, str(tmp_path / "missing.jsonl")).returncode == 1
    done = replay(tmp_path, str(tmp_path / "in.jsonl"), document={**HOUR, "colour": "red"})
    assert done.returncode == 1
    assert b"colour" in done.stderr
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(row("10:00", "contact") * 50)[:-20])
    assert replay(tmp_path, str(tmp_path / "cut.jsonl.gz")).returncode == 1
    assert replay(tmp_path).returncode == 2
    assert replay(tmp_path, "--until", "soon", str(tmp_path / "in.jsonl")).returncode == 2


def test_two_runs_say_the_same(tmp_path):
    """Ids and all: the same input gives the same bytes."""
    rows = [row("10:00", "contact", id="a"), row("11:30", "reply", id="b"), row("11:40", "contact", id="c")]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(rows))
    runs = []
    for number in range(2):
        outputs = [
            argument
            for name in ("clocks", "customers", "episodes")
            for argument in (f"--{name}", str(tmp_path / f"{name}{number}"))
        ]
        done = replay(tmp_path, *outputs, str(tmp_path / "in.jsonl"))
        runs.append(
            (
                done.stdout,
                *[(tmp_path / f"{name}{number}").read_bytes() for name in ("clocks", "customers", "episodes")],
            )
        )
    assert runs[0] == runs[1]
    assert all(runs[0])
