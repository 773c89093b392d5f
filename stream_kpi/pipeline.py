"""The way of the data on one page.

    records ─► decode_batch ─► Event | Rejected | UnknownType          events/
    Event ─► from_wire ─► HistoryEvent ─► Entity.apply ─► facts        lifecycles/
    facts ─► Panes.add, spread ─► panes by tier, start and cut         measures/, windows/
    Entity.contribution ─► its customer's entity, in whichever shard   exchange.py
    Shard.flush ─► state, panes, clock, dead letters: one transaction  shard.py, written by shell/
    panes of all shards ─► MergedPanes ─► one View a window            windows/
    View ─► evaluate ─► KpiRecord                                      kpis/, merge.py (live), compute.py (a file)

Here: the kinds of entities, which events go to which of them, and what goes in and out of a shard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, NamedTuple

from stream_kpi.entities import Lifecycle
from stream_kpi.events import signals
from stream_kpi.events.chats import AgentPresence
from stream_kpi.events.envelope import Event
from stream_kpi.events.records import InputRecord, Outgoing
from stream_kpi.events.topics import TopicKind
from stream_kpi.lifecycles.agent import events as agent_events
from stream_kpi.lifecycles.agent.fold import AgentFold
from stream_kpi.lifecycles.chat import from_wire as chat_wire
from stream_kpi.lifecycles.chat.fold import ChatFold
from stream_kpi.lifecycles.cost import events as cost_events
from stream_kpi.lifecycles.cost.fold import CostFold
from stream_kpi.lifecycles.customer import at_rest as customer_at_rest
from stream_kpi.lifecycles.customer import events as customer_events
from stream_kpi.lifecycles.customer.fold import CustomerFold
from stream_kpi.lifecycles.customer_survey import events as survey_events
from stream_kpi.lifecycles.customer_survey.fold import CustomerSurveyFold
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.mention import events as mention_events
from stream_kpi.lifecycles.mention.fold import MentionFold
from stream_kpi.lifecycles.relationship import at_rest as relationship_at_rest
from stream_kpi.lifecycles.relationship import events as relationship_events
from stream_kpi.lifecycles.relationship.fold import RelationshipFold
from stream_kpi.lifecycles.ticket import from_wire as ticket_wire
from stream_kpi.lifecycles.ticket.promised import new_ticket_fold
from stream_kpi.lifecycles.user import events as user_events
from stream_kpi.lifecycles.user.fold import UserFold
from stream_kpi.lifecycles.visitor import events as visitor_events
from stream_kpi.lifecycles.visitor.fold import VisitorFold

__all__ = [
    "ENTITY_KINDS",
    "FED_BY_ONE_TOPIC",
    "PROMISED",
    "ROUTES",
    "SUBJECT_ROUTES",
    "Flush",
    "InputRecord",
    "Outgoing",
    "Route",
    "destinations",
]


class Route(NamedTuple):
    """Where an event goes: the kind of entity, whose key it is (None: to no entity of this kind), and what that entity
    keeps of it (None: nothing, so that it need not go there)."""

    kind: str
    key_of: Callable[[Any], str | None]
    from_wire: Callable[[Any, int], HistoryEvent | None]


_subject = attrgetter("subject")

ENTITY_KINDS: dict[str, Lifecycle] = {
    "ticket": Lifecycle(b"t:", new_ticket_fold, contributes=True),
    "chat": Lifecycle(b"c:", ChatFold, contributes=True),
    "customer": Lifecycle(b"s:", CustomerFold, follows_ms=customer_at_rest.follows_ms),
    "agent": Lifecycle(b"a:", AgentFold, forgets=True),
    "visitor": Lifecycle(b"v:", VisitorFold),
    "user": Lifecycle(b"u:", UserFold),
    "mention": Lifecycle(b"m:", MentionFold),
    "cost": Lifecycle(b"k:", CostFold),
    "survey": Lifecycle(b"q:", CustomerSurveyFold),
    "relationship": Lifecycle(b"r:", RelationshipFold, follows_ms=relationship_at_rest.follows_ms),
}
"""What events are folded into, by name. Each has a prefix of its own for its state keys: a letter, never reused."""

SUBJECT_ROUTES: dict[TopicKind, Route] = {
    TopicKind.TICKET: Route("ticket", _subject, ticket_wire.from_wire),
    TopicKind.CHAT: Route("chat", _subject, chat_wire.from_wire),
    TopicKind.SUBSCRIPTION: Route("customer", _subject, customer_events.from_wire),
}
"""Where nearly all events go: to the entity of their topic that is their subject."""

PROMISED = ("ticket", "chat")
"""Kinds of entities to which service levels are promised."""

FED_BY_ONE_TOPIC = frozenset({"ticket", "chat"})
"""Kinds of entities to which only events of the topic with their route go: their deadlines wait for no other topic."""

_VISITOR = Route("visitor", attrgetter("data.visitor_id"), visitor_events.from_wire)
_SURVEY = Route("survey", survey_events.key_of, survey_events.from_wire)
_USER = Route("user", attrgetter("data.user_id"), user_events.from_wire)

ROUTES: dict[type[Event], tuple[Route, ...]] = {
    AgentPresence: (Route("agent", _subject, agent_events.from_wire),),
    signals.VisitStarted: (_VISITOR,),
    signals.ConversionCompleted: (_VISITOR,),
    signals.ActivityPerformed: (_USER, _VISITOR),
    signals.SignupCompleted: (_USER,),
    signals.SocialMention: (Route("mention", _subject, mention_events.from_wire),),
    signals.SocialReplied: (Route("mention", attrgetter("data.mention"), mention_events.from_wire),),
    signals.SurveySent: (_SURVEY,),
    signals.SurveyAnswered: (
        _SURVEY,
        Route("relationship", attrgetter("data.customer_id"), relationship_events.from_wire),
    ),
    signals.CostRecorded: (Route("cost", _subject, cost_events.from_wire),),
}
"""The types of events that go elsewhere, or to several entities. In a topic with a subject route only a type that this
route has no use for is looked up here. Whatever partition a record lies on, it reaches the shards that own these keys:
the shard that reads it sends it on to each of the others, once."""


def destinations(routes: tuple[Route, ...], event: Event, time_ms: int) -> Iterator[tuple[str, str, HistoryEvent]]:
    """The entities that an event goes to by these routes: kind, key, and what each keeps of it."""
    for kind, key_of, from_wire in routes:
        key = key_of(event)
        if key is not None:
            compact = from_wire(event, time_ms)
            if compact is not None:
                yield kind, key, compact


class Flush(NamedTuple):
    """Everything that one flush writes atomically. A None value is a tombstone."""

    state: list[tuple[bytes, bytes | None]]
    panes: list[tuple[bytes, bytes | None]]
    clock: tuple[bytes, bytes]
    outgoing: list[Outgoing]
    tier_panes: int = 0
    """How many panes of the tiers it changes, or, where its panes are only fresh, how many at most they will."""
