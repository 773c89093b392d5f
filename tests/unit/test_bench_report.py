"""What the bench prints, and what it refuses."""

from __future__ import annotations

import cProfile
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from stream_kpi.bench.command import chosen
from stream_kpi.bench.figures import Figures, Meter, Task
from stream_kpi.bench.report import as_json, as_table, ratios
from stream_kpi.bench.stages import ELSEWHERE, stages
from stream_kpi.bench.worker import configuration, events_done
from stream_kpi.errors import WRONG_USAGE, UserError
from stream_kpi.events.currencies import numeric_code
from stream_kpi.events.topics import TopicKind
from stream_kpi.settings import load_settings

RESULTS = {
    "limit": Figures(1_000, 400_000.04, 1.2345, 90.06),
    "stream_kpi": Figures(1_000, 100_000.0, 4.0, 300.0),
    "faust_table": Figures(100, 2_000.0, 8.0, 100.0),
}


def test_the_report_is_the_document_of_the_design_without_contenders_that_were_not_run() -> None:
    assert as_json(1_000, "kafka", RESULTS) == {
        "events": 1_000,
        "broker": "kafka",
        "limit": {"events_per_s": 400_000.0, "cpu_s": 1.234, "peak_rss_mib": 90.1},
        "stream_kpi": {"events_per_s": 100_000.0, "cpu_s": 4.0, "peak_rss_mib": 300.0},
        "faust_table": {"events_per_s": 2_000.0, "cpu_s": 8.0, "peak_rss_mib": 100.0, "events": 100},
        "ratios": {"to_limit": 0.25, "to_faust_table": 50.0},
    }


def test_without_the_worker_there_are_no_ratios() -> None:
    assert ratios({"limit": RESULTS["limit"]}) == {}


def test_the_table_says_cpu_time_an_event_and_how_many_times_as_fast_the_worker_is() -> None:
    output = StringIO()
    Console(file=output, width=140).print(as_table(1_000, "kafka", RESULTS))
    row = next(line for line in output.getvalue().splitlines() if line.startswith("plain Faust agent"))
    assert row.split()[-5:] == ["100", "2,000", "80000.00", "100", "50.00x"]


def test_a_contender_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(UserError, match="no contender 'flink'; there are limit, stream_kpi") as refused:
        chosen(["limit", "flink"])
    assert refused.value.exit_status == WRONG_USAGE


def test_contenders_run_in_their_order_and_the_one_without_kafka_only_when_asked_for() -> None:
    assert chosen(["core", "stream_kpi", "limit"]) == ["limit", "stream_kpi", "core"]
    assert "core" not in chosen([])
    assert chosen([])[:3] == ["limit", "stream_kpi", "faust_table"]


def test_events_done_is_the_sum_over_topics_and_nothing_else() -> None:
    metrics = """\
# HELP stream_kpi_events_total Events.
# TYPE stream_kpi_events_total counter
stream_kpi_events_total{topic="a"} 12.0
stream_kpi_events_total{topic="b c"} 1.5e+06
stream_kpi_events_total_created 7.0
stream_kpi_late_events_total{topic="a"} 5.0
"""
    assert events_done(metrics) == 1_500_012
    assert events_done("") == 0


def test_the_workers_configuration_is_one_that_the_settings_accept(tmp_path: Path) -> None:
    task = Task("bench-1", "127.0.0.1:9999", {kind: f"bench-1.{kind.name.lower()}" for kind in TopicKind}, 4, 10)
    config = tmp_path / "worker.toml"
    config.write_text(configuration(task, 6_543))
    settings = load_settings(config)
    assert settings.topics.sources == tuple(task.topics.values())
    assert (settings.app_id, settings.clock) == ("bench-1-worker", "event")
    assert (settings.web.port, settings.broker.address) == (6_543, "127.0.0.1:9999")


def test_a_profile_is_summed_by_part_of_the_package() -> None:
    profile = cProfile.Profile()
    profile.runcall(lambda: [numeric_code("EUR") for _ in range(50)])
    assert next(iter(stages(profile))) in ("events", ELSEWHERE)
    assert stages(profile)["events"] > 0


def test_a_meter_that_was_never_started_says_so() -> None:
    with pytest.raises(RuntimeError, match="no event came"):
        Meter().figures(0)


def test_a_meter_starts_once_and_counts_what_it_is_told() -> None:
    meter = Meter()
    meter.start()
    figures = meter.figures(10)
    assert figures.events == 10
    assert figures.events_per_s > 0
    assert figures.peak_rss_mib > 1
