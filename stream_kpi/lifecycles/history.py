"""What an entity keeps of its events: the base of every lifecycle's compact events, and those that several share."""

from __future__ import annotations

from typing import ClassVar, Final

import msgspec

NEVER_MS: Final = 1 << 61
"""Later than any event. This plus an event's time is still an integer that compiled code keeps in a register."""


class HistoryEvent(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An event as its entity keeps it: normalised, without what no KPI needs. Subclasses are tagged with small
    integers and add their own fields (all strings, ints, floats, bools, None or tuples of those)."""

    time_ms: int
    """When it happened, epoch milliseconds."""
    uid: str
    """``id + NUL + source``: the identity of the event, and the last tie-break of its place."""

    rank: ClassVar[int] = 0
    """Place among events of one instant (kpis.md): created or queued 0, updated 1, merged 2, assigned or transferred
    3, message or accepted 4, status 5, left or ended 6, survey 7."""

    opens: ClassVar[bool] = False
    """True for the event that an entity cannot be without, where it comes before all others whatever its time: a
    clock that runs ahead must not put a reply before the creation of its ticket. And for what an entity is to know of
    others before it takes its own events in."""

    @property
    def order(self) -> tuple[int, int, str]:
        """Sort key: event time, rank, uid. Events that open come first, by time and uid among themselves.
        The engine relies on it that an event of a later time has the greater key, whichever way this is overridden."""
        return (-NEVER_MS, self.time_ms, self.uid) if self.opens else (self.time_ms, self.rank, self.uid)

    def replaces(self, other: HistoryEvent) -> bool:  # noqa: ARG002 for those that come again with something else to say
        """Whether it takes the place of another one of its uid. If not, it is a duplicate, and changes nothing."""
        return False


SURVEY_RANK = 7
"""A survey comes after everything else of its instant."""


class Sent(HistoryEvent, frozen=True, gc=False):
    """A survey went out. A lifecycle subclasses this with its own tag."""

    survey_id: str
    kind: str
    """csat, ces or nps"""

    rank: ClassVar[int] = SURVEY_RANK


class Answer(HistoryEvent, frozen=True, gc=False):
    """A survey was answered, or answered again: the same ``survey_id`` replaces. A lifecycle subclasses this with its
    own tag."""

    survey_id: str
    kind: str
    """csat, ces or nps"""
    score: float
    """From ``scale_min`` to ``scale_max``, and the scale is not empty: the wire contract refuses others."""
    scale_min: float
    scale_max: float

    rank: ClassVar[int] = SURVEY_RANK
