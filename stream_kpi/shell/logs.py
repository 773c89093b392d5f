"""What a worker's log leaves out."""

from __future__ import annotations

import logging

REPEATED_AFTER_S = 30.0
MOST_TEMPLATES = 1_000


class Seldom(logging.Filter):
    """Lets one message of aiokafka through every REPEATED_AFTER_S, and says how many like it were left out: without a
    broker each of its clients complains ten times a second, and why a worker ends would not be found among that."""

    def __init__(self) -> None:
        super().__init__()
        self._told_s: dict[tuple[str, object], float] = {}
        self._left_out: dict[tuple[str, object], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is told."""
        if not record.name.startswith("aiokafka"):
            return True
        kind = record.name, record.msg
        told_s = self._told_s.get(kind)
        if told_s is not None and 0 <= record.created - told_s < REPEATED_AFTER_S:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return False
        if len(self._told_s) >= MOST_TEMPLATES:
            self._told_s.clear()
            self._left_out.clear()
        self._told_s[kind] = record.created
        left_out = self._left_out.pop(kind, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out:,} like it)", ()
        return True
