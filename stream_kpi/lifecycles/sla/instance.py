"""One promise: since when its clock runs, what it has spent, and when it reaches its target (pure arithmetic)."""

from __future__ import annotations

from stream_kpi.calendars.open_time import NeverOpenError
from stream_kpi.lifecycles.sla.policy import Clock, Policy


class Instance:
    """A metric that runs for a ticket or chat, promised or not: it keeps the time from its start, so that a policy that
    comes later, or changes, finds it. Times are epoch milliseconds."""

    __slots__ = (
        "breach",
        "deadline_ms",
        "entered",
        "nth",
        "ordinals",
        "policy",
        "promise_cuts",
        "runs",
        "shown",
        "since_ms",
        "spent_ms",
        "started_ms",
        "target_ms",
    )

    def __init__(self, started_ms: int, nth: int) -> None:
        self.started_ms = started_ms
        self.nth = nth
        """How many of the metric started at the same millisecond before."""
        self.policy: Policy | None = None
        """Whose target it has; None: nothing is promised."""
        self.promise_cuts = 0
        """The cuts of its policy and metric, as one group."""
        self.target_ms = 0
        self.since_ms: int | None = started_ms
        """Since when its clock runs; None: it stands."""
        self.runs: list[tuple[int, int]] = []
        """When it ran before."""
        self.spent_ms = 0
        """The time of these, on the policy's clock."""
        self.deadline_ms: int | None = None
        """When the target is reached as things stand; None: never."""
        self.breach: tuple[int, int] | None = None
        """Time and cuts of the breach."""
        self.entered: tuple[int, ...] = ()
        """The horizons, in minutes, within which the deadline is."""
        self.ordinals: dict[tuple[str, int | None], int] = {}
        """How often something was told of it."""
        self.shown: tuple[tuple[int, int, int], ...] = ()
        """The levels and sets that it is stated to be in: slot, cuts, value."""

    def promise(self, policy: Policy, target_ms: int, clock: Clock) -> None:
        """It has this target now, from its start on."""
        if self.policy is None or policy.schedule is not self.policy.schedule:
            self.spent_ms = sum(clock.elapsed_ms(*run) for run in self.runs)
        self.policy, self.target_ms = policy, target_ms
        self.find_deadline(clock)

    def release(self) -> None:
        """Nothing is promised any more."""
        self.policy, self.deadline_ms, self.entered = None, None, ()

    def stop(self, time_ms: int, clock: Clock) -> None:
        """The clock stands."""
        if self.since_ms is not None:
            self.runs.append((self.since_ms, time_ms))
            self.spent_ms += clock.elapsed_ms(self.since_ms, time_ms)
            self.since_ms = None
            self.find_deadline(clock)

    def go_on(self, time_ms: int, clock: Clock) -> None:
        """The clock runs."""
        if self.since_ms is None:
            self.since_ms = time_ms
            self.find_deadline(clock)

    def exceeded_by_ms(self, time_ms: int, clock: Clock) -> int:
        """By how much the target has been exceeded at an instant after the last change, at least 0."""
        running_ms = 0 if self.since_ms is None else clock.elapsed_ms(self.since_ms, time_ms)
        return max(0, self.spent_ms + running_ms - self.target_ms)

    def find_deadline(self, clock: Clock) -> None:
        """Set the deadline that follows from all this; what was missed once keeps it."""
        if self.policy is None or self.breach is not None:
            return
        left_ms = self.target_ms - self.spent_ms
        if left_ms < 0:
            self.deadline_ms = self._deadline_in_the_past(clock)
        elif self.since_ms is None:
            self.deadline_ms = None
        else:
            try:
                self.deadline_ms = clock.deadline_ms(self.since_ms, left_ms)
            except NeverOpenError:
                self.deadline_ms = None

    def _deadline_in_the_past(self, clock: Clock) -> int:
        left_ms = self.target_ms
        for from_ms, until_ms in self.runs:
            ran_ms = clock.elapsed_ms(from_ms, until_ms)
            if ran_ms > left_ms:
                return clock.deadline_ms(from_ms, left_ms)
            left_ms -= ran_ms
        raise AssertionError("the runs do not exceed the target that they exceed")
