"""What the owner knows of its inputs, and what it says of a shard that it opens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import msgspec
from aiokafka import TopicPartition
from faust.types import TP

from stream_kpi.shell.options import ShellOptions
from stream_kpi.shell.owner import Owner
from stream_kpi.shell.processor import Processor
from stream_kpi.shell.reading import Progress
from stream_kpi.windows.clock import ShardClock
from tests.integration.shell_counting_core import CORE, CountingShard
from tests.unit.test_shell_processor import Message, SlowWriter

CLOCK = TopicPartition("app-clock", 0)


class Inputs:
    """``at_move`` runs with every seek."""

    def __init__(self) -> None:
        self.moved: list[Mapping[TP, int]] = []
        self.at_move: Callable[[], None] = lambda: None

    def progress(self) -> Mapping[TP, Progress]:
        return {}

    def move(self, positions: Mapping[TP, int]) -> None:
        self.at_move()
        self.moved.append(positions)

    async def beginning(self, tp: TP) -> int:
        raise NotImplementedError(tp)

    async def is_member(self, positions: Mapping[TP, int]) -> bool:
        raise NotImplementedError(positions)

    async def commit_acknowledged(self) -> None: ...

    def acknowledge(self, message: object) -> None: ...


def owner_of(inputs: Inputs) -> Owner:
    async def fail(error: BaseException) -> None:
        raise error

    options = ShellOptions(broker="none:1", app_id="app", source_topics=("a",))
    return Owner(options, CORE, inputs, lambda _: SlowWriter(), lambda: None, fail)


async def test_a_shard_says_that_it_is_behind_before_any_of_its_inputs_is_read() -> None:
    inputs, writer = Inputs(), SlowWriter()
    owner = owner_of(inputs)
    kept = Processor(0, CountingShard(0, 1), writer, {"a": 7}, owner)
    kept.stats.caught_up = True
    owner._parked[0] = kept
    said: list[ShardClock] = []

    def look() -> None:
        ((_, value, *_),) = writer.written[-1][CLOCK]
        assert value is not None
        said.append(msgspec.msgpack.decode(value, type=ShardClock))

    inputs.at_move = look
    await owner.assigned({0})
    await owner.stop()
    assert [clock.caught_up for clock in said] == [False]


async def test_an_assigned_shard_is_being_opened_until_it_can_take_records() -> None:
    inputs = Inputs()
    owner = owner_of(inputs)
    owner._parked[0] = Processor(0, CountingShard(0, 1), SlowWriter(), {"a": 7}, owner)
    assert owner.opening == 0
    assigning = asyncio.create_task(owner.assigned({0}))
    await asyncio.sleep(0)
    assert owner.opening == 1
    await assigning
    assert owner.opening == 0
    await owner.stop()


async def test_a_stop_in_the_middle_of_a_revocation_returns_when_the_shards_are_let_go_of() -> None:
    inputs, writer = Inputs(), SlowWriter()
    owner = owner_of(inputs)
    committed: list[bool] = []

    async def commit_acknowledged() -> None:
        committed.append(True)

    inputs.commit_acknowledged = commit_acknowledged  # type: ignore[method-assign]
    kept = Processor(0, CountingShard(0, 1), writer, {"a": 0}, owner)
    owner._parked[0] = kept
    await owner.assigned({0})
    await owner.take(Message(0, 3))
    writer.may_write.clear()
    writer.entered.clear()
    revoking = asyncio.create_task(owner.revoked())
    await writer.entered.wait()
    stopping = asyncio.create_task(owner.stop())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not stopping.done(), "a flush is still under way"
    writer.may_write.set()
    await stopping
    assert revoking.done()
    assert committed
    await owner.assigned({0})
    assert not owner.processors, "after a stop nothing is opened"
