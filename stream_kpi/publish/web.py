"""HTTP handlers: /metrics, health, a landing page. publish/application.py makes the application that serves them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from html import escape
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Of every answer."""


@dataclass
class Health:
    """What the probes answer; the worker sets the attributes as it goes. Loads of dependencies are not looked at: a
    broker that is down must not restart every worker."""

    started: bool = False
    """Recovery has begun."""
    ready: bool = False
    """Partitions are assigned and recovered; values are right."""
    live: bool = True
    """The worker makes progress, or has nothing to do."""
    detail: str = ""
    """One line for people: what it waits for, or why it is not live."""


_PAGES: Final = (
    ("/board", "the wallboard: live numbers, alerts, what is about to breach"),
    ("/metrics", "KPIs and the pipeline's own metrics, for Prometheus"),
    ("/api/v1/kpis", "the KPIs and their values as JSON; /api/v1/kpis/ID has all of one"),
    ("/health/live", "whether the worker makes progress"),
    ("/health/ready", "whether its values are right"),
    ("/health/started", "whether its recovery has begun"),
)


def routes(registry: CollectorRegistry, health: Health) -> list[web.RouteDef]:
    """The routes of one worker. Probes answer 200 or 503 with one line of text; ``/metrics?name[]=NAME`` gives that
    metric alone, as other Prometheus clients do."""

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        names = request.query.getall("name[]", [])
        chosen = registry.restricted_registry(names) if names else registry
        # Rendering takes long with many series: in a thread it does not hold the event loop.
        body = await asyncio.to_thread(encode, chosen)
        return web.Response(body=body, headers={**HEADERS, "Content-Type": content_type})

    async def live(_: web.Request) -> web.Response:
        return _probe("live", passed=health.live, detail=health.detail)

    async def ready(_: web.Request) -> web.Response:
        return _probe("ready", passed=health.ready, detail=health.detail)

    async def started(_: web.Request) -> web.Response:
        return _probe("started", passed=health.started, detail=health.detail)

    async def landing(_: web.Request) -> web.Response:
        return web.Response(text=landing_page(health), content_type="text/html", charset="utf-8", headers=HEADERS)

    return [
        web.get("/", landing),
        web.get("/metrics", metrics),
        web.get("/health/live", live),
        web.get("/health/ready", ready),
        web.get("/health/started", started),
    ]


def landing_page(health: Health) -> str:
    """The page at / as HTML: links and the state in one line."""
    links = "".join(f'<li><a href="{escape(path)}">{escape(path)}</a> {escape(text)}</li>' for path, text in _PAGES)
    state = "ready" if health.ready else "not ready"
    detail = f": {health.detail}" if health.detail else ""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>stream-kpi</title></head>'
        f"<body><h1>stream-kpi</h1><p>{escape(state + detail)}</p><ul>{links}</ul></body></html>"
    )


def _probe(name: str, *, passed: bool, detail: str) -> web.Response:
    state = name if passed else f"not {name}"
    text = f"{state}: {detail}\n" if detail else f"{state}\n"
    return web.Response(text=text, status=200 if passed else 503, headers=HEADERS)
