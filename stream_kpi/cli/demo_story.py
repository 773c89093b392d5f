"""What happens in the demo, from the first line on standard error to the last event."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import NamedTuple

import aiohttp

from stream_kpi.bench.worker import events_done
from stream_kpi.brokers.probe import split_address
from stream_kpi.cli.common import notes_console
from stream_kpi.cli.demo_feed import SimulatedFeed
from stream_kpi.cli.demo_stage import Stage, stage
from stream_kpi.cli.files import read_lines
from stream_kpi.cli.producing import produce_files, record_batches
from stream_kpi.cli.progress import WorkProgress
from stream_kpi.cli.worker import check_port_free
from stream_kpi.errors import CHECK_FAILED, UserError
from stream_kpi.settings_sections import WebSettings

PAGES = ("/board", "/", "/metrics", "/health/ready")
STALLED_S = 60.0
"""A worker that has done nothing more for so long is given up."""
_LOOK_EVERY_S = 0.25
_ANSWER_TIMEOUT_S = 30.0
_FRESH_PUBLISHES = 2
"""The first publish after the last flush may have begun before it; the second has not."""


class Plan(NamedTuple):
    """What was asked for."""

    broker: str
    data: Path | None
    port: int
    seed: int


async def tell(plan: Plan) -> None:
    """Play the demo until it is cancelled. Raises UserError."""
    _check(plan)
    for repetition in itertools.count():
        async with stage(plan.broker, plan.port, event_clock=plan.data is not None) as on:
            await _first_to_end(on.watch(), on.until_full(), _play(on, plan, repeated=repetition > 0))
            notes_console().print("The embedded broker's memory is full: starting over at the same URLs.")


async def _first_to_end(*acts: Coroutine[None, None, None]) -> None:
    """Return when one of them does, or raise its error; the others are cancelled."""
    tasks = [asyncio.ensure_future(act) for act in acts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _check(plan: Plan) -> None:
    """Refuse what can be known to be wrong before anything is started."""
    if plan.broker not in {"embedded", "kafka"}:
        split_address(plan.broker)
    if plan.data is not None:
        next(read_lines(plan.data))
    check_port_free(WebSettings(port=plan.port), "--{key}")


async def _play(on: Stage, plan: Plan, *, repeated: bool) -> None:
    """Never return."""
    if plan.data is not None:
        sent = await produce_files([plan.data], on.settings, on.facts, None)
        await _worked_through(on, sent.events)
        _invite(on, f"{sent.events:,} events of {plan.data}; the clock stands at the last one", repeated=repeated)
        await asyncio.Event().wait()
        return
    async with record_batches(on.settings, on.facts) as batches:
        feed = SimulatedFeed(plan.seed, on.settings, on.facts, batches)
        sent_events = await feed.send_history()
        await _worked_through(on, sent_events)
        _invite(on, f"{sent_events:,} events of a simulated day; from now on, live", repeated=repeated)
        await feed.send_live()


_LONG_WINDOWS_SHOWN = ('kpi_ticket_volume{window="24h"}', 'kpi_reopen_rate_samples{window="30d"}')
"""Of each long window one series of the total: its others are published with it."""


async def _worked_through(on: Stage, events: int) -> None:
    """Return when the worker has applied so many events and shows the values. Raises UserError when it stands still."""
    notes_console().print(f"{events:,} events sent; the worker computes the KPIs ...")
    done, moved_s, shown_from = -1, time.monotonic(), None
    timeout = aiohttp.ClientTimeout(total=_ANSWER_TIMEOUT_S)
    with WorkProgress("Computing KPIs", events) as progress:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                metrics = await _metrics(session, on)
                now_done, now_s = events_done(metrics), time.monotonic()
                if now_done > done:
                    done, moved_s = now_done, now_s
                elif done < events and now_s - moved_s > STALLED_S:
                    message = f"The worker has stood still for {STALLED_S:.0f} s. Its log ends with:"
                    raise UserError(f"{message}\n{on.worker.log_tail()}", CHECK_FAILED)
                progress.update(done, f"{done:,} of {events:,} events" if done else "the worker starts")
                if done >= events and _total(metrics, "stream_kpi_lag_records") == 0:
                    publishes = _total(metrics, "stream_kpi_publish_seconds_count")
                    shown_from = publishes + _FRESH_PUBLISHES if shown_from is None else shown_from
                    # A publish says what its budget has room for; the day as a whole has to be among it, and what only
                    # longer windows have.
                    if publishes >= shown_from and all(series in metrics for series in _LONG_WINDOWS_SHOWN):
                        return
                await asyncio.sleep(_LOOK_EVERY_S)


async def _metrics(session: aiohttp.ClientSession, on: Stage) -> str:
    """What /metrics says; nothing while the worker starts."""
    try:
        async with session.get(f"{on.url}/metrics") as answer:
            return await answer.text()
    except (aiohttp.ClientError, TimeoutError):
        return ""


def _total(metrics: str, name: str) -> float:
    """The sum of a family's samples."""
    samples = (line.rpartition(" ") for line in metrics.splitlines() if line.startswith(name))
    return sum(float(value) for series, _, value in samples if series.partition("{")[0] == name)


def _invite(on: Stage, what: str, *, repeated: bool) -> None:
    notes_console().print(f"Ready: {what}. Ctrl-C ends the demo.")
    if not repeated:
        sys.stdout.write("".join(f"{on.url}{page}\n" for page in PAGES))
        sys.stdout.flush()
