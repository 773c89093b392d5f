"""How a process that keeps a million small objects and builds large arrays at every flush handles its memory."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
"""Options of mallopt(3)."""
_KEPT_BYTES = 1 << 30
_GROWTH_BYTES = 64 << 20


def tune_memory() -> None:
    """Call once, when everything is imported."""
    _tune_collector()
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Let the C library keep what arrays of megabytes leave behind for those of the next flush.

    By default it gives them back to the system at once, which then clears every page anew: half of all page faults
    and 5 to 15 % of all time (400,000 events: 155,000 and 86,000 faults, 19.6 and 17.7 us an event, measured). Only
    where the C library is glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TOP_PAD, _GROWTH_BYTES)


def _tune_collector() -> None:
    """Let the cycle collector run only where :func:`uncollected` begins.

    Entities, facts and panes hold no cycles, so that it finds nothing in them and yet walks them all, again and again:
    a third of the pipeline's time with the defaults (33 us an event, 22 without it, measured). Run rarely, it stands
    still for more than a second each time, and what falls due waits for it.
    """
    gc.collect()
    gc.freeze()
    gc.disable()


@contextmanager
def uncollected() -> Iterator[None]:
    """What is made in the block is never walked by the cycle collector. What libraries have made since the last block
    is, first: some hundred objects, a few of them cycles that nothing else would free (7,000 a million events)."""
    gc.collect(0)
    try:
        yield
    finally:
        gc.freeze()
