"""One escalation as a few readable lines. Pure: a record in, styled text out."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from agents.demo.words import clean, count, label, moment, span
from schemas.identity import STRENGTH
from schemas.times import parse_time
from schemas.vocabulary import CHANNELS

Record = Mapping[str, Any]

STYLES = {"critical": "bold white on red", "error": "bold red", "warning": "yellow", "info": "cyan"}
SEVERITIES = ("info", "warning", "error", "critical")
"""From the lightest to the gravest."""

_TURNS = {"company": "the company's turn", "customer": "the customer's turn", "nobody": "nobody's turn"}
INDENT = 18
"""Where the details begin: below the severity."""
_WORTH_A_LINE = ("opened", "raised")


def entry(record: Record) -> RenderableType:
    """The record in three lines: what and who; where, what is late, whose turn, for whom; the summary."""
    details = Text(", ").join(_facts(record))
    if record.get("summary"):
        details.append("\n").append(clean(record["summary"], 240), style="dim")
    return Group(headline(record), Padding(details, (0, 0, 0, INDENT)))


def headline(record: Record) -> Text:
    """When, how severe, what, about what, who: one line."""
    severity = str(record["severity"])
    resolved = record["status"] == "resolved"
    text = Text(f"{moment(parse_time(record['detected_at']))}  ")
    text.append(f"{severity.upper():<8}", style="green" if resolved else STYLES.get(severity, ""))
    text.append("  ")
    text.append(what(record), style="" if resolved else "bold")
    if resolved:
        text.append(f" resolved: {label(str(record.get('reason', '')))}", style="green")
    elif record["change"] not in _WORTH_A_LINE:
        text.append(f" {record['change']}", style="dim")
    if record.get("topic"):
        text.append(f"  [{clean(record['topic'], 40)}]", style="magenta")
    if record["kind"] != "hotspot":
        text.append(f"  {who(record)}", style="blue")
    return text


def what(record: Record) -> str:
    """What is wrong: the patterns of a history, the metric of a clock, or a hotspot."""
    if record["kind"] == "history":
        return ", ".join(label(name) for name in record.get("patterns", ())) or "history"
    if record["kind"] == "hotspot":
        return "hotspot"
    state = "breached" if record.get("phase") == "breached" else "at risk"
    return f"{label(str(record.get('metric', 'sla')))} {state}"


def who(record: Record) -> str:
    """The strongest identity that the record names (masked at the source), else the customer's id."""
    named = [one for one in record.get("identities") or () if one.get("type") in STRENGTH and one["type"] != "thread"]
    if named:
        best = min(named, key=lambda one: STRENGTH[one["type"]])
        more = f" (+{len(named) - 1})" if len(named) > 1 else ""
        return f"{best['type']} {clean(best['value'], 60)}{more}"
    return clean(record.get("customer_id", "unknown"), 60)


def _facts(record: Record) -> list[Text]:
    facts = [Text(channels(record), style="bold" if record.get("public") else "")]
    if record.get("contacts"):
        facts.append(Text(count(record["contacts"], "contact")))
    late = lateness(record)
    if late:
        facts.append(Text(late, style="red" if record.get("phase") == "breached" else "yellow"))
    if record["status"] != "resolved":
        facts.append(Text(_TURNS.get(str(record.get("waiting_on")), "")))
        facts.append(Text(f"for {whom(record)}", style="green"))
    return [fact for fact in facts if fact.plain]


def channels(record: Record) -> str:
    """The channels in order of first use: `phone > email > social (public)`."""
    names = [name for name in record.get("channels") or () if name in CHANNELS]
    return " > ".join(names) + (" (public)" if record.get("public") and names else "")


def lateness(record: Record) -> str:
    """What is late: which clock, due when, and how long ago (or in how long) as seen at `detected_at`."""
    due = record.get("due_at")
    if record["kind"] != "sla" or not due:
        return ""
    due_at, seen_at = parse_time(due), parse_time(record["detected_at"])
    name = label(str(record.get("metric", "")))
    where = f" on {record['channel']}" if record.get("channel") in CHANNELS else ""
    distance = f"{span(seen_at - due_at)} overdue" if seen_at >= due_at else f"{span(due_at - seen_at)} left"
    return f"{name}{where} due {moment(due_at)}: {distance}"


def whom(record: Record) -> str:
    """The role that it is routed to, the contact where there is one, and the ladder's step above the first."""
    route = record.get("route") or {}
    role = clean(route.get("role", "nobody"), 60)
    contact = f" ({clean(route['contact'], 60)})" if route.get("contact") else ""
    step = f", step {record['level']}" if record.get("level") else ""
    return f"{role}{contact}{step}"
