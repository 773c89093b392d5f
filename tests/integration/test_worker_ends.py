"""What a worker's process does that cannot go on: it ends, and its last words say why."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from stream_kpi.brokers import Broker, EmbeddedBroker
from stream_kpi.errors import NO_BROKER, WRONG_USAGE
from tests.integration.e2e_desk import Desk, Worker

pytestmark = pytest.mark.slow


async def test_a_worker_whose_broker_has_gone_ends_at_sigterm_all_the_same_and_says_why(
    topic_prefix: str, tmp_path: Path
) -> None:
    broker = EmbeddedBroker()
    broker.start()
    try:
        worker = Worker(Desk(broker.address, topic_prefix, tmp_path))
        try:
            await worker.ready()
            broker.stop()
            assert await worker.stopped() == NO_BROKER
        finally:
            worker.kill()
    finally:
        broker.stop()
    log = worker.log.read_text()
    assert "the broker has not let us go for 25 s; what was not written is read again" in log
    assert "Traceback" not in log


async def test_a_worker_with_another_zone_than_its_states_refuses_to_start_and_says_what_to_do(
    embedded_broker: Broker, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(embedded_broker.address, topic_prefix, tmp_path)
    first = Worker(desk)
    try:
        await first.ready()
        assert await first.stopped() == 0
    finally:
        first.kill()
    monkeypatch.setenv("STREAM_KPI_ZONE", "Asia/Kolkata")
    second = Worker(desk)
    try:
        assert await asyncio.to_thread(second.process.wait, 60) == WRONG_USAGE
    finally:
        second.kill()
    said = second.log.read_text()
    assert 'zone = "Asia/Kolkata": the state was counted with "Europe/Berlin"' in said
    assert "start with another app_id" in said
    assert "Traceback" not in said
