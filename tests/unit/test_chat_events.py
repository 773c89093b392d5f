from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from stream_kpi.events.chats import ChatWire
from stream_kpi.lifecycles.chat.events import (
    Accepted,
    AgentWrote,
    ChatEvent,
    CustomerWrote,
    Ended,
    Left,
    Queued,
    SurveyAnswered,
    SurveySent,
    Transferred,
)
from stream_kpi.lifecycles.chat.from_wire import from_wire

UID = "1\0/chats"


def compact(kind: str, data: dict[str, Any]) -> ChatEvent | None:
    event = {"specversion": "1.0", "id": "1", "source": "/chats", "type": kind, "subject": "c", "data": data}
    wire: Any = msgspec.json.decode(json.dumps(event), type=ChatWire)
    return from_wire(wire, 5)


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("chat.queued", {"queue": "sales"}, Queued(5, UID, "sales", "chat", None, None, None)),
        (
            "chat.queued",
            {"queue": "s", "group": "g", "channel": "voice", "priority": "p", "category": "c", "brand": "b"},
            Queued(5, UID, "s", "voice", "p", "c", "b"),
        ),
        ("chat.transferred", {"to_queue": "vip"}, Transferred(5, UID, "vip", None)),
        ("chat.accepted", {"agent_id": "ann", "queue": "vip"}, Accepted(5, UID, "ann", "vip")),
        ("chat.left", {"reason": "callback"}, Left(5, UID, "callback")),
        ("chat.ended", {"by": "agent", "hold_s": 9}, Ended(5, UID, "agent", 0)),
        (
            "chat.survey_answered",
            {"survey_id": "v", "kind": "csat", "score": 4, "scale_min": 1, "scale_max": 5},
            SurveyAnswered(5, UID, "v", "csat", 4, 1, 5),
        ),
        ("chat.message", {"author": "agent"}, AgentWrote(5, UID)),
        ("chat.message", {"author": "customer", "author_id": "c9"}, CustomerWrote(5, UID)),
        ("chat.message", {"author": "bot"}, None),
        ("chat.message", {"author": "system"}, None),
        ("chat.survey_sent", {"survey_id": "v", "kind": "csat"}, SurveySent(5, UID, "v", "csat")),
        ("agent.presence", {"state": "busy"}, None),
    ],
)
def test_a_chat_keeps_what_measures_need(kind: str, data: dict[str, Any], expected: ChatEvent | None) -> None:
    assert compact(kind, data) == expected


@pytest.mark.parametrize(
    ("after_work_s", "after_work_ms"),
    [(12.3456, 12_345), (1.001, 1_001), (0.29, 290), (30, 30_000), (1.0009, 1_000), (4.035, 4_035)],
)
def test_after_work_is_cut_off_at_the_millisecond(after_work_s: float, after_work_ms: int) -> None:
    ended = compact("chat.ended", {"by": "agent", "after_work_s": after_work_s})
    assert isinstance(ended, Ended)
    assert ended.after_work_ms == after_work_ms


def test_events_of_one_instant_stand_in_the_order_of_the_catalogue() -> None:
    events: list[ChatEvent] = [
        Queued(9, "z", "q", "chat", None, None, None),
        Transferred(5, "y", None, None),
        AgentWrote(5, "w"),
        Accepted(5, "x", "ann", None),
        CustomerWrote(5, "x1"),
        Left(5, "v", "abandoned"),
        Ended(5, "w", "agent", 0),
        SurveyAnswered(5, "a", "v", "csat", 4, 1, 5),
    ]
    arrivals = [events[n] for n in (4, 2, 6, 7, 5, 0, 3, 1)]
    assert sorted(arrivals, key=lambda event: event.order) == events
