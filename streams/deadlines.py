"""When a wait is over, where the policy that says how long may change while one waits."""

from collections.abc import Callable

from streams.policy import Policy, PolicyHistory


def deadline(policies: PolicyHistory, start: int, length: Callable[[Policy], int]) -> int:
    """The instant at which a wait from `start` (ms) has lasted `length(policy)` ms, by the policy in force then.

    A wait that a new version makes over in the past is over when that version takes effect.
    """
    entries = policies.entries
    if len(entries) == 1:
        return start + length(entries[0].policy)
    at = start
    for place, entry in enumerate(entries):
        last = place + 1 == len(entries)
        if not last and entries[place + 1].since <= start:
            continue
        at = start + length(entry.policy)
        if entry.since > start:
            at = max(at, entry.since)
        if last or at < entries[place + 1].since:
            return at
    return at
