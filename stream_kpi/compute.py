"""Every KPI of a file's events, with the code of the worker and no Kafka.

Events come in any order, of any mix of types. Nothing is too late, and nothing is ever evicted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from stream_kpi.entities import TooLargeError
from stream_kpi.events.decode import decode_line
from stream_kpi.events.rejection import Reason, Rejected, UnknownType
from stream_kpi.events.topics import TopicKind
from stream_kpi.kpis.record import KpiRecord, evaluate
from stream_kpi.kpis.rows import Kpi, measures_read
from stream_kpi.lifecycles.facts import Cut
from stream_kpi.lifecycles.options import Options
from stream_kpi.shard import Shard, ShardOptions
from stream_kpi.windows.ages import unpack_ages
from stream_kpi.windows.kinds import Rolling, Tumbling
from stream_kpi.windows.merged import Ages, MergedPanes, RollingSums, cohort_sums
from stream_kpi.windows.panes import AGES_KEY, unpack_key
from stream_kpi.windows.tiers import ALL_TIME
from stream_kpi.windows.views import MergedView, instant_view, rolling_view, total_view, tumbling_views


class Computation:
    """Feed :meth:`take` with lines, then ask for :meth:`records`."""

    def __init__(self, options: Options, window: Rolling | Tumbling | None, at_ms: int | None) -> None:
        """``window`` None: total. ``at_ms``: events later than this are ignored; None: the last event's time."""
        self._options = options
        self._window = window
        self._at_ms = at_ms
        tiers = (ALL_TIME,) if window is None else (window.tier._replace(retention_ms=None), ALL_TIME)
        topics = {kind.default_topic: kind for kind in TopicKind}
        self._shard = Shard(0, 1, ShardOptions(options=options, topics=topics, tiers=tiers, remember_ages=True))
        self.rejected: Counter[Reason] = Counter()
        self.counts: Counter[str] = Counter()
        """Lines by what became of them: events, unknown_type, later_than_at."""

    def take(self, content: bytes) -> Rejected | None:
        """Take a line in; a bad one is counted and its rejection returned."""
        try:
            kind, event, time_ms = decode_line(content)
        except Rejected as rejected:
            return self._rejected(rejected)
        except UnknownType:
            self.counts["unknown_type"] += 1
            return None
        if self._at_ms is not None and time_ms > self._at_ms:
            self.counts["later_than_at"] += 1
            return None
        try:
            self._shard.take(kind, event, time_ms)
        except TooLargeError:
            return self._rejected(Rejected(Reason.ENTITY_TOO_LARGE, f"{event.subject!r} has its fill of events"))
        self.counts["events"] += 1
        return None

    @property
    def at_ms(self) -> int:
        """The instant that is computed for; 0 without any event."""
        return self._at_ms if self._at_ms is not None else self._shard.greatest_ms or 0

    def records(self, rows: Sequence[Kpi], dimensions: Iterable[str]) -> Iterator[KpiRecord]:
        """The rows' records, window by window: the totals, then the cuts of the dimensions asked for."""
        at_ms, panes = self.at_ms, self._panes
        wanted = set(dimensions)
        window = self._window
        if isinstance(window, Tumbling) and window.name != "today":
            # Walked from the last to the first, printed in order of time; a view is good only while it is current.
            for records in reversed(list(self._backwards(rows, window, wanted))):
                yield from records
        else:
            yield from _evaluate([row for row in rows if not row.stands], self._view(panes, at_ms, rows), wanted)
            yield from _evaluate([row for row in rows if row.stands], instant_view(panes, at_ms), wanted)

    def _backwards(self, rows: Sequence[Kpi], window: Tumbling, dimensions: set[str]) -> Iterator[list[KpiRecord]]:
        at_ms, first_ms, panes = self.at_ms, self._shard.first_ms, self._panes
        rewind = self._shard.rewind_ages()
        oldest_ms = at_ms if first_ms is None else first_ms
        views = tumbling_views(
            panes, window, at_ms, oldest_ms, grace_ms=0, past_ages=lambda end_ms: Ages([rewind.before(end_ms)], end_ms)
        )
        for view in views:
            yield list(_evaluate(rows, view, dimensions))

    @cached_property
    def _panes(self) -> MergedPanes:
        shard = self._shard
        shard.advance(self.at_ms)
        panes = MergedPanes(self._options.zone_info)
        flush = shard.flush(caught_up=True)
        for key, value in flush.panes if flush is not None else ():
            if key == AGES_KEY:
                panes.put_ages(0, unpack_ages(value or b""))
            else:
                panes.apply(0, unpack_key(key), value)
        for _ in panes.absorb():
            pass
        return panes

    def _view(self, panes: MergedPanes, at_ms: int, rows: Sequence[Kpi]) -> MergedView:
        window = self._window
        if window is None:
            return total_view(panes, self._shard.first_ms, at_ms)
        if isinstance(window, Tumbling):
            return next(tumbling_views(panes, window, at_ms, at_ms, grace_ms=0))
        sums = RollingSums(window, panes)
        cohort = cohort_sums(window, panes, self._options.reopen_window_ms, measures_read(rows))
        sums.move(at_ms)
        cohort.move(at_ms)
        return rolling_view(panes, sums, cohort, at_ms)

    def _rejected(self, rejected: Rejected) -> Rejected:
        self.rejected[rejected.reason] += 1
        return rejected


def _evaluate(rows: Sequence[Kpi], view: MergedView, dimensions: set[str]) -> Iterator[KpiRecord]:
    cuts: list[Cut] = sorted(cut for cut in view.cuts() if not cut or cut[0] in dimensions)
    return evaluate(rows, view, cuts)
