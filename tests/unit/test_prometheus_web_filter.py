"""`/metrics?name[]=` gives the metrics asked for."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from stream_kpi.publish.instruments import SelfMetrics
from stream_kpi.publish.live_store import MemoryStore, Snapshot
from stream_kpi.publish.web import Health, routes
from stream_kpi.settings import Settings
from stream_kpi.shell.app import core_of
from stream_kpi.steps import all_of


async def test_a_scrape_can_ask_for_one_metric() -> None:
    metrics = SelfMetrics("0")
    metrics.counter("stream_kpi_events_total").labels(topic="t").inc(3)
    application = web.Application()
    application.add_routes(routes(metrics.registry, Health()))
    async with TestClient(TestServer(application)) as client:
        text = await (await client.get("/metrics?name[]=stream_kpi_events_total")).text()
    assert 'stream_kpi_events_total{topic="t"} 3.0' in text
    assert "stream_kpi_rejected_total" not in text


async def test_a_scrape_can_ask_for_a_kpi() -> None:
    metrics, store = SelfMetrics("0"), MemoryStore()
    publication: Any = all_of(core_of(Settings(clock="event")).merge().publish(1_000, 0))
    store.replace(publication.records.values())
    metrics.show(store)
    application = web.Application()
    application.add_routes(routes(metrics.registry, Health()))
    async with TestClient(TestServer(application)) as client:
        text = await (await client.get("/metrics?name[]=kpi_ticket_backlog")).text()
    assert [line for line in text.splitlines() if not line.startswith("#")] == ["kpi_ticket_backlog 0.0"]


async def test_a_scrape_of_the_pipelines_own_metrics_makes_no_kpi() -> None:
    class Untouched(MemoryStore):
        def snapshot(self) -> Snapshot:
            raise AssertionError("the KPIs were collected")

    metrics = SelfMetrics("0")
    metrics.show(Untouched())
    application = web.Application()
    application.add_routes(routes(metrics.registry, Health()))
    async with TestClient(TestServer(application)) as client:
        answer = await client.get("/metrics?name[]=stream_kpi_events_total")
    assert answer.status == 200
