"""Panes of all shards in, KPI records out: those that have changed since they were last published."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from itertools import chain

from stream_kpi.deadlines import DEADLINES_KEY, Deadline, nearest, unpack_deadlines
from stream_kpi.due_cuts import DueCuts
from stream_kpi.kpis.balance import is_balanced
from stream_kpi.kpis.catalogue import live_rows, measures_shown, on_clocks, within_horizons
from stream_kpi.kpis.record import (
    Evaluation,
    RowsByCut,
    histograms,
    record_key,
    timestamp,
)
from stream_kpi.kpis.rows import TOTAL_CUT, measures_read
from stream_kpi.lifecycles.facts import TOTAL, Cut
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.registry import RUNNING, TRAILING, Measure
from stream_kpi.published import Publication, Published, window_id
from stream_kpi.windows.ages import unpack_ages
from stream_kpi.windows.dirty import DirtyTumbling
from stream_kpi.windows.kinds import ROLLING, TODAY, TUMBLING, Rolling
from stream_kpi.windows.merged import (
    LEVELS,
    OF_FIXED_WINDOWS,
    OF_TRAILING,
    Change,
    MergedPanes,
    RollingSums,
    cohort_sums,
    trailing_sums,
)
from stream_kpi.windows.panes import AGES_KEY, FLUSHED_KEY, Record, unpack_key
from stream_kpi.windows.sum_table import NOTHING, measure_flags
from stream_kpi.windows.tiers import ALL_TIME, DAYS
from stream_kpi.windows.views import MergedView, instant_view, rolling_view, total_view, tumbling_views

CUTS_PER_PUBLISH = 400
"""Windows x cuts evaluated at one publish, about 0.3 ms each: half of it for what has changed in windows that end now,
first come first served, a quarter for tumbling windows, the rest for what only has newer bounds, oldest first, and what
that leaves for tumbling windows again. What is left waits for the next publish, and no window for ever, however much
changes."""


_KINDS = ("instant", "total", TODAY.name, *(k.name for k in ROLLING), *(k.name for k in TUMBLING))
_COMPARE_WITH_TOTAL = frozenset(
    dimension for kind in _KINDS for kpi in live_rows(kind) if kpi.formula.reads_total for dimension in kpi.cuts
)
"""Dimensions with rows whose value changes with the total's."""
_LOOK_BACK = frozenset(
    dimension for kpi in live_rows("instant") if set(TRAILING) & set(kpi.formula.measures) for dimension in kpi.cuts
)
"""Dimensions with gauges whose value changes with the trailing half hour."""
_RUNNING = measure_flags(RUNNING)
_RUN_ON = tuple(k for k in TUMBLING if any(set(RUNNING) & set(kpi.formula.measures) for kpi in live_rows(k.name)))
"""Kinds of windows with rows whose value grows with the clock, in the cuts in which something runs."""
_TIERS_OF_FIXED_WINDOWS = frozenset({ALL_TIME.number, TODAY.tier.number, *(kind.tier.number for kind in TUMBLING)})
MAX_WAITING = 100_000
"""So many panes are not left to wait for a publish, which may be a minute away: they would fill the memory."""


def _summed(kind: Rolling, rows: RowsByCut) -> frozenset[Measure] | None:
    """The measures that a rolling window sums; None: all. The panes of days hold a year of everything, of which the few
    rows that look back so far need little."""
    return measures_shown(rows.rows) if kind.tier == DAYS else None


class Merge:
    """Keeps every window's sums up to date as panes arrive, and evaluates what a publish has to say.

    The panes topic is its state; the values topic, and the topic of what was withdrawn, are its memory of what it said:
    all are read back at start.
    """

    def __init__(self, options: Options, *, grace_ms: int) -> None:
        """``grace_ms``: how long after its end a window is not yet final (0 when a past log is replayed)."""
        self.panes = MergedPanes(options.zone_info)
        self._options = options
        self._grace_ms = grace_ms
        business = options.schedules is not None
        self._rows = {
            kind: RowsByCut(on_clocks(within_horizons(live_rows(kind, options), options), business=business))
            for kind in _KINDS
        }
        self._rolling = [
            (
                RollingSums(kind, self.panes, measures=_summed(kind, self._rows[kind.name])),
                cohort_sums(kind, self.panes, options.cohorts, measures_read(self._rows[kind.name].rows)),
            )
            for kind in ROLLING
        ]
        self._trailing = trailing_sums(self.panes)
        self._tumbling = [DirtyTumbling(kind, options.zone_info, self._grace_ms) for kind in TUMBLING]
        self._first_tumbling = 0
        self._due = DueCuts(_COMPARE_WITH_TOTAL)
        self._published = Published()
        self._moved_levels: set[Cut] = set()
        self._unbalanced = 0
        self._untold = 0
        self._deadlines: dict[int, tuple[Deadline, ...]] = {}
        """By shard, those that it stated last."""
        self._arrived: defaultdict[int, list[Record]] = defaultdict(list)
        """By shard: records of a flush whose last one is not here."""
        self._whole: list[tuple[int, list[Record]]] = []
        """Flushes that are here and have not been taken in, by shard."""

    def restore(self, shard: int, key: bytes, value: bytes | None) -> None:
        """Take one record of the panes topic back, in log order, before the first publish."""
        if key == FLUSHED_KEY:
            return
        if key == AGES_KEY:
            for cut in self.panes.put_ages(shard, unpack_ages(value) if value else {}):
                self._due.outdate("instant", cut)
        elif key == DEADLINES_KEY:
            self._deadlines[shard] = unpack_deadlines(value) if value else ()
        else:
            self.panes.apply(shard, unpack_key(key), value)

    def restore_published(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the values topic back, in log order, before the first publish."""
        self._published.restore(key, value)

    def restore_withdrawn(self, key: bytes, value: bytes | None) -> None:
        """The same of the topic of what was withdrawn."""
        self._published.restore_withdrawn(key, value)

    def restored(self) -> Generator[None, None, None]:
        """The topics have been read to their ends: recover what follows from them, a step at a time. To be iterated
        over. What was overwritten or has gone since costs nothing."""
        yield from self._published.restored()
        yield from self._absorb()

    def apply(self, shard: int, key: bytes, value: bytes | None) -> None:
        """Take one record of the panes topic in. It counts when the whole flush is here. :meth:`settle` is to be called
        every now and then."""
        self._arrived[shard].append((key, value))
        if key == FLUSHED_KEY:
            self._whole.append((shard, self._arrived.pop(shard)))

    def settle(self) -> Generator[None, None, None]:
        """Work off what has been taken in, a step at a time, if it is much. Nothing is to be taken in before the
        last step."""
        yield from self._take_whole()
        if self.panes.waiting >= MAX_WAITING:
            yield from self._absorb()

    def _take_whole(self) -> Generator[None, None, None]:
        whole, self._whole = self._whole, []
        for shard, records in whole:
            for key, value in records:
                self.restore(shard, key, value)
                yield

    def _absorb(self) -> Generator[None, None, None]:
        yield from self._take_whole()
        for change in self.panes.absorb():
            if len(change.sums.keys):
                self._take_in(change)
            yield

    def _take_in(self, change: Change) -> None:
        whole: dict[str, None] = {}
        for sums in self._every_rolling():
            inside = sums.add(change) if sums.kind.tier.number == change.tier else NOTHING
            if inside is change.sums:
                whole[sums.kind.name] = None
            elif len(inside.keys):
                self._due.mark_all(sums.kind.name, self.panes.numbers.named(inside.cuts()))
        if whole:
            every_cut = self.panes.numbers.named(change.sums.cuts())
            for name in whole:
                self._due.mark_all(name, every_cut)
        self._look_back(change)
        if change.tier in _TIERS_OF_FIXED_WINDOWS:
            self._mark_fixed(change)

    def _mark_fixed(self, change: Change) -> None:
        """Mark what has changed in windows with fixed bounds, all time and the instant."""
        tier, named = change.tier, self.panes.numbers.named
        fixed = change.sums.of_measures(OF_FIXED_WINDOWS)
        cuts, levels = named(fixed.cuts()), named(fixed.of_measures(LEVELS).cuts())
        self._moved_levels.update(levels)
        if tier == ALL_TIME.number:
            self._due.mark_all("total", cuts)
            self._due.mark_all("instant", cuts)
            # A change from before a window moves the level at its start.
            every_level = named(change.sums.of_measures(LEVELS).cuts())
            for name in (TODAY.name, *(sums.kind.name for sums, _ in self._rolling)):
                for cut in every_level:
                    self._due.outdate(name, cut)
        for dirty in self._tumbling:
            if dirty.kind.tier.number == tier:
                dirty.mark(change.start_ms, cuts, levels)
        if tier == TODAY.tier.number:
            self._due.mark_all(TODAY.name, cuts)

    def _every_rolling(self) -> Iterator[RollingSums]:
        for sums, cohorts in self._rolling:
            yield sums
            yield from cohorts

    def publish(self, now_ms: int, first_ms: int | None) -> Generator[None, None, Publication]:
        """Evaluate what has changed, as of ``now``, a step at a time: none takes more than a few milliseconds. What it
        returns is to be published. Nothing is to be taken in before its end."""
        if first_ms is None:
            first_ms = now_ms
        yield from self._absorb()
        for sums in self._every_rolling():
            self._due.mark_all(sums.kind.name, sums.move(now_ms))
            yield
        self._mark_gauges(self._trailing.move(now_ms))
        yield from self.panes.expire(now_ms)  # what is gone can leave no window any more
        views = list(self._current_views(now_ms, first_ms))
        yield
        changed_cuts = self._due.take(CUTS_PER_PUBLISH // 2)
        for view in views:
            yield from self._publish_cuts(view, changed_cuts.get(view.window.kind, ()), now_ms)
        self._mark_old_levels(now_ms, first_ms)
        spent = sum(map(len, changed_cuts.values()))
        in_turn = self._tumbling_in_turn()
        for dirty in in_turn:
            self._move_tumbling(dirty, now_ms, first_ms)
            yield
        of_tumbling = yield from self._publish_tumbling(in_turn, now_ms, CUTS_PER_PUBLISH // 4)
        budget = CUTS_PER_PUBLISH - spent - min(of_tumbling, CUTS_PER_PUBLISH // 4)
        stale = yield from self._publish_stale(views, now_ms, budget)
        yield from self._publish_tumbling(in_turn, now_ms, budget - stale)
        left = max(0, stale - budget)
        left += len(self._due) + sum(len(dirty.starts()) for dirty in self._tumbling)
        unbalanced, self._unbalanced = self._unbalanced, 0
        untold, self._untold = self._untold, 0
        durations = tuple(histograms(self._rows["total"].rows, views[-1]))
        said = self._published
        return Publication(
            *said.take_changed(),
            dict(said.records),
            durations,
            nearest(chain.from_iterable(self._deadlines.values()), now_ms),
            complete=left == 0,
            unbalanced=unbalanced,
            untold=untold,
        )

    def _tumbling_in_turn(self) -> list[DirtyTumbling]:
        """Every kind, another one first at each publish."""
        self._first_tumbling = (self._first_tumbling + 1) % len(self._tumbling)
        return self._tumbling[self._first_tumbling :] + self._tumbling[: self._first_tumbling]

    def _current_views(self, now_ms: int, first_ms: int) -> Iterator[MergedView]:
        """The windows that end now, those that people look at first; all time is the last."""
        yield instant_view(self.panes, self._trailing, now_ms)
        for sums, cohorts in self._rolling:
            yield rolling_view(self.panes, sums, cohorts, now_ms)
        yield next(tumbling_views(self.panes, TODAY, now_ms, now_ms, self._grace_ms))
        yield total_view(self.panes, first_ms, now_ms)

    def _look_back(self, change: Change) -> None:
        if self._trailing.kind.tier.number == change.tier and len(self._trailing.add(change).keys):
            self._mark_gauges(self.panes.numbers.named(change.sums.of_measures(OF_TRAILING).cuts()))

    def _mark_gauges(self, cuts: Iterable[Cut]) -> None:
        """The trailing half hour of these cuts has changed."""
        self._due.mark_all("instant", (cut for cut in cuts if (cut[0] if cut else TOTAL_CUT) in _LOOK_BACK))

    def _mark_old_levels(self, now_ms: int, first_ms: int) -> None:
        """A level's change from before a tier's oldest pane is seen at the end of every window of that tier."""
        for tier in {dirty.kind.tier for dirty in self._tumbling}:
            moved = [cut for cut in self._moved_levels if self.panes.base_moved(tier, cut)]
            for dirty in self._tumbling:
                if dirty.kind.tier == tier:
                    dirty.mark(dirty.oldest_ms(now_ms, first_ms), moved, moved)
        self._moved_levels.clear()

    def _publish_stale(self, views: list[MergedView], now_ms: int, budget: int) -> Generator[None, None, int]:
        """Evaluate cuts whose records show an earlier now, the oldest first; how many there were."""
        running = set(self.panes.numbers.named(self.panes.levels.sums.of_measures(_RUNNING).cuts()))
        stale = [(at_ms, n, cut) for n, view in enumerate(views) for at_ms, cut in self._stale_in(view, running)]
        yield
        for place, kind in enumerate(_RUN_ON, len(views)):
            published = self._due.bounds(kind.name)
            bounds = (kind.start_of(now_ms, self.panes.zone), now_ms)
            stale += [(published.get(cut, bounds)[1], place, cut) for cut in running if published.get(cut) != bounds]
        stale.sort()
        chosen: dict[int, list[Cut]] = {}
        for _, place, cut in stale[: max(0, budget)]:
            chosen.setdefault(place, []).append(cut)
        for place, cuts in chosen.items():
            if place < len(views):
                view = views[place]
            else:
                kind = _RUN_ON[place - len(views)]
                view = next(tumbling_views(self.panes, kind, now_ms, now_ms, self._grace_ms))
            yield from self._publish_cuts(view, cuts, now_ms)
        return len(stale)

    def _stale_in(self, view: MergedView, running: set[Cut]) -> Iterator[tuple[int, Cut]]:
        published = self._published.cuts((view.window.kind, None))
        return self._due.stale_in(view.window, view.cuts(), published, running)

    def _move_tumbling(self, dirty: DirtyTumbling, now_ms: int, first_ms: int) -> None:
        """Take the windows of a kind to ``now``, and back those that are published no longer."""
        self._untold += dirty.move(now_ms, first_ms)
        self._published.forget_before(dirty.kind.name, timestamp(dirty.oldest_ms(now_ms, first_ms)))

    def _publish_tumbling(
        self, in_turn: Iterable[DirtyTumbling], now_ms: int, budget: int
    ) -> Generator[None, None, int]:
        """Evaluate changed windows, newest first, kind by kind; how many cuts, at most a window's above the budget."""
        spent = 0
        for dirty in in_turn:
            wanted = dirty.starts()
            if not wanted or spent >= budget:
                continue
            # To walk back takes 1 ms a window, whether or not it is looked at.
            for view in tumbling_views(self.panes, dirty.kind, now_ms, min(wanted), self._grace_ms):
                start_ms = view.window.start_ms or 0
                if start_ms in wanted:
                    spent += yield from self._publish_window(dirty, view, start_ms, now_ms)
                yield
                if spent >= budget:
                    break
        return spent

    def _publish_window(
        self, dirty: DirtyTumbling, view: MergedView, start_ms: int, now_ms: int
    ) -> Generator[None, None, int]:
        published = self._published.cuts((dirty.kind.name, timestamp(start_ms)))
        cuts = dirty.take(start_ms, view.cuts(), published)
        if TOTAL in cuts:
            cuts.update(cut for cut in published if cut and cut[0] in _COMPARE_WITH_TOTAL)
        yield from self._publish_cuts(view, cuts, now_ms)
        return len(cuts)

    def _publish_cuts(self, view: MergedView, cuts: Iterable[Cut], now_ms: int) -> Iterator[None]:
        cuts = list(cuts)
        if not cuts:
            return
        kind, start_ms, end_ms, final, _ = view.window
        as_of = timestamp(now_ms)
        window = window_id(kind, None if start_ms is None else timestamp(start_ms))
        known = view.cuts()
        at = self._due.bounds(kind) if window[1] is None or end_ms > now_ms else {}
        evaluation = Evaluation(self._rows[kind], view, as_of_ms=now_ms, options=self._options)
        for cut in cuts:
            if cut != TOTAL:  # what compares with a total that waits must wait for it
                self._due.drop(kind, cut)
            if cut not in known:
                at.pop(cut, None)
                self._published.replace(window, cut, {}, final=final, as_of=as_of)
                continue
            at[cut] = (start_ms, view.window.reached_ms)
            self._unbalanced += not is_balanced(cut, view.inside(cut))
            records = {record_key(record): record for record in evaluation.records(cut)}
            self._published.replace(window, cut, records, final=final, as_of=as_of)
            yield
