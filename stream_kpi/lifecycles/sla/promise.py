"""A promise that runs, as a value: what is to be said of it while it has not been kept."""

from __future__ import annotations

from typing import NamedTuple


class Promise(NamedTuple):
    """An instance whose clock runs. Times are epoch milliseconds."""

    metric: str
    policy: str
    priority: str | None
    target_ms: int
    """On the policy's clock."""
    deadline_ms: int
    """When it is, or was, missed."""
    cuts: int
    """The standard cuts of its ticket or chat (an id of CutSets)."""
