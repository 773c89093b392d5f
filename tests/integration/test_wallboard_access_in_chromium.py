"""The wallboard in a browser where the settings ask for a password or a token."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Page, expect

from stream_kpi.settings import Settings
from tests.wallboard_kit import full_board, now_ms, record, served

SECRET = "pass:word 1"
QUEUE = '[data-kpi="queue_length"] .value'


@pytest.fixture
def asking(tmp_path: Path) -> dict[str, Settings]:
    """By what is asked for, settings of the web side."""
    file = tmp_path / "secret"
    file.write_text(SECRET, encoding="utf-8")
    asked = {"password": {"username": "wall", "password_file": file}, "token": {"token_file": file}}
    return {name: Settings(publish_interval_s=0.05, web=web) for name, web in asked.items()}


USERS = {"password": "wall", "token": ""}


async def shows_values_as_they_change(page: Page, settings: Settings, address: str, path: str) -> None:
    store = full_board(now_ms())
    async with served(store, settings) as url:
        await page.goto(f"{url.replace('//', f'//{address}')}{path}")
        await expect(page.locator(QUEUE)).to_have_text("200")
        store.update([record("queue_length", 4, at_ms=now_ms())])
        await expect(page.locator(QUEUE)).to_have_text("4")
        await page.get_by_role("link", name="Analyst", exact=True).click()
        await expect(page.locator("h1")).to_have_text("Analyst")
        await page.goto("about:blank")


@pytest.mark.parametrize("asked", USERS)
async def test_who_answers_the_browsers_question_has_the_board_and_its_stream(
    browser: Browser, asking: dict[str, Settings], asked: str
) -> None:
    page = await browser.new_page(http_credentials={"username": USERS[asked], "password": SECRET})
    await shows_values_as_they_change(page, asking[asked], "", "/board")


@pytest.mark.parametrize("asked", USERS)
async def test_a_screen_without_a_keyboard_has_them_in_its_address(
    page: Page, asking: dict[str, Settings], asked: str
) -> None:
    await shows_values_as_they_change(page, asking[asked], f"{USERS[asked]}:{quote(SECRET)}@", "/board?kiosk=30")


@pytest.mark.parametrize("asked", USERS)
async def test_who_gives_up_reads_what_is_needed(browser: Browser, asking: dict[str, Settings], asked: str) -> None:
    page = await browser.new_page(http_credentials={"username": "wall", "password": "wrong"})
    async with served(full_board(now_ms()), asking[asked]) as url:
        answer = await page.goto(f"{url}/board")
        assert answer is not None
        assert answer.status == 401
        said = {"password": "the user name and its password", "token": "password with an empty user name"}[asked]
        await expect(page.locator("body")).to_contain_text(said)
