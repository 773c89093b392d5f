"""Which partition owns a key, computed as the producers compute it."""

from __future__ import annotations

from typing import Final, Literal, get_args
from zlib import crc32

from librt.strings import read_i32_le
from mypy_extensions import i64

Algorithm = Literal["murmur2", "crc32"]
"""``murmur2``: Kafka's default (Java clients, kafka-python, aiokafka). ``crc32``: librdkafka's default,
``consistent_random``."""

_MASK: Final = 0xFFFFFFFF
_M: Final = 0x5BD1E995
_SEED: Final = 0x9747B28C


def murmur2(key: bytes) -> int:
    """The 32-bit hash of org.apache.kafka.common.utils.Utils.murmur2, as an unsigned integer."""
    length: i64 = len(key)
    tail: i64 = length & ~3
    value: i64 = _SEED ^ length
    place: i64 = 0
    while place < tail:
        mixed: i64 = (i64(read_i32_le(key, place)) & _MASK) * _M & _MASK
        value = ((value * _M) ^ ((mixed ^ (mixed >> 24)) * _M)) & _MASK
        place += 4
    if tail != length:
        value = ((value ^ int.from_bytes(key[tail:], "little")) * _M) & _MASK
    value = ((value ^ (value >> 13)) * _M) & _MASK
    return value ^ (value >> 15)


class Partitioner:
    """``owner(key)`` for one partition count. ValueError: an unknown algorithm, or no partitions."""

    def __init__(self, algorithm: Algorithm, partitions: int) -> None:
        if algorithm not in get_args(Algorithm):
            raise ValueError(f"partitioner {algorithm!r} is not one of {', '.join(get_args(Algorithm))}")
        if partitions < 1:
            raise ValueError(f"{partitions} partitions: at least 1")
        self.algorithm = algorithm
        self.partitions = partitions

    def owner(self, key: bytes) -> int:
        """The partition that a producer with this partitioner sends the key to."""
        hashed = murmur2(key) & 0x7FFFFFFF if self.algorithm == "murmur2" else crc32(key)
        return hashed % self.partitions
