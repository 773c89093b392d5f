"""Which schedule applied when: a ticket's group, channel or brand decides it, and they change."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from stream_kpi.calendars.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Timeline:
    """Schedules one after another: each counts over the time that it applied. All instants are epoch milliseconds.

    Raises ValueError when there is no schedule or when the instants descend.
    """

    changes: tuple[tuple[int, Schedule], ...]
    """``(from_ms, schedule)``, ascending. The first also applies to all time before it; of several from one instant
    the last applies."""

    def __post_init__(self) -> None:
        if not self.changes:
            raise ValueError("a timeline has at least one schedule")
        if any(other < one for (one, _), (other, _) in pairwise(self.changes)):
            raise ValueError("a timeline's schedules must ascend by the instants from which they apply")

    def elapsed_ms(self, start_ms: int, end_ms: int) -> int:
        """Open time in ``[start_ms, end_ms)``, in milliseconds; 0 when the end is not after the start."""
        elapsed_ms = 0
        until_ms = end_ms
        for from_ms, schedule in reversed(self.changes[1:]):
            elapsed_ms += schedule.elapsed_ms(max(from_ms, start_ms), until_ms)
            until_ms = min(from_ms, until_ms)
        _, first = self.changes[0]
        return elapsed_ms + first.elapsed_ms(start_ms, until_ms)

    def deadline_ms(self, start_ms: int, target_ms: int) -> int:
        """The first instant at which the open time since the start reaches the target.

        A target of 0 is reached at the start itself. Raises NeverOpenError when so much open time never comes.
        """
        left_ms = target_ms
        from_ms = start_ms
        _, schedule = self.changes[0]
        for until_ms, next_schedule in self.changes[1:]:
            open_ms = schedule.elapsed_ms(from_ms, until_ms)
            if open_ms >= left_ms:
                break
            left_ms -= open_ms
            from_ms, schedule = max(from_ms, until_ms), next_schedule
        return schedule.deadline_ms(from_ms, left_ms)
