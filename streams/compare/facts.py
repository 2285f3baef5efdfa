"""The facts of two runs side by side: customers, their issues, clocks, episodes."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from streams.compare.digests import Table, View, digest, fetch, unlike_fields, without_common
from streams.compare.report import Record, Section, Source

_OWNER = "of_the_customer"
"""The field that an issue gets for the comparison: its customer's identities, as a digest."""


def compare_clocks(a: Source, b: Source, limit: int) -> Section:
    """Clocks by their ids, up to the customer's: state, due time and the whole ledger."""
    return compare_records("clocks", a, b, View(lambda clock: str(clock["clock_id"]), _without_customer), limit)


def compare_episodes(a: Source, b: Source, limit: int) -> Section:
    """Episodes by their subjects: start, end, how each ended, severity and patterns."""
    return compare_records("episodes", a, b, View(_subject, _without_customer), limit)


def compare_customers(a: Source, b: Source, limit: int) -> tuple[Section, Section]:
    """Customers by their identities (threads among them), and their issues by their ids."""
    grouping = View(_identities_key, _identities)
    table_a, table_b = Table(a(), grouping), Table(b(), grouping)
    customers = Section("customers", table_a.count, table_b.count)
    unmatched = set(table_a.unlike(table_b))
    if unmatched:
        _regrouped(customers, a, b, unmatched, limit)
    issues = compare_records("issues", _issues(a, unmatched), _issues(b, unmatched), View(_issue_id, _same), limit)
    return customers, issues


def compare_records(name: str, a: Source, b: Source, view: View, limit: int) -> Section:
    """The records of both sides by the key of the view: under each key the same values, in any order."""
    table_a, table_b = Table(a(), view), Table(b(), view)
    section = Section(name, table_a.count, table_b.count)
    keys = list(table_a.unlike(table_b))
    shown = keys[:limit]
    if shown:
        found_a, found_b = fetch(a(), view, shown), fetch(b(), view, shown)
        for key in shown:
            _tell(section, limit, key, *without_common(found_a[key], found_b[key]))
    section.differ = len(keys)
    return section


def _tell(section: Section, limit: int, key: str, mine: list[Record], theirs: list[Record]) -> None:
    """The values of one key that have no equal on the other side: paired, in order, to show the fields that differ."""
    key = key.replace("\x1f", " ")
    by_start = [sorted(side, key=lambda record: str(record.get("start"))) for side in (mine, theirs)]
    for left, right in zip_longest(*by_start):
        if left is None:
            section.add(limit, "only in B", key, None, right)
        elif right is None:
            section.add(limit, "only in A", key, left, None)
        else:
            section.add(limit, "differs", key, *unlike_fields(left, right))


# -- customers ------------------------------------------------------------------------------------------------


def _regrouped(section: Section, a: Source, b: Source, unmatched: set[str], limit: int) -> None:
    """One difference for each group of customers that share identities across the two sides."""
    mixed = [
        (side, {name: customer[name] for name in ("customer_id", "identities")})
        for side, source in enumerate((a, b))
        for customer in source()
        if _identities_key(customer) in unmatched
    ]
    by_identity: dict[str, list[int]] = {}
    for place, (_, customer) in enumerate(mixed):
        for identity in _identities(customer):
            by_identity.setdefault(identity, []).append(place)
    seen: set[int] = set()
    for place in range(len(mixed)):
        if place not in seen:
            group = _reach(place, mixed, by_identity)
            seen |= group
            sides = [[_shown(mixed[i][1]) for i in sorted(group) if mixed[i][0] == side] for side in (0, 1)]
            _tell_group(section, limit, *sides)


def _reach(place: int, mixed: list[tuple[int, Record]], by_identity: dict[str, list[int]]) -> set[int]:
    group, waiting = {place}, [place]
    while waiting:
        for identity in _identities(mixed[waiting.pop()][1]):
            for other in by_identity[identity]:
                if other not in group:
                    group.add(other)
                    waiting.append(other)
    return group


def _tell_group(section: Section, limit: int, a: list[Record], b: list[Record]) -> None:
    if not a or not b:
        section.add(limit, "only in A" if a else "only in B", (a or b)[0]["customer_id"], a or None, b or None)
    elif len(a) == len(b) == 1:
        both = set(a[0]["identities"]) & set(b[0]["identities"])
        shown = [{**one, "identities": [i for i in one["identities"] if i not in both]} for one in (a[0], b[0])]
        section.add(limit, "other identities", a[0]["customer_id"], *shown)
    else:
        section.add(limit, f"{len(a)} in A, {len(b)} in B", a[0]["customer_id"], a, b)


def _shown(customer: Record) -> Record:
    return {"customer_id": customer["customer_id"], "identities": _identities(customer)}


def _identities(customer: Record) -> list[str]:
    return sorted(f"{identity['type']}:{identity['value']}" for identity in customer["identities"])


def _identities_key(customer: Record) -> str:
    return digest(_identities(customer)).hex()


def _issues(source: Source, unmatched: set[str]) -> Source:
    """The issues of all customers; each names its owner, where both sides have that owner."""

    def read() -> Iterator[Record]:
        for customer in source():
            key = _identities_key(customer)
            owner = None if key in unmatched else key
            for issue in customer["issues"]:
                yield {**issue, _OWNER: owner}

    return read


def _issue_id(issue: Record) -> str:
    return str(issue["issue_id"])


def _same(record: Record) -> Any:
    return record


# -- clocks and episodes --------------------------------------------------------------------------------------


def _without_customer(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "customer_id"}


def _subject(episode: Record) -> str:
    return f"{episode['kind']}\x1f{episode['subject']}"
