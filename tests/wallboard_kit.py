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
from stream_kpi.lifecycles.ticket.backlog import AGE_BANDS
from stream_kpi.publish.access import access
from stream_kpi.publish.live_store import LiveStore, MemoryStore
from stream_kpi.publish.wallboard import wallboard_routes
from stream_kpi.publish.wallboard.boards import BOARDS, FILTERS, Panel
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


def full_board(at_ms: int) -> MemoryStore:
    """A store in which every number and panel of every board has something to show, and some miss their targets."""
    everything: dict[str, Any] = {}
    chats: dict[str, Any] = {"channel": "chat"}
    found = [
        record(tile.kpi, 0.5 if UNITS[tile.kpi] == "ratio" else 200.0, tile.window, at_ms=at_ms, **cut)
        for board in BOARDS
        for tile in board.tiles
        for cut in (everything, chats)
    ]
    for panel in {one.id: one for board in BOARDS for one in board.panels if isinstance(one, Panel)}.values():
        for value in AGE_BANDS if panel.dimension == "age_band" else ("billing", "returns and refunds"):
            row: dict[str, Any] = {panel.dimension: value}
            found += [
                record(column.kpi, 0.9 if UNITS[column.kpi] == "ratio" else 90.0, column.window, at_ms=at_ms, **row)
                for column in panel.columns
            ]
    for name in FILTERS:
        choice: dict[str, Any] = {name: "chat"}
        found.append(record("ticket_volume", 3, "total", at_ms=at_ms, **choice))
    store = MemoryStore()
    deadlines = (deadline("T-1", at_ms + 90_000), deadline("T-2", at_ms - 90_000))
    store.replace(found, values_ms=at_ms, deadlines=deadlines)
    return store


@asynccontextmanager
async def served(
    store: LiveStore, settings: Settings | None = None, heartbeat_s: float = 0.2, port: int = 0
) -> AsyncIterator[str]:
    """Its URL, without a slash at the end; ``port`` 0 is any that is free. Behind what the settings ask for."""
    settings = settings or Settings(publish_interval_s=0.05)
    application = web.Application(middlewares=access(settings.web))
    wallboard_routes(application, settings, store, heartbeat_s)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
