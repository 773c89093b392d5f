"""How the bench watches a worker, with a stand-in for it that only serves /metrics."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from stream_kpi.bench import worker
from stream_kpi.brokers.process import free_port

STAND_IN = """\
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

port, *counts = map(int, sys.argv[1:])

class Metrics(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'stream_kpi_events_total{topic="t"} %d\\n' % counts.pop(0))
        if not counts:
            sys.exit(3)

    def log_message(self, *_):
        pass

HTTPServer(("127.0.0.1", port), Metrics).serve_forever()
"""


@contextmanager
def stand_in(port: int, *counts: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose /metrics gives these counts one after the other, then it ends."""
    command = [sys.executable, "-c", STAND_IN, str(port), *map(str, counts)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "POLL_S", 0.01)


def test_a_worker_is_watched_until_it_has_done_all_events() -> None:
    port = free_port()
    with stand_in(port, 0, 40, 100, 100) as process:
        figures = worker._watch(process, port, 100)
    assert figures.events == 100
    assert figures.events_per_s > 0
    assert figures.peak_rss_mib > 1


def test_a_worker_that_does_everything_between_two_looks_is_measured_too() -> None:
    port = free_port()
    with stand_in(port, 0, 100, 100) as process:
        assert worker._watch(process, port, 100).events_per_s > 0


def test_a_worker_that_ends_early_is_reported_with_its_status() -> None:
    port = free_port()
    with (
        stand_in(port, 0, 40) as process,
        pytest.raises(worker.GivenUpError, match="ended with status 3 after 40 of 100 events"),
    ):
        worker._watch(process, port, 100)


def test_a_worker_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "STALLED_S", 0.0)
    port = free_port()
    with (
        stand_in(port, *[0] * 10_000) as process,
        pytest.raises(worker.GivenUpError, match="stood still for 0 s after 0 of 100 events"),
    ):
        worker._watch(process, port, 100)
