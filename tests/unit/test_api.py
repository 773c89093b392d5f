"""The JSON API: what a program reads of the KPIs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.publish.application import application
from stream_kpi.publish.instruments import SelfMetrics
from stream_kpi.publish.live_store import MemoryStore
from stream_kpi.publish.web import Health
from stream_kpi.settings import Settings
from tests.contracts.test_publish_live_store import deadline, record

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def client(store: MemoryStore) -> AsyncIterator[Client]:
    served = application(Settings(), SelfMetrics("0").registry, Health(), store)
    async with TestClient(TestServer(served)) as client:
        yield client


async def got(client: Client, path: str, status: int = 200) -> Any:
    async with client.get(path) as response:
        assert response.status == status
        assert response.headers["Content-Type"].startswith("application/json")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        return await response.json()


async def test_the_list_has_every_row_of_the_catalogue_and_says_that_there_are_no_values_yet(client: Client) -> None:
    listed = await got(client, "/api/v1/kpis")
    assert [kpi["id"] for kpi in listed["kpis"]] == [kpi.id for kpi in catalogue()]
    assert (listed["values_at"], listed["stale"]) == (None, False)
    assert all(kpi["records"] == [] for kpi in listed["kpis"])


async def test_the_list_has_the_totals_records_and_their_samples_but_no_cuts(
    client: Client, store: MemoryStore
) -> None:
    store.replace([record("csat"), record("csat", cut={"channel": "chat"})], values_ms=1_000)
    listed = await got(client, "/api/v1/kpis")
    (found,) = [kpi for kpi in listed["kpis"] if kpi["records"]]
    assert (found["id"], found["title"]) == ("csat", next(kpi.title for kpi in catalogue() if kpi.id == "csat"))
    assert [(one["cut"], one["value"], one["samples"]) for one in found["records"]] == [({}, 0.5, 2)]
    assert listed["values_at"] == "1970-01-01T00:00:01.000Z"


async def test_deadlines_are_listed_as_published_with_times_and_spans_as_people_write_them(
    client: Client, store: MemoryStore
) -> None:
    store.replace([record("csat")], values_ms=1_000, deadlines=(deadline("T-1"),))
    assert await got(client, "/api/v1/deadlines") == {
        "values_at": "1970-01-01T00:00:01.000Z",
        "stale": False,
        "deadlines": [
            {
                "kind": "ticket",
                "subject": "T-1",
                "metric": "resolution",
                "policy": "p",
                "priority": None,
                "target_s": 60.0,
                "deadline": "1970-01-01T00:00:01.000Z",
                "channel": "email",
                "group": "a|b",
                "category": "unknown",
            }
        ],
    }


async def test_one_kpi_has_its_row_and_all_its_records_and_those_of_no_other(
    client: Client, store: MemoryStore
) -> None:
    store.replace([record("csat"), record("csat", cut={"channel": "<b>"}), record("arpu")])
    one = await got(client, "/api/v1/kpis/csat")
    assert one["kpi"]["id"] == "csat"
    assert [record["cut"] for record in one["records"]] == [{"channel": "<b>"}, {}]


@pytest.mark.parametrize("asked", ["no_such_kpi", "%3Cscript%3E", "a%22b"])
async def test_an_id_that_is_no_kpi_is_404_and_named_in_the_answer(client: Client, asked: str) -> None:
    from urllib.parse import unquote

    error = (await got(client, f"/api/v1/kpis/{asked}", status=404))["error"]
    assert repr(unquote(asked)) in error
    assert "/api/v1/kpis lists" in error
