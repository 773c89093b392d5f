"""From the wire's ticket events to what a ticket keeps; and the five-point arithmetic of its surveys."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stream_kpi.events.tickets import TicketWire
from stream_kpi.lifecycles.ticket.events import (
    Assigned,
    Created,
    HandedOff,
    Merged,
    Message,
    Status,
    SurveyAnswered,
    SurveySent,
    TicketEvent,
    Updated,
)
from stream_kpi.lifecycles.ticket.from_wire import from_wire

UID = "e-1\0/desk"


def kept(event_type: str, **data: Any) -> TicketEvent | None:
    document = {"specversion": "1.0", "id": "e-1", "source": "/desk", "type": event_type, "subject": "T-1"}
    return from_wire(msgspec.convert({**document, "data": data}, TicketWire), 7)


@pytest.mark.parametrize(
    ("event_type", "data", "expected"),
    [
        (
            "ticket.created",
            {"channel": "web", "customer_id": "c"},
            Created(7, UID, "web", None, None, None, None, "customer", "c"),
        ),
        (
            "ticket.created",
            {"channel": "web", "customer_id": "c", "category": "a", "priority": "p", "group": "g", "brand": "b"}
            | {"created_by": "bot"},
            Created(7, UID, "web", "a", "p", "g", "b", "bot", "c"),
        ),
        ("ticket.message", {"author": "customer"}, Message(7, UID, "customer", None, True, None)),
        (
            "ticket.message",
            {"author": "agent", "author_id": "ann", "public": False, "session_id": "s"},
            Message(7, UID, "agent", "ann", False, "s"),
        ),
        ("ticket.assigned", {"agent_id": "ann", "group": "g"}, Assigned(7, UID, "ann", "g")),
        ("ticket.assigned", {}, Assigned(7, UID, None, None)),
        ("ticket.assigned", {"agent_id": "ann", "reason": "transfer"}, Assigned(7, UID, "ann", None)),
        ("ticket.assigned", {"group": "g", "reason": "bot_handoff"}, HandedOff(7, UID, None, "g")),
        ("ticket.status", {"status": "solved"}, Status(7, UID, "solved", "agent", None)),
        (
            "ticket.status",
            {"status": "open", "actor": "bot", "actor_id": "b1"},
            Status(7, UID, "open", "bot", "b1"),
        ),
        ("ticket.updated", {"priority": "high"}, Updated(7, UID, (("priority", "high"),))),
        ("ticket.updated", {"group": None, "channel": "web"}, Updated(7, UID, (("channel", "web"), ("group", None)))),
        ("ticket.updated", {"customer_id": "c2"}, Updated(7, UID, (("customer_id", "c2"),))),
        ("ticket.updated", {"sla_policy": "gold"}, Updated(7, UID, (("sla_policy", "gold"),))),
        ("ticket.updated", {"sla_policy": None}, Updated(7, UID, (("sla_policy", None),))),
        ("ticket.merged", {"into": "T-2"}, Merged(7, UID)),
        ("ticket.survey_sent", {"survey_id": "s", "kind": "csat"}, SurveySent(7, UID, "s", "csat")),
        (
            "ticket.survey_answered",
            {"survey_id": "s", "kind": "ces", "score": 6, "scale_min": 1, "scale_max": 7},
            SurveyAnswered(7, UID, "s", "ces", 6.0, 1.0, 7.0),
        ),
    ],
)
def test_each_wire_event_keeps_what_measures_need(
    event_type: str, data: dict[str, Any], expected: TicketEvent | None
) -> None:
    event = kept(event_type, **data)
    assert event == expected
    if event is not None:
        packed = msgspec.msgpack.encode([event])
        assert msgspec.msgpack.decode(packed, type=list[TicketEvent]) == [event]


def test_events_of_one_instant_rank_created_updated_merged_assigned_message_status_survey() -> None:
    events: list[TicketEvent] = [
        SurveyAnswered(7, "a", "s", "csat", 1, 1, 5),
        Status(7, "b", "open", "agent", None),
        Message(7, "c", "agent", None, True, None),
        HandedOff(7, "dh", None, None),
        Assigned(7, "d", None, None),
        Merged(7, "e"),
        Updated(7, "f", ()),
        Created(7, "g", "web", None, None, None, None, "customer"),
    ]
    assert sorted(events, key=lambda event: event.order) == events[::-1]


def test_a_creation_comes_before_everything_whatever_its_time() -> None:
    created = Created(1_000, "z", "web", None, None, None, None, "customer")
    assert created.order < Message(0, "a", "agent", None, True, None).order
    assert Created(999, "z", "web", None, None, None, None, "customer").order < created.order
