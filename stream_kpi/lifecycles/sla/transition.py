"""What happens to an instance of a service level, as a value: told once, and told to be wrong if it turns out so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal, NamedTuple

Name = Literal["started", "paused", "resumed", "retargeted", "at_risk", "breached", "fulfilled", "cancelled"]


class Transition(NamedTuple):
    """One step of an instance. Times are epoch milliseconds. Of one entity no two are equal."""

    time_ms: int
    name: Name
    metric: str
    policy: str
    priority: str | None
    started_ms: int
    """Of the instance, which is known by it."""
    nth: int
    """How many instances of the metric had started at the same millisecond before this one."""
    ordinal: int
    """The how-manyth of its name and horizon in the instance."""
    deadline_ms: int | None
    """None: the clock stands, or is never open long enough."""
    horizon_minutes: int | None = None
    """Of ``at_risk``."""
    late_by_ms: int | None = None
    """Of ``fulfilled`` after the breach: by how much the target was exceeded, on its clock."""
    retracted: bool = False
    """It was told, and has not happened."""


def corrections(after: Iterable[Transition], before: Iterable[Transition]) -> tuple[Transition, ...]:
    """What to tell so that ``after`` has been told where ``before`` has been."""
    untold = Counter(after)
    wrong = Counter(before)
    untold.subtract(wrong)
    retracted = [transition._replace(retracted=True) for transition, n in untold.items() if n < 0]
    return (*retracted, *(transition for transition, n in untold.items() if n > 0))
