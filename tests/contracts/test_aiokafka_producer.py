"""What the flush, the recovery and the transport rely on in aiokafka. A failure names what an upgrade changed."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import ManualSubscription, TopicPartitionState
from aiokafka.errors import ProducerFenced
from aiokafka.producer import message_accumulator, sender
from aiokafka.producer.transaction_manager import TransactionManager, TransactionState


def source(function: Any) -> str:
    return inspect.getsource(function)


async def test_a_consumer_can_be_given_its_fetch_wait_and_isolation_before_it_starts() -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers="127.0.0.1:1")
    assert consumer._fetch_max_wait_ms == 500
    assert consumer._isolation_level == "read_uncommitted"
    start = source(AIOKafkaConsumer.start)
    assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in start
    assert "isolation_level=self._isolation_level" in start


async def test_a_partition_tells_position_high_watermark_and_when_the_broker_said_so() -> None:
    tp = TopicPartition("topic", 0)
    assignment = ManualSubscription([tp]).assignment
    state = assignment.state_value(tp)
    assert isinstance(state, TopicPartitionState)
    assert (state.has_valid_position, state.highwater, state.timestamp) == (False, None, None)
    state.seek(5)
    assert (state.has_valid_position, state.position) == (True, 5)
    assert tp in assignment.tps


def test_the_moment_of_a_fetch_response_is_the_wall_clock_in_ms() -> None:
    code = source(fetcher.Fetcher._proc_fetch_request)
    assert "tp_state.timestamp = now_ms" in code
    assert "now_ms = int(1000 * time.time())" in code, "the clock of fetch responses is another one now"


def test_records_and_the_position_after_them_are_taken_in_one_step() -> None:
    code = source(fetcher.Fetcher.fetched_records)
    drain = code[code.index("drained = {}") : code.index("if drained or not timeout")]
    assert "await" not in drain, "a seek could now come between the records and their position"


async def test_a_batch_refuses_the_record_that_does_not_fit_and_takes_any_first_one() -> None:
    builder = message_accumulator.BatchBuilder(1_000, 0)
    assert builder.append(timestamp=None, key=b"k", value=b"x" * 5_000) is not None
    assert builder.append(timestamp=None, key=b"k", value=b"x") is None
    assert builder.record_count() == 1


async def test_a_commit_waits_for_failed_batches_too_and_does_not_look_at_them() -> None:
    """Why a flush looks at every batch itself before it commits."""
    code = source(message_accumulator.MessageAccumulator.flush_for_commit)
    assert "asyncio.wait(waiters)" in code
    assert "result()" not in code


def test_a_fenced_epoch_is_reported_as_producer_fenced() -> None:
    for handler in (sender.AddPartitionsToTxnHandler, sender.EndTxnHandler, sender.SendProduceReqHandler):
        assert "ProducerFenced()" in source(handler.handle_response), f"{handler.__name__} reports a fence otherwise"


async def test_a_fatal_error_ends_the_waiting_for_a_transaction() -> None:
    manager = TransactionManager("id", 1_000)
    manager.set_pid_and_epoch(1, 1)
    manager.begin_transaction()
    manager.fatal_error(ProducerFenced())
    assert manager.state is TransactionState.FATAL_ERROR
    with pytest.raises(ProducerFenced):
        await manager.wait_for_transaction_end()


async def test_a_producer_starts_only_when_it_has_its_id_and_so_has_fenced_its_forerunner() -> None:
    assert "await self._maybe_wait_for_pid()" in source(sender.Sender.start)
    assert "ConcurrentTransactions" in source(sender.InitPIDHandler.handle_response), (
        "a producer might now start while its forerunner's transaction is still being ended"
    )


def test_partitions_are_revoked_before_the_group_is_joined_again_and_heartbeats_go_on_meanwhile() -> None:
    code = source(GroupCoordinator.ensure_active_group)
    assert code.index("_on_join_prepare") < code.index("_stop_heartbeat_task"), (
        "the last flush would have no heartbeats"
    )


async def test_timeouts_cancel_a_wait_and_not_the_batch() -> None:
    """``send_batch`` gives a shielded future: a flush that gives up leaves the batch to the producer it then closes."""
    assert "asyncio.shield(batch.future)" in source(message_accumulator.MessageAccumulator.add_batch)
    assert asyncio.iscoroutinefunction(AIOKafkaProducer.send_batch)
