"""Keys are owned by the partition that producers send them to."""

from __future__ import annotations

from typing import Any, cast
from zlib import crc32

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as reference_murmur2

from stream_kpi.events.partitioner import Partitioner, murmur2


@pytest.mark.parametrize(
    ("key", "expected"),  # the Java client's own test, org.apache.kafka.common.utils.UtilsTest.testMurmur2
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_the_java_clients(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0xFFFFFFFF


@given(st.binary(max_size=64))
def test_murmur2_is_kafka_pythons(key: bytes) -> None:
    assert murmur2(key) == reference_murmur2(key) & 0xFFFFFFFF


@given(st.binary(min_size=1, max_size=40), st.integers(1, 300))
def test_the_owner_is_the_partition_of_the_default_partitioner(key: bytes, partitions: int) -> None:
    everywhere = list(range(partitions))
    expected = DefaultPartitioner()(key, everywhere, everywhere)
    assert Partitioner("murmur2", partitions).owner(key) == expected


@given(st.text(max_size=40), st.integers(1, 300))
def test_with_crc32_the_owner_is_the_partition_of_librdkafkas_consistent_partitioner(key: str, partitions: int) -> None:
    assert Partitioner("crc32", partitions).owner(key.encode()) == crc32(key.encode()) % partitions


def test_an_unknown_algorithm_or_no_partition_is_refused() -> None:
    with pytest.raises(ValueError, match="murmur2, crc32"):
        Partitioner(cast("Any", "random"), 4)
    with pytest.raises(ValueError, match="at least 1"):
        Partitioner("murmur2", 0)
