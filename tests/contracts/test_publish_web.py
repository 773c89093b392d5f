"""The HTTP handlers: negotiation, probes, the landing page, and the event loop that is never held."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import ClientSession, web
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from stream_kpi.publish.instruments import SelfMetrics
from stream_kpi.publish.web import Health, landing_page, routes


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def metrics() -> SelfMetrics:
    return SelfMetrics("9.9.9")


@pytest.fixture
async def client(health: Health, metrics: SelfMetrics) -> AsyncIterator[ClientSession]:
    app = web.Application()
    app.add_routes(routes(metrics.registry, health))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    await runner.cleanup()


async def test_metrics_are_the_text_format_unless_openmetrics_is_asked_for(client: ClientSession) -> None:
    async with client.get("/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain")
        assert 'stream_kpi_build_info{version="9.9.9"} 1.0' in await response.text()
    async with client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}) as response:
        assert response.headers["Content-Type"].startswith("application/openmetrics-text")
        assert (await response.text()).endswith("# EOF\n")


@pytest.mark.parametrize("probe", ["live", "ready", "started"])
async def test_a_probe_answers_what_its_attribute_says_and_why(
    client: ClientSession, health: Health, probe: str
) -> None:
    health.detail = "recovering shard 3"
    for state, status in ((False, 503), (True, 200)):
        setattr(health, probe, state)
        async with client.get(f"/health/{probe}") as response:
            assert response.status == status
            assert await response.text() == f"{'' if state else 'not '}{probe}: recovering shard 3\n"


def test_a_worker_that_has_just_begun_is_live_but_neither_started_nor_ready() -> None:
    assert (Health().live, Health().started, Health().ready) == (True, False, False)


async def test_the_landing_page_links_everything_under_a_policy_that_allows_nothing(client: ClientSession) -> None:
    async with client.get("/") as response:
        text = await response.text()
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/metrics", "/health/live", "/health/ready", "/health/started"):
        assert f'href="{path}"' in text
        async with client.get(path) as linked:
            assert linked.status in {200, 503}


def test_the_landing_page_escapes_what_it_is_told() -> None:
    page = landing_page(Health(detail='<script>alert("x")</script>'))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


class SlowCollector(Collector):
    """Renders until it is told to end."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.end = threading.Event()

    def collect(self) -> Iterator[Metric]:
        self.entered.set()
        self.end.wait(10)
        yield from ()


async def test_a_slow_rendering_does_not_hold_the_event_loop(client: ClientSession, metrics: SelfMetrics) -> None:
    slow = SlowCollector()
    metrics.registry.register(slow)
    slow.end.clear()
    scrape = asyncio.ensure_future(client.get("/metrics"))
    assert await asyncio.to_thread(slow.entered.wait, 10)
    async with client.get("/health/live") as response:
        assert response.status == 200
    assert not scrape.done()
    slow.end.set()
    assert (await scrape).status == 200
