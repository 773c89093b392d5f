"""What a ticket or chat says of itself to its customer: absolute, and a pure function of its history and clock."""

from __future__ import annotations

import msgspec


class Resolution(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The customer was helped, or so it seemed."""

    time_ms: int
    dimensions: tuple[str, ...]
    """Channel, priority, category, group, brand and, if one is credited, agent, as of then."""
    first_contact: bool
    """Whether the first contact was enough, by all that the ticket or chat itself knew at that time."""
    undone_ms: int | None = None
    """The first time that it was taken up again."""


class NpsAnswer(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The answer to one survey: the first one's time and channel, the last one's rating."""

    survey_id: str
    time_ms: int
    channel: str
    plan: str
    """Absent ones are ``unknown``."""
    rating: int
    """1: promoter, 0: passive, -1: detractor."""


class Contribution(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """All that a ticket or chat says of itself, in place of what it has said before."""

    customer: str | None
    """None: nobody known, so that it is a customer of its own."""
    opened_ms: int
    category: str | None
    """Of a ticket, as created."""
    resolution: Resolution | None
    answers: tuple[NpsAnswer, ...] = ()
    breaches: tuple[int, ...] = ()
    """Of a ticket: when it began and ceased to have a missed service level that is still owed, in turn."""
