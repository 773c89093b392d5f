"""``stream-kpi bench render``: how long /metrics takes with many series, and how long the event loop stands still then.

The web application is that of worker and exporter, on the loop that a worker has; who asks is another process.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Final, Literal

import msgspec
import uvloop
from aiohttp import web
from prometheus_client import CollectorRegistry
from rich.console import Console
from rich.table import Table

from stream_kpi.errors import CHECK_FAILED, UserError
from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.record import KpiRecord, RecordWindow
from stream_kpi.kpis.rows import TOTAL_CUT, KpiKind
from stream_kpi.measures.histogram import Stats
from stream_kpi.memory import tune_memory
from stream_kpi.publish.application import application
from stream_kpi.publish.live_store import MemoryStore
from stream_kpi.publish.prometheus import KpiCollector, shown_windows
from stream_kpi.publish.web import Health
from stream_kpi.settings import Settings

NOW: Final = "2026-01-01T00:00:00.000Z"
TICK_S: Final = 0.001
"""So often the loop is asked whether it still turns."""
SCRAPES: Final = 20
CLIENT_TIMEOUT_S: Final = 30.0
_WITH_STATS: Final = frozenset({KpiKind.DURATION, KpiKind.AGE, KpiKind.SCORE})
_STATS: Final = Stats(100, 150.0, 1.5, 1.0, 2.0, 1.5, 1.9)


class Report(msgspec.Struct, frozen=True):
    """What was served, and how."""

    series: int
    size_bytes: int
    scrapes: int
    p50_s: float
    max_s: float
    loop_blocked_max_s: float
    """The longest that the event loop stood still meanwhile."""


def records() -> Iterator[KpiRecord]:
    """Values without end: every KPI in every window that is shown, in total, then by each dimension's first value, then
    by its second, and so on."""
    number = 0
    while True:
        for kpi in catalogue():
            for dimension in kpi.cuts:
                if (dimension == TOTAL_CUT) != (number == 0):
                    continue
                for kind in shown_windows(kpi):
                    yield KpiRecord(
                        kpi=kpi.id,
                        unit=kpi.unit,
                        window=RecordWindow(kind, NOW, NOW),
                        cut={} if dimension == TOTAL_CUT else {dimension: f"{dimension}-{number}"},
                        value=number + 0.5,
                        stats=_STATS if kpi.kind in _WITH_STATS else None,
                        numerator=None,
                        denominator=None,
                        samples=100,
                        clock=kpi.clock,
                        currency="EUR" if kpi.formula.by_currency else None,
                        variant={},
                        as_of=NOW,
                        revision=0,
                        final=False,
                    )
        number += 1


def filled(series: int) -> tuple[MemoryStore, CollectorRegistry, int]:
    """A store whose KPIs are at least so many series, its registry, and how many they are."""
    store, registry, every, held = MemoryStore(), CollectorRegistry(), records(), []
    collector = KpiCollector(store, most_label_values=1_000_000)
    count = 0
    while count < series:
        held += [next(every) for _ in range(1_000)]
        store.replace(held)
        count = sum(len(family.samples) for family in collector.collect())
    registry.register(collector)
    return store, registry, count


async def _longest_block_s(stop: asyncio.Event) -> float:
    longest_s = 0.0
    while not stop.is_set():
        before_s = time.perf_counter()
        await asyncio.sleep(TICK_S)
        longest_s = max(longest_s, time.perf_counter() - before_s - TICK_S)
    return longest_s


async def _serve(series: int) -> Report:
    store, registry, count = filled(series)
    tune_memory()
    runner = web.AppRunner(application(Settings(), registry, Health(), store), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        stop = asyncio.Event()
        watch = asyncio.create_task(_longest_block_s(stop))
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "stream_kpi.bench.render", url, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await client.communicate()
        stop.set()
        blocked_s = await watch
    finally:
        await runner.cleanup()
    if client.returncode:
        raise UserError("bench render: /metrics was not served", CHECK_FAILED)
    size_bytes, *taken_s = json.loads(out)
    taken_s.sort()
    middle_s, most_s = taken_s[len(taken_s) // 2], taken_s[-1]
    return Report(count, size_bytes, len(taken_s), round(middle_s, 4), round(most_s, 4), round(blocked_s, 4))


def measure(series: int, output: Literal["table", "json"]) -> None:
    """Measure, and print the report on standard output. Raises UserError."""
    report = uvloop.run(_serve(series))
    if output == "json":
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("series", "MiB", "scrapes", "p50 s", "max s", "loop blocked, max s"):
        table.add_column(column, justify="right")
    table.add_row(
        f"{report.series:,}",
        f"{report.size_bytes / (1 << 20):.1f}",
        str(report.scrapes),
        f"{report.p50_s:.3f}",
        f"{report.max_s:.3f}",
        f"{report.loop_blocked_max_s:.3f}",
    )
    Console().print(table)


def _scrape(url: str) -> None:
    """Print the size of an answer, then how long each took, as JSON."""
    told: list[float] = []
    for _ in range(SCRAPES):
        before_s = time.perf_counter()
        with urllib.request.urlopen(url, timeout=CLIENT_TIMEOUT_S) as answer:  # noqa: S310 - our own server
            size_bytes = len(answer.read())
        told = [size_bytes, *told[1:], time.perf_counter() - before_s]
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    _scrape(sys.argv[1])
