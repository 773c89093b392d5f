"""What joins the shell to live store and self-metrics."""

from __future__ import annotations

import itertools
from collections import Counter
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from faust.types import TP

from stream_kpi.bench.contenders.core import MemoryRecord
from stream_kpi.kpis.record import KpiRecord, RecordWindow
from stream_kpi.publish.instruments import SelfMetrics
from stream_kpi.publish.live_store import MemoryStore
from stream_kpi.publish.web import Health
from stream_kpi.settings import Settings
from stream_kpi.settings_sections import MetricSettings
from stream_kpi.shell import metering
from stream_kpi.shell.app import Display, core_of, shell_options, show_kpis
from stream_kpi.shell.metering import COUNTERS, Meter
from stream_kpi.shell.stats import ShardStats, Stats
from stream_kpi.simulator.simulation import Simulation
from stream_kpi.steps import all_of
from stream_kpi.topics import source_topics
from stream_kpi.windows.clock import GlobalClock, ShardClock, clock_record


def meter(
    stats: Stats,
    metrics: SelfMetrics,
    health: Health,
    *,
    clock: GlobalClock | None = None,
    opening: int = 0,
    event_clock: bool = False,
) -> Meter:
    owner = SimpleNamespace(stats=stats, processors={0: SimpleNamespace(core=None)}, opening=opening)
    app: Any = SimpleNamespace(
        owner=owner,
        listener=SimpleNamespace(clock=clock or GlobalClock()),
        options=SimpleNamespace(event_clock=event_clock),
        started_once=True,
        ready=False,
        live=True,
        detail="waiting",
    )
    return Meter(app, metrics, health, lambda _core: {"ticket": 3})


def value(metrics: SelfMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_counts_reach_the_self_metrics_once_however_often_they_are_copied() -> None:
    metrics, health = SelfMetrics("0"), Health()
    stats = Stats(counts=Counter({("events", "t"): 5, ("late",): 2, ("shard_lost", "fenced"): 1, ("flushes",): 9}))
    copy = meter(stats, metrics, health)
    copy.copy(count_entities=True)
    stats.counts["events", "t"] += 2
    stats.flush_seconds.append(0.3)
    stats.shards[0] = ShardStats(greatest_ms=5_500, lag={TP("t", 0): 7})
    copy.copy(count_entities=True)
    copy.copy(count_entities=True)
    assert value(metrics, "stream_kpi_events_total", topic="t") == 7
    assert value(metrics, "stream_kpi_late_total") == 2
    assert value(metrics, "stream_kpi_fenced_total") == 1
    assert value(metrics, "stream_kpi_flush_seconds_count") == 1
    assert value(metrics, "stream_kpi_watermark_timestamp_seconds", shard="0") == 5.5
    assert value(metrics, "stream_kpi_lag_records", topic="t", partition="0") == 7
    assert value(metrics, "stream_kpi_live_entities", kind="ticket", shard="0") == 3
    assert (health.started, health.ready, health.live, health.detail) == (True, False, True, "waiting")


def clock_of(*shards: ShardClock) -> GlobalClock:
    clock = GlobalClock()
    for number, shard in enumerate(shards):
        clock.update(*clock_record(number, shard))
    return clock


def test_a_shard_that_is_behind_says_by_how_much_and_one_that_has_caught_up_says_0(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metering, "wall_ms", lambda: 100_000)
    stats = Stats(shards={number: ShardStats() for number in range(3)})
    clock = clock_of(ShardClock(40_000, 0, False), ShardClock(40_000, 0, True), ShardClock(None, None, False))
    for event_clock, expected in ((False, [60, 0, None]), (True, [None, None, None])):
        metrics = SelfMetrics("0")
        meter(stats, metrics, Health(), clock=clock, event_clock=event_clock).copy(count_entities=False)
        assert [value(metrics, "stream_kpi_lag_seconds", shard=str(number)) for number in range(3)] == expected


def test_the_lag_of_a_shard_that_has_gone_to_another_worker_is_shown_no_more() -> None:
    metrics, stats = SelfMetrics("0"), Stats(shards={0: ShardStats()})
    copying = meter(stats, metrics, Health(), clock=clock_of(ShardClock(40_000, 0, True)))
    copying.copy(count_entities=False)
    assert value(metrics, "stream_kpi_lag_seconds", shard="0") == 0
    stats.shards.clear()
    copying.copy(count_entities=False)
    assert value(metrics, "stream_kpi_lag_seconds", shard="0") is None


def test_the_worker_says_as_of_when_it_publishes_values_and_how_many_shards_it_still_opens() -> None:
    metrics, stats = SelfMetrics("0"), Stats(values_ms=1_500)
    meter(stats, metrics, Health(), opening=2).copy(count_entities=False)
    assert value(metrics, "stream_kpi_values_timestamp_seconds") == 1.5
    assert value(metrics, "stream_kpi_shards_opening") == 2
    stats.values_ms = None
    meter(stats, metrics, Health()).copy(count_entities=False)
    assert value(metrics, "stream_kpi_values_timestamp_seconds") == 0
    assert value(metrics, "stream_kpi_shards_opening") == 0


def test_every_counter_that_is_copied_exists() -> None:
    metrics = SelfMetrics("0")
    assert all(metrics.counter(name) for name in COUNTERS.values())


def test_input_that_was_lost_is_counted_by_its_topic() -> None:
    metrics = SelfMetrics("0")
    stats = Stats(counts=Counter({("lost_input", "support.tickets.v1"): 3}))
    meter(stats, metrics, Health()).copy(count_entities=False)
    assert value(metrics, "stream_kpi_lost_input_records_total", topic="support.tickets.v1") == 3


def test_the_settings_reach_shell_and_core() -> None:
    settings = Settings(app_id="mine", clock="event", flush_interval_s=2)
    options = shell_options(settings)
    assert (options.app_id, options.event_clock, options.flush_interval_s) == ("mine", True, 2)
    assert options.source_topics == settings.topics.sources
    core = core_of(settings)
    assert core.shard(1, 4).shards == 4
    assert all_of(core.merge().publish(1_000, None)).changed is not None


@pytest.mark.parametrize(("clock", "refused"), [("wall", 1), ("event", 0)])
def test_an_event_ahead_of_the_wall_clock_is_refused_only_where_that_is_the_clock(
    clock: Literal["wall", "event"], refused: int
) -> None:
    settings = Settings(clock=clock)
    (event,) = itertools.islice(Simulation(1, 4_102_444_800_000).events_until(4_102_531_200_000), 1)
    (topic,) = (topic for kind, topic in source_topics(settings).items() if kind is event.topic)
    shard: Any = core_of(settings).shard(0, 1)
    shard.apply(topic, 0, [MemoryRecord(0, 0, event.key, event.value)], wall_ms=1_772_409_600_000)
    assert shard.counts["rejected", "future"] == refused


@pytest.mark.parametrize("wanted", [False, True])
def test_agents_are_on_metrics_only_where_the_settings_want_them(wanted: bool) -> None:
    settings = Settings(metrics=MetricSettings(agent_series=wanted))
    noon = "2026-03-02T12:00:00.000Z"
    in_time = KpiRecord(
        kpi="response_time_compliance",
        unit="ratio",
        window=RecordWindow("rolling:1h", noon, noon),
        cut={"agent": "a17"},
        value=0.5,
        stats=None,
        numerator=2,
        denominator=4,
        samples=4,
        clock=None,
        currency=None,
        variant={},
        as_of=noon,
        revision=0,
        final=True,
    )
    store, metrics = MemoryStore(), SelfMetrics("0")
    store.replace([in_time])
    show_kpis(metrics, store, settings)
    shown = value(metrics, "kpi_agent_response_time_compliance_ratio", agent="a17", window="1h")
    assert shown == (0.5 if wanted else None)


def test_the_live_store_shows_what_is_published_and_nothing_once_another_worker_publishes() -> None:

    store = MemoryStore()
    settings = Settings(clock="event")
    merge = core_of(settings).merge()
    display = Display(store)
    publication: Any = all_of(merge.publish(1_000, 0))
    assert publication.records
    display.show(publication, 1_000)
    assert dict(store.snapshot().records) == publication.records
    following: Any = all_of(merge.publish(2_000, 0))
    display.show(following, 2_000)
    assert store.snapshot().values_ms == 2_000
    assert store.snapshot().records.keys() == following.records.keys()
    display.show(None)
    assert not store.snapshot().records
    assert store.snapshot().values_ms is None
