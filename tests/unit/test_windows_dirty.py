"""Which tumbling windows a publish looks at again."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from stream_kpi.lifecycles.facts import TOTAL
from stream_kpi.windows.dirty import DirtyTumbling
from stream_kpi.windows.kinds import TUMBLING, Tumbling
from stream_kpi.windows.tiers import DAY_MS, HOUR_MS, MINUTE_MS

UTC = ZoneInfo("UTC")
NOW_MS = 20_000 * DAY_MS + 12 * HOUR_MS
FIVE_MINUTES = TUMBLING[0]


def clean(kind: Tumbling = FIVE_MINUTES, grace_ms: int = 0) -> DirtyTumbling:
    """As after a publish at NOW that took everything, all events of the three years before it."""
    dirty = DirtyTumbling(kind, UTC, grace_ms)
    dirty.move(NOW_MS, NOW_MS - 3 * 365 * DAY_MS)
    for start_ms in dirty.starts():
        dirty.take(start_ms, (), {})
    return dirty


def test_what_was_counted_in_a_window_is_looked_at_in_that_window_alone() -> None:
    dirty = clean()
    dirty.mark(NOW_MS - 11 * MINUTE_MS, [TOTAL])
    assert dirty.cuts == {NOW_MS - 15 * MINUTE_MS: {TOTAL}}


def test_a_level_that_moved_is_looked_at_in_every_window_from_there_to_now() -> None:
    dirty = clean()
    dirty.mark(NOW_MS - 11 * MINUTE_MS, [TOTAL], [TOTAL])
    assert sorted(dirty.cuts) == [NOW_MS - minutes * MINUTE_MS for minutes in (15, 10, 5, 0)]


@pytest.mark.parametrize("kind", TUMBLING, ids=lambda kind: kind.name)
def test_a_level_that_moved_years_before_now_is_looked_at_in_the_published_windows_alone(kind: Tumbling) -> None:
    dirty = clean(kind)
    dirty.mark(NOW_MS - 3 * 365 * DAY_MS, [TOTAL], [TOTAL])
    begun = DirtyTumbling(kind, UTC, 0)
    begun.move(NOW_MS, 0)
    assert dirty.cuts.keys() == begun.whole
    assert len(dirty.cuts) <= 37


@pytest.mark.parametrize("kind", TUMBLING, ids=lambda kind: kind.name)
def test_what_was_counted_before_the_published_windows_is_looked_at_nowhere(kind: Tumbling) -> None:
    dirty = clean(kind)
    dirty.mark(NOW_MS - 3 * 365 * DAY_MS, [TOTAL])
    assert not dirty.cuts


def test_a_window_is_looked_at_whole_when_it_begins_and_ends_and_becomes_final() -> None:
    dirty = clean(grace_ms=MINUTE_MS)
    begin_ms = NOW_MS + 5 * MINUTE_MS
    dirty.move(begin_ms, 0)
    assert dirty.whole == {begin_ms, NOW_MS, NOW_MS - 5 * MINUTE_MS}, "begun, ended, final"
    assert dirty.take(begin_ms, [TOTAL], {("channel", "email"): {}}) == {TOTAL, ("channel", "email")}
    for start_ms in (NOW_MS, NOW_MS - 5 * MINUTE_MS):
        assert dirty.take(start_ms, [], {}) == set()
    dirty.move(begin_ms + MINUTE_MS, 0)
    assert dirty.whole == {NOW_MS}


def test_a_shard_ahead_of_now_has_its_window_looked_at_when_now_is_there() -> None:
    dirty = clean()
    ahead_ms = NOW_MS + HOUR_MS
    dirty.mark(ahead_ms, [TOTAL])
    assert not dirty.starts()
    dirty.move(ahead_ms, 0)
    assert ahead_ms in dirty.starts()


def test_a_first_event_earlier_than_known_brings_the_windows_from_then_on() -> None:
    dirty = DirtyTumbling(FIVE_MINUTES, UTC, 0)
    dirty.move(NOW_MS, NOW_MS)
    dirty.take(NOW_MS, (), {})
    dirty.mark(NOW_MS - 10 * MINUTE_MS, [TOTAL])
    dirty.move(NOW_MS, NOW_MS - 10 * MINUTE_MS)
    assert dirty.starts() == {NOW_MS - 10 * MINUTE_MS, NOW_MS - 5 * MINUTE_MS}


def test_windows_that_the_clock_leaps_over_are_counted() -> None:
    dirty = clean()
    assert dirty.move(NOW_MS + 3 * HOUR_MS, 0) == 0
    for start_ms in dirty.starts():
        dirty.take(start_ms, (), {})
    # Of the 72 of six hours more the 37 from three hours ago on are published; the one that ran is not among these.
    assert dirty.move(NOW_MS + 9 * HOUR_MS, 0) == 72 - 37 + 1


def test_windows_that_fall_out_while_their_last_look_waits_are_counted_once() -> None:
    dirty = clean()
    dirty.move(NOW_MS + 3 * HOUR_MS, 0)
    assert dirty.move(NOW_MS + 3 * HOUR_MS + 10 * MINUTE_MS, 0) == 2
    assert dirty.move(NOW_MS + 3 * HOUR_MS + 10 * MINUTE_MS, 0) == 0
