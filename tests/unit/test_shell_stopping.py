"""A worker that its broker does not let go of."""

from __future__ import annotations

import asyncio
import logging
import os
from types import SimpleNamespace
from typing import Any

import pytest

from stream_kpi.errors import NO_BROKER
from stream_kpi.shell import worker


class Held:
    """Stops when it is released, as a client does that waits for its broker."""

    released: asyncio.Event
    crash_reason = None

    def __init__(self, *_: object, **__: object) -> None: ...

    async def start(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        await self.released.wait()


async def test_a_stop_that_the_broker_holds_up_ends_the_process_and_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[int] = []
    loop, Held.released = asyncio.get_running_loop(), asyncio.Event()

    def end(status: int) -> None:
        ended.append(status)
        loop.call_soon_threadsafe(Held.released.set)

    monkeypatch.setattr(worker, "Worker", Held)
    monkeypatch.setattr(worker, "STOP_TIMEOUT_S", 0.0)
    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(logging, "shutdown", lambda: None)
    app: Any = SimpleNamespace(failure=None, failed=asyncio.Event(), crash_reason=None)
    app.failed.set()
    await worker.serve(app)
    assert ended == [NO_BROKER]
    assert "the broker has not let us go" in caplog.text
