"""The demo as its user starts it: a process with pages, and its end."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from stream_kpi.brokers.process import free_port
from stream_kpi.cli.demo_story import PAGES
from stream_kpi.errors import OK

START_S = 300.0
END_S = 30.0


class Demo:
    """A demo in a process group and with a folder for temporary files of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.port = free_port()
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stream_kpi", "demo", "--port", str(self.port), *arguments],
            env={**os.environ, "TMPDIR": str(self.temporary)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._news: queue.Queue[None] = queue.Queue()
        self._readers = [
            threading.Thread(target=self._read, args=pair)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Iterator[str], lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))
            self._news.put(None)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Look at every new line, and a few times a second, until the condition holds."""
        deadline_s = time.monotonic() + START_S
        while not condition():
            assert time.monotonic() < deadline_s, self.err
            assert self.process.poll() is None, self.err
            try:
                self._news.get(timeout=0.1)
            except queue.Empty:
                continue

    def urls(self) -> list[str]:
        self.wait_for(lambda: len(self.out) == len(PAGES))
        return self.out

    def broker_address(self) -> str:
        """Where its embedded broker answers."""
        (said,) = (line for line in self.err if line.startswith("Embedded broker at "))
        return said.removeprefix("Embedded broker at ").partition(": ")[0]

    def page(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return str(answer.read(), "utf-8")

    def family(self) -> list[psutil.Process]:
        """Every process that the demo has started, and that those have."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def worker(self) -> psutil.Process:
        return next(one for one in self.family() if "worker" in one.cmdline())

    def end(self, number: signal.Signals = signal.SIGINT) -> None:
        """As Ctrl-C does: a signal to the whole process group. Nothing may be left."""
        family = self.family()
        os.killpg(self.process.pid, number)
        self.ended(family, OK)

    def ended(self, family: list[psutil.Process], status: int) -> None:
        assert self.process.wait(END_S) == status, self.err
        for reader in self._readers:
            reader.join()
        assert "Traceback" not in "\n".join(self.err)
        assert psutil.wait_procs(family, timeout=5)[1] == []
        assert list(self.temporary.iterdir()) == []

    def destroy(self) -> None:
        if self.process.poll() is None:
            for process in self.family():
                process.kill()
            self.process.kill()
        self.process.wait()
