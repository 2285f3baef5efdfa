"""`mindgap compare` as a user runs it, on what `mindgap replay` writes."""

import gzip
import json
from pathlib import Path

import pytest

from schemas.codec import dumps
from tests.compare.runs import Files, clock
from tests.house.command import run

NAMES = ("customers", "clocks", "episodes", "escalations")
POLICY = {"version": "1", "targets": [{"first_response": "1h"}]}
EVENTS = [
    {
        "id": f"e{number}",
        "occurred_at": f"2026-06-08T{13 + number}:00:00Z",
        "kind": "contact",
        "channel": channel,
        "thread": f"t{number}",
        "identities": [{"type": "email", "value": "kim@example.com"}],
    }
    for number, channel in enumerate(("phone", "email", "chat"))
]


def written(folder: Path, files: Files) -> Path:
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.jsonl").write_bytes(b"".join(dumps(record) + b"\n" for record in getattr(files, name)))
    return folder


def replayed(folder: Path, events: list[dict]) -> Path:
    folder.mkdir()
    (folder / "policy.json").write_bytes(dumps(POLICY))
    (folder / "in.jsonl").write_bytes(b"\n".join(dumps(event) for event in events))
    outputs = [part for name in NAMES for part in (f"--{name}", str(folder / f"{name}.jsonl"))]
    until = ["--until", "2026-06-10T00:00:00Z"]
    done = run("replay", "--policy", str(folder / "policy.json"), *until, *outputs, str(folder / "in.jsonl"))
    assert done.returncode == 0, done.stderr
    return folder


def test_two_replays_of_one_input_agree(tmp_path):
    """What replay writes is what compare reads; agreement ends with 0."""
    a, b = replayed(tmp_path / "a", EVENTS), replayed(tmp_path / "b", EVENTS[::-1])
    done = run("compare", str(a), str(b), "--strict")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("The runs agree.\n")


def test_another_input_differs(tmp_path):
    """An event that one run has not seen is found; disagreement ends with 1."""
    a, b = replayed(tmp_path / "a", EVENTS), replayed(tmp_path / "b", EVENTS[:2])
    done = run("compare", str(a), str(b))
    assert done.returncode == 1
    assert "customers: " in done.stdout
    assert done.stdout.endswith("The runs differ.\n")


def test_json_says_the_same_to_machines(tmp_path):
    """Counts and first differences, as one object."""
    a, b = written(tmp_path / "a", Files()), written(tmp_path / "b", Files(clocks=[clock(state="met")]))
    done = run("compare", str(a), str(b), "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["agree"] is False
    (clocks,) = [section for section in found["sections"] if section["section"] == "clocks"]
    assert (clocks["a"], clocks["b"], clocks["differ"]) == (1, 1, 1)
    assert clocks["differences"] == [
        {"section": "clocks", "what": "differs", "id": "clk_1", "a": {"state": "breached"}, "b": {"state": "met"}}
    ]


def test_gzip_files_are_read(tmp_path):
    """A file may be compressed."""
    a, b = written(tmp_path / "a", Files()), written(tmp_path / "b", Files())
    plain = b / "escalations.jsonl"
    (b / "escalations.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert run("compare", str(a), str(b)).returncode == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "clocks.jsonl:2: not JSON"),
        (b"[]", "clocks.jsonl:2: not a JSON object"),
        (b"{}", "clocks.jsonl:2: a record of clocks has a clock_id"),
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path, line, said):
    """Bad input ends with 1 and a message with file and line, never with a traceback."""
    a = written(tmp_path / "a", Files())
    with (a / "clocks.jsonl").open("ab") as file:
        file.write(line)
    done = run("compare", str(a), str(a))
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_is_named(tmp_path):
    """The message says what writes it."""
    done = run("compare", str(tmp_path), str(tmp_path))
    assert done.returncode == 1
    assert "no customers.jsonl there; `mindgap replay --customers" in done.stderr
