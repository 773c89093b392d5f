"""``stream-kpi bench``: contenders one after the other on the same topics."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from typing import Literal

import msgspec
from rich.console import Console

from stream_kpi.bench import report, worker
from stream_kpi.bench.figures import Figures, Task
from stream_kpi.bench.kafka import produce
from stream_kpi.bench.log import PARTITIONS, log
from stream_kpi.brokers import start_broker
from stream_kpi.brokers.probe import admin_client
from stream_kpi.brokers.topic_admin import create_topics
from stream_kpi.errors import CHECK_FAILED, WRONG_USAGE, UserError
from stream_kpi.events.topics import TopicKind
from stream_kpi.settings import load_settings

CONTENDERS = ("limit", "stream_kpi", "faust_table", "quixstreams")
"""What runs unless others are asked for, in this order."""
CORE = "core"
MOST_EVENTS = {"faust_table": 20_000, "quixstreams": 100_000}
"""The slow ones read less of the log: their rates don't depend on its length."""
TIMEOUT_S = 600


def chosen(only: Sequence[str]) -> list[str]:
    """The contenders to run. Raises UserError for one that there is not, or that is not installed."""
    for name in only:
        if name not in (*CONTENDERS, CORE):
            raise UserError(f"bench: no contender {name!r}; there are {', '.join((*CONTENDERS, CORE))}", WRONG_USAGE)
    installed = importlib.util.find_spec("quixstreams") is not None
    if "quixstreams" in only and not installed:
        raise UserError("bench: quixstreams is not installed; pip install 'stream-kpi[bench]'", WRONG_USAGE)
    names = only or [name for name in CONTENDERS if installed or name != "quixstreams"]
    return [name for name in (*CONTENDERS, CORE) if name in names]


def run_contender(name: str, task: Task, *, profile: bool = False) -> Figures:
    """Run one in a process of its own. Raises UserError with the end of its log when it fails."""
    most = MOST_EVENTS.get(name, task.events)
    task = msgspec.structs.replace(task, events=min(task.events, most))
    if name == report.OURS:
        return worker.measure(task)
    command = [sys.executable, "-m", f"stream_kpi.bench.contenders.{name}", msgspec.json.encode(task).decode()]
    if profile:
        command.append("profile")
    try:
        with tempfile.TemporaryDirectory() as folder:  # Faust leaves a folder of its own where it runs
            ended = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True, cwd=folder)
    except subprocess.CalledProcessError as error:
        raise UserError(f"bench: {name} failed\n{str(error.stderr)[-2_000:]}", CHECK_FAILED) from None
    except subprocess.TimeoutExpired:
        raise UserError(f"bench: {name} did not end within {TIMEOUT_S} s", CHECK_FAILED) from None
    if profile:
        sys.stderr.write(ended.stderr)
    return msgspec.json.decode(ended.stdout.splitlines()[-1], type=Figures)


def new_task(address: str) -> Task:
    """Make topics of a name of their own, without events."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    topics = {kind: f"{name}.{kind.name.lower()}" for kind in TopicKind}
    task = Task(name=name, address=address, topics=topics, partitions=PARTITIONS, events=0)
    overrides = {"app_id": name, "broker": {"address": address}, "topics": worker.topic_settings(task)}
    create_topics(load_settings(None, overrides), PARTITIONS)
    # A topic just made has no leader for a moment: aiokafka tries again, in order; what stays wrong it raises.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return task


def fill(address: str, events: int) -> Task:
    """Make topics of a name of their own and write the log to them."""
    task = new_task(address)
    return msgspec.structs.replace(task, events=asyncio.run(produce(address, task.topics, log(events))))


def clear(task: Task) -> None:
    """Delete every topic that the bench has made on the broker."""
    with admin_client(task.address) as admin:
        admin.delete_topics([topic for topic in admin.list_topics() if topic.startswith(task.name)])


def bench(
    events: int = 1_000_000,
    broker: str = "kafka",
    only: Sequence[str] = (),
    output: Literal["table", "json"] = "table",
    *,
    profile: bool = False,
) -> None:
    """Measure the contenders and print the report on standard output; what is under way goes to standard error.

    ``broker``: embedded, kafka, or HOST:PORT. ``profile``: say where ``core`` spends its time. Raises UserError.
    """
    names = chosen(only)
    notes = Console(stderr=True, highlight=False, soft_wrap=True)
    results: dict[str, Figures] = {}
    kind = "none"
    if CORE in names:
        notes.print(f"{report.TITLES[CORE]} ...")
        results[CORE] = run_contender(CORE, Task("", "", {}, PARTITIONS, events), profile=profile)
    with_kafka = [name for name in names if name != CORE]
    if with_kafka:
        with start_broker(broker) as running:
            kind = running.kind
            notes.print(f"Writing {events:,} events to {running.address} ...")
            task = fill(running.address, events)
            try:
                for name in with_kafka:
                    notes.print(f"{report.TITLES[name]} ...")
                    results[name] = run_contender(name, task)
            finally:
                if kind == "external":  # one of ours takes its data with it
                    clear(task)
    if output == "json":
        sys.stdout.write(
            msgspec.json.format(msgspec.json.encode(report.as_json(events, kind, results))).decode() + "\n"
        )
    else:
        Console(width=None if sys.stdout.isatty() else 140).print(report.as_table(events, kind, results))
