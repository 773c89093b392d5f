"""Records of a live store made by hand, and the wallboard of that store on a port."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from stream_kpi.deadlines import Deadline
from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.record import KpiRecord, RecordWindow, timestamp
from stream_kpi.publish.live_store import LiveStore
from stream_kpi.publish.wallboard import wallboard_routes
from stream_kpi.settings import Settings

UNITS = {kpi.id: kpi.unit for kpi in catalogue()}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def record(
    kpi: str, value: float | None, window: str = "instant", *, samples: int | None = 100, at_ms: int, **cut: str
) -> KpiRecord:
    stated = RecordWindow(window, None if window == "instant" else timestamp(at_ms - 300_000), timestamp(at_ms))
    rest: dict[str, Any] = {"stats": None, "numerator": None, "denominator": None, "clock": None, "currency": None}
    return KpiRecord(
        kpi=kpi,
        unit=UNITS[kpi],
        window=stated,
        cut=cut,
        value=value,
        samples=samples,
        variant={},
        as_of=timestamp(at_ms),
        revision=0,
        final=False,
        **rest,
    )


def deadline(
    subject: str, deadline_ms: int, *, metric: str = "first_response", channel: str = "email", group: str = "billing"
) -> Deadline:
    return Deadline("ticket", subject, metric, "p", None, 3_600_000, deadline_ms, channel, group, "refund")


@asynccontextmanager
async def served(store: LiveStore, settings: Settings | None = None, heartbeat_s: float = 0.2) -> AsyncIterator[str]:
    """Its URL, without a slash at the end."""
    application = web.Application()
    wallboard_routes(application, settings or Settings(publish_interval_s=0.05), store, heartbeat_s)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
