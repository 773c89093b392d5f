"""Workers that were down for an hour: what waits in Kafka is read before any deadline comes."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from stream_kpi.compute import Computation
from stream_kpi.deadlines import DEADLINES_KEY
from stream_kpi.events.topics import TopicKind
from stream_kpi.kpis.catalogue import live_rows
from stream_kpi.kpis.record import KpiRecord, record_key
from stream_kpi.lifecycles.facts import TOTAL
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.registry import CHAT_ABANDONS, SERVICE_LEVEL_MET, SERVICE_LEVEL_OFFERED
from stream_kpi.measures.vector import Vector, add_into
from stream_kpi.shell.app import shell_options
from stream_kpi.simulator.world import rfc3339
from stream_kpi.windows.panes import AGES_KEY, FLUSHED_KEY, PaneKey, unpack_key
from stream_kpi.windows.tiers import ALL_TIME, FRESH
from tests.integration.e2e_desk import PARTITIONS, Desk, Input, Worker, read_all, values_until
from tests.live_values import DIMENSIONS
from tests.shard_kit import vector_in

if TYPE_CHECKING:
    from stream_kpi.brokers import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
HOUR_MS = 3_600_000
ANSWERED_AFTER_MS = 10_000
ENDED_AFTER_MS = 40_000
CHATS = 40_000
DECIDED = ("service_level", "chat_abandonment_rate", "answer_time", "abandon_time", "handle_time", "chat_volume")
SERVICE_LEVEL = b"service_level|total||||"
OFFERED = SERVICE_LEVEL_OFFERED.slot


def _event(chat: str, kind: str, time_ms: int, data: dict[str, Any]) -> Input:
    event = {
        "specversion": "1.0",
        "id": f"{chat}/{kind}",
        "source": "/desk",
        "type": f"chat.{kind}",
        "subject": chat,
        "time": rfc3339(time_ms),
        "data": data,
    }
    return Input(TopicKind.CHAT, chat.encode(), json.dumps(event).encode(), time_ms)


def _chats(name: str, count: int, begin_ms: int, end_ms: int) -> list[Input]:
    """Chats that are all answered well in time, in order of time."""
    events = []
    for i in range(count):
        chat, queued_ms = f"{name}-{i}", begin_ms + (end_ms - begin_ms) * i // count
        agent = f"a{i % 7}"
        queue = {"queue": f"q{i % 3}", "customer_id": f"c{i}"}
        events.append(_event(chat, "queued", queued_ms, queue))
        events.append(_event(chat, "accepted", queued_ms + ANSWERED_AFTER_MS, {"agent_id": agent}))
        events.append(_event(chat, "ended", queued_ms + ENDED_AFTER_MS, {"by": "customer"}))
    return sorted(events, key=lambda event: event.time_ms)


def _decided(records: Iterator[KpiRecord]) -> dict[bytes, tuple[Any, ...]]:
    return {
        record_key(r): (r.value, r.numerator, r.denominator, r.samples, r.stats) for r in records if r.kpi in DECIDED
    }


def _computed(events: Sequence[Input], options: Options) -> dict[bytes, tuple[Any, ...]]:
    computation = Computation(options, None, None)
    for event in events:
        computation.take(event.value)
    return _decided(computation.records(live_rows("total", options), DIMENSIONS))


def _by_partition(desk: Desk, events: Sequence[Input]) -> Counter[int]:
    return Counter(desk.owner(key) for key in {event.key for event in events})


async def _flushed(desk: Desk) -> list[tuple[int, Vector]]:
    """What each flush said of all chats so far, with its partition: a queue that is half read is always seen here, and
    in the values only when a publish happens to come in between."""
    records = await read_all(desk.broker, shell_options(desk.settings).panes_topic, range(PARTITIONS))
    standing: defaultdict[int, dict[PaneKey, Vector]] = defaultdict(dict)
    flushed = []
    for record in records:
        panes = standing[record.partition]
        if record.key == FLUSHED_KEY:
            total: Vector = {}
            for vector in panes.values():
                add_into(total, vector)
            flushed.append((record.partition, total))
        elif record.key not in (AGES_KEY, DEADLINES_KEY):
            key = unpack_key(record.key)
            if key.cut == TOTAL and key.tier in (FRESH, ALL_TIME.number):
                panes[key] = vector_in(record.value) if record.value else {}
    return flushed


@pytest.fixture
def workers() -> Iterator[list[Worker]]:
    """Ended with the test, whatever becomes of it."""
    running: list[Worker] = []
    yield running
    for worker in running:
        worker.kill()


async def test_what_was_answered_while_no_worker_ran_is_never_taken_for_missed(
    kafka_broker: Broker, topic_prefix: str, tmp_path: Path, workers: list[Worker]
) -> None:
    # Flushes and publishes as close as they get.
    often = {"clock": "wall", "flush_interval_s": 0.02, "publish_interval_s": 0.05}
    desk = Desk(kafka_broker.address, topic_prefix, tmp_path, **often)
    down_ms = time.time_ns() // 1_000_000 - HOUR_MS
    before = _chats("before", CHATS // 8, down_ms - HOUR_MS, down_ms - ENDED_AFTER_MS)
    meanwhile = _chats("meanwhile", CHATS, down_ms, down_ms + HOUR_MS - 2 * ENDED_AFTER_MS)

    def offered(count: int) -> Any:
        return lambda values: (values.value(SERVICE_LEVEL) or {}).get("denominator") == count

    async with AIOKafkaProducer(bootstrap_servers=desk.broker, max_batch_size=900_000) as producer:
        await desk.send(producer, desk.laid(before))
        workers.append(Worker(desk))
        await values_until(desk, workers, offered(CHATS // 8))
        assert await workers.pop().stopped() == 0
        await desk.send(producer, desk.laid(meanwhile))
    workers += [Worker(desk), Worker(desk)]
    expected = _computed(before + meanwhile, desk.settings.options())
    decode = msgspec.json.Decoder(KpiRecord).decode

    def said(content: Any) -> dict[bytes, tuple[Any, ...]]:
        return _decided(decode(value) for key, value in content.items() if b"|total|" in key)

    values = await values_until(desk, workers, lambda values: said(values.last) == expected)
    for worker in workers:
        assert await worker.stopped() == 0, worker.tail()
    history = [decode(value) for _, value in values.history]
    assert not [r for r in history if r.kpi == "service_level" and r.samples and r.value != 1.0]
    assert not [r for r in history if r.kpi == "chat_abandonment_rate" and r.numerator]
    assert not [r for r in history if r.kpi == "abandon_time" and r.samples]
    told = await read_all(desk.broker, desk.settings.topics.sla, range(PARTITIONS))
    chats = CHATS // 8 + CHATS
    # Half a minute to the deadline is within both horizons from the begin.
    steps_told = {"sla.started": chats, "sla.at_risk": 2 * chats, "sla.fulfilled": chats}
    assert Counter(json.loads(event.value)["type"] for event in told) == steps_told
    read_before, read_after = _by_partition(desk, before), _by_partition(desk, before + meanwhile)
    flushed = await _flushed(desk)
    assert any(read_before[partition] < vector.get(OFFERED, 0) < read_after[partition] for partition, vector in flushed)
    assert not [vector for _, vector in flushed if vector.get(OFFERED, 0) != vector.get(SERVICE_LEVEL_MET.slot, 0)]
    assert not [vector for _, vector in flushed if CHAT_ABANDONS.slot in vector]
