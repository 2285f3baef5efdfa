"""The channel gaps of a whole run, for a table."""

from collections.abc import Iterable, Sequence
from typing import Any

from streams.gaps.facts import WAIT, Fact
from streams.gaps.lengths import Lengths
from streams.gaps.messages import Group, group_of
from streams.gaps.tally import Tally
from streams.gaps.waits import Wait, overtaken
from streams.intervals import FOREVER


def summary(facts: Iterable[Fact], until: int = FOREVER, by: Sequence[str] = ()) -> list[dict[str, Any]]:
    """A row per channel (and group) with the figures that a gap record has, over everything up to `until` (ms).

    In order of the groups, and within one of their median first response, slowest first; those without come last.
    """
    places: dict[tuple[str, Group], list[Fact]] = {}
    waits: dict[Group, list[Wait]] = {}
    compared = [name for name in by if name == "topic"]
    for fact in facts:
        if fact.at > until:
            continue
        if fact.what == WAIT:
            waits.setdefault(group_of(fact, compared), []).append((fact.at, fact.value))
        else:
            places.setdefault((fact.channel, group_of(fact, by)), []).append(fact)
    parts = {place: Tally.of(mine).partial() for place, mine in places.items()}
    public: dict[Group, list[Lengths]] = {}
    for (_, group), part in parts.items():
        public.setdefault(_world(group, compared), []).append(part.public)
    everywhere = {world: Lengths.union(lengths) for world, lengths in public.items()}
    rows = []
    for (channel, group), part in parts.items():
        world = _world(group, compared)
        measures = part.measures(everywhere[world], overtaken(part.answered, waits.get(world, ())))
        rows.append({"channel": channel} | ({"by": dict(group)} if group else {}) | measures)
    return sorted(rows, key=_order)


def _world(group: Group, compared: Sequence[str]) -> Group:
    return tuple((name, value) for name, value in group if name in compared)


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    group = tuple((value is None, value or "") for value in row.get("by", {}).values())
    return group, -(row["first_response_p50_s"] or -1), row["channel"]
