"""What the owner knows of its inputs, and what it says of a shard that it opens."""

from __future__ import annotations

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
from tests.unit.test_shell_processor import SlowWriter

CLOCK = TopicPartition("app-clock", 0)


class Inputs:
    """``at_move`` runs with every seek."""

    def __init__(self) -> None:
        self.moved: list[Mapping[TP, int]] = []
        self.at_move: Callable[[], None] = lambda: None

    def progress(self) -> Mapping[TP, Progress]:
        raise NotImplementedError

    def move(self, positions: Mapping[TP, int]) -> None:
        self.at_move()
        self.moved.append(positions)

    async def beginning(self, tp: TP) -> int:
        raise NotImplementedError(tp)

    async def is_member(self, positions: Mapping[TP, int]) -> bool:
        raise NotImplementedError(positions)

    async def commit_acknowledged(self) -> None: ...

    def acknowledge(self, message: object) -> None:
        raise NotImplementedError(message)


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
