"""Who is answered on the web side, and what the others are told."""

from __future__ import annotations

import ast
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from stream_kpi.errors import WRONG_USAGE, UserError
from stream_kpi.publish.access import access
from stream_kpi.publish.instruments import SelfMetrics
from stream_kpi.publish.web import Health, routes
from stream_kpi.settings_sections import WebSettings

TOKEN = "4f1c-token"
PASSWORD = "pass:word \N{EURO SIGN}"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="utf-8")
    return file


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD, encoding="utf-8")
    return file


@asynccontextmanager
async def served(settings: WebSettings) -> AsyncIterator[ClientSession]:
    application = web.Application(middlewares=access(settings))
    application.add_routes(routes(SelfMetrics("0").registry, Health(started=True, ready=True)))
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
            yield session
    finally:
        await runner.cleanup()


async def status_of(session: ClientSession, authorization: str | None, path: str = "/metrics") -> int:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with session.get(path, headers=headers) as response:
        return response.status


def basic(text: str) -> str:
    return f"Basic {b64encode(text.encode()).decode()}"


def test_where_the_settings_ask_for_nothing_nothing_stands_between() -> None:
    assert access(WebSettings()) == []


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Bearer {TOKEN.upper()}", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        (basic(f":{TOKEN}"), 200),
        (basic(f"kpi:{TOKEN}"), 401),
        (basic(f":{TOKEN}x"), 401),
        (basic(":"), 401),
        (basic(TOKEN), 401),
        (basic(f"kpi:{PASSWORD}"), 401),
        ("Bearer \N{EURO SIGN}", 401),
    ],
)
async def test_with_a_token_who_shows_it_is_answered_and_nobody_else(
    token_file: Path, shown: str | None, status: int
) -> None:
    async with served(WebSettings(token_file=token_file)) as session:
        assert await status_of(session, shown) == status


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        (basic(f"kpi:{PASSWORD}"), 200),
        (basic(f"KPI:{PASSWORD}"), 401),
        (basic("kpi:"), 401),
        (basic("kpi"), 401),
        (basic(f":{PASSWORD}"), 401),
        ("Basic no base64!", 401),
        (f"Bearer {PASSWORD}", 401),
    ],
)
async def test_with_a_user_name_who_shows_it_with_its_password_is_answered_and_nobody_else(
    password_file: Path, shown: str, status: int
) -> None:
    async with served(WebSettings(username="kpi", password_file=password_file)) as session:
        assert await status_of(session, shown) == status


async def test_with_both_either_is_enough_and_a_refusal_names_both_ways(token_file: Path, password_file: Path) -> None:
    settings = WebSettings(token_file=token_file, username="kpi", password_file=password_file)
    async with served(settings) as session:
        assert await status_of(session, f"Bearer {TOKEN}") == 200
        assert await status_of(session, basic(f"kpi:{PASSWORD}")) == 200
        async with session.get("/") as refused:
            assert refused.status == 401
            assert refused.headers.getall("WWW-Authenticate") == [
                'Bearer realm="stream-kpi"',
                'Basic realm="stream-kpi", charset="UTF-8"',
            ]
            assert await refused.text() == (
                "401: needs the token, in a browser as the password with an empty user name, "
                "or the user name and its password.\n"
            )


async def test_a_refusal_has_a_browser_ask_though_only_a_token_is_set(token_file: Path) -> None:
    async with served(WebSettings(token_file=token_file)) as session, session.get("/board") as refused:
        assert any(way.startswith("Basic ") for way in refused.headers.getall("WWW-Authenticate"))
        assert "in a browser as the password with an empty user name" in await refused.text()


async def test_probes_are_open_and_what_only_looks_like_one_is_not(token_file: Path) -> None:
    async with served(WebSettings(token_file=token_file)) as session:
        for probe in ("live", "ready", "started"):
            assert await status_of(session, None, f"/health/{probe}") == 200
        for path in ("/health", "/health/", "/health/other", "/none"):
            assert await status_of(session, None, path) == 401


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines\n", b"\xff\xfe", b"x" * 5_000])
def test_a_file_that_holds_no_secret_is_refused_without_being_quoted(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(UserError, match=rf"^web\.token_file = {file}: must be a file of") as caught:
        access(WebSettings(token_file=file))
    assert caught.value.exit_status == WRONG_USAGE
    assert "lines" not in str(caught.value)


def test_a_file_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^web\.token_file = .*: cannot be read \(No such file"):
        access(WebSettings(token_file=tmp_path / "none"))


def test_no_application_is_made_that_lets_everyone_in(repository: Path) -> None:
    made = [
        ast.unparse(node)
        for path in (repository / "stream_kpi").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "web.Application"
    ]
    assert made
    assert all("middlewares=access(settings.web)" in call for call in made), made
