"""JSON Schema (2020-12) of every event type, built from the types that decode them."""

from __future__ import annotations

from typing import Any

import msgspec

from stream_kpi.events.decode import TYPES
from stream_kpi.events.envelope import Event
from stream_kpi.events.topics import TopicKind

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def event_types() -> dict[str, type[Event]]:
    """``{CloudEvents type: class}`` of all topics."""
    return {name: event_type for kind in TopicKind for name, event_type in TYPES[kind].items()}


def schema_of(record_type: Any, identity: str) -> dict[str, Any]:  # noqa: ANN401 - whatever msgspec can describe
    """A self-contained schema document; ``identity`` becomes its ``$id``."""
    (reference,), definitions = msgspec.json.schema_components((record_type,), ref_template="#/$defs/{name}")
    return {"$schema": DIALECT, "$id": f"urn:stream-kpi:{identity}", **reference, "$defs": plain(definitions)}


def plain(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """The schema with its descriptions, which are docstrings, as running text."""
    if isinstance(schema, dict):
        return {
            key: " ".join(value.replace("``", "`").split())
            if key == "description" and isinstance(value, str)
            else plain(value)
            for key, value in schema.items()
        }
    return [plain(item) for item in schema] if isinstance(schema, list) else schema


def event_schemas() -> dict[str, dict[str, Any]]:
    """``{CloudEvents type: schema document}`` of a structured event."""
    return {name: schema_of(event_type, name) for name, event_type in event_types().items()}
