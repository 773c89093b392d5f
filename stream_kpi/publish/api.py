"""The JSON API over the live store: what every KPI is, and what it says now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from stream_kpi.deadlines import Deadline
from stream_kpi.kpis.record import KpiRecord, timestamp
from stream_kpi.kpis.rows import Kpi
from stream_kpi.publish.live_store import LiveStore, Snapshot
from stream_kpi.publish.prometheus import SHOWN_WINDOWS
from stream_kpi.publish.web import HEADERS

KPIS_PATH: Final = "/api/v1/kpis"
DEADLINES_PATH: Final = "/api/v1/deadlines"
_encode = msgspec.json.Encoder().encode


def api_routes(rows: Iterable[Kpi], store: LiveStore) -> list[web.RouteDef]:
    """``/api/v1/kpis``: every row of the catalogue with its total's records in the windows of /metrics.
    ``/api/v1/kpis/{id}``: one row with all its records, in the order of their keys; 404 for an id that is none.
    ``/api/v1/deadlines``: what is promised to single tickets and chats and runs: the nearest ahead, the first one
    first, then what was missed and is still owed, the latest first.

    All say ``values_at``, the moment as of which the values were published (RFC 3339, null without any), and
    ``stale``. Records are those of the values topic: value, samples, window, cut.
    """
    by_id = {kpi.id: kpi for kpi in rows}

    async def kpis(_: web.Request) -> web.Response:
        snapshot = store.snapshot()
        shown: defaultdict[str, list[KpiRecord]] = defaultdict(list)
        for record in snapshot.records.values():
            if not record.cut and record.window.kind in SHOWN_WINDOWS:
                shown[record.kpi].append(record)
        every = [{**kpi.as_json(), "records": shown[kpi.id]} for kpi in by_id.values()]
        return _json({**_state(snapshot), "kpis": every})

    async def one(request: web.Request) -> web.Response:
        asked = request.match_info["kpi"]
        kpi = by_id.get(asked)
        if kpi is None:
            return _json({"error": f"there is no KPI {asked!r}; {KPIS_PATH} lists those that there are"}, status=404)
        snapshot = store.snapshot()
        records = [record for _, record in sorted(_of(snapshot, asked).items())]
        return _json({**_state(snapshot), "kpi": kpi.as_json(), "records": records})

    async def deadlines(_: web.Request) -> web.Response:
        snapshot = store.snapshot()
        return _json({**_state(snapshot), "deadlines": [_deadline(one) for one in snapshot.deadlines]})

    return [
        web.get(KPIS_PATH, kpis),
        web.get(KPIS_PATH + "/{kpi}", one),
        web.get(DEADLINES_PATH, deadlines),
    ]


def _of(snapshot: Snapshot, kpi: str) -> Mapping[bytes, KpiRecord]:
    return {key: record for key, record in snapshot.records.items() if record.kpi == kpi}


def _deadline(one: Deadline) -> Mapping[str, Any]:
    return {
        "kind": one.kind,
        "subject": one.subject,
        "metric": one.metric,
        "policy": one.policy,
        "priority": one.priority,
        "target_s": one.target_ms / 1_000,
        "deadline": timestamp(one.deadline_ms),
        "channel": one.channel,
        "group": one.group,
        "category": one.category,
    }


def _state(snapshot: Snapshot) -> Mapping[str, Any]:
    at_ms = snapshot.values_ms
    return {"values_at": None if at_ms is None else timestamp(at_ms), "stale": snapshot.stale}


def _json(content: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=_encode(content), status=status, content_type="application/json", headers=HEADERS)
