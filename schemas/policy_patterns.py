"""The patterns of histories, their default severities and what a policy may change of each (contract, section 6)."""

from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, GetJsonSchemaHandler, PlainSerializer
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.policy_fields import Count, PositiveDuration, Severity, Strict
from schemas.times import DAY, HOUR, MINUTE


class ChannelSwitch(Strict):
    """Contact on `channels` channels within `window` (default: `issues.window`)."""

    severity: Severity = "warning"
    channels: Count = 2
    window: PositiveDuration | None = None


class ThirdChannel(Strict):
    """Contact on `channels` or more channels within `window` (default: `issues.window`)."""

    severity: Severity = "error"
    channels: Count = 3
    window: PositiveDuration | None = None


class WentPublic(Strict):
    """A public contact came after a private one."""

    severity: Severity = "critical"


class RepeatContact(Strict):
    """Contacts on `threads` threads, or one within `window` (default: `issues.repeat_window`) after a solve."""

    severity: Severity = "warning"
    threads: Count = 3
    window: PositiveDuration | None = None


class Reopened(Strict):
    """Solved and reopened `count` times or more."""

    severity: Severity = "error"
    count: Count = 2


class DeflectionLoop(Strict):
    """`count` deflections within `window` (default: `issues.window`).

    A hand-off to a channel seen within `handoff_window` (default: `issues.handoff_window`) is none.
    """

    severity: Severity = "error"
    count: Count = 2
    window: PositiveDuration | None = None
    handoff_window: PositiveDuration | None = None


class HandoffDropped(Strict):
    """Deflected to a channel where nobody was seen within `window` (default: `issues.handoff_window`)."""

    severity: Severity = "warning"
    window: PositiveDuration | None = None
    handoff_window: PositiveDuration | None = None  # another name for `window`


class BrokenPromise(Strict):
    """A promise clock breached."""

    severity: Severity = "error"


class CompInPlaceOfFix(Strict):
    """Compensated, not solved, and back within `window` (default: `issues.repeat_window`)."""

    severity: Severity = "warning"
    window: PositiveDuration | None = None


class CannedOnly(Strict):
    """`count` or more responses of the company, all of them auto, canned or by a bot."""

    severity: Severity = "warning"
    count: Count = 2


class Ignored(Strict):
    """No human answer on any channel for `after` (default: `issues.ignored_after`) since the first contact."""

    severity: Severity = "error"
    after: PositiveDuration | None = None


class Abandoned(Strict):
    """`count` or more abandoned contacts within `window` (default: `issues.window`)."""

    severity: Severity = "warning"
    count: Count = 2
    window: PositiveDuration | None = None


class LongHold(Strict):
    """Waited `after` or longer on phone or chat."""

    severity: Severity = "warning"
    after: PositiveDuration = 30 * MINUTE


class PassedAround(Strict):
    """`count` or more transfers."""

    severity: Severity = "warning"
    count: Count = 3


class PublicArgument(Strict):
    """`count` or more human replies on a public thread without a solve or a hand-off."""

    severity: Severity = "warning"
    count: Count = 3


class Spreading(Strict):
    """A public contact that `reach` people see, or `customers` customers in its thread within `window`."""

    severity: Severity = "critical"
    reach: Count = 10_000
    customers: Count = 5
    window: PositiveDuration = DAY


class Lapsed(Strict):
    """No contact for `after` (default: `issues.quiet_after`), and the last one never answered by a human."""

    severity: Severity = "error"
    after: PositiveDuration | None = None


class SelfServiceFailed(Strict):
    """A contact within `window` after a failed self-service."""

    severity: Severity = "info"
    window: PositiveDuration = 24 * HOUR


def _switch(value: Any) -> Any:
    if value is False or value == "off":
        return None
    if value is True or value == "on":
        return {}
    if value is None:
        raise ValueError("write off, or what is to change: {severity: warning}")
    return value


def _shown(value: Any) -> Any:
    return "off" if value is None else value.model_dump(mode="json", exclude_unset=True)


class _SwitchSchema:
    """In JSON Schema: the pattern's settings, or a switch."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        settings = [part for part in handler(core).get("anyOf", []) if part.get("type") != "null"]
        return {"anyOf": [*settings, {"enum": ["off", "on", False, True]}]}


T = TypeVar("T")

Switch = Annotated[
    T | None,
    BeforeValidator(_switch),
    PlainSerializer(_shown, return_type=Any, when_used="json"),
    _SwitchSchema(),
]
"""A pattern's settings; None for one that `off` (or `false`) disables."""


class Patterns(Strict):
    """Every pattern, on with its defaults unless the policy says otherwise."""

    channel_switch: Switch[ChannelSwitch] = ChannelSwitch()
    third_channel: Switch[ThirdChannel] = ThirdChannel()
    went_public: Switch[WentPublic] = WentPublic()
    repeat_contact: Switch[RepeatContact] = RepeatContact()
    reopened: Switch[Reopened] = Reopened()
    deflection_loop: Switch[DeflectionLoop] = DeflectionLoop()
    handoff_dropped: Switch[HandoffDropped] = HandoffDropped()
    broken_promise: Switch[BrokenPromise] = BrokenPromise()
    comp_in_place_of_fix: Switch[CompInPlaceOfFix] = CompInPlaceOfFix()
    canned_only: Switch[CannedOnly] = CannedOnly()
    ignored: Switch[Ignored] = Ignored()
    abandoned: Switch[Abandoned] = Abandoned()
    long_hold: Switch[LongHold] = LongHold()
    passed_around: Switch[PassedAround] = PassedAround()
    public_argument: Switch[PublicArgument] = PublicArgument()
    spreading: Switch[Spreading] = Spreading()
    lapsed: Switch[Lapsed] = Lapsed()
    self_service_failed: Switch[SelfServiceFailed] = SelfServiceFailed()


PATTERNS: tuple[str, ...] = tuple(Patterns.model_fields)
"""The names of the patterns, in the contract's order."""
