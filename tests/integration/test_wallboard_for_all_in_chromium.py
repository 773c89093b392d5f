"""The wallboard without a mouse and without eyes: keyboard, names and regions, contrast (WCAG 2.2 A and AA, axe)."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from stream_kpi.publish.live_store import MemoryStore
from stream_kpi.publish.wallboard.boards import BOARDS
from tests.wallboard_kit import full_board, now_ms, record, served

STANDARDS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PATHS = (*(f"/board/{board.id}" for board in BOARDS), "/kpi/first_response_time")
FOCUSED = "document.activeElement.closest('[data-kpi]')?.dataset.kpi"


async def violations(page: Page) -> str:
    """What axe finds on the page as it is; empty if nothing."""
    found = await Axe().run(page, options=STANDARDS)
    return str(found.generate_report()) if found.violations_count else ""


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
async def test_axe_finds_nothing_on_any_page(browser: Browser, theme: Literal["dark", "light"], width: int) -> None:
    page = await browser.new_page(viewport={"width": width, "height": 1080}, color_scheme=theme)
    async with served(full_board(now_ms())) as url:
        for path in PATHS:
            await page.goto(url + path)
            await expect(page.locator(".tile").first).to_be_visible()
            await expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(len(BOARDS))
            assert await violations(page) == "", path
        await page.goto("about:blank")


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_axe_finds_nothing_while_values_are_old(browser: Browser, theme: Literal["dark", "light"]) -> None:
    page = await browser.new_page(color_scheme=theme)
    async with served(full_board(now_ms() - 60_000)) as url:
        await page.goto(f"{url}/board")
        await expect(page.get_by_role("status")).to_contain_text("Stale")
        assert await violations(page) == ""
        await page.goto("about:blank")


async def test_a_screen_reader_finds_regions_headings_and_the_names_of_controls(page: Page) -> None:
    async with served(full_board(now_ms())) as url:
        await page.emulate_media(color_scheme="dark")
        await page.goto(f"{url}/board/agents")
        await expect(page.locator("body")).to_match_aria_snapshot("""
            - link "Skip to the numbers"
            - banner:
              - navigation "Boards":
                - link "Agents"
                - link "Floor"
                - link "Analyst"
                - link "Manager"
                - link "Leadership"
              - form "Show only":
                - combobox "channel"
                - combobox "group"
                - combobox "category"
              - button "Light theme"
            - status
            - main:
              - heading "Agents" [level=1]
              - region "Numbers":
                - article:
                  - heading "Chats and calls waiting" [level=2]
              - region "Alerts":
                - article:
                  - heading /Longest wait in the queue/ [level=2]
                  - paragraph
              - region "Details":
                - article:
                  - heading "Queue now" [level=2]
                  - table
            """)
        await page.goto("about:blank")


async def test_tab_goes_through_all_controls_as_they_stand_and_shows_where_it_is(page: Page) -> None:
    async with served(full_board(now_ms())) as url:
        await page.goto(f"{url}/board/agents")
        await expect(page.locator(".alert")).not_to_have_count(0)
        await expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(len(BOARDS))
        controls = await page.locator("a[href], select, button").all_inner_texts()
        reached = []
        for _ in controls:
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate("document.activeElement.innerText"))
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid", reached
            assert await page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0, reached
        assert reached == controls
        await page.goto("about:blank")


async def test_enter_and_space_do_what_a_click_does(page: Page) -> None:
    async with served(full_board(now_ms())) as url:
        await page.emulate_media(color_scheme="dark")
        await page.goto(f"{url}/board/agents")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("#numbers")).to_be_focused()
        await page.get_by_role("button").focus()
        for theme, key in (("light", "Enter"), ("dark", "Space")):
            await page.keyboard.press(key)
            await expect(page.locator("html")).to_have_attribute("data-theme", theme)
        await page.get_by_role("link", name="Floor").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("Floor")
        await expect(page.get_by_role("link", name="Floor")).to_be_focused()
        await page.goto("about:blank")


async def test_a_filter_that_is_chosen_by_key_keeps_the_focus(page: Page) -> None:
    async with served(full_board(now_ms())) as url:
        await page.goto(f"{url}/board")
        await expect(page.locator("select[name=channel] option")).to_have_count(2)
        await page.locator("select[name=channel]").focus()
        await page.keyboard.press("ArrowDown")
        await expect(page).to_have_url(f"{url}/board?channel=chat")
        await expect(page.locator("#panel-queue h2 small")).to_be_visible()
        await expect(page.locator("select[name=channel]")).to_be_focused()
        await page.go_back()
        await expect(page.locator("select[name=channel]")).to_have_value("")
        await page.goto("about:blank")


async def test_the_focus_stays_where_it_is_when_values_change(page: Page) -> None:
    store = MemoryStore()
    store.replace([record("queue_length", 3, at_ms=now_ms())])
    async with served(store) as url:
        await page.goto(f"{url}/board")
        value = page.locator('#numbers [data-kpi="queue_length"] .value')
        await expect(value).to_have_text("3")
        await page.locator('#numbers [data-kpi="queue_length"] a').focus()
        store.replace([record("queue_length", 4, at_ms=now_ms())])
        await expect(value).to_have_text("4")
        assert await page.evaluate(FOCUSED) == "queue_length"
        await page.goto("about:blank")


async def test_an_alert_is_told_when_it_comes_and_not_with_each_new_value(page: Page) -> None:
    store = MemoryStore()
    store.replace([record("longest_wait", 1, at_ms=now_ms())])
    async with served(store) as url:
        await page.goto(f"{url}/board")
        alerts = page.locator("#alerts")
        await expect(alerts).to_have_attribute("aria-live", "polite")
        await expect(alerts).to_have_attribute("aria-relevant", "additions")
        await page.evaluate("""() => {
            window.told = 0;
            const count = (changes) => { for (const one of changes) window.told += one.addedNodes.length; };
            new MutationObserver(count).observe(document.querySelector("#alerts"), { childList: true, subtree: true });
        }""")
        for value, shown in ((3_600, "1 h"), (7_200, "2 h")):
            store.replace([record("longest_wait", value, at_ms=now_ms())])
            await expect(alerts.get_by_role("heading")).to_contain_text(shown)
            assert await page.evaluate("window.told") == 1
        await page.goto("about:blank")
