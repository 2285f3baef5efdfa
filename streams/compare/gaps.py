"""The channel gaps of two runs: every window at its last revision, and revisions that count from 1."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.codec import dumps_canonical
from schemas.times import HOUR, format_time
from streams.compare.digests import View, digest
from streams.compare.facts import compare_records
from streams.compare.report import Record, Section, Source
from streams.gaps import RETENTION
from streams.intervals import FOREVER

_HEAD = ("revision", "window_start", "window_end", "channel", "by")


class Span(NamedTuple):
    """The windows that are compared: those that ended after `since` and not after `until` (ms)."""

    since: int = -FOREVER
    until: int = FOREVER


def span_until(until: int) -> Span:
    """The windows that had ended by `until` (ms), and could still be corrected then, and for a while after."""
    return Span(until - RETENTION + 2 * HOUR, until)


def compare_gaps(a: Source, b: Source, limit: int, span: Span | None = None) -> Section:
    """Windows by start and channel. Without a span, those that had ended where either side's last window ended."""
    if span is None:
        ends = [max((record["window_end"] for record in source()), default="") for source in (a, b)]
        first, last = "", min(ends)
    else:
        first = "" if span.since <= 0 else format_time(span.since)
        last = "\uffff" if span.until >= FOREVER else format_time(span.until)

    def newest(source: Source) -> Source:
        return lambda: _newest(source, first, last)

    section = compare_records("gaps", newest(a), newest(b), View(_window, _measures), limit)
    for side, source in (("A", a), ("B", b)):
        _check_revisions(section, side, source, limit)
    return section


def _newest(source: Source, first: str, last: str) -> Iterator[Record]:
    """Each window's newest revision; one of which nothing is left is none."""
    found: dict[str, Record] = {}
    for record in source():
        if first <= record["window_end"] <= last:
            known = found.get(_window(record))
            if known is None or record["revision"] > known["revision"]:
                found[_window(record)] = record
    return (record for record in found.values() if any(_measures(record).values()))


def _check_revisions(section: Section, side: str, source: Source, limit: int) -> None:
    revisions: dict[str, dict[int, bytes]] = {}
    twice = 0
    for record in source():
        known = revisions.setdefault(_window(record), {})
        said = digest(record)
        if record["revision"] not in known:
            known[record["revision"]] = said
        elif known[record["revision"]] == said:
            twice += 1
        else:
            section.tell(limit, side, "one revision, two contents", _window(record), record)
    for window, known in revisions.items():
        missing = [number for number in range(1, max(known) + 1) if number not in known]
        if missing:
            section.tell(limit, side, "revisions are missing", window, {"revisions": missing[:20]})
    section.remark("revisions", side, sum(len(known) for known in revisions.values()))
    section.remark("sent more than once", side, twice)


def _window(record: Record) -> str:
    by = dumps_canonical(record["by"]).decode() if record.get("by") else ""
    return f"{record['window_start']} {record['channel']}{by}"


def _measures(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in _HEAD}
