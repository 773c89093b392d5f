"""Looks at the live store, and tells every open page: the newest state only, however slow its reader is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.lifecycles.facts import Cut
from stream_kpi.publish.live_store import EMPTY, LiveStore, Snapshot
from stream_kpi.publish.wallboard.boards import BY_ID
from stream_kpi.publish.wallboard.index import NOTHING, index_of
from stream_kpi.publish.wallboard.judgement import Alerts
from stream_kpi.publish.wallboard.pages import Pages
from stream_kpi.publish.wallboard.trend import Trend
from stream_kpi.settings import Settings

MOST_STREAMS: Final = 200
"""Open pages at once; a further one is refused and tries again by itself."""
STALE_PUBLISHES: Final = 5
"""Values that are older than so many publishes are stale, but never before :data:`LEAST_STALE_S`."""
LEAST_STALE_S: Final = 10.0
_MOST_RENDERED: Final = 256

_encode = msgspec.json.Encoder().encode


class Subject(NamedTuple):
    """What a page is about."""

    kind: str
    """``board`` or ``kpi``."""
    id: str
    cut: Cut


class Hub:
    """The state of every page, made once for all that look at it."""

    def __init__(self, settings: Settings, store: LiveStore, now_ms: Callable[[], int] | None = None) -> None:
        """``now_ms``: the wall clock, for tests."""
        self._store = store
        self._wall_clock = settings.clock == "wall"
        self._interval_s = settings.publish_interval_s
        self.rows = {kpi.id: kpi for kpi in catalogue(settings.options())}
        self._trend, self._alerts = Trend(), Alerts(self.rows)
        self._pages = Pages(self.rows, self._trend, self._alerts, show_agents=settings.metrics.agent_series)
        self._now_ms = now_ms or (lambda: time.time_ns() // 1_000_000)
        self._seen: Snapshot | None = None
        self._index = NOTHING
        self._rendered: dict[Subject, dict[str, Any]] = {}
        self._waiting: set[asyncio.Event] = set()
        self.generation = 0
        """Counts the snapshots seen: the id of an event of the stream."""
        self.closed = False

    async def run(self) -> None:
        """Look at the store once a publish interval, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._interval_s)

    async def look(self) -> None:
        """Take the store's snapshot if it is another than the last one, and wake the streams."""
        snapshot = self._store.snapshot()
        seen, self._seen = self._seen, snapshot
        if seen is not None and snapshot.records is seen.records and snapshot.stale == seen.stale:
            return
        # Sorting out a large snapshot takes tens of milliseconds: in a thread it does not hold the event loop.
        index = await asyncio.to_thread(index_of, snapshot.records.values())
        self._index = index
        self._rendered.clear()
        self._trend.take(index, self._now_ms())
        self._alerts.look(index, self._now_ms())
        self.generation += 1
        self._wake()

    def close(self) -> None:
        """End every stream: the server stops."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()

    @property
    def full(self) -> bool:
        """Whether no further stream is taken."""
        return len(self._waiting) >= MOST_STREAMS

    def listen(self) -> asyncio.Event:
        """An event that is set whenever there is news. Not a queue: a slow reader gets the newest state, once."""
        event = asyncio.Event()
        event.set()
        self._waiting.add(event)
        return event

    def leave(self, event: asyncio.Event) -> None:
        """No longer set it."""
        self._waiting.discard(event)

    def clock(self) -> dict[str, Any]:
        """What a page needs to tell how old its values are. On the event clock time stands at the newest event."""
        as_of = self._index.as_of
        as_of_ms = None if as_of is None else round(datetime.fromisoformat(as_of).timestamp() * 1_000)
        stale = self._seen is not None and self._seen.stale
        now_ms = self._now_ms() if self._wall_clock else as_of_ms
        return {
            "now_ms": self._now_ms() if now_ms is None else now_ms,
            "as_of_ms": as_of_ms,
            "runs": self._wall_clock,
            "stale": stale,
            "stale_after_s": max(LEAST_STALE_S, STALE_PUBLISHES * self._interval_s),
        }

    def state(self, subject: Subject) -> bytes:
        """The page as JSON, with the clock of this moment."""
        page = self._rendered.get(subject)
        if page is None:
            if len(self._rendered) >= _MOST_RENDERED:
                self._rendered.clear()
            page = self._rendered[subject] = self._page(subject)
        filtered = {"dimension": subject.cut[0], "value": subject.cut[1]} if subject.cut else None
        return _encode({**page, **self.clock(), "filter": filtered})

    def _page(self, subject: Subject) -> dict[str, Any]:
        if subject.kind == "board":
            seen = self._seen or EMPTY
            board = BY_ID[subject.id]
            return self._pages.board(board, self._index, subject.cut, seen.deadlines, seen.values_ms or 0)
        return self._pages.kpi(self.rows[subject.id], self._index, subject.cut)
