"""The clock record: what one SLA clock has counted so far (contract, section 5)."""

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.record import Id, Omitted, OutputRecord, Seconds, Time, check_record
from schemas.terms import Metric

ClockState = Literal["running", "paused", "met", "breached", "cancelled"]

Interval = Annotated[list[Time | None], Field(min_length=2, max_length=2)]
"""`[from, to]`, half-open; `to` is null while the interval has not ended."""


class Breach(OutputRecord):
    """A breach that once held."""

    at: Annotated[Time, Field(description="The due instant that was missed, not the moment somebody looked.")]
    policy_version: Annotated[str, Field(description="The policy by which it was a breach.")]


class Clock(OutputRecord):
    """One clock with its ledger. Lengths of time are business time of its calendar, in seconds."""

    clock_id: Annotated[Id, Field(description="The same input gives the same id on every run.")]
    customer_id: Id
    issue_id: Id
    thread: Annotated[Id | None, Field(description="Null for `issue_resolution`, which belongs to the issue.")]
    metric: Metric
    cycle: Annotated[
        int | None,
        Field(ge=0, description="Number of the cycle, for people; null where the metric has one cycle only."),
    ]
    state: ClockState
    calendar: Annotated[str | None, Field(description="Null for a promise, which counts round the clock.")]
    policy_version: str
    tzdata_version: str
    target_s: Annotated[Seconds | None, Field(description="Null for a promise, which has a due time only.")]
    started_at: Time
    due_at: Annotated[
        Time | None,
        Field(description="Null while paused, and where no business time is left in the calendar."),
    ]
    stopped_at: Annotated[Time | None, Field(description="Null while running or paused.")]
    counted_s: Annotated[Seconds, Field(description="Business time counted so far, pauses left out.")]
    remaining_s: Annotated[
        float | None,
        Field(
            allow_inf_nan=False, description="Target less counted: below zero after a breach; null without a target."
        ),
    ]
    paused: Annotated[
        list[Interval],
        Field(description="Every interval, pending or solved, that did not count, in order and apart."),
    ]
    illegitimate_pause_s: Annotated[
        Seconds,
        Field(description="Wall time of pauses after a contact of the customer: claimed, and not granted."),
    ]
    covered_by: Annotated[Omitted[Id], Field(description="The thread whose solve ended this clock.")] = None
    breaches: list[Breach]


def validate_clock(record: dict[str, Any]) -> None:
    """Raises ValueError where `record` is not a clock record."""
    check_record(Clock, record)
