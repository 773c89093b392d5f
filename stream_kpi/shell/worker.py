"""Running a Faust app until SIGTERM or SIGINT, or until it fails."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import faust
from aiokafka.errors import KafkaError

from stream_kpi.errors import NO_BROKER, OK, UserError
from stream_kpi.shell.faust_app import App

log = logging.getLogger(__name__)
CRASHED = 70
"""Exit status after an error that is not the user's to mend (EX_SOFTWARE)."""


STOP_TIMEOUT_S = 25.0
"""A broker that does not answer any more can hold up a stop for ever: Kafka's clients wait for it to take a commit, or
their farewell. Who runs us kills after 30 s, and a kill says nothing."""


class Worker(faust.Worker):
    """Faust's worker; logging and signals are left to whoever runs it."""

    async def default_on_first_start(self) -> None:
        """Nothing: Faust would set up logging, its own signal handlers and a spinner."""

    async def on_startup_finished(self) -> None:
        """Nothing: health tells."""

    def _setproctitle(self, info: str, *, ident: str = "") -> None:
        """Nothing: the process keeps its name."""


def quiet_libraries() -> None:
    """Faust and aiokafka tell of every service and lookup; only what goes wrong is of interest."""
    services = (f"stream_kpi.shell.{module}" for module in ("faust_app", "transport", "store", "worker"))
    for name in ("faust", "mode", "aiokafka", "kafka", *services):
        logging.getLogger(name).setLevel(logging.WARNING)


def _tell_once(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # aiokafka lays a producer's error down in every future of its own too. The writer has raised it already.
    future_of_nobody = context["message"] == "Future exception was never retrieved"
    if not (future_of_nobody and isinstance(context.get("exception"), KafkaError)):
        loop.default_exception_handler(context)


@contextmanager
def _ended_in_time() -> Iterator[None]:
    """End the process when what is inside has not ended after STOP_TIMEOUT_S. What no transaction holds by then is read
    again by whoever goes on."""

    def end() -> None:
        log.error("the broker has not let us go for %.0f s; what was not written is read again", STOP_TIMEOUT_S)
        logging.shutdown()
        os._exit(NO_BROKER)

    watch = threading.Timer(STOP_TIMEOUT_S, end)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


async def serve(app: App) -> int:
    """Run until a signal or a failure; what was begun is finished first. The exit status; ``app.failure`` says why when
    it is not OK, and what is not the user's to mend is logged with its traceback."""
    worker = Worker(app, override_logging=False, redirect_stdouts=False)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_tell_once)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.create_task(worker.start())
    stopping = [asyncio.create_task(stop.wait()), asyncio.create_task(app.failed.wait())]
    try:
        await asyncio.wait([starting, *stopping], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():  # Faust gave up by itself: it waits to be stopped otherwise
            crash = app.crash_reason or worker.crash_reason or RuntimeError("Faust stopped without a reason")
            app.failure = app.failure or starting.exception() or crash
    finally:
        with _ended_in_time():
            await worker.stop()
        for task in (starting, *stopping):
            task.cancel()
        await asyncio.gather(starting, *stopping, return_exceptions=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    if app.failure is None:
        return OK
    if isinstance(app.failure, UserError):
        return app.failure.exit_status
    log.error("the worker failed", exc_info=app.failure)
    return CRASHED
