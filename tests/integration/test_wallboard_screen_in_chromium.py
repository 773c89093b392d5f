"""The wallboard's screen on a wall: boards in turn, a server that goes and comes back, dark and light."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from stream_kpi.brokers.process import free_port
from stream_kpi.publish.wallboard.boards import BOARDS
from tests.wallboard_kit import full_board, now_ms, served

ON_A_WALL = [board for board in BOARDS if board.on_a_wall]


async def test_a_kiosk_shows_each_board_of_a_wall_in_turn_and_begins_again(page: Page) -> None:
    await page.clock.install()
    async with served(full_board(now_ms())) as url:
        await page.goto(f"{url}/board/{ON_A_WALL[0].id}?kiosk=30")
        await expect(page.locator("body.kiosk")).to_be_visible()
        for board in (*ON_A_WALL[1:], *ON_A_WALL[:2]):
            await page.clock.fast_forward(30_000)
            await expect(page.locator("h1")).to_have_text(board.title)
            await expect(page.get_by_role("navigation").locator("[aria-current=page]")).to_have_text(board.title)
            assert page.url == f"{url}/board/{board.id}?kiosk=30"
        await page.goto("about:blank")


async def test_a_kiosk_keeps_its_filter_and_has_no_controls(page: Page) -> None:
    await page.clock.install()
    async with served(full_board(now_ms())) as url:
        await page.goto(f"{url}/board/{ON_A_WALL[0].id}?kiosk=5&channel=chat")
        await expect(page.locator("#filters")).to_be_hidden()
        await expect(page.get_by_role("button")).to_be_hidden()
        await page.clock.fast_forward(5_000)
        await expect(page).to_have_url(f"{url}/board/{ON_A_WALL[1].id}?kiosk=5&channel=chat")
        await page.goto("about:blank")


@pytest.mark.parametrize("seconds", ["4", "3601", "soon", ""])
async def test_boards_stay_where_the_seconds_are_not_5_to_3600(page: Page, seconds: str) -> None:
    await page.clock.install()
    async with served(full_board(now_ms())) as url:
        async with page.expect_response(f"{url}/wallboard/boards"):
            await page.goto(f"{url}/board/agents?kiosk={seconds}")
        await expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(len(BOARDS))
        await page.clock.fast_forward(4_000_000)
        await expect(page.locator("#filters")).to_be_visible()
        assert page.url == f"{url}/board/agents?kiosk={seconds}"
        await page.goto("about:blank")


async def test_a_lost_connection_is_said_until_the_server_is_back(browser: Browser) -> None:
    page, port, store = await browser.new_page(), free_port(), full_board(now_ms())
    trouble = page.get_by_role("status")
    await page.clock.install()
    async with served(store, port=port) as url:
        await page.goto(f"{url}/board")
        await expect(page.locator(".tile")).not_to_have_count(0)
        await expect(trouble).to_be_empty()
    await page.clock.fast_forward(13_000)
    await expect(trouble).to_contain_text("Connection lost 13 s ago: these numbers are not current.")
    await expect(page.locator("body.stale")).to_be_visible()
    async with served(full_board(now_ms()), port=port):
        # The browser opens the stream again by its own clock: after the 2 s that the server asked it to wait.
        await expect(trouble).not_to_contain_text("Connection lost", timeout=30_000)
        await page.goto("about:blank")


@pytest.mark.parametrize("system", ["dark", "light"])
async def test_the_theme_is_the_systems_until_another_is_chosen_which_is_kept(browser: Browser, system: str) -> None:
    other = "light" if system == "dark" else "dark"
    page = await browser.new_page(color_scheme="dark" if system == "dark" else "light")
    html = page.locator("html")
    async with served(full_board(now_ms())) as url:
        await page.goto(f"{url}/board")
        await expect(html).to_have_attribute("data-theme", system)
        ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        await page.get_by_role("button", name=f"{other} theme").click()
        await expect(html).to_have_attribute("data-theme", other)
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != ground
        await page.reload()
        await expect(html).to_have_attribute("data-theme", other)
        await page.get_by_role("button", name=f"{system} theme").click()
        await expect(html).to_have_attribute("data-theme", system)
        await page.goto("about:blank")


async def test_nothing_is_asked_of_another_server(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    async with served(full_board(now_ms())) as url:
        for path in (*(f"/board/{board.id}" for board in BOARDS), "/kpi/first_response_time"):
            await page.goto(url + path)
            await expect(page.locator(".tile").first).to_be_visible()
        assert len(asked) > len(BOARDS)
        assert [one for one in asked if not one.startswith(f"{url}/")] == []
        await page.goto("about:blank")
