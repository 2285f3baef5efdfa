"""Two minutes of the soak; `python -m tests.soak` runs half an hour."""

import pytest

from tests.soak.run import Plan, soak
from tests.soak.verdict import problems, story

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_two_minutes_with_kills(tmp_path):
    """Fed at half of the top rate and killed twice, the workers say what replay says, catch up, and keep their memory."""
    said: list[str] = []
    plan = Plan(tmp_path, minutes=2, customers=3_000, burst=3_000, step_s=15, step_factor=2, kill_every_s=45)
    seen = soak(plan, said.append)
    found = problems(seen)
    assert not found, "\n".join([*found, *story(seen), *said, f"files: {tmp_path}"])
    assert seen.kills >= 2
