from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation
from aiokafka.producer.message_accumulator import BatchBuilder

from stream_kpi.pipeline import Flush, Outgoing
from stream_kpi.shell.flush import TRUNCATED, FlushRecords, Records, TransactionalWriter, WriteError, partitions_of
from stream_kpi.shell.options import ShellOptions

OPTIONS = ShellOptions(broker="none:1", app_id="app", max_batch_bytes=1_000)


class NoWriter:
    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def write(self, _records: Records) -> None: ...

    async def partitions(self, _topic: str) -> Sequence[int]:
        return (0, 1, 2, 3)


def flush(*outgoing: Outgoing) -> Flush:
    return Flush([(b"t:1", b"packed"), (b"position", b"p")], [(b"pane", None)], (b"2", b"clock"), list(outgoing))


async def test_state_and_position_come_first_and_the_clock_last() -> None:
    records = await FlushRecords(OPTIONS, 2).lay_out(flush(Outgoing("dlq", 1, b"k", b"v", [], 7)), NoWriter())
    assert list(records) == [
        TopicPartition("app-state-changelog", 2),
        TopicPartition("app-panes-changelog", 2),
        TopicPartition("dlq", 1),
        TopicPartition("app-clock", 0),
    ]
    assert records[TopicPartition("dlq", 1)] == [(b"k", b"v", [], 7)]


async def test_an_outgoing_record_without_a_partition_goes_where_its_key_belongs() -> None:
    record = Outgoing("late", None, b"T-4711", b"v", [], None)
    records = await FlushRecords(OPTIONS, 0).lay_out(flush(record), NoWriter())
    assert TopicPartition("late", 2) in records
    # The murmur2 of 21 is -973932308 in Kafka's own tests.
    assert partitions_of([b"T-4711", None, b"21"], (0, 1, 2, 3)) == [2, 0, 0]
    assert partitions_of([b"T-4711", None], (5,)) == [5, 5]


async def test_a_dead_letter_past_a_batchs_size_is_cut_and_says_so_and_the_state_never_is() -> None:
    giant = Flush([(b"t:1", b"x" * 5_000)], [], (b"0", b""), [Outgoing("dlq", 0, b"k", b"y" * 5_000, [], None)])
    records = await FlushRecords(OPTIONS, 0).lay_out(giant, NoWriter())
    assert records[TopicPartition("app-state-changelog", 0)] == [(b"t:1", b"x" * 5_000)]
    assert records[TopicPartition("dlq", 0)] == [(b"k", b"y" * 999, [(TRUNCATED, b"5000")], None)]


async def test_a_dead_letter_whose_key_and_headers_alone_are_too_large_keeps_why_it_is_one() -> None:
    headers = [("traceparent", b"h" * 4_000), ("stream_kpi.reason", b"tombstone")]
    letters = [
        Outgoing("dlq", 0, b"k" * 400, b"y" * 900, headers[1:], None),
        Outgoing("dlq", 0, b"k", None, headers, 7),
    ]
    records = await FlushRecords(OPTIONS, 0).lay_out(flush(*letters), NoWriter())
    why = ("stream_kpi.reason", b"tombstone")
    assert records[TopicPartition("dlq", 0)] == [
        (b"k" * 400, b"y" * 574, [why, (TRUNCATED, b"900")], None),
        (b"k", None, [why, (TRUNCATED, b"0")], 7),
    ]


async def test_a_transaction_that_the_fence_has_ended_before_its_first_batch_is_a_write_that_was_fenced() -> None:
    class Fenced:
        async def begin_transaction(self) -> None: ...

        def create_batch(self) -> BatchBuilder:
            return BatchBuilder(1_000, 0, is_transactional=True)

        async def send_batch(self, *_: object, **__: object) -> None:
            raise IllegalOperation("Can't send messages while not in transaction")

    writer = TransactionalWriter(OPTIONS, "app-shard-0")
    writer._producer = cast(AIOKafkaProducer, Fenced())
    with pytest.raises(WriteError) as lost:
        await writer.write({TopicPartition("app-clock", 0): [(b"0", b"clock")]})
    assert lost.value.fenced
