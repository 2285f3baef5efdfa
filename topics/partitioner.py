"""Which partition a key belongs to: murmur2, exactly as Kafka's Java client computes it.

Every producer of `interactions.*` must agree with this function, or a record takes an extra hop: librdkafka,
for one, hashes with CRC32 unless it is told `partitioner=murmur2_random`.
"""

import struct

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The 32-bit murmur2 hash of `data` as an unsigned integer, with the seed of Kafka's Java client."""
    length = len(data)
    h = _SEED ^ length
    whole = length & ~3
    for (k,) in struct.iter_unpack("<I", data[:whole]):
        mixed = (k * _M) & _MASK
        mixed = ((mixed ^ (mixed >> 24)) * _M) & _MASK
        h = ((h * _M) & _MASK) ^ mixed
    if length != whole:
        h = ((h ^ int.from_bytes(data[whole:], "little")) * _M) & _MASK
    h = ((h ^ (h >> 13)) * _M) & _MASK
    return h ^ (h >> 15)


def partition_of(key: bytes, partitions: int) -> int:
    """The partition, 0 to `partitions` - 1, of a record with this key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
