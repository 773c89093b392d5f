"""The generated files of this folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stream_kpi.contracts.asyncapi import asyncapi_document
from stream_kpi.contracts.outputs import OUTPUT_SCHEMAS
from stream_kpi.events.schemas import event_schemas

FOLDER = Path(__file__).parent


def documents() -> dict[Path, str]:
    """``{path: text}`` of every generated file, the same for the same types."""
    schemas = {**event_schemas(), **OUTPUT_SCHEMAS}
    files = {FOLDER / "schemas" / f"{name}.schema.json": _text(schema) for name, schema in schemas.items()}
    return {**files, FOLDER / "asyncapi.json": _text(asyncapi_document())}


def stale() -> list[Path]:
    """Generated files that are missing, differ from the types, or belong to no type any more."""
    expected = documents()
    present = {*(FOLDER / "schemas").glob("*.schema.json"), FOLDER / "asyncapi.json"}
    differing = [path for path, text in expected.items() if not path.is_file() or path.read_text() != text]
    return sorted({*differing, *(path for path in present if path not in expected)})


def write() -> list[Path]:
    """Bring the files up to date; what was written or removed."""
    expected = documents()
    changed = stale()
    (FOLDER / "schemas").mkdir(exist_ok=True)
    for path in changed:
        if path in expected:
            path.write_text(expected[path])
        else:
            path.unlink()
    return changed


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
