"""`/metrics?name[]=` gives the metrics asked for."""

from __future__ import annotations

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from stream_kpi.publish.self_metrics import SelfMetrics
from stream_kpi.publish.web import Health, routes


async def test_a_scrape_can_ask_for_one_metric() -> None:
    metrics = SelfMetrics("0")
    metrics.counter("stream_kpi_events_total").labels(topic="t").inc(3)
    application = web.Application()
    application.add_routes(routes(metrics.registry, Health()))
    async with TestClient(TestServer(application)) as client:
        text = await (await client.get("/metrics?name[]=stream_kpi_events_total")).text()
    assert 'stream_kpi_events_total{topic="t"} 3.0' in text
    assert "stream_kpi_rejected_total" not in text
