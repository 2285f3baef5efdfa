"""A customer as `mindgap customer` shows it: ids, identities and what joined them, refused links, open escalations."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.printable import one_line
from schemas.identity import Identity, as_record
from schemas.times import format_time
from streams.identity.changes import Refused

SHOWN = ("kind", "metric", "phase", "patterns", "status", "severity", "level", "due_at", "breached_at", "summary")
"""Fields of an escalation that are shown, where it has them."""
WIDTH = 60
"""Columns that identities take at the most, so that what joined them stands below one another."""


@dataclass(frozen=True, slots=True)
class Joined:
    """An identity, and the record (event or link id) that joined it, and when (ms); None: not known any more."""

    identity: Identity
    joined_by: str | None
    joined_at: int


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a customer. `escalations`: newest revisions of the open ones, as records.

    `identities` None: only the id and what is open were asked for.
    """

    customer_id: str
    aliases: tuple[str, ...] = ()
    identities: tuple[Joined, ...] | None = None
    refused: tuple[Refused, ...] = ()
    escalations: list[dict[str, Any]] = field(default_factory=list)


def as_json(card: Card) -> dict[str, Any]:
    """The card as a JSON object; identities in clear."""
    who: dict[str, Any] = {"customer_id": card.customer_id}
    if card.identities is not None:
        joined = ((each, format_time(each.joined_at)) for each in card.identities)
        who |= {
            "aliases": list(card.aliases),
            "identities": [
                as_record(each.identity) | {"joined_by": each.joined_by, "joined_at": at} for each, at in joined
            ],
            "refused": [_refusal(each) for each in card.refused],
        }
    return who | {"open_escalations": [escalation_line(record) for record in card.escalations]}


def _refusal(refused: Refused) -> dict[str, Any]:
    return {
        "identity": as_record(refused.identity),
        "refused_by": refused.refused_by,
        "reason": refused.reason,
        "record_id": refused.record_id,
        "seen_at": format_time(refused.seen_at),
    }


def escalation_line(record: dict[str, Any]) -> dict[str, Any]:
    """What is shown of an escalation, from a revision of it."""
    names = ("escalation_id", "revision", *SHOWN)
    return {name: record[name] for name in names if record.get(name) is not None}


def as_text(card: Card) -> Iterator[str]:
    """The card as lines for people; identities in clear."""
    formerly = f", formerly {', '.join(card.aliases)}" if card.aliases else ""
    yield one_line(f"Customer {card.customer_id}{formerly}")
    if card.identities is not None:
        yield from ("", "Identities, with what joined them")
        yield from _joined(card.identities)
    if card.refused:
        yield from ("", "Refused")
        yield from (f"  {line}" for line in _refusals(card.refused))
    yield from ("", "Open escalations" if card.escalations else "No open escalation")
    for record in card.escalations:
        yield from _escalation(record)


def _joined(identities: Sequence[Joined]) -> Iterator[str]:
    width = max((len(one_line(str(each.identity))) for each in identities), default=0)
    for each in identities:
        by = one_line(each.joined_by) if each.joined_by is not None else "a record that is not known any more"
        yield f"  {one_line(str(each.identity)):<{min(width, WIDTH)}}  {format_time(each.joined_at)}  by {by}"


def _refusals(refused: Iterable[Refused]) -> Iterator[str]:
    for each in refused:
        text = f"{each.identity} not joined to {each.refused_by} ({each.reason}), asked for by {each.record_id}"
        yield one_line(f"{format_time(each.seen_at)}  {text}")


def _escalation(record: dict[str, Any]) -> Iterator[str]:
    about = record.get("metric") or ", ".join(record.get("patterns") or ()) or record["kind"]
    due = f", due {record['due_at']}" if record.get("due_at") else ""
    yield "  " + one_line(f"{record['escalation_id']}  {record['severity']}, {record['status']}: {about}{due}")
    if record.get("summary"):
        yield f"    {one_line(record['summary'])}"
