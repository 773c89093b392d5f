"""The demo as its user meets it: a process, its URLs, its end."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from stream_kpi.brokers import Broker
from stream_kpi.brokers.probe import probe
from stream_kpi.brokers.process import free_port
from stream_kpi.cli import demo_stage
from stream_kpi.errors import CHECK_FAILED, NO_BROKER, WRONG_USAGE
from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.families import has_samples, samples_metric
from stream_kpi.kpis.rows import KpiKind
from tests.integration.demo_kit import END_S, Demo

NEVER_WITHOUT_SAMPLES = {KpiKind.COUNT, KpiKind.LEVEL, KpiKind.MONEY}
"""These are 0 when nothing has happened; ratios, means and ages have no value then."""
TOO_YOUNG = {"reopen_rate", "fcr_confirmed", "survey_response_rate", "activation_rate"}
"""Decided seven days later: nothing of a simulated day can be in it yet."""
PERHAPS = {"longest_wait", "chat_fcr"}
"""Nobody may be waiting at this moment; a chat of the day before is decided now or in some minutes."""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    started: list[Demo] = []

    def demo(*arguments: str) -> Demo:
        started.append(Demo(tmp_path, *arguments))
        return started[-1]

    yield demo
    for one in started:
        one.destroy()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, embedded_broker: Broker) -> Iterator[Demo]:
    """A demo that has gone live. (The shared broker is only asked for so that this is skipped where it cannot run.)"""
    assert embedded_broker.address
    demo = Demo(tmp_path_factory.mktemp("demo"))
    try:
        demo.urls()
        yield demo
        demo.end()
    finally:
        demo.destroy()


def families(metrics: str) -> set[str]:
    return {line.split()[2] for line in metrics.splitlines() if line.startswith("# TYPE ")}


def kpi_lines(metrics: str) -> set[str]:
    return {line for line in metrics.splitlines() if line.startswith("kpi_")}


def test_the_urls_are_on_standard_output_one_a_line_and_answer(live: Demo) -> None:
    assert live.urls() == [
        f"http://127.0.0.1:{live.port}{path}" for path in ("/board", "/", "/metrics", "/health/ready")
    ]
    assert "stream-kpi" in live.page("/")
    assert live.page("/health/ready").startswith("ready")


def test_every_row_of_the_catalogue_is_on_metrics_after_the_warm_up(live: Demo) -> None:
    shown = families(live.page("/metrics"))
    for row in catalogue():
        if row.kind in NEVER_WITHOUT_SAMPLES or not has_samples(row):
            assert row.metric in shown, row.id
        elif row.id in TOO_YOUNG:
            assert row.metric not in shown, row.id
            assert samples_metric(row, "") in shown
        elif row.id in PERHAPS:
            assert has_samples(row)
            assert samples_metric(row, "") in shown
        else:
            assert {row.metric, samples_metric(row, "")} <= shown, row.id


def test_a_day_has_happened_when_the_urls_are_printed(live: Demo) -> None:
    volume = next(
        float(line.rpartition(" ")[2])
        for line in live.page("/metrics").splitlines()
        if line.startswith('kpi_ticket_volume{window="24h"}')
    )
    assert volume > 500


def test_values_move(live: Demo) -> None:
    before = kpi_lines(live.page("/metrics"))
    deadline_s = time.monotonic() + 15
    while kpi_lines(live.page("/metrics")) == before:
        assert time.monotonic() < deadline_s
    live_events = [line for line in live.page("/metrics").splitlines() if line.startswith("stream_kpi_events_total")]
    while [line for line in live.page("/metrics").splitlines() if line.startswith("stream_kpi_events_total")] == (
        live_events
    ):
        assert time.monotonic() < deadline_s


def test_promtool_has_nothing_to_say_about_metrics(live: Demo) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on the PATH")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=live.page("/metrics"), capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_what_the_embedded_broker_cannot_do_is_said_in_one_line(live: Demo) -> None:
    (said,) = (line for line in live.err if "without transactions" in line)
    assert "one worker" in said
    assert "1024 MiB" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["broker", "worker", "warm_up"])
def test_it_ends_cleanly_whenever_it_is_asked_to(
    start: Callable[..., Demo], embedded_broker: Broker, moment: str, number: signal.Signals
) -> None:
    assert embedded_broker.address
    demo = start()
    demo.wait_for(
        {
            "broker": lambda: any(demo.temporary.glob("stream-kpi-broker-*")),
            "worker": lambda: any(demo.temporary.glob("stream-kpi-worker-*")),
            "warm_up": lambda: any("the worker computes" in line for line in demo.err),
        }[moment]
    )
    demo.end(number)
    assert demo.out == []


def test_when_the_worker_dies_the_end_of_its_log_is_shown_and_everything_ends(
    start: Callable[..., Demo], embedded_broker: Broker
) -> None:
    assert embedded_broker.address
    demo = start()
    demo.wait_for(lambda: any(demo.temporary.glob("stream-kpi-worker-*/worker.log")))
    demo.wait_for(lambda: len(demo.family()) >= 4)  # broker and worker, each with its watchdog
    family = demo.family()
    demo.worker().kill()
    demo.ended(family, CHECK_FAILED)
    assert "The worker has ended. Its log ends with:" in demo.err


def test_a_file_is_replayed_on_its_own_clock(
    start: Callable[..., Demo], embedded_broker: Broker, tmp_path: Path
) -> None:
    assert embedded_broker.address
    file = tmp_path / "events.jsonl"
    span = ["--from", "2026-03-02T09:00:00Z", "--until", "2026-03-02T10:00:00Z"]
    with file.open("wb") as out:
        subprocess.run([sys.executable, "-m", "stream_kpi", "simulate", *span], stdout=out, check=True)
    events = [json.loads(line) for line in file.read_text().splitlines()]
    spam = {event["subject"] for event in events if event["data"].get("status") == "spam"}
    created = sum(event["type"] == "ticket.created" and event["subject"] not in spam for event in events)
    demo = start("--data", str(file))
    demo.urls()
    assert f'kpi_ticket_volume{{window="1h"}} {created:.1f}' in demo.page("/metrics").splitlines()
    demo.end()


def test_on_a_broker_that_runs_already_it_uses_names_of_its_own_and_deletes_them(
    start: Callable[..., Demo], embedded_broker: Broker
) -> None:
    before = set(probe(embedded_broker.address).topics)
    demo = start("--broker", embedded_broker.address)
    demo.wait_for(lambda: any(demo.temporary.glob("stream-kpi-worker-*")))
    (said,) = (line for line in demo.err if "begin with" in line)
    name = next(word for word in said.split() if word.startswith("stream-kpi-demo-"))
    made = set(probe(embedded_broker.address).topics) - before
    assert made
    assert all(topic.startswith(name) for topic in made)
    demo.end()
    assert set(probe(embedded_broker.address).topics) == before


def command_line(process: psutil.Process) -> list[str]:
    """None of a process that has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.kafka
def test_apache_kafka_can_be_interrupted_while_it_starts(start: Callable[..., Demo], kafka_broker: Broker) -> None:
    assert kafka_broker.address
    demo = start("--broker", "kafka")
    demo.wait_for(lambda: any("kafka.Kafka" in command_line(one) for one in demo.family()))
    demo.end()


def refused(start: Callable[..., Demo], *arguments: str) -> tuple[int, list[str]]:
    demo = start(*arguments)
    status = demo.process.wait(END_S)
    demo.ended([], status)
    assert demo.out == []
    return status, demo.err


def test_a_taken_port_is_named_with_the_flag(start: Callable[..., Demo]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, err = refused(start, "--port", str(port))
    assert status == WRONG_USAGE
    assert err == [f"Port {port} of 127.0.0.1 is taken; choose another with --port."]


def test_without_a_broker_at_the_address_it_says_so_within_ten_seconds(start: Callable[..., Demo]) -> None:
    address, begun_s = f"127.0.0.1:{free_port()}", time.monotonic()
    status, err = refused(start, "--broker", address)
    assert status == NO_BROKER
    assert time.monotonic() - begun_s < 10
    assert len(err) == 1
    assert err[0].startswith(f"No Kafka broker answers at {address} (connection refused).")


def test_a_file_that_cannot_be_replayed_is_refused_before_anything_is_started(
    start: Callable[..., Demo], tmp_path: Path
) -> None:
    status, err = refused(start, "--data", str(tmp_path / "absent.jsonl"))
    assert (status, err) == (WRONG_USAGE, [f"{tmp_path}/absent.jsonl: No such file or directory"])


def test_a_line_that_is_no_event_ends_it_with_the_line_and_the_reason(
    start: Callable[..., Demo], embedded_broker: Broker, tmp_path: Path
) -> None:
    assert embedded_broker.address
    file = tmp_path / "events.jsonl"
    file.write_text("not an event\n")
    status, err = refused(start, "--data", str(file))
    assert status == WRONG_USAGE
    assert err[-1].startswith(f"{file} line 1: no event")


@pytest.mark.parametrize("which", ["nonsense", "127.0.0.1"])
def test_an_address_that_is_none_is_refused(start: Callable[..., Demo], which: str) -> None:
    status, err = refused(start, "--broker", which)
    assert status == WRONG_USAGE
    assert err == [f"{which!r} is no broker address: HOST:PORT is needed, for example 127.0.0.1:9092."]


async def test_a_full_embedded_broker_is_noticed(embedded_broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    on = demo_stage.Stage(embedded_broker, None, None, None)  # type: ignore[arg-type]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(on.until_full(), 1)
    monkeypatch.setattr(demo_stage, "FULL_BYTES", 1)
    await asyncio.wait_for(on.until_full(), 1)
