"""``stream-kpi bench sla``: workers on topics of their own, one run, its report."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack
from typing import Literal

import msgspec
from rich.console import Console
from rich.table import Table

from stream_kpi.bench import worker
from stream_kpi.bench.command import clear, new_task
from stream_kpi.bench.figures import Task
from stream_kpi.bench.sla.run import Outcome, run
from stream_kpi.bench.sla.stretch import POLICY
from stream_kpi.brokers import start_broker
from stream_kpi.brokers.process import free_port

ENOUGH = 0.98
"""Of the rate that was asked for: what is above is that rate."""


class Report(msgspec.Struct, frozen=True):
    """What was asked for, what came of it, and how late records were."""

    instances: int
    events_per_s: int
    seconds: int
    workers: int
    broker: str
    running: int
    """Instances that ran when the stretch began."""
    sent_per_s: float
    handled_per_s: float
    """By the workers together."""
    as_asked: bool
    """Whether everything above reached what was asked for, and every record came."""
    at_risk: dict[str, int | float | None]
    breached: dict[str, int | float | None]


def report_of(instances: int, events_per_s: int, seconds: int, workers: int, broker: str, outcome: Outcome) -> Report:
    """The report of one run."""
    at_risk, breached = outcome.lateness.told()
    slowest = min(outcome.sent_per_s, outcome.handled_per_s)
    complete = all(told.records == told.due for told in (at_risk, breached))
    return Report(
        instances,
        events_per_s,
        seconds,
        workers,
        broker,
        outcome.lateness.running,
        round(outcome.sent_per_s, 1),
        round(outcome.handled_per_s, 1),
        complete and outcome.lateness.running >= instances and slowest >= ENOUGH * events_per_s,
        at_risk._asdict(),
        breached._asdict(),
    )


def in_words(report: Report) -> str:
    """What was reached of what was asked for."""
    rates = f"{report.sent_per_s:,.0f} events/s were sent, {report.handled_per_s:,.0f} handled"
    reached = f"{report.running:,} instances ran at the start; {rates}."
    return reached if report.as_asked else f"NOT WHAT WAS ASKED FOR: {reached}"


def as_table(report: Report) -> Table:
    """The report for people."""
    title = (
        f"{report.instances:,} instances, {report.events_per_s:,} events/s for {report.seconds} s, "
        f"{_counted(report.workers)}, {report.broker}"
    )
    table = Table(title=title, box=None, pad_edge=False)
    table.add_column("record")
    for column in ("due", "came", "late by: p50 s", "p99 s", "max s"):
        table.add_column(column, justify="right")
    for name, told in (("sla.at_risk", report.at_risk), ("sla.breached", report.breached)):
        table.add_row(name, *["-" if figure is None else f"{figure:,}" for figure in told.values()])
    return table


def measure(
    instances: int,
    events_per_s: int,
    seconds: int,
    workers: int,
    broker: str,
    output: Literal["table", "json"] = "table",
) -> None:
    """Measure so many workers and print the report on standard output; what is under way goes to standard error.

    ``broker``: embedded, kafka, or HOST:PORT. Raises UserError.
    """
    notes = Console(stderr=True, highlight=False, soft_wrap=True)
    with start_broker(broker) as running:
        task = new_task(running.address)
        try:
            notes.print(f"{_counted(workers)} at {running.address}, {seconds} s of {events_per_s:,} events/s ...")
            outcome = _measured(task, instances, events_per_s, seconds, workers)
        finally:
            if running.kind == "external":  # one of ours takes its data with it
                clear(task)
        report = report_of(instances, events_per_s, seconds, workers, running.kind, outcome)
    if output == "json":
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
    else:
        console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
        console.print(as_table(report))
        console.print(in_words(report))


def _counted(workers: int) -> str:
    return f"{workers} worker{'s' * (workers > 1)}"


def _measured(task: Task, instances: int, events_per_s: int, seconds: int, workers: int) -> Outcome:
    ports = [free_port() for _ in range(workers)]
    with ExitStack() as stack:
        started = [
            (stack.enter_context(worker.running(task, worker.configuration(task, port, "wall", POLICY))), port)
            for port in ports
        ]
        for process, port in started:
            worker.wait_until_ready(process, port)
        return asyncio.run(run(task, ports, instances, seconds, events_per_s))
