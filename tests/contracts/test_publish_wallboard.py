"""The wallboard over HTTP: its pages, its policy, its stream, and how that ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.publish.live_store import MemoryStore
from stream_kpi.publish.wallboard.boards import BOARDS
from tests.wallboard_kit import now_ms, record, served


async def next_event(response: ClientResponse) -> dict[str, str]:
    """The fields of the next event of a stream."""
    fields: dict[str, str] = {}
    while (line := (await response.content.readline()).decode().rstrip("\n")) or "event" not in fields:
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value
    return fields


async def next_value(response: ClientResponse, kpi: str) -> Any:
    """What the next state says of a number."""
    while (event := await next_event(response))["event"] != "state":
        pass
    return next(tile["value"] for tile in json.loads(event["data"])["tiles"] if tile["kpi"] == kpi)


async def test_every_board_and_kpi_has_a_page_under_a_policy_without_anything_inline_or_foreign() -> None:
    paths = ["/board", *(f"/board/{one.id}" for one in BOARDS), *(f"/kpi/{one.id}" for one in catalogue())]
    async with served(MemoryStore()) as url, ClientSession(url) as session:
        for path in paths:
            async with session.get(path) as page:
                assert page.status == 200, path
                policy = page.headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
                assert "unsafe" not in policy
                text = await page.text()
        assert "style=" not in text
        assert "http:" not in text
        assert "https:" not in text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/board/none", 404),
        ("/kpi/none", 404),
        ("/wallboard/static/none.js", 404),
        ("/wallboard/static/index.html", 404),
        ("/wallboard/static/..%2Fhub.py", 404),
        ("/wallboard/state?page=board:none", 400),
        ("/wallboard/state?page=nonsense", 400),
        ("/wallboard/state?channel=email&group=billing", 400),
        (f"/wallboard/stream?channel={'x' * 201}", 400),
        ("/wallboard/state?page=kpi:csat&channel=email", 200),
        ("/wallboard/static/app.js", 200),
    ],
)
async def test_what_there_is_not_is_refused(path: str, status: int) -> None:
    async with served(MemoryStore()) as url, ClientSession() as session, session.get(f"{url}{path}") as response:
        assert response.status == status


async def test_a_stream_tells_the_state_at_once_and_each_change_and_the_clock_in_between() -> None:
    store = MemoryStore()
    store.replace([record("queue_length", 1, at_ms=now_ms())])
    async with served(store) as url, ClientSession(url) as session, session.get("/wallboard/stream") as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        while await next_value(response, "queue_length") != 1:
            pass
        while (event := await next_event(response))["event"] != "clock":
            pass
        assert json.loads(event["data"])["as_of_ms"] <= json.loads(event["data"])["now_ms"]
        store.replace([record("queue_length", 2, at_ms=now_ms())])
        assert await next_value(response, "queue_length") == 2


async def test_a_server_that_stops_ends_its_streams() -> None:
    async with ClientSession() as session:
        async with served(MemoryStore()) as url:
            response = await session.get(f"{url}/wallboard/stream")
        assert (await response.content.read()).startswith(b"retry: ")
        response.close()


async def test_beyond_the_most_streams_a_further_one_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream_kpi.publish.wallboard.hub.MOST_STREAMS", 1)
    async with served(MemoryStore()) as url, ClientSession(url) as session, session.get("/wallboard/stream") as first:
        assert first.status == 200
        async with session.get("/wallboard/stream") as second:
            assert (second.status, second.headers["Retry-After"]) == (503, "10")
