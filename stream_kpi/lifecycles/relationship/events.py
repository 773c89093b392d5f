"""What a customer's relationship keeps: the latest word of each ticket and chat, and the answers to surveys of its own.

Tickets and chats say everything about themselves anew whenever it changes (:mod:`stream_kpi.lifecycles.contribution`);
the latest word of each stands.
"""

from __future__ import annotations

from typing import ClassVar

from stream_kpi.events import signals as wire
from stream_kpi.lifecycles.contribution import Contribution, NpsAnswer, Resolution
from stream_kpi.lifecycles.facts import UNKNOWN
from stream_kpi.lifecycles.history import SURVEY_RANK, HistoryEvent
from stream_kpi.lifecycles.survey import nps_rating


class _Word(HistoryEvent, frozen=True, gc=False):
    """The uid is that of the ticket or chat."""

    def replaces(self, other: HistoryEvent) -> bool:
        """The later word stands. The same again is no other."""
        return self != other


class TicketContact(_Word, frozen=True, gc=False, tag=0):
    """A ticket of the customer, at the time of its creation."""

    category: str | None
    resolution: Resolution | None
    answers: tuple[NpsAnswer, ...]
    final: bool = False
    """The ticket has been forgotten: it will say nothing more."""


class ChatContact(_Word, frozen=True, gc=False, tag=1):
    """A chat or call of the customer, at the time of its queueing."""

    resolution: Resolution | None
    answers: tuple[NpsAnswer, ...]
    final: bool = False


class Withdrawn(_Word, frozen=True, gc=False, tag=2):
    """A ticket or chat that has been this customer's and is no more, or leaves every count."""


class Answered(HistoryEvent, frozen=True, gc=False, tag=3):
    """The customer answered a survey that is of no ticket or chat, or answered it again."""

    answer: NpsAnswer

    rank: ClassVar[int] = SURVEY_RANK


Contact = TicketContact | ChatContact
Word = TicketContact | ChatContact | Withdrawn
RelationshipEvent = TicketContact | ChatContact | Withdrawn | Answered
"""For decoding a packed history: ``list[RelationshipEvent]``."""


def from_wire(event: wire.SurveyAnswered, time_ms: int) -> Answered | None:
    """The compact form of an answer that was given at ``time_ms``; None for kinds that are judged one by one."""
    data = event.data
    if data.kind != "nps":
        return None
    rating = nps_rating(data.score, data.scale_min, data.scale_max)
    answer = NpsAnswer(data.survey_id, time_ms, data.channel or UNKNOWN, data.plan or UNKNOWN, rating)
    return Answered(time_ms, f"{event.id}\0{event.source}", answer)


def ticket_word(origin: str, said: Contribution, final: bool) -> TicketContact:  # noqa: FBT001 one signature for both
    """What its customer keeps of a ticket, whose name is ``origin``."""
    return TicketContact(said.opened_ms, origin, said.category, said.resolution, said.answers, final)


def chat_word(origin: str, said: Contribution, final: bool) -> ChatContact:  # noqa: FBT001 as above
    """What its customer keeps of a chat, whose name is ``origin``."""
    return ChatContact(said.opened_ms, origin, said.resolution, said.answers, final)
