"""Long work on the one loop that a worker has: what falls due must not wait for it, heartbeats least of all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from typing import Generic, NamedTuple, TypeVar

from stream_kpi.memory import uncollected

T = TypeVar("T")
TURN_S = 0.01
"""So long somebody works before the loop goes on to everything else that is ready. To read or write a few megabytes
takes many rounds of the loop, each as long as this, on a busy machine several times."""
SHORT_TURN_S = 0.0025
"""A turn of the merge: what falls due in the shards should not wait for values."""


class Done(NamedTuple, Generic[T]):
    """What the steps came to, and how long they took without the others' turns."""

    result: T
    work_s: float


class Turns:
    """All long work of a worker: its shards' and its merge's. One of them has a turn in each round of the loop, first
    come first served; were it one each, a round would take as long as all of them."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def take(self, steps: Generator[None, None, T], turn_s: float | None = None, rest: float = 0.0) -> Done[T]:
        """Take the steps, a turn's worth at a time (``TURN_S``, or ``turn_s``); after each turn others have theirs, and
        the loop is left to them for ``rest`` times as long as it took."""
        turn_s = TURN_S if turn_s is None else turn_s
        work_s = 0.0
        while True:
            done: Done[T] | None = None
            async with self._turn:
                started_s = time.monotonic()
                try:
                    _work(steps, started_s + turn_s)
                except StopIteration as end:
                    done = Done(end.value, work_s + time.monotonic() - started_s)
                worked_s = time.monotonic() - started_s
                work_s += worked_s
                await asyncio.sleep(0)
            if done is not None:
                return done
            if rest:
                await asyncio.sleep(rest * worked_s)


def _work(steps: Generator[None, None, object], until_s: float) -> None:
    with uncollected():
        next(steps)
        while time.monotonic() < until_s:
            next(steps)
