"""A customer's whole view: what follows from all of its tickets, chats and answers together."""

from __future__ import annotations

from typing import Final

import msgspec

from stream_kpi.lifecycles.contribution import Resolution
from stream_kpi.lifecycles.facts import UNKNOWN, CutSets
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import CHAT_FCR_WINDOW_MS, Options
from stream_kpi.lifecycles.relationship.events import Answered, ChatContact, Contact, TicketContact
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

    __slots__ = ("_answers", "_chats", "_options", "_tickets")

    def __init__(self, cut_sets: CutSets, options: Options) -> None:
        super().__init__(cut_sets)
        self.voided = False
        self._options = options
        self._tickets: Contacts | None = None
        self._chats: Contacts | None = None
        self._answers: LastAnswers | None = None

    @property
    def closed(self) -> bool:
        """Never: who answers again must not count as another customer."""
        return False

    def on_event(self, event: HistoryEvent) -> None:
        """Apply the next event."""
        if isinstance(event, Answered):
            self._all_answers().on_answered(self, "", event.answer)
        elif isinstance(event, TicketContact | ChatContact):
            self._on_contact(event)

    def replace(self, known: HistoryEvent, event: HistoryEvent) -> bool:
        """What was opened is now resolved, and nothing else about it has changed: by far the most of all words."""
        if not isinstance(event, TicketContact | ChatContact) or event.resolution is None:
            return False
        if msgspec.structs.replace(event, resolution=None) != known:
            return False
        self._on_resolved(event, event.resolution)
        return True

    def on_due(self, kind: int, due_ms: int) -> None:
        """Decide what became of tickets or chats."""
        contacts = self._tickets if kind == TICKETS_DUE else self._chats
        if contacts is not None:
            contacts.on_due(self, due_ms)

    def _on_contact(self, event: Contact) -> None:
        about = None
        if isinstance(event, TicketContact) and self._options.fcr_same_category:
            about = event.category or UNKNOWN
        self._contacts(event).on_opened(about, event.time_ms)
        if event.resolution is not None:
            self._on_resolved(event, event.resolution)
        for answer in event.answers:
            self._all_answers().on_answered(self, event.uid, answer)

    def _on_resolved(self, event: Contact, resolution: Resolution) -> None:
        about = None
        if isinstance(event, TicketContact) and self._options.fcr_same_category:
            about = resolution.dimensions[_CATEGORY]
        self._contacts(event).on_resolved(self, event.uid, about, event.time_ms, resolution)

    # Most customers have only one sort of contact, and have never answered.

    def _contacts(self, event: Contact) -> Contacts:
        if isinstance(event, TicketContact):
            if self._tickets is None:
                self._tickets = Contacts(TICKETS_DUE, self._options.fcr_window_ms, registry.FCR_COHORT)
            return self._tickets
        if self._chats is None:
            self._chats = Contacts(CHATS_DUE, CHAT_FCR_WINDOW_MS, registry.CHAT_FCR_COHORT)
        return self._chats

    def _all_answers(self) -> LastAnswers:
        if self._answers is None:
            self._answers = LastAnswers(self._options.zone_info)
        return self._answers
