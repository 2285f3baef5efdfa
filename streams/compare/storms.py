"""Are hotspots and notifications what the run's own escalations ask for? Each side is held against its own.

When a hotspot opened and when a group paged follows from when each escalation was detected, which runs may differ in
(contract, section 11). So neither is compared between the sides: what must be so in the end is.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from schemas.times import format_time, parse_time
from streams.compare.digests import digest
from streams.compare.own_cases import OwnCase, OwnCases
from streams.compare.report import Record, Section
from streams.compare.terms import Terms
from streams.policy import Policy

_FIRST, _RESOLVED, _COMMAND = "first", "resolved", "command"


@dataclass(slots=True)
class _Side:
    """Where one side's differences go."""

    section: Section
    side: str
    limit: int

    def add(self, what: str, id_: str, value: object) -> None:
        self.section.tell(self.limit, self.side, what, id_, value)


def check_hotspots(sides: Mapping[str, OwnCases], terms: Terms, limit: int) -> Section:
    """One stands where it must, and none where too few customers are left."""
    section = Section("hotspots")
    for name, cases in sides.items():
        section.count(name, len(cases.hotspots))
        _check_topics(_Side(section, name, limit), cases, terms)
    return section


def _check_topics(side: _Side, cases: OwnCases, terms: Terms) -> None:
    least, window = terms.policy.hotspots.customers, terms.policy.hotspots.window
    by_topic: defaultdict[str, list[OwnCase]] = defaultdict(list)
    for case in cases.standing:
        if case.topic:
            by_topic[case.topic].append(case)
    open_: set[str] = set()
    ended: dict[str, tuple[str, str]] = {}
    for record in cases.hotspots:
        if record["status"] != _RESOLVED:
            if record["topic"] in open_:
                side.add("two stand on one topic", record["topic"], record["escalation_id"])
            open_.add(record["topic"])
        elif record["detected_at"] >= ended.get(record["topic"], ("", ""))[0]:
            ended[record["topic"]] = record["detected_at"], record["reason"]
    for topic in sorted(open_):
        customers = {case.customer_id for case in by_topic[topic]}
        quiet = cases.left_topic.get(topic, 0) + terms.slack <= terms.until
        if len(customers) < least and quiet:
            side.add("stands, and too few customers are left", topic, len(customers))
    for topic, standing in sorted(by_topic.items()):
        settled = [case for case in standing if max(case.came_at, case.hot_at) + terms.slack <= terms.until]
        by_command = ended.get(topic, ("", ""))[1] == _COMMAND
        if topic not in open_ and not by_command and _must(settled, least, window - terms.slack):
            side.add("enough customers wait, and none stands", topic, len({case.customer_id for case in settled}))


def _must(cases: list[OwnCase], least: int, window: int) -> bool:
    """True where at some instant so many customers had a case that had become one within the window."""
    if len({case.customer_id for case in cases}) < least:
        return False
    for at in {max(case.came_at, case.hot_at) for case in cases}:
        there = (case for case in cases if max(case.came_at, case.hot_at) <= at and case.hot_at >= at - window)
        if len({case.customer_id for case in there}) >= least:
            return True
    return False


def check_notifications(
    sides: Mapping[str, tuple[OwnCases, Callable[[], Iterable[Record]]]], terms: Terms, limit: int
) -> Section:
    """Each group pages in its order and not too often; nobody open is left unpaged, and what is over is said to be."""
    section = Section("notifications")
    for name, (cases, source) in sides.items():
        side = _Side(section, name, limit)
        groups = _groups(side, source())
        section.count(name, sum(len(notes) for notes in groups.values()))
        for key, notes in sorted(groups.items()):
            _check_order(side, key, notes, terms.policy)
        _check_paged(side, groups, cases, terms)
    return section


def _groups(side: _Side, notes: Iterable[Record]) -> dict[str, list[Record]]:
    """The notifications of each group in order, each once."""
    groups: defaultdict[str, dict[str, Record]] = defaultdict(dict)
    twice = 0
    for note in notes:
        known = groups[note["group_key"]].setdefault(note["at"], note)
        if known is not note:
            twice += 1
            if digest(known) != digest(note):
                side.add("one group and instant, two contents", note["group_key"], note["at"])
    side.section.remark("sent more than once", side.side, twice)
    return {key: [by_at[at] for at in sorted(by_at)] for key, by_at in groups.items()}


def _check_order(side: _Side, key: str, notes: list[Record], policy: Policy) -> None:
    if notes[0]["change"] != _FIRST:
        side.add("does not begin with the first", key, notes[0])
    for before, after in itertools.pairwise(notes):
        if before["change"] == _RESOLVED:
            if after["change"] != _FIRST:
                side.add("goes on after it was resolved", key, after)
        elif parse_time(after["at"]) - parse_time(before["at"]) < policy.notify.group_interval:
            side.add("pages sooner than `group_interval` after the last", key, after)


def _check_paged(side: _Side, groups: Mapping[str, list[Record]], cases: OwnCases, terms: Terms) -> None:
    policy, until = terms.policy, terms.until
    latest = until - policy.notify.group_wait - policy.notify.group_interval - terms.slack
    members: defaultdict[str, list[OwnCase]] = defaultdict(list)
    for case in cases.standing:
        if case.group:
            members[case.group].append(case)
    if policy.paging and not policy.silences:
        for key, inside in sorted(members.items()):
            pages = [note["at"] for note in groups.get(key, ()) if note["change"] != _RESOLVED]
            waiting = [case.rang_at for case in inside if case.calls and case.rang_at <= latest]
            if waiting and (not pages or parse_time(pages[-1]) < max(waiting)):
                side.add("called, and was not paged", key, format_time(max(waiting)))
    for key, notes in sorted(groups.items()):
        over = not members[key] and cases.left_group.get(key, until) <= latest
        if over and notes[-1]["change"] != _RESOLVED:
            side.add("nobody is left, and it was not resolved", key, notes[-1])
