"""When the merge publishes again."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from stream_kpi.shell import merge_service
from stream_kpi.shell.flush import WriteError
from stream_kpi.shell.merge_service import (
    HISTORY_STEP_MS,
    LOST_PAUSE_S,
    REST,
    REST_BEHIND,
    REST_FAR_BEHIND,
    MergeService,
)
from stream_kpi.shell.options import ShellOptions
from stream_kpi.shell.stats import ShardStats, Stats
from stream_kpi.shell.turns import Turns

OPTIONS = ShellOptions(broker="none:1", app_id="app", source_topics=("a",), flush_events=100, publish_interval_s=1.0)


def shards_of(stats: Stats) -> Any:
    return SimpleNamespace(stats=stats, turns=Turns(), processors={0: None})


def pause_s(publish_s: float, *shards: ShardStats, settling: bool = False, now_ms: int = 1_000) -> float:
    nothing: Any = None
    stats = Stats(shards=dict(enumerate(shards)))
    clock: Any = SimpleNamespace(now_ms=lambda: now_ms)
    service = MergeService(OPTIONS, nothing, nothing, clock, shards_of(stats), nothing)
    service._published_ms = 1_000
    return service._pause_s(publish_s, settling=settling)


def shard(lag: int, *, caught_up: bool) -> ShardStats:
    return ShardStats(caught_up=caught_up, lag={TP("a", 0): lag})


IDLE, BEHIND = shard(0, caught_up=True), shard(50, caught_up=False)
FAR_BEHIND = ShardStats(caught_up=False, behind=2.5)


def test_values_that_have_settled_are_published_at_the_interval() -> None:
    assert pause_s(0.1, IDLE) == 1.0


def test_values_that_settle_are_published_on_at_once_when_nothing_waits_to_be_read() -> None:
    assert pause_s(0.1, IDLE, IDLE, settling=True) == 0.0


@pytest.mark.parametrize("settling", [True, False])
def test_the_shards_have_the_processor_while_one_of_them_is_behind(settling: bool) -> None:
    assert pause_s(0.5, IDLE, BEHIND, settling=settling) == 0.5 * REST_BEHIND
    assert pause_s(0.5, ShardStats(), settling=settling) == 0.5 * REST_BEHIND, "a shard of which nothing is known"
    assert pause_s(0.5, BEHIND, FAR_BEHIND, settling=settling) == 0.5 * REST_FAR_BEHIND
    assert pause_s(0.5, IDLE, ShardStats(behind=1.5), settling=settling) == 0.5 * REST_BEHIND, (
        "one of two, and by little"
    )
    assert pause_s(0.5, IDLE) == 0.5 * REST


def test_far_behind_too_a_publish_comes_before_windows_go_that_history_has_not_been_told_of() -> None:
    assert pause_s(0.5, FAR_BEHIND, now_ms=999 + HISTORY_STEP_MS) == 0.5 * REST_FAR_BEHIND
    assert pause_s(0.5, FAR_BEHIND, now_ms=1_000 + HISTORY_STEP_MS) == 0.5 * REST_BEHIND


@pytest.mark.parametrize(("catches_up", "published_s"), [(True, [0.0, 1.5]), (False, [0.0, 12.5])])
async def test_a_pause_is_a_shorter_one_once_the_shards_have_caught_up(
    monkeypatch: pytest.MonkeyPatch, catches_up: bool, published_s: list[float]
) -> None:
    nothing: Any = None
    shards = shards_of(Stats(shards={0: FAR_BEHIND}))
    clock: Any = SimpleNamespace(now_ms=lambda: None)
    service = MergeService(OPTIONS, nothing, nothing, clock, shards, nothing)
    times_s = iter([0.0, 1.5, 12.5])
    now_s, published_at_s = 0.0, []

    async def getmany(timeout_ms: int, **_: object) -> dict[Any, Any]:
        nonlocal now_s
        assert timeout_ms <= 1_000 * OPTIONS.publish_interval_s
        now_s = next(times_s)
        if now_s and catches_up:
            shards.stats.shards[0] = IDLE
        return {}

    async def publish(_core: object, _writer: object) -> tuple[bool, float]:
        published_at_s.append(now_s)
        if len(published_at_s) == len(published_s):
            raise WriteError(OSError("enough"), fenced=False)
        return False, 0.25

    monkeypatch.setattr(merge_service, "time", SimpleNamespace(monotonic=lambda: now_s))
    monkeypatch.setattr(service, "_publish", publish)
    consumer: Any = SimpleNamespace(getmany=getmany)
    core: Any = SimpleNamespace(settle=lambda: iter(()))
    with pytest.raises(WriteError):
        await service._follow(consumer, core, nothing)
    assert published_at_s == published_s


def published(unbalanced: int, untold: int = 0) -> Generator[None, None, Any]:
    yield
    return SimpleNamespace(changed=[], history=[], withdrawn=[], complete=True, unbalanced=unbalanced, untold=untold)


def test_windows_that_do_not_balance_are_a_data_problem_and_untold_ones_are_counted() -> None:
    nothing: Any = None
    stats = Stats()
    clock: Any = SimpleNamespace(now_ms=lambda: 1, clock=SimpleNamespace(first_ms=1))
    service = MergeService(OPTIONS, nothing, nothing, clock, shards_of(stats), lambda _publication, _values_ms: None)
    for unbalanced, untold in ((0, 0), (3, 2)):
        said = partial(published, unbalanced, untold)
        core: Any = SimpleNamespace(publish=lambda _now, _first, said=said: said())
        asyncio.run(service._publish(core, nothing))
    assert stats.counts == {("data_problems", "balance_broken"): 3, ("untold",): 2}


def test_what_is_published_stands_as_of_its_clock_until_the_merge_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge_service, "LOST_PAUSE_S", 0)
    nothing: Any = None
    stats = Stats()
    shown: list[int | None] = []
    clock: Any = SimpleNamespace(now_ms=lambda: 7_000, clock=SimpleNamespace(first_ms=1))
    core: Any = SimpleNamespace(publish=lambda _now, _first: published(0))

    async def close() -> None: ...

    async def fail() -> None:
        if shown:
            raise asyncio.CancelledError
        await service._publish(core, nothing)
        assert stats.values_ms == 7_000
        raise WriteError(OSError("not taken"), fenced=True)

    writer: Any = SimpleNamespace(open=fail, close=close)
    service = MergeService(
        OPTIONS,
        nothing,
        lambda: writer,
        clock,
        shards_of(stats),
        lambda _publication, values_ms: shown.append(values_ms),
    )
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(service.run())
    assert stats.values_ms is None
    assert shown == [7_000, None, None]


@pytest.mark.parametrize("fenced", [True, False])
async def test_a_merge_that_is_lost_begins_again_when_shard_0_is_open_here(
    monkeypatch: pytest.MonkeyPatch, fenced: bool
) -> None:
    nothing: Any = None
    pauses: list[float] = []
    shards = shards_of(Stats())
    opened_after: list[int] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        # The shard is lost as well, and open again after the third look.
        shards.processors = {} if len(pauses) < 3 else {0: None}

    async def refuse() -> None:
        opened_after.append(len(pauses))
        if len(opened_after) == 2:
            raise asyncio.CancelledError
        raise WriteError(OSError("not taken"), fenced=fenced)

    async def close() -> None: ...

    monkeypatch.setattr(merge_service, "asyncio", SimpleNamespace(sleep=pause))
    writer: Any = SimpleNamespace(open=refuse, close=close)
    service = MergeService(OPTIONS, nothing, lambda: writer, nothing, shards, lambda _publication, _values_ms: None)
    with pytest.raises(asyncio.CancelledError):
        await service.run()
    assert opened_after == [0, 3]
    assert pauses == [LOST_PAUSE_S] * 3
