"""The worker's event loop ends a TLS connection soon, and changes nothing of others."""

from __future__ import annotations

from typing import Any

import pytest
import uvloop

from stream_kpi.shell.loop import TLS_END_TIMEOUT_S, Loop


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What uvloop is asked for each connection."""
    seen: list[dict[str, Any]] = []

    async def create_connection(_: object, *__: object, **options: Any) -> None:
        seen.append(options)

    monkeypatch.setattr(uvloop.Loop, "create_connection", create_connection, raising=False)
    return seen


def test_the_end_of_a_tls_connection_is_not_waited_for_as_long_as_by_default(asked: list[dict[str, Any]]) -> None:
    loop = Loop()
    try:
        loop.run_until_complete(loop.create_connection(object, "127.0.0.1", 1, ssl=True))
        loop.run_until_complete(loop.create_connection(object, "127.0.0.1", 1))
    finally:
        loop.close()
    assert asked == [{"ssl": True, "ssl_shutdown_timeout": TLS_END_TIMEOUT_S}, {"ssl": None}]
