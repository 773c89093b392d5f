"""What `bench render` serves and tells."""

from __future__ import annotations

import json
import subprocess
import sys

from prometheus_client import generate_latest

from stream_kpi.bench.render import SCRAPES, filled

SERIES = 1_500


def test_there_are_as_many_series_as_are_told_and_no_fewer_than_asked_for() -> None:
    _, registry, count = filled(SERIES)
    lines = [line for line in generate_latest(registry).splitlines() if not line.startswith(b"#")]
    assert len(set(lines)) == len(lines) == count >= SERIES


def test_the_report_is_of_what_a_server_has_answered() -> None:
    command = [sys.executable, "-m", "stream_kpi", "bench", "render", "--series", str(SERIES), "--format", "json"]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    _, registry, count = filled(SERIES)
    assert (told["series"], told["scrapes"]) == (count, SCRAPES)
    assert told["size_bytes"] == len(generate_latest(registry))
    assert 0 < told["p50_s"] <= told["max_s"]
    assert told["loop_blocked_max_s"] > 0
