"""Response times slip: those who could still prevent it are told first, then those who have to act, and both are told
when it is over. Real Prometheus and Alertmanager, deployed configuration, the demo's worker.

The worker's clock is that of the events, which are sent 60 times faster than they happened; so everything that lasts in
the configuration is 60 times shorter.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stream_kpi.brokers import Broker
from stream_kpi.events.times import event_time_ms
from tests.integration.alert_kit import Alertmanager, Webhook
from tests.integration.demo_kit import Demo
from tests.integration.prometheus_kit import Prometheus

TIMES = 60
START_S, STORY_S, LOOK_S = 120.0, 420.0, 0.25

# A Wednesday so far ahead that the values never look stale to Prometheus, whose clock is that of the wall.
DAY, STORY, SLIP, MEND, END = (f"2100-01-06T{at}:00Z" for at in ("00:00", "13:50", "14:00", "15:10", "16:20"))
AT_RISK, BREACHES = "StreamKpiSlaAtRisk", "StreamKpiFirstResponseBreaches"
TOLD = {
    ("support", AT_RISK, "firing"),
    ("support-page", BREACHES, "firing"),
    ("support", AT_RISK, "resolved"),
    ("support-page", BREACHES, "resolved"),
}


def simulated(folder: Path) -> tuple[Path, Path]:
    """Files of the day up to the story, and of the story: agents slow down, and later catch up."""
    paces = ("--slow-down", f"8@{SLIP}", "--slow-down", f"0.2@{MEND}")
    day = subprocess.run(
        [sys.executable, "-m", "stream_kpi", "simulate", "--from", DAY, "--until", END, *paces],
        capture_output=True,
        check=True,
    )
    before, story = folder / "before.jsonl", folder / "story.jsonl"
    lines = day.stdout.splitlines(keepends=True)
    begin = next(at for at, line in enumerate(lines) if f'"time":"{STORY[:16]}'.encode() in line)
    before.write_bytes(b"".join(lines[:begin]))
    story.write_bytes(b"".join(lines[begin:]))
    return before, story


@pytest.fixture
def demo(tmp_path: Path, embedded_broker: Broker) -> Iterator[tuple[Demo, Path]]:
    """A demo of the day up to the story, and the story."""
    assert embedded_broker.address
    before, story = simulated(tmp_path)
    one = Demo(tmp_path, "--data", str(before))
    try:
        one.urls()
        yield one, story
        one.end()
    finally:
        one.destroy()


async def until(condition: Callable[[], bool], patience_s: float, what: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + patience_s
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline_s, what()
        await asyncio.sleep(LOOK_S)  # between two looks, until the deadline


class Stages:
    """When an alert was what, in epoch seconds by Prometheus's clock."""

    def __init__(self, prometheus: Prometheus, alert: str, from_s: float, until_s: float) -> None:
        def times_s(state: str) -> list[float]:
            expression = f'ALERTS{{alertname="{alert}",alertstate="{state}"}}'
            courses = prometheus.courses(expression, from_s, until_s, LOOK_S)
            return sorted(at_s for _, values in courses for at_s, _ in values)

        self.pending_s, self.firing_s = times_s("pending"), times_s("firing")


@pytest.mark.slow
async def test_when_response_times_slip_the_risk_is_told_before_the_breach_and_both_are_told_to_be_over(
    demo: tuple[Demo, Path],
) -> None:
    on, story = demo
    webhook = Webhook()
    await webhook.start()
    alertmanager = Alertmanager(webhook, TIMES)
    prometheus = Prometheus([f"127.0.0.1:{on.port}"], [f"127.0.0.1:{alertmanager.port}"], TIMES)
    try:
        await until(prometheus.answers, START_S, prometheus.log_tail)
        await until(lambda: prometheus.query('up{job="stream-kpi"}') != [], START_S, prometheus.log_tail)
        from_s = time.time()
        speed = ["--speed", f"{TIMES}x", "--broker", on.broker_address()]
        sending = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "stream_kpi", "produce", str(story), *speed, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            await until(lambda: set(webhook.received) >= TOLD, STORY_S, lambda: webhook.received)
        finally:
            if sending.returncode is None:
                sending.terminate()
            await sending.wait()
        until_s = time.time()
        risk, breach = (Stages(prometheus, alert, from_s, until_s) for alert in (AT_RISK, BREACHES))

        assert risk.pending_s[0] < risk.firing_s[0] < breach.firing_s[0]
        assert breach.pending_s[0] < breach.firing_s[0]
        ((_, values_s),) = prometheus.query("max(stream_kpi_values_timestamp_seconds)", risk.pending_s[0])
        assert values_s * 1000 > event_time_ms(SLIP)
        told = [one for one in webhook.received if one in TOLD]
        firing = [told.index(("support", AT_RISK, "firing")), told.index(("support-page", BREACHES, "firing"))]
        assert firing == sorted(firing)
    finally:
        prometheus.stop()
        alertmanager.stop()
        await webhook.stop()
