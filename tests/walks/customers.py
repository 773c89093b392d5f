"""Customers who come back, and what they think, by hand. Minutes after T0."""

from __future__ import annotations

from stream_kpi.lifecycles.options import Options
from tests.row_kit import at, merged, solved, wrote
from tests.shard_kit import created, event
from tests.walks.kit import Row, Walk

DAY = 1_440


def _solved_at_once(ticket: str, customer: str) -> list[bytes]:
    start = created(ticket, at(0), customer_id=customer, category="login")
    return [start, wrote(ticket, 5, "agent", author_id="ann"), solved(ticket, 10, "ann")]


CONFIRMED = Walk(
    [
        *_solved_at_once("A", "c1"),
        *_solved_at_once("B", "c2"),
        event("ticket.status", "B", at(DAY), "B/open", status="open"),
        *_solved_at_once("C", "c3"),
        created("D", at(2 * DAY), customer_id="c3", category="login"),
    ],
    [merged("D", 2 * DAY + 1)],  # it was nothing new
    {"fcr_confirmed": Row(1 / 3, 2 / 3, None)},  # A of A B C, as B was reopened and C's customer came again; A C
    minute=8 * DAY,
)


def _chat(kind: str, chat: str, minute: float, **data: object) -> bytes:
    return event(f"chat.{kind}", chat, at(minute), f"{chat}/{kind}", **data)


def _talked(chat: str, customer: str, minute: float, *, resolved: bool) -> list[bytes]:
    return [
        _chat("queued", chat, minute, queue="sales", channel="chat", customer_id=customer),
        _chat("accepted", chat, minute + 1, agent_id="ann"),
        _chat("ended", chat, minute + 5, by="agent", resolved=resolved),
    ]


CHATS = Walk(
    [
        *_talked("P", "c1", 0, resolved=True),
        *(*_talked("Q", "c2", 0, resolved=True), _chat("transferred", "Q", 3, to_agent="bob")),
        *(*_talked("R", "c3", 0, resolved=True), *_talked("S", "c3", 600, resolved=False)),
    ],
    [_chat("transferred", "P", 2, to_agent="bob")],
    {"chat_fcr": Row(1 / 3, 0, None)},  # P of P Q R, as Q was handed over and R's customer came again; none
    minute=2 * DAY,
)


def _rated(customer: str, minute: float, score: int) -> bytes:
    data = {"survey_id": f"{customer}/{minute}", "kind": "nps", "customer_id": customer, "score": score}
    return event("survey.answered", customer, at(minute), f"{customer}/{minute}", **data, scale_min=0, scale_max=10)


NPS = Walk(
    [_rated("c1", 1, 10), _rated("c2", 2, 9), _rated("c3", 3, 7), _rated("c4", 4, 3)],
    [_rated("c4", 30, 8)],  # thinks better of it
    {"nps": Row(25, 50, None)},  # c1 c2 less c4, of 4; c1 c2
    options=Options(),
)
WALKS = (CONFIRMED, CHATS, NPS)
