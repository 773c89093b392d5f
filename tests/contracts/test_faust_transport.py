"""What the batch transport, the store and the owner rely on in Faust. A failure here names what an upgrade changed."""

from __future__ import annotations

import asyncio
import inspect
from importlib.metadata import version
from typing import Any

import faust
import pytest
from faust.app import base as app_base
from faust.tables import recovery
from faust.transport import consumer as base_consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode import threads

from stream_kpi.shell.transport import Batch, Consumer, ConsumerService, NoReadOffsets, Transport

TP0 = TP("topic", 0)


def source(function: Any) -> str:
    return inspect.getsource(function)


def app(**settings: Any) -> faust.App:
    return faust.App("contract", broker="kafka-batch://127.0.0.1:1", store="kpi-state://", **settings)


class Record:
    def __init__(self, offset: int) -> None:
        self.offset, self.timestamp, self.timestamp_type = offset, 1_000, 0


def batch(first: int, last: int) -> Batch:
    return Batch("topic", 0, [Record(first), Record(last)], first, last + 1)


def test_the_pinned_versions_are_the_ones_these_contracts_were_read_from() -> None:
    versions = {name: version(name) for name in ("faust-streaming", "mode-streaming", "aiokafka")}
    assert versions == {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}


def test_the_scheme_kafka_batch_gives_our_transport_and_kpi_state_our_store() -> None:
    from stream_kpi.shell.store import Store

    assert faust.transport.by_url("kafka-batch://x") is Transport
    assert faust.stores.by_url("kpi-state://") is Store


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (
            driver.AIOKafkaConsumerThread,
            [
                "_create_worker_consumer", "_fetch_records", "_ensure_consumer", "call_thread", "_keepalive2",
                "_gather_remaining_tasks",
            ],
        ),
        (driver.Consumer, ["_new_consumer_thread", "_to_message"]),
        (
            base_consumer.Consumer,
            [
                "on_init", "on_buffer_full", "on_buffer_drop", "_new_offset", "perform_seek", "_is_changelog_tp",
                "verify_all_partitions_active", "ack", "commit",
            ],
        ),
        (base_consumer.ThreadDelegateConsumer, ["highwaters", "earliest_offsets", "seek_wait", "assignment"]),
        (app_base.App, ["_create_directories", "on_first_start"]),
    ],
)  # fmt: skip
def test_everything_that_is_overridden_still_exists(owner: type, names: list[str]) -> None:
    missing = [name for name in names if not hasattr(owner, name)]
    assert not missing, f"{owner.__name__} has no {missing} any more: the shell's override would never be called"


def test_faust_still_hands_the_fetch_to_the_overridden_method_with_these_arguments() -> None:
    parameters = list(inspect.signature(driver.AIOKafkaConsumerThread._fetch_records).parameters)
    assert parameters == ["self", "consumer", "active_partitions", "timeout", "max_records"]
    assert "self._fetch_records" in source(driver.AIOKafkaConsumerThread.getmany)


def test_a_service_thread_still_asks_its_worker_for_the_thread_and_serves_in_one_coroutine() -> None:
    assert "self.Worker(self)" in source(threads.ServiceThread.start)
    assert "self._thread.start()" in source(threads.ServiceThread.start)
    run = source(threads.ServiceThread._start_thread)
    assert "self.thread_loop.run_until_complete(self._serve())" in run, "a task that only serves would now lack a step"
    assert "self._gather_remaining_tasks()" in source(threads.ServiceThread._serve)
    assert "asyncio.new_event_loop()" in source(threads.ServiceThread.__init__)


async def test_the_consumer_lives_in_the_loop_of_the_app() -> None:
    service = app().consumer._thread
    assert service.thread_loop is service.parent_loop is asyncio.get_running_loop()


async def test_read_offsets_are_switched_off_where_faust_keeps_them() -> None:
    consumer = app().consumer
    assert isinstance(consumer, Consumer)
    assert isinstance(consumer._thread, ConsumerService)
    assert isinstance(consumer._read_offset, NoReadOffsets)
    consumer._read_offset.__setitem__(TP0, 7)  # the way Faust's drain loop sets it
    assert consumer._read_offset[TP0] is None
    drain = source(base_consumer.Consumer._drain_messages)
    assert "if r_offset is None or offset >= r_offset" in drain, "Faust might now drop batches that are read again"
    assert "if gap > 1 and r_offset" in drain, "Faust might now take the offsets inside a batch for gaps"


async def test_a_batch_is_one_message_that_passes_fausts_raw_codec_unchanged() -> None:
    worker = app()
    topic = worker.topic("topic", key_type=bytes, value_type=bytes, value_serializer="raw")
    message = worker.consumer._to_message(TP0, batch(5, 9))
    assert isinstance(message, ConsumerMessage)
    assert (message.offset, message.tp) == (9, TP0)
    event = await topic.decode(message, propagate=True)
    assert event.value is message.value
    assert isinstance(event.value, Batch), "Faust's raw codec now changes what is not bytes"


async def test_a_batch_that_is_acknowledged_commits_past_its_last_record_with_no_regard_to_gaps() -> None:
    worker = app()
    worker.topics._acking_topics.add("topic")
    consumer = worker.consumer
    for first, last in ((5, 9), (30, 42)):
        message = consumer._to_message(TP0, batch(first, last))
        message.incref()
        assert message.ack(consumer)
    assert consumer._new_offset(TP0) == 43
    assert consumer._new_offset(TP0) is None


def test_streams_acknowledge_nothing_by_themselves_after_noack() -> None:
    assert "enable_acks=False" in source(faust.Stream.noack)


def test_fausts_consumer_is_built_with_the_attributes_that_the_transport_sets() -> None:
    assert "fetch_max_wait_ms=1500" in source(driver.AIOKafkaConsumerThread._create_worker_consumer), (
        "Faust no longer hard-codes the fetch wait: set it where it can be set now"
    )


def test_an_assignment_is_complete_only_after_on_rebalance_complete_and_only_then_are_inputs_sought() -> None:
    completed = source(recovery.Recovery.on_recovery_completed)
    order = [
        completed.index(step)
        for step in ("on_rebalance_complete.send", "resume_partitions", "perform_seek", "resume_flow")
    ]
    assert order == sorted(order), "Faust now resumes before the shards are open or their inputs sought"


def test_a_recovery_that_another_rebalance_overtakes_is_cancelled() -> None:
    assert "RebalanceAgain" in source(recovery.Recovery._wait)
    assert "self.signal_recovery_start" in source(recovery.Recovery._wait)


def test_partitions_are_revoked_while_the_consumer_can_still_commit() -> None:
    revoked = source(app_base.App._on_partitions_revoked)
    assert revoked.index("stop_flow") < revoked.index("self.on_partitions_revoked.send")
    stop = source(app_base.App.on_stop)
    assert stop.index("_stop_consumer") < stop.index("on_before_shutdown"), "the last flush would run during intake"


async def test_fausts_recovery_finds_nothing_to_replay_in_our_tables() -> None:
    worker = app()
    table = worker.Table("state", key_type=bytes, value_type=bytes)
    changelog = TP(table.changelog_topic_name, 0)
    assert changelog.topic == "contract-state-changelog"
    tables_recovery = worker.tables.recovery
    tables_recovery.add_active(table, changelog)
    await tables_recovery._build_highwaters(worker.consumer, {changelog}, tables_recovery.active_highwaters, "active")
    assert not tables_recovery.need_recovery()


async def test_a_table_refuses_writes_that_no_flush_would_hold() -> None:
    table = app().Table("state", key_type=bytes, value_type=bytes)
    with pytest.raises(TypeError, match="by its shards only"):
        table.data[b"key"] = b"value"


def test_topics_with_equal_partition_counts_are_assigned_together() -> None:
    from faust.assignor.client_assignment import ClientMetadata
    from faust.assignor.partition_assignor import PartitionAssignor

    assert hasattr(ClientMetadata, "dumps")
    grouped = source(PartitionAssignor._get_copartitioned_groups)
    assert "topics_by_partitions[num_partitions].add(topic)" in grouped, "partition p might now be split over workers"


def test_signals_wait_for_their_receivers_one_after_the_other() -> None:
    async def check() -> list[str]:
        seen: list[str] = []
        signal = faust.App("contract").on_rebalance_complete

        async def receive(_sender: object, **_kwargs: object) -> None:
            await asyncio.sleep(0)
            seen.append("received")

        signal.connect(receive)
        await signal.send()
        seen.append("sent")
        return seen

    assert asyncio.run(check()) == ["received", "sent"]
