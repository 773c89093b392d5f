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
from stream_kpi.publish.application import application
from stream_kpi.publish.instruments import SelfMetrics
from stream_kpi.publish.live_store import MemoryStore, WritableStore
from stream_kpi.publish.redis_format import connect
from stream_kpi.publish.redis_writer import MOST_INTERVAL_S, RedisWriter
from stream_kpi.publish.web import Health
from stream_kpi.published import Publication
from stream_kpi.settings import DAY_MS, Settings
from stream_kpi.shard import Shard, ShardOptions
from stream_kpi.shell.clock import wall_ms
from stream_kpi.shell.core import Core, ShardCore
from stream_kpi.shell.faust_app import App
from stream_kpi.shell.logs import Seldom
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
        definitions=settings.counted_with(),
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
    """Brings publications to the live store: all records of the first, then what has changed; and to Redis."""

    def __init__(self, store: WritableStore, redis: RedisWriter | None = None) -> None:
        self._store = store
        self._redis = redis
        self._token = 0
        self._shown = False

    def show(self, publication: Publication | None, values_ms: int | None = None) -> None:
        """Take one publication and the moment as of which it is, epoch ms; None: another worker publishes from now on,
        and here is nothing to show."""
        if publication is None:
            self._shown = False
            self._store.replace([])
            if self._redis is not None:
                self._redis.rest()
            return
        if self._shown:
            records = publication.records
            changed = {key for key, _ in publication.changed}
            self._store.update(
                [records[key] for key in changed if key in records],
                [key for key in changed if key not in records],
                publication.histograms,
                values_ms,
                publication.deadlines,
            )
        else:
            self._shown = True
            # Orders the workers by when they began to publish; docs/decisions/0013 says what if clocks differ.
            self._token = wall_ms()
            self._store.replace(publication.records.values(), publication.histograms, values_ms, publication.deadlines)
        if self._redis is not None and values_ms is not None:
            self._redis.take(
                self._token,
                publication.records,
                publication.changed,
                publication.histograms,
                values_ms,
                publication.deadlines,
            )


def show_kpis(metrics: SelfMetrics, store: WritableStore, settings: Settings) -> None:
    """Let /metrics show the store's KPIs as the settings want them."""
    shown = settings.metrics
    rows = catalogue(settings.options())
    metrics.show(store, shown.max_label_values, rows, agent_series=shown.agent_series)


def build_app(settings: Settings, store: WritableStore, redis: RedisWriter | None = None) -> App:
    """The worker's Faust app, which publishes to ``store`` and ``redis`` while it owns shard 0. Needs a running event
    loop."""
    return App(shell_options(settings), core_of(settings), show=Display(store, redis).show)


def redis_writer(settings: Settings, metrics: SelfMetrics) -> RedisWriter | None:
    """Where the settings name a Redis, what writes there. Raises UserError for settings that cannot be used."""
    redis = settings.redis
    if redis.address is None:
        return None
    failures = metrics.counter("stream_kpi_redis_failures_total")
    interval_s = min(settings.publish_interval_s, MOST_INTERVAL_S)
    return RedisWriter(connect(redis), settings.app_id, redis.ttl_s, interval_s, failures.inc)


@asynccontextmanager
async def _web(settings: Settings, served: web.Application) -> AsyncIterator[None]:
    runner = web.AppRunner(served, access_log=None)
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
    redis = redis_writer(settings, metrics)
    app = build_app(settings, store, redis)
    meter = Meter(app, metrics, health, entity_counts)
    async with _web(settings, application(settings, metrics.registry, health, store)):
        beside = [asyncio.create_task(meter.run())]
        if redis is not None:
            beside.append(asyncio.create_task(redis.run()))
        try:
            status = await serve(app)
        finally:
            for task in beside:
                task.cancel()
    if isinstance(app.failure, UserError):
        raise app.failure
    return status


def run(settings: Settings) -> int:
    """As run_until_stopped, from outside any event loop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    quiet_libraries()
    for handler in logging.getLogger().handlers:
        handler.addFilter(Seldom())
    tune_memory()
    return uvloop.run(run_until_stopped(settings), loop_factory=Loop)
