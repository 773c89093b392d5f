"""Progress of long work on standard error: a bar on a terminal, a plain line every few seconds off it."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from stream_kpi.cli.common import notes_console

PLAIN_EVERY_S = 5.0
_TERMINAL_EVERY_S = 0.1


class WorkProgress:
    """Shows how far work has come. ``total`` None: the end is not known. Close it (context manager) when done."""

    def __init__(self, what: str, total: int | None = None) -> None:
        self._what = what
        self._total = total
        self._console = notes_console()
        self._bar: Progress | None = None
        self._shown_at_s = time.monotonic()
        self._started_at_s = self._shown_at_s

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"))
            self._bar = Progress(*columns, TimeRemainingColumn(), console=self._console, transient=True)
            self._task = self._bar.add_task(self._what, total=self._total, note="")
            self._bar.start()
        return self

    def update(self, done: int, note: str = "") -> None:
        """Say that ``done`` of the total is done. May be called often: it shows a few of the calls."""
        now_s = time.monotonic()
        if now_s - self._shown_at_s < (PLAIN_EVERY_S if self._bar is None else _TERMINAL_EVERY_S):
            return
        self._shown_at_s = now_s
        if self._bar is not None:
            self._bar.update(self._task, completed=done, note=note)
            return
        share = f"{100 * done // self._total} %" if self._total else f"{done:,}"
        self._console.print(f"{self._what}: {share}{', ' if note else ''}{note}")

    @property
    def elapsed_s(self) -> float:
        """Seconds since the work began."""
        return time.monotonic() - self._started_at_s

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
