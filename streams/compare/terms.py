"""What both sides of a comparison had, and until when."""

from typing import NamedTuple

from schemas.times import MINUTE
from streams.policy import Policy


class Terms(NamedTuple):
    """The policy that both sides had from the beginning, and as of when (ms) they stand."""

    policy: Policy
    until: int
    slack: int = MINUTE
    """What is told a message later is not looked for until so long (ms) after its cause."""
