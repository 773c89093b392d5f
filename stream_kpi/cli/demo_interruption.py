"""Ctrl-C and SIGTERM as the ordinary way to end: what has been started is ended in order, whenever they come."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import TypeVar

from stream_kpi.cli.common import notes_console

_T = TypeVar("_T")
_GIVE_UP_EVERY_S = 0.25


class Interruption:
    """From its making to the end of the process SIGINT and SIGTERM only cancel what ``run`` runs, once."""

    def __init__(self) -> None:
        self._asked = False
        self._cancel: Callable[[], object] | None = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def run(self, work: Coroutine[None, None, None]) -> None:
        """Run to the end, or until a signal has cancelled it and it has tidied up. Its errors pass."""
        asyncio.run(self._until_asked(work))

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
        if self._cancel is not None:
            self._cancel()

    async def _until_asked(self, work: Coroutine[None, None, None]) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        # One cancellation: a second Ctrl-C must not interrupt the tidying up.
        stop = asyncio.Event()
        self._cancel = lambda: loop.call_soon_threadsafe(stop.set)
        if self._asked:
            stop.set()
        asked = asyncio.ensure_future(stop.wait())
        await asyncio.wait([task, asked], return_when=asyncio.FIRST_COMPLETED)
        self._cancel = None
        asked.cancel()
        if not task.done():
            notes_console().print("Stopping ...")
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled():
            task.result()


async def in_thread(function: Callable[[], _T], give_up: Callable[[], object], patience_s: float = 15.0) -> _T:
    """Return what a blocking function returns; its errors pass.

    When this is cancelled, ``give_up`` is called again and again until the function has ended, for ``patience_s`` at
    most: nothing that it starts is left behind. A thread that outlasts that ends with the process.
    """
    work = asyncio.ensure_future(_call(function))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        deadline_s = asyncio.get_running_loop().time() + patience_s
        while not work.done() and asyncio.get_running_loop().time() < deadline_s:
            give_up()
            await asyncio.wait([work], timeout=_GIVE_UP_EVERY_S)
        if work.done() and not work.cancelled():
            work.exception()
        give_up()
        raise


async def _call(function: Callable[[], _T]) -> _T:
    """As asyncio.to_thread, in a thread that the end of the process does not wait for."""
    import threading

    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[_T] = loop.create_future()

    def settle(settle_outcome: Callable[[], None]) -> None:
        if not outcome.done():
            settle_outcome()

    def run() -> None:
        try:
            result = function()
        except Exception as error:  # noqa: BLE001 - raised again where it is awaited
            failed = error
            loop.call_soon_threadsafe(settle, lambda: outcome.set_exception(failed))
        else:
            loop.call_soon_threadsafe(settle, lambda: outcome.set_result(result))

    threading.Thread(target=run, daemon=True).start()
    return await outcome
