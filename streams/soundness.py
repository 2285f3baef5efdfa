"""Can a stored value be read? What wrote it may have been another program, or a hand."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from schemas.codec import loads
from streams.aggregates.kept import KEPT_VERSION, read_kept
from streams.header import NewerState
from streams.identity.protocol import IdentityRecord
from streams.identity.shard import RECORD_VERSION
from streams.stored import STORED_VERSION, decode_stored

_READERS: Mapping[str, tuple[int, Callable[[str, bytes], object]]] = MappingProxyType(
    {
        "identities": (RECORD_VERSION, lambda _, value: IdentityRecord.decode(loads(value))),
        "customers": (STORED_VERSION, lambda _, value: decode_stored(value)),
        "aggregates": (KEPT_VERSION, read_kept),
    }
)
"""By table the newest version that is known, and what reads a value of a key."""


def is_sound(table: str, key: bytes, value: bytes) -> bool:
    """True where the value of a key of a table can be read.

    Raises NewerState for a value of a newer version, or with such a part: it is not damaged, the program is too old.
    """
    known, read = _READERS[table]
    try:
        version = loads(value)["v"]
        if version <= known:
            read(key.decode(), value)
            return True
    except NewerState:
        raise
    except Exception:  # noqa: BLE001 - whatever a decoder makes of a damaged value
        return False
    raise NewerState(f"state of version {version} is newer than this program's {known}: upgrade it first")
