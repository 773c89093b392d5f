"""The examples do on real Kafka what their README says."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponseError, web

from stream_kpi.brokers import Broker
from stream_kpi.brokers.process import free_port
from stream_kpi.settings import Settings
from tests.integration.test_tail import lines_of
from tests.shard_kit import DAY_MS, T0_MS
from tests.topics_kit import history_of, published, settings_on, sla_events, write

pytestmark = pytest.mark.kafka


@pytest.fixture
def settings(kafka_broker: Broker, topic_prefix: str) -> Settings:
    return settings_on(kafka_broker.address, topic_prefix)


@pytest.fixture(autouse=True)
def examples(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, whose files can be imported."""
    folder = repository / "examples"
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_breaches_are_printed_with_what_takes_them_back_and_nothing_else(settings: Settings, examples: Path) -> None:
    told = [*sla_events("started", "at_risk", "breached"), *sla_events("retracted", subject="\x1b[2J")]
    write(settings, settings.topics.sla, told)
    command = [sys.executable, str(examples / "breaches.py"), settings.broker.address, settings.topics.sla]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = lines_of(process)
            steps = [next(lines).split()[1:3] for _ in range(3)]
        finally:
            process.kill()
    assert steps == [["sla.at_risk", '["T-1",'], ["sla.breached", '["T-1",'], ["sla.retracted", '["\\u001b[2J",']]


async def test_a_receiver_that_was_down_gets_every_breach_and_the_first_of_them_again_under_the_same_id(
    settings: Settings,
) -> None:
    webhook = importlib.import_module("webhook")
    received: list[tuple[str, str]] = []
    both = asyncio.Event()
    refusals = [503]

    async def receive(request: web.Request) -> web.Response:
        event: dict[str, Any] = await request.json()
        received.append((event["subject"], request.headers["Idempotency-Key"]))
        if refusals:
            return web.Response(status=refusals.pop())
        if event["subject"] == "T-2":
            both.set()
        return web.Response()

    application = web.Application()
    application.router.add_post("/", receive)
    runner, port = web.AppRunner(application), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    told = [*sla_events("started", "breached"), *sla_events("breached", subject="T-2")]
    await asyncio.to_thread(write, settings, settings.topics.sla, told)
    place = (settings.broker.address, f"http://127.0.0.1:{port}/", settings.topics.sla, settings.app_id)
    try:
        with pytest.raises(ClientResponseError):
            await asyncio.wait_for(webhook.post_breaches(*place), 60)
        posting = asyncio.create_task(webhook.post_breaches(*place))
        await asyncio.wait_for(both.wait(), 60)
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
    finally:
        await runner.cleanup()
    assert received == [("T-1", "breached"), ("T-1", "breached"), ("T-2", "breached")]


def test_history_says_what_stands_after_all_corrections(settings: Settings) -> None:
    history = importlib.import_module("history")
    write(settings, settings.topics.history, history_of(published()))
    database = history.load(history.records(settings.broker.address, settings.topics.history))
    rows = database.execute(history.STANDS, ["ticket_volume", "tumbling:5m"]).fetchall()
    stands = {(start.isoformat(), cut): (value, revision) for start, cut, value, _, revision in rows}
    first = "2026-03-02T10:00:00"
    assert stands[first, "{}"] == (1.0, 1)
    assert (first, '{"channel": "fax"}') not in stands
    assert stands[first, '{"channel": "email"}'] == (1.0, 0)


def test_history_prints_the_days_of_a_kpi(settings: Settings, examples: Path) -> None:
    publisher = published()
    publisher.publish(T0_MS + 2 * DAY_MS)
    write(settings, settings.topics.history, history_of(publisher))
    command = [sys.executable, str(examples / "history.py"), settings.broker.address, "ticket_volume"]
    run = subprocess.run(
        [*command, settings.topics.history],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    days = [line.split("\t") for line in run.stdout.splitlines()]
    assert ["2026-03-02 00:00:00", "{}", "1.0"] in [day[:3] for day in days]
