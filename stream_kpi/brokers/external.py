"""A broker that runs already."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from stream_kpi.brokers.base import Kind
from stream_kpi.brokers.probe import check_reachable
from stream_kpi.brokers.security import OPEN, Security


class ExternalBroker:
    """The broker at ``HOST:PORT``. It is neither started nor stopped."""

    kind: Kind = "external"

    def __init__(self, address: str, security: Security = OPEN) -> None:
        self.address = address
        self._security = security
        self.transactional = False

    def start(self) -> None:
        """Find out that it answers and what it can do. Raises UserError when it does not."""
        self.transactional = check_reachable(self.address, security=self._security)

    def stop(self) -> None:
        """Leave it running."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
