"""An AsyncAPI 3.0 document of all topics: inputs, dead letters, values, their history, events of service levels."""

from __future__ import annotations

from typing import Any

import msgspec

from stream_kpi.contracts.outputs import DEAD_LETTER_HEADERS
from stream_kpi.events.decode import TYPES
from stream_kpi.events.schemas import event_types, plain
from stream_kpi.events.sla import SlaEvent
from stream_kpi.events.topics import TopicKind, dead_letter_topic
from stream_kpi.kpis.history import HistoryRecord
from stream_kpi.kpis.record import KpiRecord

VALUES_TOPIC = "support.kpi.values.v1"
HISTORY_TOPIC = "support.kpi.history.v1"
SLA_TOPIC = "support.sla.events.v1"
CONTRACT_VERSION = "1.1.0"
"""Of the contract, not of the program: a field that is added raises the second figure."""

_SUBJECTS = {
    TopicKind.TICKET: "the ticket's id",
    TopicKind.CHAT: "the id of the chat or call; of agent.presence the agent's",
    TopicKind.SUBSCRIPTION: "the customer's id",
    TopicKind.SIGNAL: "whatever the signal is about",
}


def asyncapi_document() -> dict[str, Any]:
    """The document. Operations are stream-kpi's: it receives events and sends the rest."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for kind in TopicKind:
        name = kind.name.lower()
        channels[name] = _input_channel(kind)
        channels[f"{name}DeadLetters"] = _channel(
            dead_letter_topic(kind.default_topic),
            f"Records of {kind.default_topic} that were refused, byte for byte, with the reason in headers.",
            ["deadLetter"],
        )
        operations[f"receive.{name}"] = _operation("receive", name)
        operations[f"send.{name}DeadLetters"] = _operation("send", f"{name}DeadLetters")
    channels["values"] = _channel(VALUES_TOPIC, "The current value of every KPI.", ["kpiValue"], compacted=True)
    channels["history"] = _channel(
        HISTORY_TOPIC, "What windows with fixed bounds said when they became final, and corrections.", ["kpiHistory"]
    )
    channels["sla"] = _channel(SLA_TOPIC, "What becomes of each promised service level.", ["slaEvent"])
    operations["send.history"] = _operation("send", "history")
    operations["send.sla"] = _operation("send", "sla")
    operations["send.values"] = _operation("send", "values")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "stream-kpi",
            "version": CONTRACT_VERSION,
            "description": "Support events in, live KPIs out. Every event is a CloudEvents 1.0 record, structured "
            "(this document's payloads) or binary (attributes in ce_ headers, the value is `data`).",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _input_channel(kind: TopicKind) -> dict[str, Any]:
    description = f"Record key and subject: {_SUBJECTS[kind]}. Unknown types are counted and skipped."
    return _channel(kind.default_topic, description, list(TYPES[kind]))


def _channel(address: str, description: str, messages: list[str], *, compacted: bool = False) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }
    if compacted:
        channel["bindings"] = {"kafka": {"topicConfiguration": {"cleanup.policy": ["compact"]}}}
    return channel


def _operation(action: str, channel: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}


def _messages() -> dict[str, Any]:
    messages: dict[str, Any] = {
        name: {
            "name": name,
            "summary": " ".join((event_type.__doc__ or "").split()),
            "contentType": "application/cloudevents+json",
            "payload": {"$ref": f"#/components/schemas/{event_type.__name__}"},
            "bindings": {"kafka": {"key": {"type": "string", "description": "Equal to the event's subject."}}},
        }
        for name, event_type in event_types().items()
    }
    messages["deadLetter"] = {
        "name": "deadLetter",
        "summary": "A refused record: original key, value and headers, and why.",
        "contentType": "application/octet-stream",
        "headers": DEAD_LETTER_HEADERS,
        "payload": {"description": "The original value; none for a record without one."},
        "bindings": {"kafka": {"key": {"description": "The original key."}}},
    }
    for name, record_type in (("kpiValue", KpiRecord), ("kpiHistory", HistoryRecord)):
        messages[name] = {
            "name": name,
            "summary": " ".join((record_type.__doc__ or "").split()),
            "contentType": "application/json",
            "payload": {"$ref": f"#/components/schemas/{record_type.__name__}"},
            "bindings": {
                "kafka": {"key": {"type": "string", "description": "kpi|window|cut|clock|currency|variant"}},
            },
        }
    messages["slaEvent"] = {
        "name": "slaEvent",
        "summary": " ".join((SlaEvent.__doc__ or "").split()),
        "contentType": "application/cloudevents+json",
        "payload": {"$ref": "#/components/schemas/SlaEvent"},
        "bindings": {"kafka": {"key": {"type": "string", "description": "Equal to the event's subject."}}},
    }
    return messages


def _schemas() -> dict[str, Any]:
    types = [*event_types().values(), KpiRecord, HistoryRecord, SlaEvent]
    schemas: dict[str, Any] = plain(
        msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")[1]
    )
    return schemas
