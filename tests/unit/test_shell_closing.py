"""A stop in the moment in which a Kafka client is closed."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from aiokafka import TopicPartition

from stream_kpi.shell import recovery
from stream_kpi.shell.flush import TransactionalWriter
from stream_kpi.shell.options import ShellOptions

OPTIONS = ShellOptions(broker="none:1", app_id="app")


class Client:
    """Closes as aiokafka's do: `client.close` and `sender.close` go on after a cancellation as if nothing were."""

    def __init__(self) -> None:
        self.closing = asyncio.Event()
        self.may_close = asyncio.Event()
        self.closed = asyncio.Event()

    async def start(self) -> None: ...

    def assign(self, _partitions: object) -> None: ...

    async def stop(self) -> None:
        self.closing.set()
        with contextlib.suppress(asyncio.CancelledError):
            await self.may_close.wait()
        self.closed.set()


async def cancelled_while_closing(task: asyncio.Task[Any], client: Client) -> None:
    await client.closing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    client.may_close.set()
    await client.closed.wait()


async def test_whoever_is_cancelled_while_a_reader_closes_ends_and_the_reader_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client()
    monkeypatch.setattr(recovery, "AIOKafkaConsumer", lambda **_: client)

    async def reads() -> None:
        async with recovery.reader("none:1", [TopicPartition("t", 0)]):
            pass
        await asyncio.Event().wait()

    await cancelled_while_closing(asyncio.create_task(reads()), client)


async def test_whoever_is_cancelled_while_a_writer_closes_ends_and_the_writer_is_closed() -> None:
    client = Client()
    writer = TransactionalWriter(OPTIONS, "id")
    writer._new_producer = lambda: client
    await writer.open()

    async def closes() -> None:
        await writer.close()
        await asyncio.Event().wait()

    await cancelled_while_closing(asyncio.create_task(closes()), client)
