"""The wallboard in headless Chromium: what a viewer sees while the store changes, stops, and holds hostile names."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from stream_kpi.publish.live_store import MemoryStore
from stream_kpi.publish.wallboard.boards import BOARDS
from stream_kpi.settings import Settings
from tests.wallboard_kit import deadline, now_ms, record, served

HOSTILE = "<script>alert(1)</script>"
QUEUE = '[data-kpi="queue_length"] .value'


def store_of(value: float) -> MemoryStore:
    store = MemoryStore()
    store.replace([record("queue_length", value, at_ms=now_ms())])
    return store


async def test_values_change_without_a_reload(page: Page) -> None:
    store = store_of(3)
    async with served(store) as url:
        await page.goto(f"{url}/board")
        await expect(page.locator(QUEUE)).to_have_text("3")
        await page.evaluate("window.sameDocument = true")
        store.replace([record("queue_length", 4, at_ms=now_ms())])
        await expect(page.locator(QUEUE)).to_have_text("4")
        assert await page.evaluate("window.sameDocument")
        await page.goto("about:blank")


async def test_values_that_are_old_are_called_stale_until_new_ones_come(page: Page) -> None:
    store = MemoryStore()
    store.replace([record("queue_length", 3, at_ms=now_ms() - 60_000)])
    async with served(store) as url:
        await page.goto(f"{url}/board")
        await expect(page.locator("#trouble")).to_contain_text("Stale: these numbers are 1 m")
        store.replace([record("queue_length", 4, at_ms=now_ms())])
        await expect(page.locator("#trouble")).to_be_hidden()
        await page.goto("about:blank")


async def test_what_is_about_to_breach_counts_down_between_two_publishes(page: Page) -> None:
    store = MemoryStore()
    store.replace([record("sla_next_breach_in", 3_000, at_ms=now_ms(), group="billing")])
    async with served(store) as url:
        await page.goto(f"{url}/board")
        count = page.locator("#panel-breach .count")
        await expect(count).to_contain_text("49:5")
        seen = await count.inner_text()
        await expect(count).not_to_have_text(seen)
        assert await count.inner_text() < seen
        await page.goto("about:blank")


async def test_a_ticket_counts_down_by_the_second_and_disappears_when_it_is_answered(page: Page) -> None:
    store, at_ms = MemoryStore(), now_ms()
    store.replace(
        [record("queue_length", 1, at_ms=at_ms)], values_ms=at_ms, deadlines=(deadline("T-1", at_ms + 3_000_000),)
    )
    async with served(store) as url:
        await page.goto(f"{url}/board")
        row = page.locator("#panel-tickets tbody tr")
        await expect(row.locator("th span")).to_have_text("T-1")
        await expect(row.locator("th small")).to_have_text("first response · billing")
        count = row.locator(".count")
        await expect(count).to_contain_text("49:5")
        seen = await count.inner_text()
        await expect(count).not_to_have_text(seen)
        assert await count.inner_text() < seen
        store.update([record("queue_length", 0, at_ms=now_ms())], deadlines=())
        await expect(page.locator("#panel-tickets")).to_contain_text("Nothing is promised that runs.")
        await page.goto("about:blank")


async def test_a_ticket_passes_its_deadline_between_two_publishes_and_says_so_in_words(page: Page) -> None:
    store, at_ms = MemoryStore(), now_ms()
    store.replace(
        [record("queue_length", 1, at_ms=at_ms)], values_ms=at_ms, deadlines=(deadline("T-1", at_ms + 3_000),)
    )
    async with served(store) as url:
        await page.goto(f"{url}/board")
        await expect(page.locator("#panel-tickets .count")).to_have_text(re.compile(r"^missed by 00:0\d$"))
        await page.goto("about:blank")


async def test_a_ticket_whose_id_is_called_like_a_script_is_text(page: Page) -> None:
    store, at_ms = MemoryStore(), now_ms()
    hostile = deadline(HOSTILE, at_ms + 60_000, group=HOSTILE)
    store.replace([record("queue_length", 1, at_ms=at_ms)], values_ms=at_ms, deadlines=(hostile,))
    async with served(store) as url:
        await page.goto(f"{url}/board")
        row = page.locator("#panel-tickets tbody tr")
        await expect(row.locator("th span")).to_have_text(HOSTILE)
        await expect(row.locator("th small")).to_have_text(f"first response · {HOSTILE}")
        await page.goto("about:blank")


async def test_a_group_an_agent_or_a_category_that_is_called_like_a_script_is_text(page: Page) -> None:
    store, at_ms = MemoryStore(), now_ms()
    store.replace(
        [
            record("queue_length", 3, at_ms=at_ms, group=HOSTILE),
            record("ticket_backlog", 3, at_ms=at_ms, category=HOSTILE),
            record("ticket_volume", 3, "total", at_ms=at_ms, channel=HOSTILE),
            record("csat", 0.5, "rolling:1h", at_ms=at_ms, agent=HOSTILE),
        ]
    )
    async with served(store, Settings(publish_interval_s=0.05, metrics={"agent_series": True})) as url:
        await page.goto(f"{url}/board")
        await expect(page.locator("#panel-queue tbody th")).to_have_text(HOSTILE)
        await expect(page.locator("#panel-backlog-category li span")).to_have_text(HOSTILE)
        await expect(page.locator("select[name=channel] option").nth(1)).to_have_text(HOSTILE)
        await page.goto(f"{url}/kpi/csat")
        await expect(page.get_by_role("rowheader", name=HOSTILE)).to_be_visible()
        await page.goto("about:blank")


async def test_a_filter_is_in_the_address_and_kept_in_links(page: Page) -> None:
    store, at_ms = MemoryStore(), now_ms()
    store.replace(
        [
            record("queue_length", 9, at_ms=at_ms),
            record("queue_length", 2, at_ms=at_ms, channel="chat"),
            record("ticket_volume", 3, "total", at_ms=at_ms, channel="chat"),
        ]
    )
    async with served(store) as url:
        await page.goto(f"{url}/board")
        await expect(page.locator(QUEUE)).to_have_text("9")
        await page.select_option("select[name=channel]", "chat")
        await expect(page.locator(QUEUE)).to_have_text("2")
        assert page.url == f"{url}/board?channel=chat"
        await page.get_by_role("link", name="Agents", exact=True).click()
        await expect(page.locator(QUEUE)).to_have_text("2")
        assert page.url == f"{url}/board/agents?channel=chat"
        await page.goto("about:blank")


@pytest.mark.parametrize("width", [390, 1920])
async def test_nothing_is_wider_than_the_screen(page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 844})
    store, at_ms = store_of(3), now_ms()
    long = (
        deadline("T-" + "1" * 60, at_ms + 60_000_000),
        deadline("T-2", at_ms - 60_000_000, group="returns and refunds"),
    )
    store.update([], values_ms=at_ms, deadlines=long)
    async with served(store) as url:
        for path in (*(f"/board/{board.id}" for board in BOARDS), "/kpi/first_response_time"):
            await page.goto(f"{url}{path}")
            await expect(page.locator(".tile").first).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") == width, path
            cut_off = "[...document.querySelectorAll('.deadlines')].some((one) => one.scrollWidth > one.clientWidth)"
            assert not await page.evaluate(cut_off), path
        await page.goto("about:blank")
