"""The parts of a compiled policy: conditions, targets, pattern rules, ladder steps, silences. Durations are ms."""

from dataclasses import dataclass
from typing import NamedTuple

from schemas.identity import normalise
from schemas.policy import PolicyDocument
from schemas.policy_fields import SEVERITIES, Strict
from schemas.policy_patterns import PATTERNS
from schemas.policy_when import EscalationWhen, When
from streams.calendar import Calendar


class TargetFacts(NamedTuple):
    """What is known of a thread where a target is looked up; None for unknown."""

    channel: str | None = None
    topic: str | None = None
    priority: str | None = None
    difficulty: str | None = None
    tier: str | None = None
    public: bool | None = None
    team: str | None = None


class EscalationFacts(NamedTuple):
    """What is known of an escalation where a route or a silence is looked up; None for unknown or not there.

    It begins as `TargetFacts` does.
    """

    channel: str | None = None
    topic: str | None = None
    priority: str | None = None
    difficulty: str | None = None
    tier: str | None = None
    public: bool | None = None
    team: str | None = None
    kind: str | None = None
    metric: str | None = None
    severity: str | None = None
    level: int | None = None
    contacts: int | None = None
    attempts: int | None = None
    patterns: tuple[str, ...] = ()


class Target(NamedTuple):
    """What a clock counts up to, and when it warns: ms of business time of `calendar`; `warn_ms` None for never."""

    target_ms: int
    calendar: Calendar
    warn_ms: int | None


class Step(NamedTuple):
    """A step of a ladder; without a role the routes say whom it is for."""

    after_ms: int
    role: str | None


class Silence(NamedTuple):
    """A time `[since, until)` in which what it matches is recorded but not paged."""

    since: int
    until: int
    reason: str | None
    condition: "EscalationCondition"


@dataclass(frozen=True, slots=True)
class PatternRule:
    """One pattern that is on: its severity and those of its parameters that it has, 0 for the others."""

    severity: str
    channels: int = 0
    threads: int = 0
    count: int = 0
    after: int = 0
    window: int = 0
    handoff_window: int = 0
    reach: int = 0
    customers: int = 0


class Condition:
    """A compiled `when`: every named fact must be known and among the values."""

    def __init__(self, when: When) -> None:
        self._wanted = tuple(
            (index, frozenset(values))
            for index, name in enumerate(TargetFacts._fields)
            if (values := getattr(when, name)) is not None
        )

    def matches(self, facts: TargetFacts) -> bool:
        """True where all conditions hold; an unknown fact fulfils none."""
        return all(facts[index] in values for index, values in self._wanted)


class EscalationCondition:
    """A compiled `when` of a route or a silence: as `Condition`, and on what the escalation itself is."""

    def __init__(self, when: EscalationWhen) -> None:
        fields = EscalationFacts._fields
        wanted: list[tuple[int, frozenset[object]]] = [
            (fields.index(name), frozenset(values))
            for name in EscalationWhen.model_fields
            if name in fields and (values := getattr(when, name)) is not None
        ]
        if when.min_severity is not None:
            worse = SEVERITIES[SEVERITIES.index(when.min_severity) :]
            wanted.append((fields.index("severity"), frozenset(worse)))
        self._wanted = tuple(wanted)
        self._least = tuple(
            (fields.index(name), least)
            for name, least in (
                ("level", when.min_level),
                ("contacts", when.min_contacts),
                ("attempts", when.min_attempts),
            )
            if least is not None
        )
        self._patterns = frozenset(when.pattern or ())

    def matches(self, facts: EscalationFacts) -> bool:
        """True where all conditions hold; an unknown fact fulfils none."""
        if not all(facts[index] in values for index, values in self._wanted):
            return False
        for index, least in self._least:
            number = facts[index]
            if not isinstance(number, int) or number < least:
                return False
        return not self._patterns or not self._patterns.isdisjoint(facts.patterns)


def blocked_values(values: tuple[str, ...]) -> frozenset[str]:
    """The values as they may stand in a normalised identity of any type, in lower case."""
    found = {value.strip().lower() for value in values}
    for value in values:
        found |= {normalise(kind, value).value.lower() for kind in ("email", "phone", "handle")}
    return frozenset(found)


_FALLBACKS: dict[str, dict[str, str]] = {
    "channel_switch": {"window": "window"},
    "third_channel": {"window": "window"},
    "repeat_contact": {"window": "repeat_window"},
    "deflection_loop": {"window": "window", "handoff_window": "handoff_window"},
    "handoff_dropped": {"window": "handoff_window", "handoff_window": "handoff_window"},
    "comp_in_place_of_fix": {"window": "repeat_window"},
    "ignored": {"after": "ignored_after"},
    "abandoned": {"window": "window"},
    "lapsed": {"after": "quiet_after"},
}
"""Parameters that, where a pattern does not give them, are those of `issues`."""


def pattern_rules(document: PolicyDocument) -> dict[str, PatternRule]:
    """The rules of the patterns that are on, by name, with the defaults that `issues` gives them."""
    rules = {}
    for name in PATTERNS:
        settings: Strict | None = getattr(document.patterns, name)
        if settings is None:
            continue
        values = {key: value for key in type(settings).model_fields if (value := getattr(settings, key)) is not None}
        if name == "handoff_dropped" and values.keys() & {"window", "handoff_window"}:
            window = values.get("window") or values["handoff_window"]  # two names for one thing
            values |= {"window": window, "handoff_window": window}
        defaults = {key: getattr(document.issues, source) for key, source in _FALLBACKS.get(name, {}).items()}
        rules[name] = PatternRule(**(defaults | values))
    return rules
