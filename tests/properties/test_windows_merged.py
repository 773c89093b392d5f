"""Merged panes and the windows read from them, against lists of facts."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_kpi.kpis.catalogue import live_rows
from stream_kpi.kpis.rows import measures_read
from stream_kpi.lifecycles.facts import TOTAL, Cut, CutSets
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.registry import BACKLOG, COHORT_SOLVES, RESTATED, TICKETS_CREATED, Kind, Measure
from stream_kpi.measures.vector import Vector, add_into
from stream_kpi.steps import all_of
from stream_kpi.windows.ages import AgeSets
from stream_kpi.windows.cut_table import CutTable
from stream_kpi.windows.kinds import ROLLING, Rolling, Tumbling, parse
from stream_kpi.windows.merged import Change, LevelBase, MergedPanes, RollingSums, cohort_sums
from stream_kpi.windows.panes import PaneKey, Panes, unpack_key
from stream_kpi.windows.sum_table import Sums, packed_vectors, sums_of
from stream_kpi.windows.tiers import DAYS, FIVE_MINUTES
from stream_kpi.windows.views import tumbling_views

UTC = ZoneInfo("UTC")
T0_MS = 1_772_409_600_000  # 2026-03-02T00:00:00Z
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
EMAIL: Cut = ("channel", "email")
CUTS: tuple[tuple[Cut, ...], ...] = ((TOTAL,), (TOTAL, EMAIL))
SPAN_MS = 3 * HOUR_MS


class Fact(NamedTuple):
    """A count or a level's change."""

    measure: Measure
    time_ms: int
    cuts: tuple[Cut, ...]
    value: int


FACTS = st.lists(
    st.builds(
        Fact,
        st.sampled_from([TICKETS_CREATED, BACKLOG, COHORT_SOLVES]),
        st.integers(T0_MS, T0_MS + SPAN_MS),
        st.sampled_from(CUTS),
        st.sampled_from([-1, 1, 2]),
    ),
    max_size=25,
)
STATES = st.lists(
    st.dictionaries(st.integers(0, 3), st.integers(-2, 2).filter(bool), min_size=1, max_size=3), max_size=6
)


def summed(facts: list[Fact], cut: Cut) -> Vector:
    total: Vector = {}
    for fact in facts:
        if cut in fact.cuts:
            add_into(total, {fact.measure.slot: fact.value})
    return total


def by_cut(merged: MergedPanes, sums: Sums) -> dict[Cut, Vector]:
    return {merged.numbers.cuts[number]: sums.vector(number) for number in sums.cuts().tolist()}


class Source:
    """A shard's panes, flushed into merged ones."""

    def __init__(self, merged: MergedPanes, shard: int = 0) -> None:
        self.cut_sets = CutSets()
        table = CutTable(self.cut_sets)
        self.panes = Panes(table, AgeSets(table), merged.zone)
        self.merged = merged
        self.shard = shard

    def state(self, facts: list[Fact], clock_ms: int) -> list[Change]:
        self.panes.add([(f.measure.slot, f.time_ms, self.cut_sets.id_of(f.cuts), f.value, 1) for f in facts])
        all_of(self.panes.spread(clock_ms))
        for key, value in all_of(self.panes.flush(clock_ms)):
            self.merged.apply(self.shard, unpack_key(key), value)
        return list(self.merged.absorb())


KEY = PaneKey(FIVE_MINUTES.number, T0_MS, TOTAL)


def content(merged: MergedPanes) -> Vector:
    table = merged.slices[KEY.tier].get(KEY.start_ms)
    return {} if table is None else table.sums.vector(merged.numbers.find(TOTAL))


def apply(merged: MergedPanes, shard: int, vector: Vector | None) -> None:
    merged.apply(shard, KEY, None if vector is None else b"".join(packed_vectors(sums_of({0: vector}), np.array([0]))))


@given(vectors=STATES, absorbed=st.lists(st.booleans(), min_size=6, max_size=6), repeated=st.booleans())
def test_a_pane_is_what_its_last_record_states_and_a_repeat_changes_nothing(
    vectors: list[Vector], absorbed: list[bool], repeated: bool
) -> None:
    merged = MergedPanes(UTC)
    for vector, absorb in zip(vectors, absorbed, strict=False):
        apply(merged, 0, vector)
        if absorb:
            list(merged.absorb())
            assert content(merged) == vector
    list(merged.absorb())
    if repeated and vectors:
        apply(merged, 0, vectors[-1])
        assert not any(len(change.sums.keys) for change in merged.absorb())
    assert content(merged) == (vectors[-1] if vectors else {})


@given(mine=STATES, others=STATES, gone=st.booleans())
def test_shards_are_added_up_and_one_that_takes_its_pane_back_leaves_the_others(
    mine: list[Vector], others: list[Vector], gone: bool
) -> None:
    merged = MergedPanes(UTC)
    for shard, vectors in enumerate((mine, others)):
        for vector in vectors:
            apply(merged, shard, vector)
    if gone:
        apply(merged, 0, None)
        apply(merged, 0, None)
    list(merged.absorb())
    expected = dict(others[-1]) if others else {}
    if mine and not gone:
        add_into(expected, mine[-1])
    assert content(merged) == expected


@pytest.mark.parametrize("absorbed", [False, True])
def test_a_pane_that_comes_back_after_its_tombstone_counts_again(absorbed: bool) -> None:
    merged = MergedPanes(UTC)
    for vector in ({1: 1}, {1: 5}, None, {1: 2}):
        apply(merged, 0, vector)
        if absorbed:
            list(merged.absorb())
    list(merged.absorb())
    assert content(merged) == {1: 2}


def test_a_pane_that_has_gone_before_it_was_seen_leaves_nothing_to_add_up() -> None:
    merged = MergedPanes(UTC)
    for vector in ({1: 1}, None, None):
        apply(merged, 0, vector)
    assert merged.waiting == 0
    assert not merged._waiting


@given(
    facts=FACTS,
    steps=st.lists(st.integers(0, 70 * MINUTE_MS), min_size=1, max_size=8),
    lag=st.booleans(),
    behind=st.booleans(),
)
def test_a_rolling_window_that_is_moved_holds_what_one_that_is_summed_anew_holds(
    facts: list[Fact], steps: list[int], lag: bool, behind: bool
) -> None:
    kinds = [kind for kind in map(parse, ("rolling:5m", "rolling:1h", "rolling:4h")) if isinstance(kind, Rolling)]
    lag_ms = 30 * MINUTE_MS if lag else 0
    merged = MergedPanes(UTC)
    source = Source(merged)
    moving = [RollingSums(kind, merged, lag_ms) for kind in kinds]
    now_ms, waiting = T0_MS, sorted(facts, key=lambda fact: fact.time_ms)
    for step_ms in steps:
        now_ms += step_ms
        clock_ms = now_ms - 2 * HOUR_MS if behind else now_ms
        come = [fact for fact in waiting if fact.time_ms <= clock_ms]
        waiting = waiting[len(come) :]
        for change in source.state(come, clock_ms):
            for sums in moving:
                if sums.kind.tier.number == change.tier:
                    sums.add(change)
        for sums in moving:
            before = by_cut(merged, sums.table.sums)
            changed = sums.move(now_ms)
            anew = RollingSums(sums.kind, merged, lag_ms)
            anew.move(now_ms)
            after = by_cut(merged, sums.table.sums)
            assert after == by_cut(merged, anew.table.sums)
            assert {cut for cut in before.keys() | after.keys() if before.get(cut) != after.get(cut)} <= set(changed)
        deque(merged.expire(now_ms), maxlen=0)


@pytest.mark.parametrize("kind", ROLLING)
def test_what_a_shard_that_is_behind_states_of_cohorts_leaves_every_window_that_is_published(kind: Rolling) -> None:
    merged, options = MergedPanes(UTC), Options()
    cohorts = cohort_sums(kind, merged, options.cohorts, measures_read(live_rows(kind.name)))
    now_ms = T0_MS + 7 * DAY_MS + HOUR_MS

    def publish(at_ms: int) -> None:
        for cohort in cohorts:
            cohort.move(at_ms)
        deque(merged.expire(at_ms), maxlen=0)

    publish(now_ms)
    measures = [measure for of_one in options.cohorts.values() for measure in of_one]
    late = [Fact(measure, time_ms, (TOTAL,), 1) for measure in measures for time_ms in (T0_MS, now_ms - HOUR_MS)]
    for change in Source(merged).state(late, T0_MS):
        for cohort in cohorts:
            if change.tier == kind.tier.number:
                cohort.add(change)
    publish(now_ms + HOUR_MS)
    publish(now_ms + 38 * DAY_MS)
    assert not any(len(cohort.table.sums.keys) for cohort in cohorts)


@given(facts=FACTS, now_ms=st.integers(T0_MS, T0_MS + SPAN_MS), name=st.sampled_from(["rolling:5m", "rolling:1h"]))
def test_a_rolling_window_holds_the_facts_from_its_start_to_now_inclusive(
    facts: list[Fact], now_ms: int, name: str
) -> None:
    kind = parse(name)
    assert isinstance(kind, Rolling)
    facts = [fact for fact in facts if fact.time_ms <= now_ms]
    merged = MergedPanes(UTC)
    Source(merged).state(facts, now_ms)
    sums = RollingSums(kind, merged)
    only = RollingSums(kind, merged, measures=(COHORT_SOLVES,))
    sums.move(now_ms)
    only.move(now_ms)
    start_ms = (now_ms - kind.length_ms) // 15_000 * 15_000
    assert sums.start_ms == start_ms
    inside = [fact for fact in facts if fact.time_ms >= start_ms]
    every, cohort = by_cut(merged, sums.table.sums), by_cut(merged, only.table.sums)
    for cut in (TOTAL, EMAIL):
        assert every.get(cut, {}) == summed(inside, cut)
        assert cohort.get(cut, {}) == summed([f for f in inside if f.measure is COHORT_SOLVES], cut)


@given(facts=FACTS, name=st.sampled_from(["tumbling:5m", "tumbling:1h", "tumbling:1d"]), at_ms=st.integers(0, SPAN_MS))
def test_a_tumbling_window_holds_its_own_facts_and_the_levels_at_its_ends(
    facts: list[Fact], name: str, at_ms: int
) -> None:
    kind = parse(name)
    assert isinstance(kind, Tumbling)
    merged = MergedPanes(UTC)
    # A shard ahead of the others has stated what comes after now.
    Source(merged).state(facts, T0_MS + SPAN_MS)
    now_ms = T0_MS + at_ms
    previous_start_ms = None
    for view in tumbling_views(merged, kind, now_ms, T0_MS, 10 * MINUTE_MS):
        start_ms, end_ms = view.window.start_ms, view.window.end_ms
        assert start_ms is not None
        assert previous_start_ms in {None, end_ms}
        assert view.window.final == (end_ms + 10 * MINUTE_MS <= now_ms)
        previous_start_ms = start_ms
        for cut in (TOTAL, EMAIL):
            assert view.inside(cut) == summed([f for f in facts if start_ms <= f.time_ms < end_ms], cut)
            # What was counted before a window is no business of its own.
            levels = [f for f in facts if f.measure.kind is Kind.LEVEL]
            assert view.at_end(cut) == summed([f for f in levels if f.time_ms < end_ms], cut)
            assert view.at_start(cut) == summed([f for f in levels if f.time_ms < start_ms], cut)
    assert previous_start_ms == T0_MS


@given(facts=FACTS)
def test_expired_panes_leave_while_all_time_and_the_levels_stay(facts: list[Fact]) -> None:
    merged = MergedPanes(UTC)
    Source(merged).state(facts, T0_MS + SPAN_MS)
    totals = by_cut(merged, merged.totals)
    deque(merged.expire(T0_MS + 500 * DAY_MS), maxlen=0)
    assert [tier for tier, slices in merged.slices.items() if slices] in ([], [4])
    assert by_cut(merged, merged.totals) == totals
    assert not merged.base_moved(DAYS, TOTAL), "what expires moves no level"
    assert not merged.base_moved(FIVE_MINUTES, TOTAL)


def test_a_level_change_from_before_the_tiers_oldest_pane_moves_its_base_once() -> None:
    merged = MergedPanes(UTC)
    source = Source(merged)
    now_ms = T0_MS + 2 * DAY_MS
    source.state([Fact(BACKLOG, now_ms, (TOTAL,), 1)], now_ms)
    assert not merged.base_moved(FIVE_MINUTES, TOTAL)
    source.state([Fact(BACKLOG, T0_MS, (TOTAL,), 1)], now_ms)
    assert merged.base_moved(FIVE_MINUTES, TOTAL)
    assert not merged.base_moved(FIVE_MINUTES, TOTAL)
    assert not merged.base_moved(DAYS, TOTAL), "the days' tier still has the pane"
    source.state([Fact(TICKETS_CREATED, T0_MS, (TOTAL,), 1)], now_ms)
    assert not merged.base_moved(FIVE_MINUTES, TOTAL), "a count is no level"


def test_what_is_restated_of_the_past_moves_no_base_as_only_windows_that_end_now_read_it() -> None:
    merged = MergedPanes(UTC)
    source = Source(merged)
    now_ms = T0_MS + 2 * DAY_MS
    source.state([Fact(BACKLOG, now_ms, (TOTAL,), 1)], now_ms)
    source.state([Fact(measure, T0_MS, (TOTAL,), 1) for measure in RESTATED], now_ms)
    assert not merged.base_moved(FIVE_MINUTES, TOTAL)


def test_the_base_of_levels_is_what_stands_less_what_the_tier_keeps() -> None:
    base = LevelBase()
    slot = BACKLOG.slot
    base.add(sums_of({0: {slot: 3, TICKETS_CREATED.slot: 9}}))
    assert not base.moved(0, sums_of({0: {slot: 3}}))
    base.forget(sums_of({0: {slot: 2}}))
    assert not base.moved(0, sums_of({0: {slot: 3}}))
    assert base.moved(0, sums_of({0: {slot: 4}}))
    assert base.moved(0, sums_of({0: {slot: 3}}))
