"""What an exporter serves out of a real Redis, and what it says when Redis or the workers are gone."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import Any, cast

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from stream_kpi.bench.render import records
from stream_kpi.kpis.record import KpiRecord, record_key
from stream_kpi.publish.application import application
from stream_kpi.publish.exporter import examine, registry_of
from stream_kpi.publish.redis_format import Keys, connect, ended
from stream_kpi.publish.redis_reader import RedisReader
from stream_kpi.publish.redis_writer import RedisWriter
from stream_kpi.publish.web import Health
from stream_kpi.settings import Settings
from tests.contracts.test_publish_live_store import HISTOGRAM, record
from tests.redis_kit import APP, RedisServer, emptied, until

Client = TestClient[web.Request, web.Application]
SETTINGS = Settings(app_id=APP)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.stop()


@pytest.fixture
async def redis(server: RedisServer) -> RedisServer:
    await server.ready()
    await emptied(server)
    return server


class Exporter:
    """One exporter without a process. Its clock goes as its test says."""

    def __init__(self, server: RedisServer) -> None:
        self.now_s = 1_000.0
        self.reader = RedisReader(connect(server.settings()), APP, clock_s=lambda: self.now_s)
        self.health = Health()
        self.following = asyncio.create_task(self.reader.run())
        registry = registry_of(SETTINGS, self.reader)
        self.client: Client = TestClient(TestServer(application(SETTINGS, registry, self.health, self.reader)))

    async def series(self) -> set[str]:
        """Every line of /metrics that is no comment and no self-metric."""
        text = await (await self.client.get("/metrics")).text()
        return {line for line in text.splitlines() if line.startswith("kpi_")}

    async def self_metric(self, name: str) -> float:
        text = await (await self.client.get("/metrics")).text()
        (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
        return float(line.split()[1])

    async def csat(self) -> Any:
        return await (await self.client.get("/api/v1/kpis/csat")).json()

    async def shows(self, moment_ms: int) -> None:
        await until(lambda: self.reader.snapshot().values_ms == moment_ms)


@pytest.fixture
async def new_exporter(redis: RedisServer) -> AsyncIterator[Callable[[], Exporter]]:
    made: list[Exporter] = []

    def new() -> Exporter:
        made.append(Exporter(redis))
        return made[-1]

    yield new
    for exporter in made:
        await ended(exporter.following)
        await exporter.client.close()


class Merger:
    """A worker that publishes by hand."""

    def __init__(self, server: RedisServer, token: int = 1, ttl_s: float = 30) -> None:
        self.failures = 0
        self.token = token
        self.records: dict[bytes, KpiRecord] = {}
        self.writer = RedisWriter(connect(server.settings()), APP, ttl_s, 1, self._failed)

    def _failed(self) -> None:
        self.failures += 1

    def takes(self, *records: KpiRecord, moment_ms: int) -> None:
        put = {record_key(one): one for one in records}
        changed: list[tuple[bytes, bytes | None]] = [(key, msgspec.json.encode(one)) for key, one in put.items()]
        changed += [(key, None) for key in self.records.keys() - put.keys()]
        self.records = put
        self.writer.take(self.token, put, changed, (HISTOGRAM,), moment_ms)

    async def publishes(self, *records: KpiRecord, moment_ms: int) -> bool:
        self.takes(*records, moment_ms=moment_ms)
        return await self.writer.write()


async def test_metrics_api_and_health_show_what_a_worker_has_published(
    redis: RedisServer, new_exporter: Callable[[], Exporter]
) -> None:
    merger, exporter = Merger(redis), new_exporter()
    async with exporter.client:
        assert await merger.publishes(record("csat", 0.25), record("csat", cut={"channel": "<b>"}), moment_ms=7_000)
        await exporter.shows(7_000)
        assert 'kpi_csat_ratio{window="1h"} 0.25' in await exporter.series()
        assert await exporter.self_metric("stream_kpi_values_timestamp_seconds") == 7
        assert await exporter.self_metric("stream_kpi_exporter_stale") == 0
        csat = await exporter.csat()
        assert {json.dumps(one["cut"]): one["value"] for one in csat["records"]} == {
            "{}": 0.25,
            '{"channel": "<b>"}': 0.5,
        }
        assert (csat["values_at"], csat["stale"]) == ("1970-01-01T00:00:07.000Z", False)
        examine(exporter.reader, exporter.health)
        assert (await exporter.client.get("/health/ready")).status == 200


async def test_promtool_finds_nothing_to_complain_about_in_every_kpi_and_the_exporters_own_metrics(
    redis: RedisServer, new_exporter: Callable[[], Exporter]
) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    merger, exporter = Merger(redis), new_exporter()
    async with exporter.client:
        assert await merger.publishes(*islice(records(), 3_000), moment_ms=7_000)
        await exporter.shows(7_000)
        text = await (await exporter.client.get("/metrics")).read()
    assert text.count(b"# TYPE kpi_") > 150
    pipe = asyncio.subprocess.PIPE
    checking = await asyncio.create_subprocess_exec(promtool, "check", "metrics", stdin=pipe, stdout=pipe, stderr=pipe)
    assert await checking.communicate(text) == (b"", b"")
    assert checking.returncode == 0


async def test_two_exporters_show_identical_series_though_one_has_come_later_and_labels_are_capped(
    redis: RedisServer, new_exporter: Callable[[], Exporter]
) -> None:
    merger, early = Merger(redis), new_exporter()
    async with early.client:
        for turn in range(3):
            names = [f"c{number:03}" for number in range(120 - 30 * turn, 240 - 30 * turn)]
            cuts = [record("csat", number / 120, {"category": name}) for number, name in enumerate(names)]
            assert await merger.publishes(record("csat", turn / 4), *cuts, moment_ms=1_000 + turn)
            await early.shows(1_000 + turn)
            await early.series()
        late = new_exporter()
        async with late.client:
            await late.shows(1_002)
            assert await late.series() == await early.series()
            assert any('category="other"' in line for line in await late.series())


async def test_what_is_gone_is_gone_at_the_exporter_too(
    redis: RedisServer, new_exporter: Callable[[], Exporter]
) -> None:
    merger, exporter = Merger(redis), new_exporter()
    async with exporter.client:
        assert await merger.publishes(record("csat"), record("arpu"), moment_ms=1)
        await exporter.shows(1)
        assert await merger.publishes(record("csat", 0.75), moment_ms=2)
        await exporter.shows(2)
        assert {one.kpi: one.value for one in exporter.reader.snapshot().records.values()} == {"csat": 0.75}


async def test_values_that_nobody_confirms_are_stale_first_and_then_not_shown(
    redis: RedisServer, new_exporter: Callable[[], Exporter]
) -> None:
    merger, exporter = Merger(redis), new_exporter()
    async with exporter.client:
        assert await merger.publishes(record("csat"), moment_ms=1)
        await exporter.shows(1)
        exporter.now_s += 6
        csat = await exporter.csat()
        assert (csat["stale"], len(csat["records"])) == (True, 1)
        assert await exporter.self_metric("stream_kpi_exporter_stale") == 1
        examine(exporter.reader, exporter.health)
        assert exporter.health.ready
        assert exporter.health.detail.startswith("stale")
        exporter.now_s += 25
        csat = await exporter.csat()
        assert (csat["stale"], csat["values_at"], csat["records"]) == (True, None, [])
        assert not await exporter.series()
        examine(exporter.reader, exporter.health)
        assert (await exporter.client.get("/health/ready")).status == 503


async def test_a_worker_goes_on_while_redis_is_gone_and_everything_is_right_after_its_return(
    redis: RedisServer, new_exporter: Callable[[], Exporter]
) -> None:
    merger, exporter = Merger(redis), new_exporter()
    async with exporter.client:
        assert await merger.publishes(record("csat", 0.1), record("arpu"), moment_ms=1)
        await exporter.shows(1)
        before = exporter.reader.snapshot()
        redis.restart()
        await until(lambda: exporter.reader.snapshot().stale)
        assert exporter.reader.snapshot().records == before.records
        for moment_ms in (2, 3):
            merger.takes(record("csat", 0.2), moment_ms=moment_ms)
        await redis.ready()
        # The connection of before is dead: the first write finds that out.
        assert not await merger.writer.write()
        assert await merger.writer.write()
        await exporter.shows(3)
        shown = exporter.reader.snapshot()
        assert ({one.kpi: one.value for one in shown.records.values()}, shown.stale) == ({"csat": 0.2}, False)
        assert merger.failures == 1


async def test_a_worker_that_has_been_replaced_never_overwrites_its_successor(
    redis: RedisServer, new_exporter: Callable[[], Exporter]
) -> None:
    former, successor, exporter = Merger(redis, token=1), Merger(redis, token=2), new_exporter()
    async with exporter.client:
        assert await former.publishes(record("csat", 0.1), moment_ms=1)
        assert await successor.publishes(record("csat", 0.2), moment_ms=2)
        for _ in range(2):
            assert not await former.publishes(record("csat", 0.3), moment_ms=3)
        assert await successor.publishes(record("csat", 0.4), moment_ms=4)
        await exporter.shows(4)
        assert [one.value for one in exporter.reader.snapshot().records.values()] == [0.4]


async def test_every_key_carries_the_schemas_version_and_expires(redis: RedisServer) -> None:
    merger = Merger(redis)
    assert await merger.publishes(record("csat"), record("arpu"), moment_ms=1)
    assert await merger.publishes(record("csat"), record("mrr"), moment_ms=2)
    async with connect(redis.settings()) as client:
        keys = await client.keys("*")
        assert all(cast(bytes, key).startswith(f"{APP}:v1:".encode()) for key in keys)
        assert {cast(bytes, key).rpartition(b":")[2] for key in keys} == {
            b"csat",
            b"mrr",
            b"histograms",
            b"deadlines",
            b"meta",
        }
        for key in keys:
            assert 0 < await client.pttl(key) <= 30_000
        assert (await client.hget(Keys(APP).meta, "values_ms")) == b"2"
