"""The documents of the wire contract say what the code does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stream_kpi.contracts import documents
from stream_kpi.contracts.__main__ import main
from stream_kpi.contracts.asyncapi import asyncapi_document
from stream_kpi.contracts.documents import FOLDER, stale, write
from stream_kpi.events.decode import TYPES, decode
from stream_kpi.events.rejection import Reason, Rejected
from stream_kpi.events.schemas import event_schemas, event_types
from stream_kpi.events.topics import TopicKind

KIND_OF = {name: kind for kind, types in TYPES.items() for name in types}
NAMES = sorted(event_types())


def example(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "examples" / f"{name}.json").read_text())
    return loaded


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "schemas" / f"{name}.schema.json").read_text())
    return loaded


def accepted_by_schema(name: str, event: dict[str, Any]) -> bool:
    return bool(jsonschema.Draft202012Validator(schema(name)).is_valid(event))


def accepted_by_code(name: str, event: dict[str, Any]) -> bool:
    try:
        decode(KIND_OF[name], json.dumps(event).encode(), (), 0)
    except Rejected:
        return False
    return True


def test_the_generated_files_are_those_of_the_types() -> None:
    assert stale() == [], "run: python -m stream_kpi.contracts"


def test_a_missing_a_changed_and_a_superfluous_file_are_stale_until_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "FOLDER", tmp_path)
    assert set(stale()) == set(documents.documents())
    write()
    assert stale() == []
    changed = tmp_path / "schemas" / "ticket.created.schema.json"
    superfluous = tmp_path / "schemas" / "ticket.exploded.schema.json"
    changed.write_text("{}")
    superfluous.write_text("{}")
    assert stale() == [changed, superfluous]
    assert write() == [changed, superfluous]
    assert not superfluous.exists()
    assert stale() == []


def test_the_check_writes_nothing_names_the_stale_files_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(documents, "FOLDER", tmp_path)
    monkeypatch.setattr("sys.argv", ["contracts", "--check"])
    assert main() == 1
    assert str(tmp_path / "asyncapi.json") in capsys.readouterr().out.splitlines()
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("sys.argv", ["contracts"])
    assert main() == 0
    monkeypatch.setattr("sys.argv", ["contracts", "--check"])
    assert main() == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_type_is_accepted_by_schema_and_code(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))
    jsonschema.Draft202012Validator(schema(name), format_checker=jsonschema.FormatChecker()).validate(example(name))
    assert accepted_by_code(name, example(name))


@pytest.mark.parametrize("name", NAMES)
def test_schema_and_code_agree_about_every_field_that_is_missing_null_or_of_another_type(name: str) -> None:
    good = example(name)
    refused = 0
    for place in ("envelope", "data"):
        wrong: tuple[Any, ...] = (None, 7, -1, True, "", "x" * 300, [], {}, ...)  # ...: the field is absent
        for field in good if place == "envelope" else good["data"]:
            if field == "type":
                continue  # of another type, the event is another event
            for value in wrong:
                event = json.loads(json.dumps(good))
                fields = event if place == "envelope" else event["data"]
                if value is ...:
                    del fields[field]
                else:
                    fields[field] = value
                by_code = accepted_by_code(name, event)
                if by_code:
                    assert accepted_by_schema(name, event), (field, value)
                elif accepted_by_schema(name, event):
                    with pytest.raises(Rejected) as rejected:
                        decode(KIND_OF[name], json.dumps(event).encode(), (), 0)
                    rules_beyond_schemas = {Reason.INVALID_TIME, Reason.INVALID_SCALE}
                    assert rejected.value.reason in rules_beyond_schemas, (field, value)
                refused += not by_code
    assert refused > 20


def test_the_asyncapi_document_describes_every_topic_and_has_no_dangling_reference() -> None:
    document = asyncapi_document()
    addresses = {channel["address"] for channel in document["channels"].values()}
    written = ("support.kpi.values.v1", "support.kpi.history.v1", "support.sla.events.v1")
    read = [kind.default_topic for kind in TopicKind]
    assert addresses == {*written, *read, *(f"{topic}.dlq" for topic in read)}
    assert set(event_types()) <= set(document["components"]["messages"])

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        return [found for value in node for found in references(value)] if isinstance(node, list) else []

    found = references(document)
    assert len(found) > 60
    for reference in found:
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in target, reference
            target = target[step]


def test_the_headers_of_dead_letters_list_every_reason() -> None:
    headers = schema("dead-letter.headers")
    assert {option["const"] for option in headers["properties"]["stream_kpi.reason"]["oneOf"]} == set(Reason)


def test_every_schema_stands_alone_and_is_named_after_its_type() -> None:
    for name, document in event_schemas().items():
        assert document["$id"] == f"urn:stream-kpi:{name}"
        assert document["$ref"].removeprefix("#/$defs/") in document["$defs"]


def test_a_kpi_record_as_the_design_prints_it_is_accepted() -> None:
    record = {
        "kpi": "first_response_time",
        "unit": "seconds",
        "window": {"kind": "total", "start": "2026-03-02T00:00:00.000Z", "end": "2026-03-02T10:00:00.000Z"},
        "cut": {"channel": "email"},
        "value": 3421.5,
        "stats": {
            "count": 4285,
            "sum": 14661127.5,
            "mean": 3421.5,
            "min": 1.0,
            "max": 90000.0,
            "p50": 3000.0,
            "p90": 7000.0,
            "p95": 8000.0,
            "p99": 20000.0,
        },
        "numerator": None,
        "denominator": None,
        "samples": 4285,
        "clock": "calendar",
        "currency": None,
        "variant": {},
        "as_of": "2026-03-02T10:00:00.000Z",
        "revision": 0,
        "final": True,
    }
    jsonschema.Draft202012Validator(schema("kpi.value")).validate(record)
    assert not jsonschema.Draft202012Validator(schema("kpi.value")).is_valid({**record, "value": "3421.5"})
