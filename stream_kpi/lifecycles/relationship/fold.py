"""A customer's whole view: what follows from all of its tickets, chats and answers together."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from stream_kpi.lifecycles.contribution import Resolution
from stream_kpi.lifecycles.facts import UNKNOWN, CutSets
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import CHAT_FCR_WINDOW_MS, Options
from stream_kpi.lifecycles.relationship.events import (
    Answered,
    ChatContact,
    Contact,
    RelationshipEvent,
    TicketContact,
    Withdrawn,
)
from stream_kpi.lifecycles.relationship.first_contact import Cohort, Contacts
from stream_kpi.lifecycles.relationship.last_answers import LastAnswers
from stream_kpi.measures import registry

TICKETS_DUE: Final = 0
"""Due moment: the time has passed in which a solved ticket could come back."""
CHATS_DUE: Final = 1
"""The same for chats."""
CONTACTS: Final = (TicketContact, ChatContact)
"""For isinstance: the union of them would be put together anew at each call."""
_CHATS: Final = Cohort.of(CHATS_DUE, CHAT_FCR_WINDOW_MS, registry.CHAT_FCR_COHORT)
_CATEGORY: Final = 2
"""Its place among the dimensions of a resolution."""


@lru_cache(maxsize=1)
def _tickets_within(window_ms: int) -> Cohort:
    return Cohort.of(TICKETS_DUE, window_ms, registry.FCR_COHORT)


class RelationshipFold(Fold):
    """One customer. Tickets and chats come in the order of their opening; each says what became of it."""

    __slots__ = ("_answers", "_chats", "_contacts_kept", "_options", "_tickets")

    history_decoder = msgspec.msgpack.Decoder(list[RelationshipEvent])

    def __init__(self, cut_sets: CutSets, options: Options) -> None:
        super().__init__(cut_sets)
        self.voided = False
        self._options = options
        self._tickets: Contacts | None = None
        self._chats: Contacts | None = None
        self._answers: LastAnswers | None = None
        self._contacts_kept: dict[str, TicketContact | ChatContact | Withdrawn] = {}
        """Those that may still say something, and those that came after one of these, in order."""

    @property
    def closed(self) -> bool:
        """When all contacts have said their last word: a new one is as that of a new customer. Never for one who has
        answered: who answers again must not count as another customer."""
        return self._answers is None and all(
            isinstance(contact, Withdrawn) or contact.final for contact in self._contacts_kept.values()
        )

    def on_event(self, event: HistoryEvent) -> None:
        """Apply the next event."""
        if isinstance(event, CONTACTS):
            self._on_contact(event)
            self._keep(event)
        elif isinstance(event, Withdrawn):
            self._keep(event)
        elif isinstance(event, Answered):
            self._all_answers().on_answered(self, "", event.answer)

    def replace(self, known: HistoryEvent, event: HistoryEvent) -> bool:
        """What was opened is now resolved, or has said its last word, and nothing else about it has changed: by far the
        most of all words."""
        if not isinstance(event, CONTACTS):
            return False
        if event.final and msgspec.structs.replace(event, final=False) == known:
            if event.uid in self._contacts_kept:
                self._contacts_kept[event.uid] = event
                self._forget()
            return True
        resolution = event.resolution
        if resolution is None or msgspec.structs.replace(event, resolution=None) != known:
            return False
        self._contacts_kept[event.uid] = event
        self._on_resolved(event, resolution)
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

    def _keep(self, event: Contact | Withdrawn) -> None:
        self._contacts_kept[event.uid] = event
        if len(self._contacts_kept) > 1:
            self._forget()

    def _forget(self) -> None:
        """Let go of the earliest contacts that have said their last word, up to one that has not: to what is still said
        only contacts matter that were opened later. The last of all stays: it says when the customer was last heard
        of."""
        kept = self._contacts_kept
        for uid in tuple(kept)[:-1]:
            contact = kept[uid]
            if not isinstance(contact, Withdrawn):
                if not contact.final or self._contacts(contact).waits_for(uid):
                    return
                if contact.answers:
                    del kept[uid]
                    continue
            del kept[uid]
            self.spent += (uid,)

    def _on_resolved(self, event: Contact, resolution: Resolution) -> None:
        about = None
        if isinstance(event, TicketContact) and self._options.fcr_same_category:
            about = resolution.dimensions[_CATEGORY]
        self._contacts(event).on_resolved(self, event.uid, about, event.time_ms, resolution)

    # Most customers have only one sort of contact, and have never answered.

    def _contacts(self, event: Contact) -> Contacts:
        if isinstance(event, TicketContact):
            if self._tickets is None:
                self._tickets = Contacts(_tickets_within(self._options.fcr_window_ms))
            return self._tickets
        if self._chats is None:
            self._chats = Contacts(_CHATS)
        return self._chats

    def _all_answers(self) -> LastAnswers:
        if self._answers is None:
            self._answers = LastAnswers(self._options.zone_info)
        return self._answers
