"""The channel gaps of a whole run, for a closing table."""

from collections.abc import Iterable
from typing import Any

from streams.gaps.facts import WAIT, Fact
from streams.gaps.tally import Tally, public_lengths
from streams.gaps.waits import overtaken
from streams.intervals import FOREVER


def summary(facts: Iterable[Fact], until: int = FOREVER) -> dict[str, dict[str, Any]]:
    """By channel, the figures that a gap record has for a window, over everything up to `until` (ms).

    The channels are in order of their median first response, slowest first; those without one come last.
    """
    by_channel: dict[str, list[Fact]] = {}
    waits: list[tuple[int, int]] = []
    for fact in facts:
        if fact.at > until:
            continue
        if fact.what == WAIT:
            waits.append((fact.at, fact.value))
        else:
            by_channel.setdefault(fact.channel, []).append(fact)
    tallies = {channel: Tally.of(mine) for channel, mine in by_channel.items()}
    public = public_lengths(tallies)
    found = {
        channel: tally.measures(public, overtaken(tally.answered, waits)) for channel, tally in sorted(tallies.items())
    }
    return dict(sorted(found.items(), key=lambda item: -(item[1]["first_response_p50_s"] or -1)))
