"""Which schedule applied when: a ticket's group, channel or brand decides it, and they change."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from stream_kpi.calendars.schedule import Schedule


class Timeline:
    """Schedules one after another: each counts over the time that it applied. All instants are epoch milliseconds.

    A change is one step and a look-up a bisection, however often a ticket is sent to and fro.
    """

    __slots__ = ("_from_ms", "_open_ms", "_schedules")

    def __init__(self, changes: Iterable[tuple[int, Schedule]]) -> None:
        """``changes`` are ``(from_ms, schedule)``, ascending. The first also applies to all time before it; of several
        from one instant the last applies.

        Raises ValueError when there is no schedule or when the instants descend.
        """
        self._from_ms: list[int] = []
        self._schedules: list[Schedule] = []
        self._open_ms: list[int] = []
        """Open time from the first instant to each."""
        for from_ms, schedule in changes:
            self.change(from_ms, schedule)
        if not self._schedules:
            raise ValueError("a timeline has at least one schedule")

    @property
    def last(self) -> Schedule:
        """The schedule that applies from the last change on."""
        return self._schedules[-1]

    def change(self, from_ms: int, schedule: Schedule) -> None:
        """From an instant on another schedule applies. Raises ValueError when the last change is later."""
        if not self._from_ms:
            self._open_ms.append(0)
        elif from_ms < self._from_ms[-1]:
            raise ValueError("a timeline's schedules must ascend by the instants from which they apply")
        else:
            self._open_ms.append(self._open_ms[-1] + self.last.elapsed_ms(self._from_ms[-1], from_ms))
        self._from_ms.append(from_ms)
        self._schedules.append(schedule)

    def elapsed_ms(self, start_ms: int, end_ms: int) -> int:
        """Open time in ``[start_ms, end_ms)``, in milliseconds; 0 when the end is not after the start."""
        return self._open_until(end_ms) - self._open_until(start_ms) if end_ms > start_ms else 0

    def deadline_ms(self, start_ms: int, target_ms: int) -> int:
        """The first instant at which the open time since the start reaches the target.

        A target of 0 is reached at the start itself. Raises NeverOpenError when so much open time never comes.
        """
        left_ms = target_ms
        from_ms = start_ms
        place = self._place(start_ms)
        for until_ms in self._from_ms[place + 1 :]:
            open_ms = self._schedules[place].elapsed_ms(from_ms, until_ms)
            if open_ms >= left_ms:
                break
            left_ms -= open_ms
            from_ms = until_ms
            place += 1
        return self._schedules[place].deadline_ms(from_ms, left_ms)

    def _place(self, time_ms: int) -> int:
        """The place of the schedule that applies at an instant."""
        return max(bisect_right(self._from_ms, time_ms) - 1, 0)

    def _open_until(self, time_ms: int) -> int:
        """Open time from the first instant to another, negative before it."""
        place = self._place(time_ms)
        from_ms, schedule = self._from_ms[place], self._schedules[place]
        if time_ms < from_ms:
            return -schedule.elapsed_ms(time_ms, from_ms)
        return self._open_ms[place] + schedule.elapsed_ms(from_ms, time_ms)


def continued(clock: Schedule | Timeline | None, from_ms: int, schedule: Schedule) -> Schedule | Timeline:
    """A clock (None: there is none yet) on which a schedule applies from an instant on: one schedule, which many can
    share, for as long as no other has applied. Raises ValueError when the clock's last change is later."""
    if clock is None:
        return schedule
    if not isinstance(clock, Timeline):
        return clock if schedule is clock else Timeline(((from_ms, clock), (from_ms, schedule)))
    if schedule is not clock.last:
        clock.change(from_ms, schedule)
    return clock
