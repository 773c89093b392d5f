"""One worker of the live pipeline, put together: settings, core, Faust app, live store, metrics, web."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import cast

import uvloop
from aiohttp import web

from stream_kpi.brokers.security import security_of
from stream_kpi.entities import Retention
from stream_kpi.errors import UserError
from stream_kpi.events.topics import TopicKind
from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.lifecycles.history import NEVER_MS
from stream_kpi.memory import tune_memory
from stream_kpi.merge import Merge
from stream_kpi.publish.access import access
from stream_kpi.publish.contracts import contract_routes
from stream_kpi.publish.live_store import LiveStore, MemoryStore
from stream_kpi.publish.self_metrics import SelfMetrics
from stream_kpi.publish.wallboard import wallboard_routes
from stream_kpi.publish.web import Health, routes
from stream_kpi.published import Publication
from stream_kpi.settings import DAY_MS, Settings
from stream_kpi.shard import Shard, ShardOptions
from stream_kpi.shell.core import Core, ShardCore
from stream_kpi.shell.faust_app import App
from stream_kpi.shell.loop import Loop
from stream_kpi.shell.metering import Meter
from stream_kpi.shell.options import ShellOptions
from stream_kpi.shell.worker import quiet_libraries, serve
from stream_kpi.topics import InternalTopics

log = logging.getLogger(__name__)


def shell_options(settings: Settings) -> ShellOptions:
    """The shell's part of the settings."""
    return ShellOptions(
        broker=settings.broker.address,
        security=security_of(settings.broker),
        app_id=settings.app_id,
        source_topics=settings.topics.sources,
        values_topic=settings.topics.values,
        history_topic=settings.topics.history,
        event_clock=settings.clock == "event",
        flush_interval_s=settings.flush_interval_s,
        publish_interval_s=settings.publish_interval_s,
        session_timeout_s=settings.broker.session_timeout_s,
        heartbeat_interval_s=settings.broker.heartbeat_interval_s,
        rebalance_timeout_s=settings.broker.rebalance_timeout_s,
    )


def core_of(settings: Settings) -> Core:
    """The pure core as the settings want it. On the event clock nothing leaves, is late or too far ahead."""
    live = settings.clock == "wall"
    topics, internal = settings.topics, InternalTopics.of(settings.app_id)
    shard_options = ShardOptions(
        options=settings.options(),
        topics={
            topics.tickets: TopicKind.TICKET,
            topics.chats: TopicKind.CHAT,
            topics.subscriptions: TopicKind.SUBSCRIPTION,
            topics.signals: TopicKind.SIGNAL,
        },
        rekeyed_topic=internal.rekeyed,
        sla_topic=topics.sla,
        customers_topic=internal.customers,
        partitioner=settings.broker.partitioner,
        retention=Retention(settings.retention.closed_days * DAY_MS, settings.retention.open_days * DAY_MS)
        if live
        else None,
        future_skew_ms=round(settings.future_skew_s * 1000) if live else NEVER_MS,
    )
    grace_ms = round(settings.lateness_s * 1000) if live else 0
    return Core(
        lambda number, shards: Shard(number, shards, shard_options),
        lambda: Merge(settings.options(), grace_ms=grace_ms),
    )


def entity_counts(core: ShardCore) -> Mapping[str, int]:
    """Live entities of a shard by kind."""
    return cast(Shard, core).live_entities()


class Display:
    """Brings publications to the live store: all records of the first, then what has changed."""

    def __init__(self, store: LiveStore) -> None:
        self._store = store
        self._shown = False

    def show(self, publication: Publication | None) -> None:
        """Take one publication; None: another worker publishes from now on, and here is nothing to show."""
        if publication is None:
            self._shown = False
            self._store.replace([])
        elif self._shown:
            records = publication.records
            changed = {key for key, _ in publication.changed}
            self._store.update(
                [records[key] for key in changed if key in records],
                [key for key in changed if key not in records],
                publication.histograms,
            )
        else:
            self._shown = True
            self._store.replace(publication.records.values(), publication.histograms)


def show_kpis(metrics: SelfMetrics, store: LiveStore, settings: Settings) -> None:
    """Let /metrics show the store's KPIs as the settings want them."""
    shown = settings.metrics
    rows = catalogue(settings.options())
    metrics.show(store, shown.max_label_values, rows, agent_series=shown.agent_series)


def build_app(settings: Settings, store: LiveStore) -> App:
    """The worker's Faust app, which publishes to ``store`` while it owns shard 0. Needs a running event loop."""
    return App(shell_options(settings), core_of(settings), show=Display(store).show)


@asynccontextmanager
async def _web(settings: Settings, metrics: SelfMetrics, health: Health, store: LiveStore) -> AsyncIterator[None]:
    application = web.Application(middlewares=access(settings.web))
    application.add_routes([*routes(metrics.registry, health), *contract_routes()])
    wallboard_routes(application, settings, store)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.web.host, settings.web.port).start()
        yield
    finally:
        await runner.cleanup()


async def run_until_stopped(settings: Settings) -> int:
    """Run a worker until SIGTERM, SIGINT or a failure; the exit status. Raises UserError for what the user can mend."""
    store, health, metrics = MemoryStore(), Health(), SelfMetrics(version("stream-kpi"))
    show_kpis(metrics, store, settings)
    app = build_app(settings, store)
    meter = Meter(app, metrics, health, entity_counts)
    async with _web(settings, metrics, health, store):
        metering = asyncio.create_task(meter.run())
        try:
            status = await serve(app)
        finally:
            metering.cancel()
    if isinstance(app.failure, UserError):
        raise app.failure
    return status


def run(settings: Settings) -> int:
    """As run_until_stopped, from outside any event loop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    quiet_libraries()
    tune_memory()
    return uvloop.run(run_until_stopped(settings), loop_factory=Loop)
