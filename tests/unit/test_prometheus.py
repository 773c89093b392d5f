"""Prometheus families from a snapshot: names, labels, absence, caps; the pipeline's own metrics."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

import stream_kpi
from stream_kpi.events.rejection import Reason
from stream_kpi.kpis.catalogue import catalogue, on_clocks
from stream_kpi.kpis.record import KpiHistogram, KpiRecord, RecordWindow
from stream_kpi.kpis.rows import KpiKind
from stream_kpi.measures.histogram import LADDER_S, Stats
from stream_kpi.publish.instruments import SelfMetrics
from stream_kpi.publish.live_store import MemoryStore
from stream_kpi.publish.prometheus import SHOWN_WINDOWS, KpiCollector, shown_windows
from stream_kpi.publish.self_metrics import DATA_PROBLEMS, SELF_METRICS
from tests.catalogue_kit import kpi_by_id

NOON = "2026-03-02T12:00:00.000Z"
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def stats(mean: float, count: int = 2, greatest: float = 9.0) -> Stats:
    return Stats(count, mean * count, mean, 1.0, greatest, 2.0, 3.0, 4.0, 5.0)


def record(
    kpi_id: str,
    value: float | None,
    *,
    cut: dict[str, str] | None = None,
    window: str = "rolling:1h",
    of: tuple[float, float] | tuple[None, None] = (None, None),
    samples: int | None = None,
    described: Stats | None = None,
    currency: str | None = None,
    variant: dict[str, str] | None = None,
    clock: str | None = None,
) -> KpiRecord:
    kpi = kpi_by_id(kpi_id)
    return KpiRecord(
        kpi=kpi_id,
        unit=currency or kpi.unit,
        window=RecordWindow("instant" if kpi.stands else window, NOON, NOON),
        cut=cut or {},
        value=value,
        stats=described,
        numerator=of[0],
        denominator=of[1],
        samples=samples,
        clock=clock or kpi.clock,
        currency=currency,
        variant=variant or {},
        as_of=NOON,
        revision=0,
        final=True,
    )


def registry_of(records: list[KpiRecord], histograms: tuple[KpiHistogram, ...] = ()) -> CollectorRegistry:
    store = MemoryStore()
    store.replace(records, histograms)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(KpiCollector(store))
    return registry


def scraped(registry: CollectorRegistry) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def series(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_no_help_text_names_the_cut_twice() -> None:
    records = [
        record(kpi.id, 1.0, cut={dimension: "x"}, currency="EUR" if kpi.formula.by_currency else None)
        for kpi in catalogue()
        for dimension in kpi.cuts
        if dimension != "total"
    ]
    helps = {
        family.name: family.documentation
        for family in text_string_to_metric_families(generate_latest(registry_of(records)).decode())
    }
    assert helps["kpi_category_ticket_category_share_ratio"] == "Share of tickets by category (ratio)."
    assert not {name: text for name, text in helps.items() if re.search(r" by (\w+) by \1", text)}


def test_a_duration_has_its_stats_in_seconds_and_a_family_of_samples() -> None:
    found = scraped(registry_of([record("first_response_time", 7.5, described=stats(7.5), samples=2)]))
    name = "kpi_first_response_time_seconds"
    assert found == {
        series(name, window="1h", stat="mean"): 7.5,
        series(name, window="1h", stat="p50"): 2,
        series(name, window="1h", stat="p90"): 3,
        series(name, window="1h", stat="p95"): 4,
        series(name, window="1h", stat="p99"): 5,
        series(name, window="1h", stat="max"): 9,
        series("kpi_first_response_time_samples", window="1h"): 2,
    }


def test_a_distribution_has_a_label_for_its_class_beside_the_one_of_its_cut() -> None:
    shares = [record("csat_distribution", 0.2, cut={"class": "poor"}, of=(1, 5), samples=5)]
    shares += [record("csat_distribution", 0.8, cut={"class": "positive"}, of=(4, 5), samples=5)]
    shares += [record("csat_distribution", 1.0, cut={"channel": "sms", "class": "poor"}, of=(1, 1), samples=1)]
    hidden = [record("csat_distribution", 1.0, cut={"agent": "a17", "class": "poor"}, of=(1, 1), samples=1)]
    name = "kpi_csat_distribution"
    assert scraped(registry_of(shares + hidden)) == {
        series(f"{name}_ratio", window="1h", **{"class": "poor"}): 0.2,
        series(f"{name}_ratio", window="1h", **{"class": "positive"}): 0.8,
        series(f"{name}_samples", window="1h", **{"class": "poor"}): 5,
        series(f"{name}_samples", window="1h", **{"class": "positive"}): 5,
        series("kpi_channel_csat_distribution_ratio", window="1h", channel="sms", **{"class": "poor"}): 1,
        series("kpi_channel_csat_distribution_samples", window="1h", channel="sms", **{"class": "poor"}): 1,
    }


def test_each_class_of_the_values_beyond_the_cap_is_added_up_by_itself() -> None:
    overflowed: list[str] = []
    store = MemoryStore()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(KpiCollector(store, most_label_values=1, overflowed=overflowed.append))
    parts = [("a", "poor", 1, 2), ("b", "poor", 1, 4), ("b", "positive", 3, 4), ("c", "poor", 2, 6)]
    store.replace(
        record("csat_distribution", n / of, cut={"brand": brand, "class": name}, of=(n, of), samples=of)
        for brand, name, n, of in parts
    )
    found = scraped(registry)
    assert found[series("kpi_brand_csat_distribution_ratio", window="1h", brand="other", **{"class": "poor"})] == 0.3
    assert (
        found[series("kpi_brand_csat_distribution_ratio", window="1h", brand="other", **{"class": "positive"})] == 0.75
    )
    assert overflowed == ["brand", "brand"], "a class is no value of a dimension"


def test_the_business_clock_has_families_of_its_own() -> None:
    found = scraped(
        registry_of(
            [
                record("first_response_time", 7.5, described=stats(7.5), samples=2),
                record("first_response_time", 3.5, described=stats(3.5), samples=2, clock="business"),
            ],
            (
                KpiHistogram(
                    kpi="first_response_time", clock="calendar", cut={}, buckets=((float("inf"), 2),), sum_s=15.0
                ),
                KpiHistogram(
                    kpi="first_response_time", clock="business", cut={}, buckets=((float("inf"), 2),), sum_s=7.0
                ),
            ),
        )
    )
    assert found[series("kpi_first_response_time_seconds", window="1h", stat="mean")] == 7.5
    assert found[series("kpi_first_response_time_business_seconds", window="1h", stat="mean")] == 3.5
    assert found[series("kpi_first_response_time_business_samples", window="1h")] == 2
    assert found[series("kpi_first_response_time_distribution_seconds_sum")] == 15
    assert found[series("kpi_first_response_time_business_distribution_seconds_sum")] == 7


def test_each_dimension_is_a_family_of_its_own() -> None:
    found = scraped(
        registry_of([record("ticket_volume", 5), record("ticket_volume", 3, cut={"channel": 'e"m\\a\nil'})])
    )
    assert found == {
        series("kpi_ticket_volume", window="1h"): 5,
        series("kpi_channel_ticket_volume", window="1h", channel='e"m\\a\nil'): 3,
    }


def test_no_value_is_no_series_but_its_samples_are_shown() -> None:
    found = scraped(registry_of([record("csat", None, of=(0, 0), samples=0), record("answer_time", None, samples=0)]))
    assert found == {
        series("kpi_csat_samples", window="1h"): 0,
        series("kpi_answer_time_samples", window="1h"): 0,
    }


def test_levels_have_no_window_and_money_has_a_currency() -> None:
    money = [record("mrr", 1.5, currency="EUR", samples=3), record("mrr", 700.0, currency="JPY", samples=1)]
    found = scraped(registry_of([record("ticket_backlog", 4, samples=4), *money]))
    assert found == {
        series("kpi_ticket_backlog"): 4,
        series("kpi_mrr", currency="EUR"): 1.5,
        series("kpi_mrr", currency="JPY"): 700,
        series("kpi_mrr_samples", currency="EUR"): 3,
        series("kpi_mrr_samples", currency="JPY"): 1,
    }


def test_only_the_shown_windows_have_series() -> None:
    kinds = ("rolling:5m", "rolling:15m", "rolling:1h", "rolling:4h", "rolling:24h", "rolling:7d", "today", "total")
    found = scraped(registry_of([record("chat_volume", 1, window=kind) for kind in (*kinds, "tumbling:1h")]))
    assert {dict(labels)["window"] for _, labels in found} == {"5m", "1h", "24h", "today", "total"}


def test_the_level_of_a_past_window_is_not_shown_as_the_level_of_now() -> None:
    past = msgspec.structs.replace(record("ticket_backlog", 99), window=RecordWindow("tumbling:1h", NOON, NOON))
    assert scraped(registry_of([past, record("ticket_backlog", 4)])) == {series("kpi_ticket_backlog"): 4}


def test_agents_and_variants_are_not_shown() -> None:
    hidden = [
        record("ticket_volume", 1, cut={"agent": "a17"}),
        record("service_level", 0.5, of=(1, 2), samples=2, variant={"preset": "amazon"}),
    ]
    assert scraped(registry_of(hidden)) == {}


def test_every_row_has_a_series_as_soon_as_it_has_a_value() -> None:
    records = []
    for kpi in catalogue():
        kind = shown_windows(kpi)[0]
        described = stats(2.0) if kpi.kind in {KpiKind.DURATION, KpiKind.AGE, KpiKind.SCORE} else None
        records.append(record(kpi.id, 1.0, window=kind, described=described, samples=2))
    names = {name for name, _ in scraped(registry_of(records))}
    assert {kpi.metric for kpi in catalogue()} <= names


def test_a_distribution_is_a_histogram_with_every_bound_of_the_ladder() -> None:
    buckets = (*((float(bound), 1) for bound in LADDER_S), (float("inf"), 3))
    of_all = KpiHistogram(kpi="answer_time", clock=None, cut={}, buckets=buckets, sum_s=62.5)
    found = scraped(registry_of([], (of_all,)))
    name = "kpi_answer_time_distribution_seconds"
    assert found[series(f"{name}_bucket", le="45.0")] == 1
    assert found[series(f"{name}_bucket", le="+Inf")] == 3
    assert found[series(f"{name}_count")] == 3
    assert found[series(f"{name}_sum")] == 62.5
    assert len(found) == len(LADDER_S) + 3


def test_values_beyond_the_cap_are_added_up_as_other_and_counted_once() -> None:
    overflowed: list[str] = []
    store = MemoryStore()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(KpiCollector(store, most_label_values=1, overflowed=overflowed.append))
    cuts = [{"category": name} for name in ("a", "b", "c")]
    store.replace(
        [
            *(record("ticket_volume", n, cut=cut, samples=n) for n, cut in enumerate(cuts, 1)),
            *(record("csat", n / 10, cut=cut, of=(n, 10), samples=10) for n, cut in enumerate(cuts, 1)),
            *(record("ticket_category_share", n / 6, cut=cut, of=(n, 6), samples=6) for n, cut in enumerate(cuts, 1)),
            record("answer_time", 1.0, cut=cuts[1], described=stats(1.0, 3, greatest=4.0), samples=3),
            record("answer_time", 5.0, cut=cuts[2], described=stats(5.0, 1, greatest=8.0), samples=1),
            record("longest_wait", 30.0, cut=cuts[1], described=stats(30.0, 1, greatest=30.0), samples=1),
            record("longest_wait", 40.0, cut=cuts[2], described=stats(35.0, 2, greatest=40.0), samples=2),
        ]
    )
    for _ in range(2):
        found = scraped(registry)
        other = {"category": "other", "window": "1h"}
        assert found[series("kpi_category_ticket_volume", category="a", window="1h")] == 1
        assert found[series("kpi_category_ticket_volume", **other)] == 5
        assert found[series("kpi_category_csat_ratio", **other)] == 0.25
        assert found[series("kpi_category_csat_samples", **other)] == 20
        assert found[series("kpi_category_ticket_category_share_ratio", **other)] == pytest.approx(5 / 6)
        assert found[series("kpi_category_answer_time_seconds", **other, stat="mean")] == 2.0
        assert found[series("kpi_category_answer_time_seconds", **other, stat="max")] == 8.0
        assert series("kpi_category_answer_time_seconds", **other, stat="p90") not in found
        assert found[series("kpi_category_longest_wait_seconds", category="other", stat="max")] == 40.0
        assert not [labels for _, labels in found if ("category", "b") in labels]
        assert overflowed == ["category", "category"]


def test_an_admitted_value_stays_admitted_when_others_come() -> None:
    store = MemoryStore()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(KpiCollector(store, most_label_values=1))
    store.replace([record("ticket_volume", 1, cut={"category": "z"})])
    scraped(registry)
    store.replace([record("ticket_volume", n, cut={"category": name}) for n, name in ((1, "z"), (2, "a"))])
    assert scraped(registry) == {
        series("kpi_category_ticket_volume", category="z", window="1h"): 1,
        series("kpi_category_ticket_volume", category="other", window="1h"): 2,
    }


def test_a_value_that_is_itself_called_other_joins_the_rest() -> None:
    store = MemoryStore()
    store.replace([record("ticket_volume", 1, cut={"category": name}) for name in ("other", "a", "b")])
    registry = CollectorRegistry(auto_describe=False)
    registry.register(KpiCollector(store, most_label_values=1))
    assert scraped(registry)[series("kpi_category_ticket_volume", category="other", window="1h")] == 2


def test_rejections_and_problems_start_at_zero_for_every_reason() -> None:
    found = scraped(SelfMetrics("1").registry)
    for reason in Reason:
        assert found[series("stream_kpi_rejected_total", reason=reason.value)] == 0
    assert found[series("stream_kpi_data_problems_total", problem="negative_duration")] == 0
    assert found[series("stream_kpi_build_info", version="1")] == 1
    assert not [name for name, _ in found if name.endswith("_created")]


def test_every_data_problem_that_the_code_counts_starts_at_zero() -> None:
    counted = re.compile(r"""(?:note_problem\(|"data_problems", )"(\w+)\"""")
    package = Path(stream_kpi.__file__).parent
    found = {name for module in package.rglob("*.py") for name in counted.findall(module.read_text(encoding="utf-8"))}
    assert sorted(found) == list(DATA_PROBLEMS)


def test_every_row_of_the_table_is_an_instrument_under_its_name() -> None:
    metrics = SelfMetrics("1")
    makers = {"counter": metrics.counter, "gauge": metrics.gauge, "histogram": metrics.histogram}
    for row in SELF_METRICS:
        if row.type == "info":
            continue
        instrument = makers[row.type](row.name)
        labelled = instrument.labels(*("x" for _ in row.labels)) if row.labels else instrument
        labelled.observe(1) if row.type == "histogram" else labelled.inc()  # type: ignore[attr-defined]
    names = {name for name, _ in scraped(metrics.registry)}
    for row in SELF_METRICS:
        assert (f"{row.name}_bucket" if row.type == "histogram" else row.name) in names
        assert row.advice.endswith(".")
        assert (row.type == "counter") == row.name.endswith("_total")
    with pytest.raises(TypeError, match="is no Gauge"):
        metrics.gauge("stream_kpi_late_total")
    with pytest.raises(KeyError):
        metrics.counter("stream_kpi_nothing_total")


def test_the_cap_of_labels_is_counted_in_the_pipelines_own_metrics() -> None:
    metrics = SelfMetrics("1")
    store = MemoryStore()
    store.replace([record("ticket_volume", 1, cut={"brand": name}) for name in ("a", "b", "c")])
    metrics.show(store, most_label_values=2)
    scraped(metrics.registry)
    assert scraped(metrics.registry)[series("stream_kpi_label_overflow_total", dimension="brand")] == 1


def test_promtool_finds_nothing_to_complain_about() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    metrics = SelfMetrics("1")
    store = MemoryStore()
    records = []
    for kpi in on_clocks(catalogue(), business=True):
        described = stats(2.0) if kpi.kind in {KpiKind.DURATION, KpiKind.AGE, KpiKind.SCORE} else None
        for cut in kpi.cuts:
            for kind in SHOWN_WINDOWS:
                of_cut = {} if cut == "total" else {cut: "x"}
                currency = "EUR" if kpi.kind is KpiKind.MONEY else None
                records.append(
                    record(
                        *(kpi.id, 1.0),
                        cut=of_cut,
                        window=kind,
                        described=described,
                        samples=2,
                        currency=currency,
                        clock=kpi.clock,
                    )
                )
    buckets = (*((float(bound), 1) for bound in LADDER_S), (float("inf"), 3))
    durations = [kpi for kpi in on_clocks(catalogue(), business=True) if kpi.kind is KpiKind.DURATION]
    of_all = [KpiHistogram(kpi=kpi.id, clock=kpi.clock, cut={}, buckets=buckets, sum_s=9.0) for kpi in durations]
    store.replace(records, of_all)
    metrics.show(store)
    for row in SELF_METRICS:
        if row.type == "gauge":
            (metrics.gauge(row.name).labels(*("x" for _ in row.labels)) if row.labels else metrics.gauge(row.name)).set(
                1
            )
    text = generate_latest(metrics.registry)
    assert len(re.findall(rb"^# TYPE kpi_", text, re.MULTILINE)) > 150
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout.decode(), checked.stderr.decode()) == (0, "", "")
