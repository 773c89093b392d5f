"""The web application of a worker and of the exporter: one, so that both serve the same pages."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CollectorRegistry

from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.publish.access import access
from stream_kpi.publish.api import api_routes
from stream_kpi.publish.contracts import contract_routes
from stream_kpi.publish.live_store import LiveStore
from stream_kpi.publish.wallboard import wallboard_routes
from stream_kpi.publish.web import Health, routes
from stream_kpi.settings import Settings


def application(settings: Settings, registry: CollectorRegistry, health: Health, store: LiveStore) -> web.Application:
    """Everything that is served over HTTP: /metrics, health, the JSON API, the wallboard, the wire contract;
    behind what `[web]` asks for."""
    served = web.Application(middlewares=access(settings.web))
    served.add_routes(routes(registry, health))
    served.add_routes(contract_routes())
    served.add_routes(api_routes(catalogue(settings.options()), store))
    wallboard_routes(served, settings, store)
    return served
