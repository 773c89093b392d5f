"""Every KPI of a file's events, with the code of the worker and no Kafka.

Events come in any order, of any mix of types. Nothing is too late, and nothing is ever evicted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial

from stream_kpi.entities import TooLargeError
from stream_kpi.events.decode import decode_line
from stream_kpi.events.rejection import Reason, Rejected, UnknownType
from stream_kpi.events.topics import TopicKind
from stream_kpi.kpis.catalogue import on_clocks, within_horizons
from stream_kpi.kpis.record import KpiRecord, evaluate
from stream_kpi.kpis.rows import Kpi, measures_read
from stream_kpi.lifecycles.facts import Cut
from stream_kpi.lifecycles.options import Options
from stream_kpi.shard import Shard, ShardOptions
from stream_kpi.windows.ages import unpack_ages
from stream_kpi.windows.kinds import Rolling, Tumbling
from stream_kpi.windows.merged import (
    Ages,
    MergedPanes,
    RollingSums,
    TrailingSums,
    cohort_sums,
    trailing_before,
    trailing_sums,
)
from stream_kpi.windows.panes import AGES_KEY, FLUSHED_KEY, unpack_key
from stream_kpi.windows.tiers import ALL_TIME, DAYS, FINE, Tier
from stream_kpi.windows.views import MergedView, instant_view, rolling_view, total_view, tumbling_views


class Computation:
    """Feed :meth:`take` with lines, then ask for :meth:`records`, :meth:`latest` or :meth:`series`."""

    def __init__(
        self, options: Options, window: Rolling | Tumbling | None, at_ms: int | None, further: Iterable[Tier] = ()
    ) -> None:
        """``window`` None: total. ``at_ms``: events later than this are ignored; None: the last event's time.
        ``further``: tiers that other windows than this one will be read from."""
        self._options = options
        self._window = window
        self._at_ms = at_ms
        topics = {kind.default_topic: kind for kind in TopicKind}
        self._shard = Shard(
            0, 1, ShardOptions(options=options, topics=topics, tiers=_tiers(window, further), remember_ages=True)
        )
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

    @property
    def first_ms(self) -> int | None:
        """The first event's time; None without any event."""
        return self._shard.first_ms

    def records(self, rows: Sequence[Kpi], dimensions: Iterable[str]) -> Iterator[KpiRecord]:
        """The rows' records, window by window: the totals, then the cuts of the dimensions asked for. Where the
        options have schedules, rows with a business clock have a second record on it; sla_at_risk has one for each
        horizon of the options."""
        window = self._window
        if isinstance(window, Tumbling) and window.name != "today":
            first_ms = self.at_ms if self.first_ms is None else self.first_ms
            yield from self.series(window, rows, first_ms, dimensions)
        else:
            yield from self.latest(window, rows, dimensions)

    def latest(
        self, window: Rolling | Tumbling | None, rows: Sequence[Kpi], dimensions: Iterable[str]
    ) -> Iterator[KpiRecord]:
        """As :meth:`records`, of one window: the one of the kind that :attr:`at_ms` lies in, or ends. What stands at an
        instant has its value then."""
        rows, wanted = self._on_clocks(rows), set(dimensions)
        panes = self._panes
        yield from self._evaluate([row for row in rows if not row.stands], self._view(window, rows), wanted)
        yield from self._evaluate(
            [row for row in rows if row.stands], instant_view(panes, self._trailing, self.at_ms), wanted
        )

    def series(
        self, window: Tumbling, rows: Sequence[Kpi], since_ms: int, dimensions: Iterable[str] = ()
    ) -> Iterator[KpiRecord]:
        """As :meth:`records`, of every window of the kind from the one that holds ``since_ms`` to the one that holds
        :attr:`at_ms`."""
        rows, wanted = self._on_clocks(rows), set(dimensions)
        # Walked from the last to the first, printed in order of time; a view is good only while it is current.
        for records in reversed(list(self._backwards(rows, window, since_ms, wanted))):
            yield from records

    def _on_clocks(self, rows: Sequence[Kpi]) -> Sequence[Kpi]:
        rows = tuple(within_horizons(rows, self._options))
        return on_clocks(rows, business=self._options.schedules is not None)

    def _backwards(
        self, rows: Sequence[Kpi], window: Tumbling, oldest_ms: int, dimensions: set[str]
    ) -> Iterator[list[KpiRecord]]:
        panes = self._panes
        rewind = self._shard.rewind_ages()
        views = tumbling_views(
            panes,
            window,
            self.at_ms,
            oldest_ms,
            grace_ms=0,
            past_ages=lambda end_ms: Ages([rewind.before(end_ms)], end_ms),
            trailing=partial(self._trailing_before, window),
        )
        for view in views:
            yield list(self._evaluate(rows, view, dimensions))

    @cached_property
    def _panes(self) -> MergedPanes:
        shard = self._shard
        shard.advance(self.at_ms)
        panes = MergedPanes(self._options.zone_info)
        flush = shard.flush(caught_up=True)
        for key, value in flush.panes if flush is not None else ():
            if key == AGES_KEY:
                panes.put_ages(0, unpack_ages(value or b""))
            elif key != FLUSHED_KEY:
                panes.apply(0, unpack_key(key), value)
        for _ in panes.absorb():
            pass
        return panes

    @cached_property
    def _trailing(self) -> RollingSums:
        sums = trailing_sums(self._panes)
        sums.move(self.at_ms)
        return sums

    def _trailing_before(self, window: Tumbling, end_ms: int) -> TrailingSums | None:
        """As of now for the window that runs; days and months have no panes that show what came before their ends."""
        if end_ms > self.at_ms:
            return self._trailing.trailing()
        return None if window.tier == DAYS else trailing_before(self._panes, end_ms)

    def _view(self, window: Rolling | Tumbling | None, rows: Iterable[Kpi]) -> MergedView:
        panes, at_ms = self._panes, self.at_ms
        if window is None:
            return total_view(panes, self._shard.first_ms, at_ms)
        if isinstance(window, Tumbling):
            return next(tumbling_views(panes, window, at_ms, at_ms, grace_ms=0))
        sums = RollingSums(window, panes)
        cohorts = cohort_sums(window, panes, self._options.cohorts, measures_read(rows))
        for one in (sums, *cohorts):
            one.move(at_ms)
        return rolling_view(panes, sums, cohorts, at_ms)

    def _rejected(self, rejected: Rejected) -> Rejected:
        self.rejected[rejected.reason] += 1
        return rejected

    def _evaluate(self, rows: Sequence[Kpi], view: MergedView, dimensions: set[str]) -> Iterator[KpiRecord]:
        cuts: list[Cut] = sorted(cut for cut in view.cuts() if not cut or cut[0] in dimensions)
        return evaluate(rows, view, cuts, options=self._options)


def _tiers(window: Rolling | Tumbling | None, further: Iterable[Tier]) -> tuple[Tier, ...]:
    """What the windows are read from, all of it, and what gauges look back on."""
    read = dict.fromkeys((*further, ALL_TIME) if window is None else (window.tier, *further, ALL_TIME))
    whole = tuple(tier._replace(retention_ms=None, measures=None) for tier in read)
    return whole if FINE in read else (FINE, *whole)
