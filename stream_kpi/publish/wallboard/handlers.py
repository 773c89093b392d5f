"""HTTP handlers of the wallboard: the page, its static files, its state once and as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from importlib.resources import files
from typing import Final

import msgspec
from aiohttp import web

from stream_kpi.lifecycles.facts import TOTAL, Cut
from stream_kpi.publish.live_store import LiveStore
from stream_kpi.publish.wallboard.boards import BOARDS, BY_ID, FILTERS
from stream_kpi.publish.wallboard.hub import MOST_STREAMS, Hub, Subject
from stream_kpi.settings import Settings

HEARTBEAT_S: Final = 5.0
LONGEST_VALUE: Final = 200
"""Characters of a filter's value."""
_RETRY_MS: Final = 2_000
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_encode = msgspec.json.Encoder().encode


def wallboard_routes(
    application: web.Application, settings: Settings, store: LiveStore, heartbeat_s: float = HEARTBEAT_S
) -> Hub:
    """Add the wallboard to an application that has not started; it shows the store's values while that runs."""
    hub = Hub(settings, store)
    handlers = _Handlers(hub, heartbeat_s)
    application.add_routes(handlers.routes())
    application.cleanup_ctx.append(handlers.looking)
    application.on_shutdown.append(handlers.end_streams)
    return hub


class _Handlers:
    def __init__(self, hub: Hub, heartbeat_s: float) -> None:
        self._hub = hub
        self._heartbeat_s = heartbeat_s
        folder = files(__package__).joinpath("static")
        self._files = {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith(".")}
        boards = [{"id": board.id, "title": board.title, "wall": board.on_a_wall} for board in BOARDS]
        self._boards = _encode({"boards": boards, "filters": FILTERS})

    def routes(self) -> list[web.RouteDef]:
        """Everything under /board, /kpi and /wallboard."""
        return [
            web.get("/board", self.page),
            web.get("/board/{board}", self.page),
            web.get("/kpi/{kpi}", self.page),
            web.get("/wallboard/boards", self.boards),
            web.get("/wallboard/state", self.state),
            web.get("/wallboard/stream", self.stream),
            web.get("/wallboard/static/{file}", self.static),
        ]

    async def looking(self, _: web.Application) -> AsyncIterator[None]:
        """Follow the store while the application runs."""
        task = asyncio.create_task(self._hub.run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def end_streams(self, _: web.Application) -> None:
        """A stream never ends by itself, and a server waits for its handlers."""
        self._hub.close()

    async def page(self, request: web.Request) -> web.Response:
        """The same document for every board and KPI; 404 where there is none of that name."""
        board, kpi = request.match_info.get("board", "floor"), request.match_info.get("kpi")
        if (board not in BY_ID) if kpi is None else (kpi not in self._hub.rows):
            what = f"board {board!r}: there are {', '.join(BY_ID)}" if kpi is None else f"KPI {kpi!r}"
            raise web.HTTPNotFound(text=f"There is no {what}.\n", headers=_HEADERS)
        return web.Response(body=self._files["index.html"], content_type="text/html", charset="utf-8", headers=_HEADERS)

    async def static(self, request: web.Request) -> web.Response:
        """One of the files that were there at the start; no path leads anywhere else."""
        name = request.match_info["file"]
        content_type = _TYPES.get(name.rpartition(".")[2])
        if name not in self._files or content_type is None:
            raise web.HTTPNotFound(headers=_HEADERS)
        return web.Response(body=self._files[name], content_type=content_type, charset="utf-8", headers=_HEADERS)

    async def boards(self, _: web.Request) -> web.Response:
        """Which boards there are, and what may be filtered by."""
        return web.Response(body=self._boards, content_type="application/json", headers=_HEADERS)

    async def state(self, request: web.Request) -> web.Response:
        """A page's state, once."""
        body = self._hub.state(self._subject(request))
        return web.Response(body=body, content_type="application/json", headers=_HEADERS)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """A page's state whenever it changes, and the clock in between, until either side ends it."""
        subject = self._subject(request)
        if self._hub.full:
            raise web.HTTPServiceUnavailable(
                text=f"{MOST_STREAMS} pages are open already.\n", headers={**_HEADERS, "Retry-After": "10"}
            )
        response = web.StreamResponse(headers={**_HEADERS, "Content-Type": "text/event-stream"})
        news = self._hub.listen()
        try:
            await response.prepare(request)
            await response.write(f"retry: {_RETRY_MS}\n\n".encode())
            while not self._hub.closed:
                await response.write(await self._next(subject, news))
        except ConnectionError:
            pass  # the reader has gone, which is how a stream ends
        finally:
            self._hub.leave(news)
        return response

    async def _next(self, subject: Subject, news: asyncio.Event) -> bytes:
        try:
            async with asyncio.timeout(self._heartbeat_s):
                await news.wait()
        except TimeoutError:
            return b"event: clock\ndata: " + _encode(self._hub.clock()) + b"\n\n"
        news.clear()
        return b"id: %d\nevent: state\ndata: %b\n\n" % (self._hub.generation, self._hub.state(subject))

    def _subject(self, request: web.Request) -> Subject:
        query = request.query
        kind, _, name = query.get("page", "board:floor").partition(":")
        known: Mapping[str, Collection[str]] = {"board": BY_ID, "kpi": self._hub.rows}
        if name not in known.get(kind, ()):
            raise web.HTTPBadRequest(
                text=f"page={query.get('page')!r} is none: board:ID or kpi:ID is needed.\n", headers=_HEADERS
            )
        return Subject(kind, name, _cut(request))


def _cut(request: web.Request) -> Cut:
    chosen = [(name, request.query[name]) for name in FILTERS if request.query.get(name)]
    if len(chosen) > 1:
        text = f"Only one of {', '.join(FILTERS)} at a time: KPIs are cut by one dimension.\n"
        raise web.HTTPBadRequest(text=text, headers=_HEADERS)
    if chosen and len(chosen[0][1]) > LONGEST_VALUE:
        text = f"{chosen[0][0]}: at most {LONGEST_VALUE} characters are allowed.\n"
        raise web.HTTPBadRequest(text=text, headers=_HEADERS)
    return chosen[0] if chosen else TOTAL
