"""Seven chats, an agent's hour and some surveys by hand. Minutes after T0."""

from __future__ import annotations

from typing import Any

from tests.row_kit import at
from tests.shard_kit import created, event
from tests.walks.kit import Row, Walk


def _chat(kind: str, chat: str, minute: float, **data: Any) -> bytes:
    return event(f"chat.{kind}", chat, at(minute), f"{chat}/{kind}/{minute}", **data)


def _queued(chat: str, minute: float) -> bytes:
    return _chat("queued", chat, minute, queue="sales", channel="chat")


def _accepted(chat: str, minute: float, agent: str) -> bytes:
    return _chat("accepted", chat, minute, agent_id=agent)


QUEUE = Walk(
    [
        # Answered after 30 s, all questions too; a minute of work after the end.
        *(_queued("G", 0), _accepted("G", 0.5, "ann"), _chat("message", "G", 1, author="customer")),
        *(_chat("message", "G", 2, author="agent"), _chat("ended", "G", 10.5, by="customer", after_work_s=60)),
        # Answered after 120 s, and ended on a question.
        *(_queued("H", 5), _accepted("H", 7, "bob"), _chat("message", "H", 8, author="customer")),
        _chat("ended", "H", 9, by="agent"),
        *(_queued("I", 10), _chat("left", "I", 12, reason="abandoned")),
        *(_queued("J", 20), _chat("left", "J", 20.5, reason="callback")),
        *(_queued("K", 30), _chat("left", "K", 30.05, reason="abandoned")),  # after 3 s: short
        _queued("L", 50),  # waits
    ],
    [
        _accepted("I", 11.5, "bob"),  # it was accepted before it left
        _chat("message", "H", 8.5, author="agent"),
        _accepted("L", 55, "ann"),
        *(_queued("M", 40), _accepted("M", 40.25, "bob"), _chat("ended", "M", 45, by="agent")),
    ],
    {
        "chat_volume": Row(6, 7, 0),
        "queue_length": Row(1, 0, 0),  # L
        "longest_wait": Row(600, None, None),  # L: 60 - 50 min
        "chat_abandonment_rate": Row(1 / 4, 0, None),  # I of G H I J; none of G H I L M J
        "chat_missed": Row(3, 2, 0),  # I J K; J K
        "chat_dropped": Row(1, 0, 0),  # H
        "answer_time": Row(75, 111, None),  # (30 + 120) / 2; (30 + 120 + 90 + 300 + 15) / 5
        "abandon_time": Row(120, None, None),  # I, as K was short and J no abandon; nobody
        "service_level": Row(1 / 4, 2 / 5, None),  # G of G H I L, within 60 s; G M of G H I L M
        "handle_time": Row(390, 355, None),  # (600 + 60 + 120) / 2; (660 + 120 + 285) / 3
        "chat_duration": Row(435, 390, None),  # (630 + 240) / 2; (630 + 240 + 300) / 3
    },
)


def _presence(minute: float, state: str) -> bytes:
    return event("agent.presence", "ann", at(minute), f"ann/{minute}", state=state)


AGENTS = Walk(
    [
        *(_presence(0, "available"), _presence(20, "busy"), _presence(50, "offline")),
        *(_queued("P", 19), _accepted("P", 20, "ann"), _chat("ended", "P", 45, by="agent")),
        *(_queued("Q", 29), _accepted("Q", 30, "ann"), _chat("ended", "Q", 40, by="agent")),
    ],
    [_presence(45, "away")],
    {
        "agent_occupancy": Row(30 / 50, 25 / 45, None),  # minutes: 20 to 50 of 0 to 50; 20 to 45 of 0 to 45
        "agent_concurrency": Row(35 / 50, 35 / 45, None),  # minutes in hand: P 25 + Q 10
    },
    window="today",
)

STAFFING = Walk(
    [
        _presence(0, "available"),
        *(_queued("P", 40), _accepted("P", 40, "ann"), _chat("ended", "P", 45, by="agent")),
        *(_queued("Q", 50), _accepted("Q", 50, "ann"), _chat("ended", "Q", 55, by="agent")),
    ],
    [_presence(58, "away"), _queued("R", 31), _accepted("R", 31, "bob"), _chat("ended", "R", 51, by="agent")],
    {
        # 2 arrivals of 300 s in 30 min: load 1/3, and 80 % within 60 s by Erlang C. 1 agent: 1 - 1/3 exp(-2/15) = 0.71.
        # 2: waits 1/21, 1 - 1/21 exp(-1/3) = 0.97. With R 3 of 600 s: load 1. 2: 1 - 1/3 exp(-1/10) = 0.70.
        # 3: waits 1/11, 1 - 1/11 exp(-1/5) = 0.93.
        "agents_required": Row(
            {"required": 2, "present": 1}, {"required": 3, "present": 0}, {"required": 0, "present": 0}
        ),
    },
)


def _survey(what: str, ticket: str, minute: float, kind: str, **data: Any) -> bytes:
    uid = f"{ticket}/{what}/{kind}/{minute}"
    return event(f"ticket.survey_{what}", ticket, at(minute), uid, survey_id=f"{ticket}/{kind}", kind=kind, **data)


def _answered(ticket: str, minute: float, kind: str, score: float) -> bytes:
    scale_max = 5 if kind == "csat" else 7
    return _survey("answered", ticket, minute, kind, score=score, scale_min=1, scale_max=scale_max)


RATED = [
    *(created(ticket, at(0)) for ticket in "RSTU"),
    *(_answered(ticket, 10, "csat", score) for ticket, score in zip("RSTU", (5, 4, 2, 1), strict=True)),
    *(_answered(ticket, 20, "ces", score) for ticket, score in zip("RST", (7, 5, 3), strict=True)),
]
SURVEYS = Walk(
    RATED,
    [_answered("U", 30, "csat", 5), _answered("T", 30, "ces", 6)],  # second thoughts
    {
        "csat": Row(2 / 4, 3 / 4, None),  # 5 4 of 5 4 2 1; 5 4 5 of 5 4 2 5
        "csat_score": Row(3, 4, None),  # 12 / 4; 16 / 4
        "csat_distribution": Row(
            {"very_positive": 1 / 4, "positive": 1 / 4, "neutral": 0, "poor": 1 / 4, "very_poor": 1 / 4},
            {"very_positive": 2 / 4, "positive": 1 / 4, "neutral": 0, "poor": 1 / 4, "very_poor": 0},
            dict.fromkeys(("very_positive", "positive", "neutral", "poor", "very_poor")),
        ),
        "ces_score": Row(5, 6, None),  # (7 + 5 + 3) / 3; (7 + 5 + 6) / 3
        "ces_share": Row(2 / 3, 1, None),  # 7 5 of 7 5 3; all are at least 5
    },
)
SENT = Walk(
    [
        *(created(ticket, at(0)) for ticket in "RSTU"),
        *(_survey("sent", ticket, 1, "csat") for ticket in "RSTU"),
        _answered("R", 60, "csat", 5),
        _answered("S", 1 + 7 * 1_440 + 1, "csat", 5),  # a minute too late
    ],
    [_answered("T", 6 * 1_440, "csat", 1)],
    {"survey_response_rate": Row(1 / 4, 2 / 4, None)},  # R of R S T U; R T
    minute=8 * 1_440,
)
WALKS = (QUEUE, AGENTS, STAFFING, SURVEYS, SENT)
