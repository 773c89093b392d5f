"""What every broker offers."""

from __future__ import annotations

from types import TracebackType
from typing import Literal, Protocol, Self

from stream_kpi.errors import NO_BROKER, UserError

Kind = Literal["embedded", "kafka", "external"]


class BrokerUnavailableError(UserError):
    """A broker cannot be started on this machine; the message says what is missing."""

    def __init__(self, message: str) -> None:
        super().__init__(message, NO_BROKER)


class Broker(Protocol):
    """A Kafka broker that answers at ``address`` between start() and stop()."""

    kind: Kind
    address: str
    """HOST:PORT; known after start()."""
    transactional: bool
    """Whether idempotent and transactional producers work; known after start()."""

    def start(self) -> None:
        """Return when the broker answers; nothing happens when it is started already. Raises UserError."""

    def stop(self) -> None:
        """End it and remove its data; nothing happens when it is stopped already, or was not started by us."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
