"""The ids of customers: made of when and with which identity a customer was first seen."""

from hashlib import blake2b

from schemas.identity import Identity

_LATEST = 16**11 - 1


def birth_id(first_event_at: int, identity: Identity | str, salt: int | str = 0) -> str:
    """The id of a customer first seen at `first_event_at` (ms) with `identity`: `cus_`, 11 hex of time, 8 of hash.

    Ids sort by birth. `salt` gives the same birth another id, for a customer that a split made anew.
    """
    text = f"{identity}#{salt}" if salt else str(identity)
    mark = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"cus_{min(max(first_event_at, 0), _LATEST):011x}_{mark}"
