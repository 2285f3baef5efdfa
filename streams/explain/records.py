"""What was escalated: every revision, with its summary."""

from collections.abc import Iterable, Iterator

from schemas.times import parse_time
from streams.explain.line import StoryLine
from streams.reconcile import Record


def record_lines(records: Iterable[Record]) -> Iterator[StoryLine]:
    """One line for each revision of an escalation, at the instant at which it was detected."""
    for record in records:
        id_ = record["escalation_id"]
        yield StoryLine(
            parse_time(record["detected_at"]), "escalation", f"{_head(record)}: {record['summary']}", (id_,)
        )


def _head(record: Record) -> str:
    about = record.get("metric") or ", ".join(record.get("patterns", ())) or record["kind"]
    parts = [f"{record['escalation_id']} r{record['revision']} {record['change']}"]
    if record["status"] == "resolved":
        parts.append(f"({record.get('reason')}{', retracted' if record.get('retracted') else ''})")
    parts += [record["severity"], str(about)]
    if record["status"] == "open":
        parts.append(f"-> {record['route']['role']} (level {record['level']})")
    elif record["status"] != "resolved":
        parts.append(f"[{record['status']}]")
    if record.get("backfilled"):
        parts.append("(backfilled: not paged)")
    return " ".join(parts)
