"""Running an app until SIGTERM or SIGINT, or until it fails."""

from __future__ import annotations

import asyncio
import logging
import signal

import faust

from stream_kpi.errors import OK, UserError
from stream_kpi.shell.app import App

log = logging.getLogger(__name__)
CRASHED = 70
"""Exit status after an error that is not the user's to mend (EX_SOFTWARE)."""


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
    for name in ("faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(logging.WARNING)


async def run(app: App) -> int:
    """Run until a signal or a failure; everything begun is finished first. The exit status; a failure is logged as one
    line when it is the user's to mend, else with its traceback."""
    worker = Worker(app, override_logging=False, redirect_stdouts=False)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.create_task(worker.start())
    waiting = {starting, asyncio.create_task(stop.wait()), asyncio.create_task(app.failed.wait())}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await worker.stop()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    return exit_status(app)


def exit_status(app: App) -> int:
    """What the process should end with."""
    if app.failure is None:
        return OK
    if isinstance(app.failure, UserError):
        log.error("%s", app.failure)
        return app.failure.exit_status
    log.error("the worker failed", exc_info=app.failure)
    return CRASHED
