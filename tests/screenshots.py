"""The README's pictures of the wallboard: ``make screenshots`` starts a demo, and takes them with Debian's Chromium."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.async_api import Browser, ViewportSize, async_playwright

from tests.integration.demo_kit import Demo

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
TREND_S = 120.0
"""So long the demo runs before: trends are of what the page's server has seen."""


class Picture(NamedTuple):
    """One file."""

    name: str
    path: str
    size: ViewportSize
    theme: Literal["dark", "light"]


PICTURES = (
    Picture("floor", "/board/floor", {"width": 1920, "height": 1080}, "dark"),
    Picture("manager", "/board/manager", {"width": 1920, "height": 1080}, "light"),
    Picture("kpi", "/kpi/first_response_time", {"width": 1280, "height": 900}, "light"),
    Picture("phone", "/board/agents", {"width": 390, "height": 844}, "dark"),
)


async def take(browser: Browser, origin: str, picture: Picture) -> None:
    """Write one file."""
    context = await browser.new_context(viewport=picture.size, color_scheme=picture.theme)
    page = await context.new_page()
    await page.goto(origin + picture.path)
    await page.locator(".value").first.wait_for()
    await page.screenshot(path=FOLDER / f"{picture.name}.png")
    await context.close()


async def main() -> None:
    """Take all of them."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not on the PATH")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(Path(folder))
        try:
            demo.urls()
            await asyncio.sleep(TREND_S)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                for picture in PICTURES:
                    await take(browser, f"http://127.0.0.1:{demo.port}", picture)
                await browser.close()
            demo.end()
        finally:
            demo.destroy()


if __name__ == "__main__":
    asyncio.run(main())
