"""Whether what was solved at the first contact stayed so: decided when the time has passed in which it could come back
(kpis.md: fcr_confirmed, chat_fcr)."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import TYPE_CHECKING, NamedTuple

from stream_kpi.lifecycles.contribution import Resolution
from stream_kpi.lifecycles.dimensions import cuts_from

if TYPE_CHECKING:
    from stream_kpi.lifecycles.fold import Fold
    from stream_kpi.measures.registry import Measure

Subject = str | None
"""What contacts are about, as far as it matters whether two are about the same."""


class Cohort(NamedTuple):
    """What is the same for all customers' contacts of one kind."""

    due_kind: int
    window_ms: int
    solved_slot: int
    """All that were resolved."""
    confirmed_slot: int

    @classmethod
    def of(cls, due_kind: int, window_ms: int, measures: tuple[Measure, Measure]) -> Cohort:
        """Of these measures: all that were resolved, and those confirmed."""
        solved, confirmed = measures
        return cls(due_kind, window_ms, solved.slot, confirmed.slot)


class Contacts:
    """The contacts of one kind, in the order of their opening. A new one about the same, after the resolution and up to
    the end of the window, that instant included, says that the customer was not helped."""

    __slots__ = ("_cohort", "_opened_ms", "_undecided")

    def __init__(self, cohort: Cohort) -> None:
        self._cohort = cohort
        self._opened_ms: dict[Subject, list[int]] = {}
        """When contacts were opened, ascending, by what they are about."""
        self._undecided: list[tuple[int, str, Subject, int, Resolution]] = []
        """When each is decided, its uid, what it is about by then, its opening, its resolution: ascending."""

    def on_opened(self, subject: Subject, opened_ms: int) -> None:
        """The next contact in order."""
        known = self._opened_ms.get(subject)
        if known is None:
            self._opened_ms[subject] = [opened_ms]
        else:
            known.append(opened_ms)

    def on_resolved(self, fold: Fold, uid: str, subject: Subject, opened_ms: int, resolution: Resolution) -> None:
        """A contact that has been opened is resolved; ``subject`` is what it is about by then."""
        due_ms = resolution.time_ms + self._cohort.window_ms
        undecided = self._undecided
        member = (due_ms, uid, subject, opened_ms, resolution)
        if undecided:
            insort(undecided, member, key=_by_due)
        else:
            undecided.append(member)
        fold.schedule(undecided[0][0], self._cohort.due_kind)

    def waits_for(self, uid: str) -> bool:
        """Whether a contact is resolved and not yet decided."""
        return any(member[1] == uid for member in self._undecided)

    def on_due(self, fold: Fold, due_ms: int) -> None:
        """Decide those whose time has passed."""
        cohort, undecided = self._cohort, self._undecided
        while undecided and undecided[0][0] <= due_ms:
            decided_ms, _, subject, opened_ms, resolution = undecided.pop(0)
            cuts = cuts_from(fold.cut_sets, resolution.dimensions)
            fold.emit(cohort.solved_slot, resolution.time_ms, cuts)
            undone_ms = resolution.undone_ms
            if (
                resolution.first_contact
                and (undone_ms is None or undone_ms > decided_ms)
                and not self._came_back(subject, max(resolution.time_ms, opened_ms), decided_ms)
            ):
                fold.emit(cohort.confirmed_slot, resolution.time_ms, cuts)
        if undecided:
            fold.schedule(undecided[0][0], cohort.due_kind)

    def _came_back(self, subject: Subject, after_ms: int, until_ms: int) -> bool:
        opened_ms = self._opened_ms.get(subject, [])
        return bisect_right(opened_ms, until_ms) > bisect_right(opened_ms, after_ms)


def _by_due(member: tuple[int, str, Subject, int, Resolution]) -> tuple[int, str]:
    return member[:2]
