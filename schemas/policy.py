"""The policy document: what a company promises, to whom, and who hears of it when it is not kept (contract, section 9).

Every key but `version` may be absent. Durations are ms here and text (`4h`) in JSON and YAML. Names that refer
to something (a calendar, a role) are checked where the file is read, `streams.policy_file`.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from schemas.fields import Instant
from schemas.policy_fields import (
    AlsoAccepts,
    Count,
    DateText,
    DaysText,
    Duration,
    PositiveDuration,
    Severity,
    Share,
    Strict,
    Text,
    WindowText,
)
from schemas.policy_patterns import Patterns
from schemas.policy_people import Notify, Role, Route, Silence, Step
from schemas.policy_when import STEPS_MAX, When
from schemas.times import DAY, HOUR, MINUTE, SECOND
from schemas.vocabulary import Channel

Metric = Literal["first_response", "next_response", "resolution", "issue_resolution", "promise"]
RowMetric = Literal["first_response", "next_response", "resolution"]
ROW_METRICS: tuple[str, ...] = ("first_response", "next_response", "resolution")
"""The metrics that a row of `targets` may give."""
LimitedIdentity = Literal["customer_id", "account", "email", "phone", "handle", "device"]

LIMITS_DEFAULT: dict[str, int] = {"customer_id": 1, "email": 5, "phone": 5, "handle": 5}
"""Distinct values of an identity type per customer, where the policy does not say."""


class CalendarDocument(Strict):
    """Opening hours: windows by day of the week, and dates whose windows replace those of their day (`[]`: closed)."""

    zone: Text
    week: dict[DaysText, Annotated[tuple[WindowText, ...], Field(max_length=50)]] = Field(default_factory=dict)
    dates: dict[DateText, Annotated[tuple[WindowText, ...], Field(max_length=50)]] = Field(
        default_factory=dict, max_length=5000
    )


class ChannelDocument(Strict):
    """How a channel is treated; without a calendar it is always open."""

    calendar: Text | None = None
    public: bool = False


class TargetDocument(Strict):
    """Targets for what `when` matches; in `calendar`, else in that of the thread's channel."""

    when: When = When()
    first_response: PositiveDuration | None = None
    next_response: PositiveDuration | None = None
    resolution: PositiveDuration | None = None
    calendar: Text | None = None


class IssueTarget(Strict):
    """The target of an issue across channels, round the clock unless a calendar is named."""

    target: PositiveDuration
    calendar: Text | None = None


class Issues(Strict):
    """How threads become issues, and when an issue is over."""

    repeat_window: PositiveDuration = 168 * HOUR
    window: PositiveDuration = 168 * HOUR
    quiet_after: PositiveDuration = 336 * HOUR
    drop_after: PositiveDuration = 2160 * HOUR
    handoff_window: PositiveDuration = 24 * HOUR
    ignored_after: PositiveDuration = 24 * HOUR


class Promises(Strict):
    """How late a promise may be kept."""

    grace: Duration = 15 * MINUTE


class Answers(Strict):
    """Which automatic answers count as answers."""

    canned: bool = False
    bot: bool = False


class Identities(Strict):
    """What joins nobody, and how many identities one customer may have."""

    blocked: Annotated[tuple[Annotated[Text, Field(max_length=512)], ...], Field(max_length=10_000)] = ()
    limits: dict[LimitedIdentity, Count] = Field(default_factory=dict)
    max: Annotated[Count, Field(le=10_000)] = 100


class Hotspots(Strict):
    """How many customers within which time make a topic a hotspot."""

    customers: Count = 20
    window: PositiveDuration = HOUR


class Canned(Strict):
    """The same answer to so many customers is a canned one."""

    customers: Count = 5


class Flap(Strict):
    """An escalation that recurs more than `limit` times in a day stays open until it has been quiet for so long."""

    limit: Count = 3
    quiet: PositiveDuration = HOUR


class Limits(Strict):
    """What is refused at the door."""

    max_future: Duration = 5 * MINUTE
    max_age: PositiveDuration = 400 * DAY
    max_bytes: Annotated[int, Field(strict=True, ge=1024, le=64 * 1024 * 1024)] = 1_048_576


class Privacy(Strict):
    """What escalations may show."""

    excerpts: bool = True
    identities: Literal["masked", "clear"] = "masked"


class Watermark(Strict):
    """How long a stalled input may hold back the time of the others."""

    max_stall: Duration = 60 * SECOND


_DURATION_TEXT = AlsoAccepts({"type": "string"})


def _issue_target(value: Any) -> Any:
    return value if isinstance(value, dict | IssueTarget) else {"target": value}


def _role(value: Any) -> Any:
    return {} if value is None else value


class PolicyDocument(Strict):
    """A policy, as it is written."""

    version: Text
    effective_at: Instant | None = None
    apply: Literal["open", "new"] = "open"
    calendars: dict[Text, CalendarDocument] = Field(default_factory=dict, max_length=500)
    channels: dict[Channel, ChannelDocument] = Field(default_factory=dict)
    targets: Annotated[tuple[TargetDocument, ...], Field(max_length=2000)] = ()
    issue_resolution: Annotated[IssueTarget, BeforeValidator(_issue_target), _DURATION_TEXT] | None = None
    warn_at: Share = 800
    pauses: Annotated[tuple[Literal["pending", "on_hold"], ...], Field(max_length=2)] = ("pending",)
    issues: Issues = Issues()
    promises: Promises = Promises()
    patterns: Patterns = Patterns()
    ladders: dict[Severity, Annotated[tuple[Step, ...], Field(max_length=STEPS_MAX)]] = Field(default_factory=dict)
    roles: dict[Text, Annotated[Role, BeforeValidator(_role), AlsoAccepts({"type": "null"})]] | None = None
    routes: Annotated[tuple[Route, ...], Field(max_length=2000)] = ()
    ack_timeout: Duration = 30 * MINUTE
    answers: Answers = Answers()
    identities: Identities = Identities()
    hotspots: Hotspots = Hotspots()
    notify: Notify = Notify()
    silences: Annotated[tuple[Silence, ...], Field(max_length=2000)] = ()
    canned: Canned = Canned()
    flap: Flap = Flap()
    limits: Limits = Limits()
    privacy: Privacy = Privacy()
    watermark: Watermark = Watermark()

    def to_json(self) -> dict[str, Any]:
        """The document as a JSON value: what was written, no more; validating it gives an equal document."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
