"""A customer's whole view: what follows from all of its tickets, chats and answers together."""

from __future__ import annotations

from typing import Final

from stream_kpi.lifecycles.facts import UNKNOWN, CutSets
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import CHAT_FCR_WINDOW_MS, Options
from stream_kpi.lifecycles.relationship.events import Answered, ChatContact, TicketContact
from stream_kpi.lifecycles.relationship.first_contact import Contacts
from stream_kpi.lifecycles.relationship.last_answers import LastAnswers
from stream_kpi.measures import registry

TICKETS_DUE: Final = 0
"""Due moment: the time has passed in which a solved ticket could come back."""
CHATS_DUE: Final = 1
"""The same for chats."""
_CATEGORY: Final = 2
"""Its place among the dimensions of a resolution."""


class RelationshipFold(Fold):
    """One customer. Tickets and chats come in the order of their opening; each says what became of it."""

    __slots__ = ("_answers", "_chats", "_same_category", "_tickets")

    def __init__(self, cut_sets: CutSets, options: Options) -> None:
        super().__init__(cut_sets)
        self.voided = False
        self._same_category = options.fcr_same_category
        self._tickets = Contacts(TICKETS_DUE, options.fcr_window_ms, registry.FCR_COHORT)
        self._chats = Contacts(CHATS_DUE, CHAT_FCR_WINDOW_MS, registry.CHAT_FCR_COHORT)
        self._answers = LastAnswers(options.zone_info)

    @property
    def closed(self) -> bool:
        """Never: who answers again must not count as another customer."""
        return False

    def on_event(self, event: HistoryEvent) -> None:
        """Apply the next event."""
        if isinstance(event, Answered):
            self._answers.on_answered(self, "", event.answer)
        elif isinstance(event, TicketContact | ChatContact):
            self._on_contact(event)

    def on_due(self, kind: int, due_ms: int) -> None:
        """Decide what became of tickets or chats."""
        contacts = self._tickets if kind == TICKETS_DUE else self._chats
        contacts.on_due(self, due_ms)

    def _on_contact(self, event: TicketContact | ChatContact) -> None:
        resolution = event.resolution
        contacts, opened_about, solved_about = self._chats, None, None
        if isinstance(event, TicketContact):
            contacts = self._tickets
            if self._same_category:
                opened_about = event.category or UNKNOWN
                solved_about = resolution.dimensions[_CATEGORY] if resolution else None
        contacts.on_opened(opened_about, event.time_ms)
        if resolution is not None:
            contacts.on_resolved(self, event.uid, solved_about, event.time_ms, resolution)
        for answer in event.answers:
            self._answers.on_answered(self, event.uid, answer)
