"""Schemas of what leaves: KPI values and their history, events of service levels, and the headers of dead letters."""

from __future__ import annotations

from typing import Any

from stream_kpi.events.rejection import ADVICE, MAX_DETAIL_CHARS
from stream_kpi.events.schemas import DIALECT, schema_of
from stream_kpi.events.sla import SlaEvent
from stream_kpi.kpis.history import HistoryRecord
from stream_kpi.kpis.record import KpiRecord

DEAD_LETTER_HEADERS: dict[str, Any] = {
    "type": "object",
    "description": "The record's own headers, unchanged, and these.",
    "properties": {
        "__connect.errors.topic": {"type": "string", "description": "The source topic."},
        "__connect.errors.partition": {"type": "string", "pattern": "^[0-9]+$"},
        "__connect.errors.offset": {"type": "string", "pattern": "^[0-9]+$"},
        "__connect.errors.exception.message": {
            "type": "string",
            "maxLength": MAX_DETAIL_CHARS,
            "description": "What exactly was wrong.",
        },
        "stream_kpi.reason": {
            "type": "string",
            "oneOf": [{"const": reason.value, "description": advice} for reason, advice in ADVICE.items()],
        },
    },
    "required": [
        "__connect.errors.topic",
        "__connect.errors.partition",
        "__connect.errors.offset",
        "__connect.errors.exception.message",
        "stream_kpi.reason",
    ],
}

OUTPUT_SCHEMAS: dict[str, dict[str, Any]] = {
    "kpi.value": schema_of(KpiRecord, "kpi.value"),
    "kpi.history": schema_of(HistoryRecord, "kpi.history"),
    "sla.event": schema_of(SlaEvent, "sla.event"),
    "dead-letter.headers": {"$schema": DIALECT, "$id": "urn:stream-kpi:dead-letter.headers", **DEAD_LETTER_HEADERS},
}
"""``{name: schema document}``."""
