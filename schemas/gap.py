"""The channel gap: the service level of one channel in one window (contract, section 8)."""

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.record import Count, Omitted, OutputRecord, Seconds, Time, check_record
from schemas.vocabulary import Channel


class ChannelGap(OutputRecord):
    """One channel in one tumbling window of event time. Percentiles are null where nothing was measured."""

    revision: Annotated[int, Field(ge=1, description="A late event corrects a window: the highest revision holds.")]
    window_start: Time
    window_end: Annotated[Time, Field(description="Half-open: an event of this instant is the next window's.")]
    channel: Channel
    by: Annotated[
        Omitted[dict[Literal["topic", "team"], str | None]],
        Field(
            description="What else than the channel the record is about, null where that is not known. Left out in the "
            "records of the contract, which are about all of the channel.",
        ),
    ] = None
    contacts: Count
    first_responses: Count
    first_response_p50_s: Seconds | None
    first_response_p90_s: Seconds | None
    next_response_p90_s: Seconds | None
    breached: Count
    resolved: Count
    median_resolution_s: Seconds | None
    queue_jumps: Annotated[
        Count,
        Field(
            description="First responses on a public thread while an earlier private thread of the same issue "
            "still waited for its own."
        ),
    ]
    ratio_to_public: Annotated[
        Seconds | None,
        Field(description="This channel's p50 over the public channels'. Above 1: complaining in public pays."),
    ]
    overtaken: Annotated[
        Count,
        Field(
            description="Private threads, of any customer, that had waited longer for their first response at the "
            "moments of this window's public first responses."
        ),
    ]
    resolved_here: Annotated[Count, Field(description="Issues whose last solve was on this channel.")]
    ended_elsewhere: Annotated[Count, Field(description="Issues that began here and were solved on another channel.")]
    contacts_per_issue_p50: Annotated[float | None, Field(ge=0, allow_inf_nan=False)]
    public_first: Annotated[Count, Field(description="Issues that began on a public thread.")]
    public_first_returning: Annotated[
        Count,
        Field(description="Those of customers whose earlier issue was answered in public: the lesson learned."),
    ]


def validate_gap(record: dict[str, Any]) -> None:
    """Raises ValueError where `record` is not a channel gap."""
    check_record(ChannelGap, record)
