"""Whatever the replay command writes is what the models describe: on the sample timelines beside this repository."""

import json

import pytest

from schemas.clock import validate_clock
from schemas.conflict import validate_conflict
from schemas.customer import validate_customer
from schemas.dead_letter import validate_dead_letter
from schemas.escalation import validate_escalation
from schemas.gap import validate_gap
from schemas.notification import validate_notification
from tests.house.command import ROOT, run

OUTPUTS = {
    "escalations": validate_escalation,
    "clocks": validate_clock,
    "customers": validate_customer,
    "gaps": validate_gap,
    "notifications": validate_notification,
    "conflicts": validate_conflict,
    "dead-letters": validate_dead_letter,
}
TIMELINES = ROOT.parent / "shared" / "cases" / "timelines.json"
BOOK = json.loads(TIMELINES.read_text()) if TIMELINES.exists() else {"cases": []}
if not BOOK["cases"]:
    pytest.skip(f"{TIMELINES} is not there: no replayed record was looked at", allow_module_level=True)


@pytest.mark.parametrize("case", BOOK["cases"], ids=lambda case: case["id"])
def test_every_record_of_a_replay_is_a_described_one(case, tmp_path):
    """Each line of each output passes its model, with no field that the model does not know."""
    policy = case["policy"] if isinstance(case["policy"], dict) else BOOK["policies"][case["policy"]]
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in case["lines"]))
    args = ["--policy", str(tmp_path / "policy.json")]
    for name in OUTPUTS:
        args += [f"--{name}", str(tmp_path / name)]
    if case.get("until"):
        args += ["--until", case["until"]]
    done = run("replay", *args, str(tmp_path / "in.jsonl"))
    assert done.returncode == 0, done.stderr
    for name, validate in OUTPUTS.items():
        for line in (tmp_path / name).read_text().splitlines():
            validate(json.loads(line))
