"""Measures the real worker: a process of ``stream-kpi worker`` on the bench's topics, watched from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal
from urllib.error import URLError

from stream_kpi.bench.figures import Figures, Task
from stream_kpi.brokers.process import free_port
from stream_kpi.brokers.topic_admin import create_topics
from stream_kpi.errors import CHECK_FAILED, UserError
from stream_kpi.settings import load_settings

Clock = Literal["wall", "event"]

POLL_S = 0.25
STALLED_S = 90.0
"""A worker that has done nothing more for so long is given up."""
_END_S = 30.0
_CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def sla_topic(task: Task) -> str:
    """Where the worker tells of service levels."""
    return f"{task.name}.sla"


def topic_settings(task: Task) -> dict[str, str]:
    """The section `topics` of the settings: none is left to its default, which may be somebody's on the broker."""
    sources = {f"{kind.name.lower()}s": topic for kind, topic in task.topics.items()}
    return {**sources, "values": f"{task.name}.values", "history": f"{task.name}.history", "sla": sla_topic(task)}


def configuration(task: Task, port: int, clock: Clock = "event", more: str = "") -> str:
    """The worker's TOML: the task's topics, ``more``, and everything else as it is by default."""
    topics = "".join(f'{setting} = "{topic}"\n' for setting, topic in topic_settings(task).items())
    return f"""\
app_id = "{task.name}-worker"
clock = "{clock}"

[broker]
address = "{task.address}"

[topics]
{topics}
[web]
port = {port}
{more}"""


def measure(task: Task) -> Figures:
    """Run a worker with an app of its own until it has done the task's events.

    Raises UserError when it ends before that or does nothing for ``STALLED_S``, with the end of its log.
    """
    port = free_port()
    with running(task, configuration(task, port)) as process:
        return _watch(process, port, task.events)


@contextmanager
def running(task: Task, settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker with these settings, and its topics. A GivenUpError in the block is raised as UserError, with the end
    of the worker's log."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "worker.toml")
        config.write_text(settings)
        create_topics(load_settings(config), task.partitions)
        log = Path(folder, "worker.log")
        with log.open("wb") as output:
            command = [sys.executable, "-m", "stream_kpi", "worker", "--config", str(config)]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder)
        try:
            yield process
        except GivenUpError as reason:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise UserError(f"bench: the worker {reason}\n{tail}", CHECK_FAILED) from None
        finally:
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class GivenUpError(Exception):
    """The worker will not do what it is watched for; the message goes on after "the worker"."""


def _watch(process: subprocess.Popen[bytes], port: int, events: int) -> Figures:
    """From the last look that sees no event to the first that sees all: never better than it is, worse by up to
    ``POLL_S``."""
    done = 0
    started_s = moved_s = time.monotonic()
    started_cpu_s = 0.0
    while done < events:
        if process.poll() is not None:
            raise GivenUpError(f"ended with status {process.returncode} after {done} of {events} events")
        now_done, now_s = events_done(metrics(port)), time.monotonic()
        if not now_done:
            started_s, started_cpu_s = now_s, _cpu_s(process.pid)
        if now_done > done:
            done, moved_s = now_done, now_s
        elif now_s - moved_s > STALLED_S:
            raise GivenUpError(f"stood still for {STALLED_S:.0f} s after {done} of {events} events")
        if done < events:
            time.sleep(POLL_S)
    return Figures(
        events=done,
        events_per_s=done / (moved_s - started_s),
        cpu_s=_cpu_s(process.pid) - started_cpu_s,
        peak_rss_mib=_peak_rss_mib(process.pid),
    )


def events_done(metrics: str) -> int:
    """The sum of ``stream_kpi_events_total`` over its labels; 0 before there is one."""
    total = 0.0
    for line in metrics.splitlines():
        name, _, value = line.rpartition(" ")
        if name.partition("{")[0] == "stream_kpi_events_total":
            total += float(value)
    return int(total)


def wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    """Return when the worker's values are right. Raises GivenUpError when that takes too long."""
    until_s = time.monotonic() + STALLED_S
    while True:
        if process.poll() is not None:
            raise GivenUpError(f"ended with status {process.returncode}")
        with suppress(URLError, OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10):
            return
        if time.monotonic() > until_s:
            raise GivenUpError(f"was not ready within {STALLED_S:.0f} s")
        time.sleep(POLL_S)


def metrics(port: int) -> str:
    """What /metrics says of events; nothing while the worker starts. All series would cost the worker a tenth of its
    time at this pace."""
    url = f"http://127.0.0.1:{port}/metrics?name[]=stream_kpi_events_total"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read(), "utf-8")
    except (URLError, OSError):
        return ""


def _cpu_s(pid: int) -> float:
    """User and system time of the process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS_PER_S


def _peak_rss_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise GivenUpError("has no VmHWM in /proc: the bench needs Linux")
