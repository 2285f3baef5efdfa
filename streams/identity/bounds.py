"""How much the records of identities and customers may hold beside a history, in bytes as they are stored.

A broker refuses a record that is too large, and then nothing of its partition can be written any more. So whatever
grows with what comes in has a bound here, and what is let go beyond it is counted.
"""

_KIB = 1024
LOOSE_MAX = 2_000
"""Events without an author that a public thread keeps: those that wait, and those that may move yet."""
LOOSE_BYTES_MAX = 768 * _KIB
"""Bytes of them."""
PAST_BYTES_MAX = 64 * _KIB
"""So much more, where they have moved, for with whom they were."""
SPOKEN_BYTES_MAX = 256 * _KIB
"""Speakers that a public thread remembers, by event."""
THREADS_BYTES_MAX = 64 * _KIB
"""Threads among a customer's members. Those of its log stay beyond that: the log has a bound of its own."""
PLACEMENTS_BYTES_MAX = 32 * _KIB
"""Of events without an author that are not in the log (any more)."""
PAIRS_BYTES_MAX = 24 * _KIB
"""What link records say about one identity, or about the identities of one customer."""
REFUSED_BYTES_MAX = 24 * _KIB
TIES_BYTES_MAX = 24 * _KIB
HEARD_BYTES_MAX = 24 * _KIB
ALIASES_BYTES_MAX = 24 * _KIB
TAKEN_MAX = 500
"""Ids of customers whose history was taken over, and of those that were split off."""
