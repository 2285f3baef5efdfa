"""The channel gaps over a stretch of time, for a table and a plot: from gap records, or from histories."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.times import DAY, HOUR, parse_time
from streams.gaps import Fact, GapBook, summary
from streams.gaps.facts import FIRST
from streams.gaps.lengths import Lengths
from streams.gaps.percentile import percentile_s

Record = Mapping[str, Any]
THIN = 3
"""First answers below which a bin has no point: the median of one or two says little, and jumps about."""
THIN_FROM = 100
"""Answers of the whole from which on that is asked for: with fewer, every one is shown."""
POINTS_MAX = 60
"""Points of a line, about: more, and nobody sees the line."""
SUMMED = (
    *("contacts", "first_responses", "breached", "resolved", "queue_jumps", "overtaken", "resolved_here"),
    *("ended_elsewhere", "public_first", "public_first_returning"),
)


@dataclass(slots=True)
class Point:
    """One bin of time. Medians of the first response in seconds, None where nobody was answered."""

    at: int
    """Where the bin begins, in ms."""
    private_s: float | None = None
    public_s: float | None = None
    channels: dict[str, float] = field(default_factory=dict)
    overtaken: int = 0
    queue_jumps: int = 0


@dataclass(slots=True)
class Report:
    """Rows have the fields of a gap record, without window and revision; `series` are points by group (None: all)."""

    rows: list[dict[str, Any]]
    series: dict[str | None, list[Point]]
    bin_ms: int
    public: frozenset[str]
    private_s: float | None
    public_s: float | None
    start: int
    end: int
    approximate: bool
    """The percentiles of rows are those of windows, weighted: from records nothing better can be had."""
    by: str | None = None

    @property
    def ratio(self) -> float | None:
        """How many times as long as in public people wait in private."""
        return self.private_s / self.public_s if self.private_s is not None and self.public_s else None

    def total(self, name: str) -> int:
        """The sum of a count over the rows."""
        return sum(row[name] for row in self.rows)


def from_facts(facts: Sequence[Fact], until: int, public: frozenset[str], by: str | None = None) -> Report:
    """The gaps of histories up to `until` (ms)."""
    dimensions = (by,) if by else ()
    happened = [fact for fact in facts if fact.at <= until]
    start = min((fact.at for fact in happened), default=until)
    size = bin_for(until - start)
    book = GapBook(size, by=dimensions)
    book.replace("all", facts)
    series = _Series(size, public, by)
    for record in book.close(until, partial=True):
        series.add(record)
    pooled: dict[tuple[str | None, int, bool], list[int]] = {}
    for fact in happened:
        if fact.what == FIRST:
            group = getattr(fact, by) if by else None
            pooled.setdefault((group, fact.at // size * size, fact.public), []).append(fact.value)
    for (group, at, is_public), lengths in pooled.items():
        series.pool(group, at, lengths, public=is_public)
    private = [length for (_, _, is_public), lengths in pooled.items() if not is_public for length in lengths]
    in_public = [length for (_, _, is_public), lengths in pooled.items() if is_public for length in lengths]
    return Report(
        rows=summary(facts, until, dimensions),
        series=series.points(),
        bin_ms=size,
        public=public,
        private_s=_median_s(private),
        public_s=_median_s(in_public),
        start=start,
        end=until,
        approximate=False,
        by=by,
    )


def from_records(records: Iterable[Record], public: frozenset[str], by: str | None = None) -> Report:
    """The gaps that records tell, the newest revision of each: those by `by`, else those about all of a channel."""
    newest: dict[tuple[Any, ...], Record] = {}
    for record in records:
        if set(record.get("by", {})) != ({by} if by else set()):
            continue
        place = (record["window_start"], record["channel"], _group(record, by))
        if place not in newest or newest[place]["revision"] < record["revision"]:
            newest[place] = record
    kept = sorted(newest.values(), key=lambda record: record["window_start"])
    begins = [parse_time(record["window_start"]) for record in kept]
    end = max((parse_time(record["window_end"]) for record in kept), default=0)
    start = min(begins, default=0)
    series = _Series(bin_for(end - start), public, by)
    for record in kept:
        series.add(record)
    rows: dict[tuple[str | None, str], list[Record]] = {}
    for record in kept:
        rows.setdefault((_group(record, by), record["channel"]), []).append(record)
    open_, closed = ([r for r in kept if (r["channel"] in public) == side] for side in (True, False))
    report = Report(
        rows=[_row(mine) for mine in rows.values()],
        series=series.points(),
        bin_ms=series.size,
        public=public,
        private_s=_weighted(closed, "first_response_p50_s", "first_responses"),
        public_s=_weighted(open_, "first_response_p50_s", "first_responses"),
        start=start,
        end=end,
        approximate=True,
        by=by,
    )
    for row in report.rows:
        same = [r for r in open_ if by != "topic" or _group(r, by) == _group(row, by)]
        base = _weighted(same, "first_response_p50_s", "first_responses")
        p50 = row["first_response_p50_s"]
        row["ratio_to_public"] = p50 / base if p50 is not None and base else None
    report.rows.sort(key=lambda row: (*_named(_group(row, by)), -(row["first_response_p50_s"] or -1), row["channel"]))
    return report


def bin_for(length: int) -> int:
    """How long one point of a line lasts where the whole lasts `length`, both in ms: an hour, a day or a week."""
    return next((size for size in (HOUR, DAY) if length <= POINTS_MAX * size), 7 * DAY)


class _Series:
    """Points by group and bin, filled from records of windows no longer than a bin."""

    def __init__(self, size: int, public: frozenset[str], by: str | None) -> None:
        self.size = size
        self._public = public
        self._by = by
        self._records: dict[tuple[str | None, int], dict[tuple[str, str], Record]] = {}
        self._pooled: dict[tuple[str | None, int, bool], list[int]] = {}
        self._least = 1

    def add(self, record: Record) -> None:
        """Take a record; a later revision of the same window in place of an earlier one."""
        at = parse_time(record["window_start"]) // self.size * self.size
        bin_ = self._records.setdefault((_group(record, self._by), at), {})
        bin_[record["window_start"], record["channel"]] = record

    def pool(self, group: str | None, at: int, lengths: list[int], *, public: bool) -> None:
        """All first responses of a bin (ms), on public or private channels, where they are known."""
        self._pooled[group, at, public] = lengths

    def points(self) -> dict[str | None, list[Point]]:
        """By group, those with most contacts first; the points in order of time."""
        answers = sum(record["first_responses"] for bin_ in self._records.values() for record in bin_.values())
        self._least = THIN if answers >= THIN_FROM else 1
        found: dict[str | None, list[Point]] = {}
        contacts: dict[str | None, int] = {}
        for (group, at), bin_ in sorted(self._records.items(), key=lambda item: item[0][1]):
            found.setdefault(group, []).append(self._point(group, at, list(bin_.values())))
            contacts[group] = contacts.get(group, 0) + sum(record["contacts"] for record in bin_.values())
        return {group: found[group] for group in sorted(found, key=lambda group: (-contacts[group], _named(group)))}

    def _point(self, group: str | None, at: int, records: list[Record]) -> Point:
        point = Point(at)
        for channel in {record["channel"] for record in records}:
            median = self._median([record for record in records if record["channel"] == channel])
            if median is not None:
                point.channels[channel] = median
        sides = []
        for side in (False, True):
            if self._pooled:
                lengths = self._pooled.get((group, at, side), [])
                sides.append(_median_s(lengths) if len(lengths) >= self._least else None)
            else:
                sides.append(self._median([r for r in records if (r["channel"] in self._public) == side]))
        point.private_s, point.public_s = sides
        point.overtaken = sum(record["overtaken"] for record in records)
        point.queue_jumps = sum(record["queue_jumps"] for record in records)
        return point

    def _median(self, records: Sequence[Record]) -> float | None:
        if sum(record["first_responses"] for record in records) < self._least:
            return None
        return _weighted(records, "first_response_p50_s", "first_responses")


def _row(records: Sequence[Record]) -> dict[str, Any]:
    """One row of several windows."""
    first = records[0]
    head = {name: first[name] for name in ("channel", "by") if name in first}
    sums = {name: sum(record[name] for record in records) for name in SUMMED}
    medians = {
        name: _weighted(records, name, weight)
        for name, weight in (
            ("first_response_p50_s", "first_responses"),
            ("first_response_p90_s", "first_responses"),
            ("next_response_p90_s", "contacts"),
            ("median_resolution_s", "resolved"),
            ("contacts_per_issue_p50", "resolved_here"),
        )
    }
    return {**head, **sums, **medians}


def _weighted(records: Iterable[Record], name: str, weight: str) -> float | None:
    """The median of a field over windows, each counted as often as `weight` says (at least once)."""
    values = sorted((record[name], max(1, record[weight])) for record in records if record[name] is not None)
    half = sum(weight for _, weight in values) / 2
    for value, count in values:
        half -= count
        if half <= 0:
            return float(value)
    return None


def _median_s(lengths: list[int]) -> float | None:
    return percentile_s(Lengths.of(sorted(lengths)), 50)


def _group(record: Record, by: str | None) -> str | None:
    return record.get("by", {}).get(by) if by else None


def _named(group: str | None) -> tuple[bool, str]:
    """Sorts what is not known last."""
    return group is None, group or ""
