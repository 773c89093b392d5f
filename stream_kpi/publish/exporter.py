"""``stream-kpi exporter``: /metrics, health and the JSON API of a whole cluster, out of Redis."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from importlib.metadata import version
from typing import Final

import uvloop
from aiohttp import web
from prometheus_client import CollectorRegistry

from stream_kpi.errors import OK
from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.memory import tune_memory
from stream_kpi.publish.application import application
from stream_kpi.publish.exporter_metrics import ExporterCollector
from stream_kpi.publish.prometheus import KpiCollector
from stream_kpi.publish.redis_format import connect, ended
from stream_kpi.publish.redis_reader import RedisReader
from stream_kpi.publish.web import Health
from stream_kpi.settings import Settings

HEALTH_S: Final = 0.25
"""How often health is brought up to date."""


def registry_of(settings: Settings, reader: RedisReader) -> CollectorRegistry:
    """What /metrics of an exporter shows: of the same snapshot, two exporters show the same KPIs."""
    shown = settings.metrics
    kpis = KpiCollector(
        reader,
        most_label_values=shown.max_label_values,
        hidden_dimensions=() if shown.agent_series else ("agent",),
        rows=catalogue(settings.options()),
        remember=False,
    )
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ExporterCollector(reader, kpis, lambda: reader.lost, version("stream-kpi")))
    return registry


def examine(reader: RedisReader, health: Health) -> None:
    """Bring health up to date. An exporter with values is ready though they be stale, and says so: with none ready, no
    wallboard would be reached at all."""
    snapshot = reader.snapshot()
    health.started = True
    health.ready = snapshot.values_ms is not None
    if not health.ready:
        health.detail = "stale: no values: Redis is away, or no worker publishes"
    else:
        health.detail = "stale: Redis is away, or no worker publishes" if snapshot.stale else ""


async def _examine_always(reader: RedisReader, health: Health) -> None:
    while True:
        examine(reader, health)
        await asyncio.sleep(HEALTH_S)


async def run_until_stopped(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; the exit status. Raises UserError for settings of Redis that cannot be used."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client, health = connect(settings.redis), Health()
    reader = RedisReader(client, settings.app_id)
    runner = web.AppRunner(application(settings, registry_of(settings, reader), health, reader), access_log=None)
    tasks = [asyncio.create_task(reader.run()), asyncio.create_task(_examine_always(reader, health))]
    try:
        await runner.setup()
        await web.TCPSite(runner, settings.web.host, settings.web.port).start()
        await stop.wait()
    finally:
        for task in tasks:
            await ended(task)
        await runner.cleanup()
        with contextlib.suppress(Exception):
            await client.aclose()
    return OK


def run(settings: Settings) -> int:
    """As run_until_stopped, from outside any event loop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    tune_memory()
    return uvloop.run(run_until_stopped(settings))
