"""Events that an entity need not keep: those between two others that say the same.

Somebody who is active all day, for years, would otherwise fill an entity with events that change nothing.
"""

from __future__ import annotations

from stream_kpi.lifecycles.history import NEVER_MS, HistoryEvent


class Thinning:
    """Looks through events of one sort in their order. An event between two others of its sort that are at most
    ``span_ms`` apart changes nothing where an event matters only by having happened within that span after some
    instant: wherever the instant lies, and whatever comes later or late, one of the other two has happened as well."""

    __slots__ = ("_before_ms", "_last", "_span_ms")

    def __init__(self, span_ms: int) -> None:
        self._span_ms = span_ms
        self._before_ms = -NEVER_MS
        """The time of the event before the last one that is kept."""
        self._last: HistoryEvent | None = None

    def replaced_by(self, event: HistoryEvent) -> tuple[str, ...]:
        """The uids that need not be kept now that ``event``, the next in order, has come: none or one."""
        last, self._last = self._last, event
        if last is None:
            return ()
        if event.time_ms - self._before_ms <= self._span_ms:
            return (last.uid,)
        self._before_ms = last.time_ms
        return ()
