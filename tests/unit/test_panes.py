"""A shard's panes: what a flush writes, and when a pane is gone."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from stream_kpi.lifecycles.facts import TOTAL, Cut, CutSets
from stream_kpi.measures.registry import BACKLOG, OPEN_TICKETS, TICKETS_CREATED, Measure
from stream_kpi.measures.vector import Vector
from stream_kpi.steps import all_of
from stream_kpi.windows.ages import AgeSets
from stream_kpi.windows.cut_table import CutTable
from stream_kpi.windows.panes import AGES_KEY, PaneKey, Panes, pack_key, unpack_key
from stream_kpi.windows.tiers import ALL_TIME, DAYS, FINE, FIVE_MINUTES, HOURS, TIERS
from tests.shard_kit import vector_in

T0_MS = 1_772_445_600_000  # 2026-03-02T10:00:00Z
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
ALL = PaneKey(ALL_TIME.number, 0, TOTAL)


class Desk:
    """Panes of the total and the e-mail channel."""

    def __init__(self, zone: str = "UTC") -> None:
        self.cut_sets = CutSets()
        table = CutTable(self.cut_sets)
        self.ages = AgeSets(table)
        self.panes = Panes(table, self.ages, ZoneInfo(zone))

    def add(
        self, measure: Measure, time_ms: int, value: int = 1, cuts: tuple[Cut, ...] = (TOTAL,), sign: int = 1
    ) -> None:
        self.panes.add([(measure.slot, time_ms, self.cut_sets.id_of(cuts), value, sign)])

    def flush(self, clock_ms: int = T0_MS) -> dict[PaneKey, Vector | None]:
        """What every record states."""
        all_of(self.panes.spread(clock_ms))
        records = all_of(self.panes.flush(clock_ms))
        return {unpack_key(key): None if value is None else vector_in(value) for key, value in records}


def test_a_fact_goes_to_one_pane_of_every_tier() -> None:
    desk = Desk()
    desk.add(TICKETS_CREATED, T0_MS + 17_000)
    assert desk.flush() == {
        PaneKey(tier.number, start_ms, TOTAL): {TICKETS_CREATED.slot: 1}
        for tier, start_ms in (
            (FINE, T0_MS + 15_000),
            (FIVE_MINUTES, T0_MS),
            (HOURS, T0_MS),
            (DAYS, T0_MS - 10 * HOUR_MS),
            (ALL_TIME, 0),
        )
    }


def test_a_local_midnight_within_an_hour_parts_the_facts_of_that_hour() -> None:
    desk = Desk("Asia/Kolkata")
    half_past_six_ms = T0_MS + 8 * HOUR_MS + 30 * MINUTE_MS
    desk.add(TICKETS_CREATED, half_past_six_ms - 1)
    desk.add(BACKLOG, half_past_six_ms)
    days = {key.start_ms: record for key, record in desk.flush(half_past_six_ms).items() if key.tier == DAYS.number}
    assert days == {
        half_past_six_ms - DAY_MS: {TICKETS_CREATED.slot: 1},
        half_past_six_ms: {BACKLOG.slot: 1},
    }


def test_a_fact_goes_to_the_tiers_that_still_keep_its_time() -> None:
    for age_ms, tiers in ((0, 5), (2 * HOUR_MS, 4), (27 * HOUR_MS, 3), (39 * DAY_MS, 2), (401 * DAY_MS, 1)):
        desk = Desk()
        desk.add(TICKETS_CREATED, T0_MS - age_ms)
        assert len(desk.flush()) == tiers


def test_a_flush_holds_only_the_panes_that_changed_each_whole() -> None:
    desk = Desk()
    desk.add(TICKETS_CREATED, T0_MS - DAY_MS)
    desk.flush()
    desk.add(BACKLOG, T0_MS, 3)
    flushed = desk.flush()
    assert len(flushed) == 5
    assert flushed[ALL] == {TICKETS_CREATED.slot: 1, BACKLOG.slot: 3}
    assert flushed[PaneKey(FINE.number, T0_MS, TOTAL)] == {BACKLOG.slot: 3}
    assert desk.flush() == {}


def test_what_comes_and_goes_between_two_flushes_is_no_change() -> None:
    desk = Desk()
    desk.add(TICKETS_CREATED, T0_MS)
    desk.flush()
    desk.add(BACKLOG, T0_MS)
    desk.add(BACKLOG, T0_MS, sign=-1)
    assert desk.flush() == {}
    desk.add(BACKLOG, T0_MS)
    assert desk.flush()[ALL] == {TICKETS_CREATED.slot: 1, BACKLOG.slot: 1}


def test_an_emptied_pane_leaves_with_a_tombstone_and_begins_anew() -> None:
    desk = Desk()
    desk.add(BACKLOG, T0_MS)
    desk.flush()
    desk.add(BACKLOG, T0_MS, sign=-1)
    assert desk.flush() == dict.fromkeys(
        PaneKey(tier.number, tier.start_of(T0_MS, ZoneInfo("UTC")), TOTAL) for tier in TIERS if tier.measures is None
    )
    desk.add(BACKLOG, T0_MS)
    assert desk.flush()[ALL] == {BACKLOG.slot: 1}


def test_a_pane_that_was_never_written_leaves_without_a_tombstone() -> None:
    desk = Desk()
    desk.add(BACKLOG, T0_MS)
    desk.add(BACKLOG, T0_MS, sign=-1)
    assert desk.flush() == {}


def test_an_expired_pane_leaves_with_a_tombstone_once() -> None:
    desk = Desk()
    desk.add(TICKETS_CREATED, T0_MS)
    desk.flush()
    fine, five = PaneKey(FINE.number, T0_MS, TOTAL), PaneKey(FIVE_MINUTES.number, T0_MS, TOTAL)
    assert desk.flush(T0_MS + 105 * MINUTE_MS) == {}
    assert desk.flush(T0_MS + 105 * MINUTE_MS + 15_000) == {fine: None}
    assert desk.flush(T0_MS + 27 * HOUR_MS) == {five: None}
    assert set(desk.flush(T0_MS + 500 * DAY_MS)) == {
        PaneKey(HOURS.number, T0_MS, TOTAL),
        PaneKey(DAYS.number, T0_MS - 10 * HOUR_MS, TOTAL),
    }
    assert desk.flush(T0_MS + 900 * DAY_MS) == {}


def test_a_pane_that_comes_and_goes_for_ever_costs_no_memory() -> None:
    desk = Desk()
    for _ in range(50):
        desk.add(BACKLOG, T0_MS, cuts=(("status", "open"),))
        desk.flush()
        desk.add(BACKLOG, T0_MS, cuts=(("status", "open"),), sign=-1)
        desk.flush()
    kept = [slice_ for by_start in desk.panes._slices.values() for slice_ in by_start.values()]
    assert not any(slice_.table or slice_.written or slice_.changed for slice_ in kept)


def test_members_of_sets_that_age_are_in_no_pane() -> None:
    desk = Desk()
    desk.add(OPEN_TICKETS, T0_MS, T0_MS)
    assert desk.flush() == {}
    assert desk.ages.state_at(T0_MS)[OPEN_TICKETS.number][TOTAL].count == 1


def test_keys_are_packed_without_loss_and_none_is_that_of_the_ages() -> None:
    for key in (ALL, PaneKey(DAYS.number, T0_MS, ("category", "ünïcode|&=")), PaneKey(0, -15_000, ("agent", ""))):
        assert unpack_key(pack_key(key)) == key
        assert pack_key(key) != AGES_KEY
