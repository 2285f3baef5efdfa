"""Can a stored value be read? What wrote it may have been another program, or a hand."""

from schemas.codec import loads
from streams.identity.protocol import IdentityRecord
from streams.identity.shard import RECORD_VERSION
from streams.stored import STORED_VERSION, decode_stored

_VERSIONS = {"identities": RECORD_VERSION, "customers": STORED_VERSION}


def is_sound(table: str, value: bytes) -> bool:
    """True where the value of a table (`identities`, `customers`) can be read whole; other tables are not looked at.

    Raises ValueError for a value of a newer version: it is not damaged, the program is too old for it.
    """
    known = _VERSIONS.get(table)
    if known is None:
        return True
    try:
        stored = loads(value)
        version = stored["v"]
        if version <= known:
            IdentityRecord.decode(stored) if table == "identities" else decode_stored(value)
            return True
    except Exception:  # noqa: BLE001 - whatever a decoder makes of a damaged value
        return False
    raise ValueError(f"state of version {version} is newer than this program's {known}: upgrade it first")
