"""How far an input has been read: what the broker has said since the input was last sought, and nothing else."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import SubscriptionState
from faust.types import TP

from stream_kpi.shell import reading
from stream_kpi.shell.reading import Progress
from stream_kpi.shell.transport import ConsumerService

TP0 = TP("topic", 0)
INPUT = TopicPartition("topic", 0)


class Fetcher:
    """As aiokafka's: a response whose offset does not fit the position is passed over."""

    def __init__(self, subscriptions: SubscriptionState) -> None:
        self._subscriptions = subscriptions
        self._records: dict[TopicPartition, Any] = {}
        self.responses: asyncio.Queue[int] = asyncio.Queue()

    async def _proc_fetch_request(self, assignment: Any, node: int, request: Any) -> bool:
        del node
        highwater = await self.responses.get()
        ((_, ((_, offset),)),) = request.topics
        state = assignment.state_value(INPUT)
        if state.position == offset:
            state.highwater, state.timestamp = highwater, 999_999
        return True


class Input:
    """One input of a consumer, on a wall clock that the test sets."""

    def __init__(self) -> None:
        app = faust.App("reading", broker="kafka-batch://127.0.0.1:1", store="kpi-state://")
        service = app.consumer._thread
        assert isinstance(service, ConsumerService)
        self.service = service
        self.now_ms = 1_000
        self.subscriptions = SubscriptionState()
        self.fetcher = Fetcher(self.subscriptions)
        consumer: Any = SimpleNamespace(
            _fetcher=self.fetcher,
            assignment=lambda: {INPUT},
            seek=self.subscriptions.seek,
            pause=lambda *_: None,
        )
        service._consumer = consumer
        self.assign()
        service.readings.watch(self.fetcher)

    def assign(self) -> None:
        if self.subscriptions.subscription is not None:
            self.subscriptions.unsubscribe()
        self.subscriptions.assign_from_user({INPUT})

    @property
    def assignment(self) -> Any:
        return self.subscriptions.subscription.assignment

    def seek(self, offset: int) -> None:
        self.service.move({TP0: offset}, ())

    async def ask(self, offset: int) -> asyncio.Task[bool]:
        request = SimpleNamespace(topics=[("topic", [(0, offset)])])
        task = asyncio.create_task(self.fetcher._proc_fetch_request(self.assignment, 0, request))
        await asyncio.sleep(0)
        return task

    async def answer(self, task: asyncio.Task[bool], highwater: int) -> None:
        self.fetcher.responses.put_nowait(highwater)
        assert await task

    def progress(self) -> Progress | None:
        return self.service.progress().get(TP0)


@pytest.fixture
async def topic(monkeypatch: pytest.MonkeyPatch) -> Input:
    topic = Input()
    monkeypatch.setattr(reading, "wall_ms", lambda: topic.now_ms)
    return topic


async def test_nothing_is_known_of_an_input_before_a_fetch_after_its_seek(topic: Input) -> None:
    assert topic.progress() is None
    topic.seek(7)
    assert topic.progress() is None
    await topic.answer(await topic.ask(7), 9)
    assert topic.progress() == Progress(7, 7, 9, 1_000)


async def test_what_the_broker_says_is_as_old_as_the_question(topic: Input) -> None:
    topic.seek(7)
    fetch = await topic.ask(7)
    topic.now_ms = 5_000
    await topic.answer(fetch, 9)
    assert topic.progress() == Progress(7, 7, 9, 1_000)


async def test_a_seek_makes_what_was_known_unknown(topic: Input) -> None:
    topic.seek(7)
    await topic.answer(await topic.ask(7), 7)
    topic.seek(3)
    assert topic.progress() is None


async def test_a_fetch_that_was_under_way_at_the_seek_says_nothing_even_of_the_same_offset(topic: Input) -> None:
    topic.seek(7)
    fetch = await topic.ask(7)
    topic.seek(7)
    await topic.answer(fetch, 7)
    assert topic.assignment.state_value(INPUT).highwater == 7  # aiokafka takes it
    assert topic.progress() is None


async def test_a_response_that_aiokafka_passes_over_says_nothing(topic: Input) -> None:
    topic.seek(7)
    await topic.answer(await topic.ask(7), 9)
    fetch = await topic.ask(7)
    topic.now_ms = 5_000
    topic.assignment.state_value(INPUT).consumed_to(8)
    await topic.answer(fetch, 20)
    assert topic.progress() == Progress(8, 7, 9, 1_000)


async def test_an_assignment_makes_what_was_known_unknown(topic: Input) -> None:
    topic.seek(7)
    await topic.answer(await topic.ask(7), 7)
    fetch = await topic.ask(7)
    topic.assign()
    topic.subscriptions.seek(INPUT, 7)
    assert topic.progress() is None
    await topic.answer(fetch, 7)
    await topic.answer(await topic.ask(7), 7)
    assert topic.progress() is None, "only what the shard has sought is its"
    topic.seek(7)
    await topic.answer(await topic.ask(7), 8)
    assert topic.progress() == Progress(7, 7, 8, 1_000)


async def test_what_the_consumer_is_asked_while_it_stops_is_answered(topic: Input) -> None:
    # Faust stops the queue of such questions first, and the group's last rebalance may still ask for a commit.
    async def commit(offset: int) -> int:
        return offset

    await topic.service.method_queue.start()
    await topic.service.method_queue.stop()
    async with asyncio.timeout(5):
        assert await topic.service.call_thread(commit, 7) == 7
