"""The global clock: one `now` for all shards (design.md section 5)."""

from __future__ import annotations

from itertools import permutations

import pytest

from stream_kpi.windows.clock import GlobalClock, ShardClock, clock_record


def clock_of(*shards: tuple[int | None, bool]) -> GlobalClock:
    clock = GlobalClock()
    for number, (greatest_ms, caught_up) in enumerate(shards):
        clock.update(*clock_record(number, ShardClock(greatest_ms, greatest_ms, caught_up)))
    return clock


def test_nothing_known_is_no_now() -> None:
    assert GlobalClock().now_ms(None) is None
    assert GlobalClock().first_ms is None
    assert clock_of((None, True), (None, False)).now_ms(None) is None


def test_when_all_are_caught_up_now_is_the_greatest_event_time() -> None:
    assert clock_of((10, True), (30, True), (20, True)).now_ms(None) == 30


def test_when_all_are_caught_up_the_wall_clock_counts_too() -> None:
    assert clock_of((10, True), (30, True)).now_ms(50) == 50
    assert clock_of((10, True), (30, True)).now_ms(20) == 30, "an event a little ahead of the wall clock"
    assert GlobalClock().now_ms(50) == 50


def test_while_some_are_behind_now_is_the_least_of_those() -> None:
    assert clock_of((10, True), (30, False), (20, False), (90, True)).now_ms(None) == 20
    assert clock_of((10, True), (30, False), (20, False), (90, True)).now_ms(1000) == 20


def test_a_shard_that_is_behind_and_has_no_event_yet_holds_now() -> None:
    assert clock_of((10, True), (None, False), (30, False)).now_ms(1000) is None
    clock = clock_of((10, True), (30, True))
    assert clock.now_ms(1000) == 1000
    clock.update(*clock_record(0, ShardClock(None, None, caught_up=False)))
    assert clock.now_ms(2000) == 1000
    clock.update(*clock_record(0, ShardClock(None, None, caught_up=True)))
    assert clock.now_ms(2000) == 2000


def test_what_a_shards_former_owner_said_is_forgotten_when_the_new_one_speaks() -> None:
    clock = clock_of((10, True), (30, True))
    for number, greatest_ms in ((0, 10), (1, 30)):
        clock.update(*clock_record(number, ShardClock(greatest_ms, 1, caught_up=False)))
    assert clock.now_ms(1000) == 10


def test_an_idle_shard_that_is_caught_up_does_not_hold_the_event_clock_back() -> None:
    assert clock_of((None, True), (30, True)).now_ms(None) == 30
    assert clock_of((5, True), (30, True)).now_ms(None) == 30


@pytest.mark.parametrize("wall_ms", [None, 25])
def test_now_never_goes_back(wall_ms: int | None) -> None:
    clock = clock_of((10, True), (30, True))
    assert clock.now_ms(wall_ms) == 30
    clock.update(*clock_record(0, ShardClock(12, 1, caught_up=False)))
    assert clock.now_ms(wall_ms) == 30
    clock.update(*clock_record(0, ShardClock(40, 1, caught_up=False)))
    assert clock.now_ms(wall_ms) == 40


def test_the_last_word_of_each_shard_counts_whatever_the_order_of_shards() -> None:
    records = [clock_record(n, ShardClock(10 * n, n, caught_up=n != 2)) for n in range(4)]
    for order in permutations(records):
        clock = GlobalClock()
        clock.update(*clock_record(2, ShardClock(5, 5, caught_up=True)))
        for record in order:
            clock.update(*record)
        assert clock.now_ms(None) == 20
        assert clock.first_ms == 0


def test_the_first_event_is_the_first_of_all_shards() -> None:
    clock = GlobalClock()
    clock.update(*clock_record(0, ShardClock(50, 20, caught_up=True)))
    clock.update(*clock_record(1, ShardClock(None, None, caught_up=True)))
    clock.update(*clock_record(2, ShardClock(40, 10, caught_up=True)))
    assert clock.first_ms == 10


def test_records_without_key_or_value_say_nothing() -> None:
    clock = clock_of((10, True))
    clock.update(None, b"x")
    clock.update(b"0", None)
    assert clock.now_ms(None) == 10
