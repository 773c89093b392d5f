"""The lives of the bench's log: what happens to a ticket, chat or customer, as templates of bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

import msgspec

from stream_kpi.events.topics import TopicKind

Step = tuple[str, Mapping[str, object]]

CHANNELS = (b"email", b"web", b"chat", b"phone", b"social", b"api")
PRIORITIES = (b"low", b"normal", b"high", b"urgent")
CATEGORIES = tuple(b"category_%d" % number for number in range(20))
GROUPS = tuple(b"group_%d" % number for number in range(10))
BRANDS = (b"acme", b"nimbus", b"fable")
AGENTS = tuple(b"a%d" % number for number in range(100))
PLANS = (b"starter", b"team", b"business", b"enterprise")
CURRENCIES = (b"EUR", b"EUR", b"USD")

_CREATED: Step = (
    "ticket.created",
    {
        "channel": "%(channel)s",
        "customer_id": "%(customer)s",
        "category": "%(category)s",
        "priority": "%(priority)s",
        "group": "%(group)s",
        "brand": "%(brand)s",
        "created_by": "customer",
    },
)
_ASSIGNED: Step = ("ticket.assigned", {"agent_id": "%(agent)s", "group": "%(group)s", "reason": "auto"})
_TRANSFERRED: Step = ("ticket.assigned", {"agent_id": "%(other_agent)s", "group": "%(group)s", "reason": "transfer"})
_REPLY: Step = ("ticket.message", {"author": "agent", "author_id": "%(agent)s", "public": True})
_NOTE: Step = ("ticket.message", {"author": "agent", "author_id": "%(agent)s", "public": False})
_QUESTION: Step = ("ticket.message", {"author": "customer", "author_id": "%(customer)s", "public": True})
_RECEIPT: Step = ("ticket.message", {"author": "automation", "public": True})
_URGENT: Step = ("ticket.updated", {"priority": "urgent"})
_SURVEY = {"survey_id": "%(subject)s-1", "kind": "csat"}
_SENT: Step = ("ticket.survey_sent", _SURVEY)
_ANSWER = {**_SURVEY, "scale_min": 1, "scale_max": 5}
_GOOD: Step = ("ticket.survey_answered", {**_ANSWER, "score": 5})
_POOR: Step = ("ticket.survey_answered", {**_ANSWER, "score": 2})


def _status(status: str, actor: str = "agent") -> Step:
    return ("ticket.status", {"status": status, "actor": actor})


_TICKETS: Sequence[Sequence[Step]] = (
    (_CREATED, _ASSIGNED, _REPLY, _status("solved"), _SENT, _GOOD),
    (_CREATED, _ASSIGNED, _REPLY, _status("solved")),
    (_CREATED, _RECEIPT, _ASSIGNED, _REPLY, _status("pending"), _QUESTION, _REPLY, _status("solved"), _SENT),
    (_CREATED, _RECEIPT, _ASSIGNED, _NOTE, _TRANSFERRED, _REPLY, _status("solved"), _SENT, _POOR),
    (_CREATED, _ASSIGNED, _QUESTION, _REPLY, _status("on_hold"), _status("open"), _REPLY, _status("solved")),
    (_CREATED, _URGENT, _ASSIGNED, _REPLY, _QUESTION, _QUESTION, _REPLY, _status("pending"), _QUESTION, _REPLY)
    + (_status("solved"), _QUESTION, _status("open", "customer"), _REPLY, _status("solved"), _SENT, _POOR),
    (_CREATED, _RECEIPT, ("ticket.message", {"author": "bot", "author_id": "bot"}), _status("solved", "bot")),
    (_CREATED, _ASSIGNED, _REPLY, _QUESTION, _REPLY, _status("closed")),
)

_QUEUED: Step = (
    "chat.queued",
    {
        "queue": "%(group)s",
        "channel": "chat",
        "customer_id": "%(customer)s",
        "priority": "%(priority)s",
        "category": "%(category)s",
        "brand": "%(brand)s",
        "group": "%(group)s",
    },
)
_CALLED: Step = ("chat.queued", {**_QUEUED[1], "channel": "voice"})
_ACCEPTED: Step = ("chat.accepted", {"agent_id": "%(agent)s", "queue": "%(group)s"})
_ASKS: Step = ("chat.message", {"author": "customer", "author_id": "%(customer)s"})
_SAYS: Step = ("chat.message", {"author": "agent", "author_id": "%(agent)s"})
_ENDED: Step = ("chat.ended", {"by": "customer", "resolved": True, "after_work_s": 20})
_CHATS: Sequence[Sequence[Step]] = (
    (_QUEUED, _ACCEPTED, _ASKS, _SAYS, _ASKS, _SAYS, _ENDED),
    (_QUEUED, _ACCEPTED, _ASKS, _SAYS, _ENDED)
    + (("chat.survey_sent", _SURVEY), ("chat.survey_answered", {**_ANSWER, "score": 4})),
    (_CALLED, _ACCEPTED, _ENDED),
    (_CALLED, _ACCEPTED, ("chat.transferred", {"to_agent": "%(other_agent)s"}), _ENDED),
    (_QUEUED, ("chat.left", {"reason": "abandoned"})),
)


def _subscription(status: str, seats: int, **more: object) -> Step:
    item = {"plan": "%(plan)s", "unit_amount": 4_900, "quantity": seats, "interval": "month"}
    data = {"subscription_id": "S-%(subject)s", "status": status, "currency": "%(currency)s", "items": [item], **more}
    return ("subscription.changed", data)


_INVOICE: Step = (
    "invoice.paid",
    {"invoice_id": "I-%(subject)s", "amount": 4_900, "currency": "%(currency)s", "plan": "%(plan)s"},
)
_SUBSCRIPTIONS: Sequence[Sequence[Step]] = (
    (_subscription("trialing", 1), _subscription("active", 1), _INVOICE, _subscription("active", 4)),
    (_subscription("active", 5), _INVOICE, _subscription("active", 3), _subscription("active", 8)),
    (_subscription("active", 2), _subscription("canceled", 2, reason="voluntary"), _subscription("active", 1)),
    (_subscription("active", 3), _subscription("past_due", 3), _subscription("unpaid", 3)),
)


def _template(script: Sequence[Step]) -> bytes:
    """One line a step: all of the event that comes after its id and time."""
    encode = msgspec.json.encode
    return b"\n".join(
        b'"type":%b,"subject":"%%(subject)s","data":%b}' % (encode(event_type), encode(data))
        for event_type, data in script
    )


SCRIPTS: dict[TopicKind, tuple[bytes, ...]] = {
    TopicKind.TICKET: tuple(map(_template, _TICKETS)),
    TopicKind.CHAT: tuple(map(_template, _CHATS)),
    TopicKind.SUBSCRIPTION: tuple(map(_template, _SUBSCRIPTIONS)),
}
"""The lives of each topic's entities: bytes to be filled in with :func:`dimensions`, one line an event."""


def dimensions(random: Random, subject: bytes) -> dict[bytes, bytes]:
    """What an entity is filled in with."""
    draw = random.random
    agent = int(draw() * len(AGENTS))
    return {
        b"subject": subject,
        b"customer": b"C-%d" % int(draw() * 50_000),
        b"channel": CHANNELS[int(draw() * draw() * len(CHANNELS))],
        b"priority": PRIORITIES[int(draw() * len(PRIORITIES))],
        b"category": CATEGORIES[int(draw() * draw() * len(CATEGORIES))],
        b"group": GROUPS[int(draw() * len(GROUPS))],
        b"brand": BRANDS[int(draw() * draw() * len(BRANDS))],
        b"agent": AGENTS[agent],
        b"other_agent": AGENTS[agent - 1],
        b"plan": PLANS[int(draw() * draw() * len(PLANS))],
        b"currency": CURRENCIES[int(draw() * len(CURRENCIES))],
    }
