"""A server's process: in a process group and a folder of its own, gone when its starter is gone."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

STOP_TIMEOUT_S = 10.0
LOG_TAIL_LINES = 8

# The pipe on its standard input ends when the starter ends, however that happens. What was being written when the
# broker was killed can reappear in the folder once, so it is removed twice.
_WATCHDOG = 'read -r _; kill -s KILL -- "-$1" 2>/dev/null; rm -rf -- "$2"; sleep 1; rm -rf -- "$2"'


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """Runs one program in ``folder``, which it makes and removes. All output goes to ``<name>.log`` in it."""

    def __init__(self, name: str = "broker") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"stream-kpi-{name}-"))
        self._log = self.folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def memory_bytes(self) -> int:
        """Return how much memory it holds; 0 when it does not run."""
        process_id = self.pid
        if process_id is None:
            return 0
        if Path("/proc/self/statm").exists():
            try:
                pages = Path(f"/proc/{process_id}/statm").read_text().split()[1]
            except OSError:
                return 0
            return int(pages) * os.sysconf("SC_PAGE_SIZE")
        command = ["ps", "-o", "rss=", "-p", str(process_id)]
        return int(subprocess.run(command, capture_output=True, text=True, check=False).stdout or 0) * 1024

    def run(self, arguments: list[str]) -> None:
        """Start the program. Ctrl-C at the terminal does not reach it: its starter decides when it ends."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                arguments,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, "watchdog", str(self._process.pid), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def log_tail(self) -> str:
        """Return the last lines of the log on one line each, or a note that there are none."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "\n".join(lines[-LOG_TAIL_LINES:]) or "(it wrote no log)"

    def stop(self) -> None:
        """End the process (SIGTERM, then SIGKILL) and remove the folder."""
        if self._process is not None:
            self._end(self._process)
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
        self._process = self._watchdog = None
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
