"""Work that is done a step at a time, so that others may have turns in between: a generator that returns what the steps
come to. The shell takes turns (shell/turns.py)."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


def all_of(steps: Generator[None, None, T]) -> T:
    """What the steps come to, all of them taken at once: where nobody waits for a turn."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
