"""A real Redis of a test's own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import pytest

from stream_kpi.brokers.process import ServerProcess, free_port
from stream_kpi.deadlines import Deadline
from stream_kpi.kpis.record import KpiHistogram, KpiRecord, record_key
from stream_kpi.publish.live_store import MemoryStore, Snapshot
from stream_kpi.publish.redis_format import FAILURES, connect, ended
from stream_kpi.publish.redis_reader import RedisReader
from stream_kpi.publish.redis_writer import RedisWriter
from stream_kpi.settings_sections import RedisSettings

APP = "desk"
READY_S = 20.0


class RedisServer:
    """`redis-server`, in memory. ``options`` are its own."""

    def __init__(self, *options: str, tls: bool = False) -> None:
        binary = shutil.which("redis-server")
        if binary is None:
            pytest.skip("redis-server is not installed (Debian: redis-server)")
        self.port = free_port()
        ports = ["--port", "0", "--tls-port"] if tls else ["--port"]
        self._command = [binary, *ports, str(self.port), "--bind", "127.0.0.1", "--save", "", *options]
        self._process = ServerProcess("redis")
        self._start()

    def _start(self) -> None:
        self._process.run(self._command)

    @property
    def folder(self) -> Path:
        return self._process.folder

    @property
    def pid(self) -> int:
        pid = self._process.pid
        assert pid is not None, self._process.log_tail()
        return pid

    def settings(self, **more: object) -> RedisSettings:
        return RedisSettings.model_validate({"address": f"127.0.0.1:{self.port}", **more})

    async def ready(self, settings: RedisSettings | None = None) -> RedisServer:
        """Return when it answers whoever has these settings."""
        deadline = time.monotonic() + READY_S
        while True:
            try:
                async with connect(settings or self.settings()) as client:
                    await client.ping()
                return self
            except FAILURES:
                assert time.monotonic() < deadline, self._process.log_tail()
                await asyncio.sleep(0.05)

    def stop(self) -> None:
        self._process.stop()

    def restart(self) -> None:
        """kill -9, and another one in its place that knows nothing."""
        os.kill(self.pid, signal.SIGKILL)
        self._process.stop()
        self._process = ServerProcess("redis")
        self._start()


async def until(holds: Callable[[], bool]) -> None:
    """Return when it holds; fails when it does not for long."""
    async with asyncio.timeout(READY_S):
        while not holds():  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def following(reader: RedisReader) -> AsyncIterator[RedisReader]:
    """The reader while it runs."""
    task = asyncio.create_task(reader.run())
    yield reader
    await ended(task)


class ThroughRedis:
    """What is put is written to Redis; what is got is what a follower has read there. Its writer's moments are numbers
    of publications, so that the follower is known to have come as far."""

    def __init__(self, loop: asyncio.AbstractEventLoop, server: RedisServer) -> None:
        self._loop = loop
        self._put = MemoryStore()
        self._number = 0
        self._moments: dict[int, int | None] = {}
        self.writer = RedisWriter(connect(server.settings()), APP, 30, 1, lambda: None)
        self.reader = RedisReader(connect(server.settings()), APP)
        self.following = loop.create_task(self.reader.run())

    def replace(
        self,
        records: Iterable[KpiRecord],
        histograms: Iterable[KpiHistogram] = (),
        values_ms: int | None = None,
        deadlines: tuple[Deadline, ...] = (),
    ) -> None:
        self.writer.rest()
        self._put.replace(records, histograms, values_ms, deadlines)
        self._write([])

    def update(
        self,
        records: Iterable[KpiRecord],
        gone: Iterable[bytes] = (),
        histograms: Iterable[KpiHistogram] | None = None,
        values_ms: int | None = None,
        deadlines: tuple[Deadline, ...] | None = None,
    ) -> None:
        records, gone = list(records), list(gone)
        self._put.update(records, gone, histograms, values_ms, deadlines)
        changed: list[tuple[bytes, bytes | None]] = [(key, None) for key in gone]
        self._write([*changed, *((record_key(record), msgspec.json.encode(record)) for record in records)])

    def snapshot(self) -> Snapshot:
        if not self._number:
            return self._put.snapshot()
        shown = self._loop.run_until_complete(self._come_to(self._number))
        return shown._replace(values_ms=self._moments[self._number])

    def get(self, key: bytes) -> KpiRecord | None:
        self.snapshot()
        return self.reader.get(key)

    def _write(self, changed: list[tuple[bytes, bytes | None]]) -> None:
        self._number += 1
        put = self._put.snapshot()
        self._moments[self._number] = put.values_ms
        self.writer.take(1, put.records, changed, put.histograms, self._number, put.deadlines)
        assert self._loop.run_until_complete(self.writer.write())

    async def _come_to(self, number: int) -> Snapshot:
        await until(lambda: self.reader.snapshot().values_ms == number)
        return self.reader.snapshot()


@contextmanager
def through_redis(server: RedisServer) -> Iterator[ThroughRedis]:
    """An empty store."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(server.ready())
    loop.run_until_complete(emptied(server))
    store = ThroughRedis(loop, server)
    yield store
    loop.run_until_complete(ended(store.following))
    loop.close()


async def emptied(server: RedisServer) -> None:
    async with connect(server.settings()) as client:
        await client.flushall()
