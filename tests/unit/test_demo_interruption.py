"""Ctrl-C and SIGTERM, before and while something is started."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from stream_kpi.cli.demo_feed import busy_team
from stream_kpi.cli.demo_interruption import Interruption, in_thread
from stream_kpi.errors import OK
from stream_kpi.simulator.team import DAY_MS, is_weekend, local_hour

WHILE_LOADING = """\
import importlib.abc, signal, sys

class Interrupts(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "stream_kpi.cli.main":
            signal.raise_signal(signal.Signals[sys.argv.pop()])

# A shell starts what runs in its background, and so these tests, with SIGINT ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupts())
from stream_kpi.__main__ import main
sys.exit(main())
"""


@pytest.fixture
def interruption() -> Iterator[Interruption]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield Interruption()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("command", "number", "status"),
    [("demo", "SIGINT", OK), ("demo", "SIGTERM", OK), ("worker", "SIGTERM", OK), ("compute", "SIGINT", 130)],
)
def test_a_signal_while_the_program_is_loading_ends_it_without_a_word(command: str, number: str, status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WHILE_LOADING, command, number], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_the_work_and_waits_for_its_tidying_up(
    interruption: Interruption, number: signal.Signals
) -> None:
    tidied = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            os.kill(os.getpid(), number)  # a second one does not interrupt it
            await asyncio.sleep(0)
            tidied.append(number)

    interruption.run(work())
    assert tidied == [number]


def test_a_signal_before_the_work_begins_ends_it_at_once(interruption: Interruption) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    begun = []

    async def work() -> None:
        await asyncio.Event().wait()
        begun.append(True)

    interruption.run(work())
    assert begun == []


def test_an_error_of_the_work_passes(interruption: Interruption) -> None:
    async def work() -> None:
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        interruption.run(work())


async def test_what_a_thread_is_starting_is_given_up_and_waited_for() -> None:
    begun, given_up, ended = threading.Event(), threading.Event(), threading.Event()

    def start() -> None:
        begun.set()
        given_up.wait()
        ended.set()

    task = asyncio.ensure_future(in_thread(start, given_up.set))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_a_threads_result_and_error_come_back() -> None:
    assert await in_thread(lambda: 7, lambda: None) == 7
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0, lambda: None)


@pytest.mark.parametrize("started_ms", [0, 1_790_000_000_000, 1_790_000_000_000 + 3 * DAY_MS + 12_345_678])
def test_the_team_is_at_work_whenever_the_demo_is_started(started_ms: int) -> None:
    team = busy_team(started_ms)
    assert local_hour(team, started_ms) == 10
    assert not is_weekend(team, started_ms)
