"""One shard at work, with a writer that does what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import msgspec
import pytest
from aiokafka import TopicPartition
from faust.types import TP

from stream_kpi.pipeline import Flush, InputRecord
from stream_kpi.shell import processor, turns
from stream_kpi.shell.flush import Records, WriteError
from stream_kpi.shell.options import ShellOptions
from stream_kpi.shell.processor import CATCHING_UP, PIECE_RECORDS, BatchMessage, Processor
from stream_kpi.shell.reading import Progress
from stream_kpi.shell.stats import ShardStats, Stats
from stream_kpi.shell.transport import Batch
from stream_kpi.shell.turns import Turns
from stream_kpi.windows.clock import ShardClock
from tests.integration.shell_counting_core import CountingShard

OPTIONS = ShellOptions(broker="none:1", app_id="app", source_topics=("a",), flush_events=4)
A, REKEYED = TP("a", 0), TP("app-rekeyed", 0)
STATE = TopicPartition("app-state-changelog", 0)


class Record:
    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.timestamp = 1_000 + offset
        self.key: bytes | None = b"key"
        self.value: bytes | None = b"%d" % offset
        self.headers: Sequence[tuple[str, bytes]] = ()


class Message:
    def __init__(self, start: int, end: int, offsets: Sequence[int] | None = None) -> None:
        records = [Record(offset) for offset in (range(start, end) if offsets is None else offsets)]
        self.value = Batch("a", 0, records, start, end)


class SlowWriter:
    def __init__(self) -> None:
        self.written: list[Records] = []
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.entered = asyncio.Event()
        self.error: WriteError | None = None

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def partitions(self, _topic: str) -> Sequence[int]:
        return (0,)

    async def write(self, records: Records) -> None:
        self.entered.set()
        await self.may_write.wait()
        if self.error is not None:
            raise self.error
        self.written.append(records)


class Around:
    def __init__(self) -> None:
        self.options = OPTIONS
        self.stats = Stats()
        self.turns = Turns()
        self.progress: Mapping[TP, Progress] = {}
        self.acknowledged: list[BatchMessage] = []
        self.gaps: list[tuple[TP, int, int]] = []
        self.sought: list[Mapping[TP, int]] = []

    def event_now_ms(self) -> int | None:
        return None

    def acknowledge(self, message: BatchMessage) -> None:
        self.acknowledged.append(message)

    def skipped(self, tp: TP, start: int, first: int) -> None:
        self.gaps.append((tp, start, first))

    def seek(self, positions: Mapping[TP, int]) -> None:
        self.sought.append(positions)


class Desk:
    def __init__(self, options: ShellOptions = OPTIONS) -> None:
        self.around = Around()
        self.around.options = options
        self.writer = SlowWriter()
        self.core = CountingShard(0, 1)
        self.processor = Processor(0, self.core, self.writer, {"a": 0, "app-rekeyed": 0}, self.around)

    @property
    def count(self) -> int:
        return self.core.by_key[b"key"]


@pytest.fixture
async def desk() -> Desk:
    return Desk()


async def test_batches_that_follow_each_other_are_applied_whatever_their_offsets(desk: Desk) -> None:
    await desk.processor.take(Message(0, 3))
    await desk.processor.take(Message(3, 9, offsets=[5, 7]))
    assert desk.count == 5
    assert desk.processor.positions == {A: 9, REKEYED: 0}
    assert desk.around.gaps == [(A, 3, 5)]


async def test_of_a_batch_that_is_read_again_only_what_is_new_is_applied(desk: Desk) -> None:
    await desk.processor.take(Message(0, 4))
    await desk.processor.take(Message(0, 2))
    await desk.processor.take(Message(2, 6))
    assert desk.count == 6


async def test_a_batch_after_a_hole_is_not_applied_and_the_hole_is_read_again_once(desk: Desk) -> None:
    await desk.processor.take(Message(0, 2))
    await desk.processor.take(Message(4, 6))
    await desk.processor.take(Message(6, 8))
    assert (desk.count, desk.around.sought) == (2, [{A: 2}])
    await desk.processor.take(Message(2, 6))
    assert desk.count == 6


async def test_a_batch_is_acknowledged_only_after_the_flush_that_holds_it(desk: Desk) -> None:
    first, second = Message(0, 1), Message(1, 2)
    await desk.processor.take(first)
    desk.writer.may_write.clear()
    flushing = asyncio.create_task(desk.processor.flush())
    await desk.writer.entered.wait()
    await desk.processor.take(second)  # applying goes on while the flush is under way
    assert (desk.count, desk.around.acknowledged) == (2, [])
    desk.writer.may_write.set()
    await flushing
    assert desk.around.acknowledged == [first]
    assert (b"key", b"1") in desk.writer.written[0][STATE]
    await desk.processor.flush()
    assert desk.around.acknowledged == [first, second]


async def test_intake_waits_when_twice_a_flushes_events_are_waiting(desk: Desk) -> None:
    taking = asyncio.create_task(desk.processor.take(Message(0, 8)))
    await asyncio.sleep(0)
    assert desk.count == 8
    assert not taking.done()
    await desk.processor.flush()
    await taking


async def test_where_each_event_has_many_panes_a_flush_holds_fewer_events(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(replace(OPTIONS, flush_events=50_000))
    flush = desk.core.flush_steps

    def with_forty_panes_an_event(*, caught_up: bool) -> Generator[None, None, Flush | None]:
        done = yield from flush(caught_up=caught_up)
        return None if done is None else done._replace(tier_panes=20_000)

    monkeypatch.setattr(desk.core, "flush_steps", with_forty_panes_an_event)
    await desk.processor.take(Message(0, 500))
    await desk.processor.flush()
    await desk.processor.take(Message(500, 1_749))
    taking = asyncio.create_task(desk.processor.take(Message(1_749, 1_750)))
    await asyncio.sleep(0)
    assert not taking.done(), "twice 625 events wait, which have 25,000 panes"
    await desk.processor.flush()
    await taking


@pytest.mark.parametrize(("unread", "intervals"), [(0, 1), (10_000, 1), (30_000, 3), (500_000, CATCHING_UP)])
async def test_a_shard_flushes_as_seldom_as_it_takes_to_catch_up(unread: int, intervals: float) -> None:
    desk = Desk(replace(OPTIONS, flush_events=50_000))
    desk.around.progress = {A: Progress(0, 0, unread, 1), REKEYED: Progress(0, 0, 0, 1)}
    await desk.processor.tick()
    assert desk.processor.intervals == intervals


async def test_shards_that_share_a_worker_take_as_many_times_as_long_to_catch_up() -> None:
    desk = Desk(replace(OPTIONS, flush_events=50_000))
    desk.around.progress = {A: Progress(0, 0, 10_000, 1), REKEYED: Progress(0, 0, 0, 1)}
    desk.around.stats.shards = {number: ShardStats() for number in range(4)}
    await desk.processor.tick()
    assert desk.processor.intervals == 4


async def test_a_shard_that_has_caught_up_flushes_what_it_had_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(replace(OPTIONS, flush_events=100, flush_interval_s=1.0, tick_s=0.001))
    now_s = 0.0
    monkeypatch.setattr(processor, "time", SimpleNamespace(monotonic=lambda: now_s))
    desk.around.progress = {A: progress(1_000, 8, 1_000), REKEYED: progress(0, 0, 0)}
    await desk.processor.take(Message(0, 4))
    running = asyncio.create_task(desk.processor.run())
    async with asyncio.timeout(10):
        await desk.writer.entered.wait()
        desk.writer.entered.clear()
        await desk.processor.take(Message(4, 8))
        assert desk.processor.intervals == CATCHING_UP
        now_s = 1.5
        desk.around.progress = {A: progress(8, 8, 8), REKEYED: progress(0, 0, 0)}
        await desk.writer.entered.wait()
    desk.processor.stop()
    await running
    assert (b"key", b"8") in desk.writer.written[-1][STATE]


async def test_a_shard_that_falls_far_behind_tells_so_at_its_next_flush_interval() -> None:
    desk = Desk(replace(OPTIONS, flush_interval_s=0.001, tick_s=0.001))
    desk.around.progress = {A: progress(0, 0, 0), REKEYED: progress(0, 0, 0)}
    await desk.processor.tick()
    await desk.processor.flush()
    assert desk.processor.pause_s == 0.001
    desk.around.progress = {A: progress(0, 0, 1_000_000), REKEYED: progress(0, 0, 0)}
    await desk.processor.tick()
    assert desk.processor.pause_s == 0.001
    await desk.processor.flush()
    assert desk.processor.pause_s == 0.001 * CATCHING_UP


async def test_what_did_not_wait_for_a_flush_a_minute_ago_has_not_stood_still_since() -> None:
    desk = Desk()
    desk.processor.stats.flushed_at_s = 0.0
    desk.around.progress = {A: progress(0, 0, 1), REKEYED: progress(0, 0, 0)}
    await desk.processor.tick()
    assert desk.processor.stats.flushed_at_s == 0.0
    desk.around.progress = {A: progress(0, 0, 0), REKEYED: progress(0, 0, 0)}
    await desk.processor.tick()
    assert desk.processor.stats.flushed_at_s > 0.0


async def test_others_have_a_turn_after_every_piece_of_a_batch() -> None:
    desk = Desk(replace(OPTIONS, flush_events=50_000))
    taking = asyncio.create_task(desk.processor.take(Message(0, PIECE_RECORDS + 1)))
    counted = [0]
    while not taking.done():
        await asyncio.sleep(0)
        counted.append(desk.count)
    assert max(b - a for a, b in pairwise(counted)) == PIECE_RECORDS
    assert desk.count == PIECE_RECORDS + 1


async def test_intake_waits_between_the_pieces_of_a_batch_too(desk: Desk) -> None:
    message = Message(0, 2 * PIECE_RECORDS)
    taking = asyncio.create_task(desk.processor.take(message))
    for _ in range(10):
        await asyncio.sleep(0)
    assert desk.processor.positions[A] == desk.count == PIECE_RECORDS
    await desk.processor.flush()
    assert desk.around.acknowledged == [], "but a part of it is flushed"
    for _ in range(10):
        await asyncio.sleep(0)
    await desk.processor.flush()
    await taking
    assert (desk.count, desk.around.acknowledged) == (2 * PIECE_RECORDS, [message])


async def test_of_a_batch_nothing_more_is_applied_after_a_stop(desk: Desk) -> None:
    taking = asyncio.create_task(desk.processor.take(Message(0, 2 * PIECE_RECORDS)))
    for _ in range(10):
        await asyncio.sleep(0)
    desk.processor.stop()
    await taking
    await desk.processor.flush()
    assert desk.processor.positions[A] == desk.count == PIECE_RECORDS
    assert desk.around.acknowledged == []


async def test_others_have_turns_while_a_flush_is_put_together_but_nothing_is_applied(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "TURN_S", 0.0)
    counted: list[int] = []
    flush = desk.core.flush_steps

    def in_ten_steps(*, caught_up: bool) -> Generator[None, None, Flush | None]:
        for _ in range(10):
            counted.append(desk.count)
            yield
        return (yield from flush(caught_up=caught_up))

    monkeypatch.setattr(desk.core, "flush_steps", in_ten_steps)
    await desk.processor.take(Message(0, 1))
    flushing = asyncio.create_task(desk.processor.flush())
    await asyncio.sleep(0)
    await desk.processor.take(Message(1, 2))
    await flushing
    assert counted == [1] * 10
    assert desk.count == 2
    assert (b"key", b"1") in desk.writer.written[0][STATE]


async def test_a_failed_write_acknowledges_nothing_and_ends_the_run(desk: Desk) -> None:
    desk.writer.error = WriteError(TimeoutError(), fenced=False)
    await desk.processor.take(Message(0, 4))
    with pytest.raises(WriteError):
        await desk.processor.run()
    assert desk.around.acknowledged == []


async def test_after_an_apply_that_broke_off_nothing_is_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(*_: object) -> Generator[None, None, None]:
        desk.core.by_key[b"half"] += 1
        yield
        raise ZeroDivisionError

    await desk.processor.take(Message(0, 1))
    monkeypatch.setattr(desk.core, "apply_steps", break_off)
    with pytest.raises(ZeroDivisionError):
        await desk.processor.take(Message(1, 4))
    await desk.processor.flush()
    assert desk.writer.written == []
    assert desk.around.acknowledged == []


async def test_a_stop_while_a_batch_is_applied_lets_go_whoever_waits_for_room(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = desk.core.apply_steps

    def in_two_steps(
        topic: str, partition: int, records: Sequence[InputRecord], wall_ms: int
    ) -> Generator[None, None, None]:
        desk.processor.stop()
        yield
        yield from apply(topic, partition, records, wall_ms)

    monkeypatch.setattr(desk.core, "apply_steps", in_two_steps)
    async with asyncio.timeout(10):
        await desk.processor.take(Message(0, 2 * OPTIONS.flush_events))
    assert desk.count == 2 * OPTIONS.flush_events


async def test_a_run_that_is_stopped_ends_after_the_flush_that_is_under_way(desk: Desk) -> None:
    desk.writer.may_write.clear()
    message = Message(0, 4)
    await desk.processor.take(message)
    running = asyncio.create_task(desk.processor.run())
    await desk.writer.entered.wait()
    desk.processor.stop()
    desk.writer.may_write.set()
    await running
    assert desk.around.acknowledged == [message]


def progress(position: int, delivered: int, highwater: int, known_ms: int = 5_000) -> Progress:
    return Progress(position, delivered, highwater, known_ms)


@pytest.mark.parametrize(
    ("a", "caught_up", "clock_ms"),
    [
        (progress(4, 4, 4), True, 4_000),  # as of the oldest of the broker's words
        (progress(6, 4, 6), True, 4_000),  # past the marker of a transaction
        (progress(2, 2, 4), False, 1_003),  # fetched, not yet handed out: as of the greatest event applied
        (progress(8, 8, 8), False, 1_003),  # handed out, not yet applied
        (None, False, 0),  # the broker has not said since the input was sought
        (progress(4, 4, 9), False, 1_003),
    ],
)
async def test_the_wall_clock_is_the_shards_only_when_every_input_is_read_to_its_end(
    desk: Desk, a: Progress | None, caught_up: bool, clock_ms: int
) -> None:
    await desk.processor.take(Message(0, 4))
    desk.around.progress = {REKEYED: progress(0, 0, 0, 4_000)} | ({} if a is None else {A: a})
    await desk.processor.tick()
    assert (desk.processor.stats.caught_up, desk.core.clock_ms) == (caught_up, clock_ms)


async def test_the_clock_of_what_is_read_to_its_end_is_the_oldest_of_the_brokers_words_about_that_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.processor.take(Message(0, 4))
    advanced: list[tuple[int | None, Collection[str]]] = []

    def advance_steps(clock_ms: int | None, unread: Collection[str]) -> Generator[None, None, None]:
        advanced.append((clock_ms, unread))
        yield

    monkeypatch.setattr(desk.core, "advance_steps", advance_steps)
    desk.around.progress = {A: progress(4, 4, 6, 3_000), REKEYED: progress(0, 0, 0, 60_000)}
    await desk.processor.tick()
    desk.around.progress = {A: progress(4, 4, 4, 50_000), REKEYED: progress(0, 0, 0, 60_000)}
    await desk.processor.tick()
    assert advanced == [(60_000, {"a"}), (50_000, set())]


async def test_a_shard_that_is_kept_and_comes_back_is_behind_until_the_broker_has_told_again(desk: Desk) -> None:
    desk.processor.stats.caught_up = True
    desk.processor.resume()
    await desk.processor.flush()
    ((_, said, *_),) = desk.writer.written[0][TopicPartition("app-clock", 0)]
    assert said is not None
    assert not msgspec.msgpack.decode(said, type=ShardClock).caught_up
