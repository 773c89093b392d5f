"""Which partition owns a key, computed as the producers compute it."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Any, Literal, get_args
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Algorithm = Literal["murmur2", "crc32"]
"""``murmur2``: Kafka's default (Java clients, kafka-python, aiokafka). ``crc32``: librdkafka's default,
``consistent_random``."""

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995
_SEED = 0x9747B28C
_WORD = Struct("<I")


def murmur2(key: bytes) -> int:
    """The 32-bit hash of org.apache.kafka.common.utils.Utils.murmur2, as an unsigned integer."""
    length = len(key)
    value = _SEED ^ length
    tail = length & ~3
    for (word,) in _WORD.iter_unpack(key[:tail]):
        mixed = (word * _M) & _MASK
        value = ((value * _M) ^ ((mixed ^ (mixed >> 24)) * _M)) & _MASK
    if tail != length:
        value = ((value ^ int.from_bytes(key[tail:], "little")) * _M) & _MASK
    value = ((value ^ (value >> 13)) * _M) & _MASK
    return value ^ (value >> 15)


def murmur2_of(keys: Sequence[bytes]) -> list[int]:
    """:func:`murmur2` of each key: a tenth of its time, where there are many."""
    if not keys:
        return []
    lengths = np.array([len(key) for key in keys], dtype=np.uint32)
    width = int(lengths.max()) // 4 * 4 + 4
    words = np.frombuffer(b"".join([key.ljust(width, b"\0") for key in keys]), dtype="<u4").reshape(len(keys), -1)
    m, whole = np.uint32(_M), lengths // 4
    mixed: NDArray[Any] = words * m
    mixed = (mixed ^ (mixed >> 24)) * m
    value: NDArray[Any] = np.uint32(_SEED) ^ lengths
    for place in range(words.shape[1]):
        value = np.where(place < whole, (value * m) ^ mixed[:, place], value)
    tail = words[np.arange(len(keys)), whole]
    value = np.where(lengths % 4 > 0, (value ^ tail) * m, value)
    value = (value ^ (value >> 13)) * m
    hashes: list[int] = (value ^ (value >> 15)).tolist()
    return hashes


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

    def owners(self, keys: Sequence[bytes]) -> list[int]:
        """The same of many keys."""
        if self.algorithm == "murmur2":
            return [(hashed & 0x7FFFFFFF) % self.partitions for hashed in murmur2_of(keys)]
        return [crc32(key) % self.partitions for key in keys]
