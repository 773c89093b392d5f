"""The three Kafka requests a quick probe needs, over a plain socket: they fail at once and say why."""

from __future__ import annotations

import itertools
import socket
import struct
import time
from typing import Self

API_VERSIONS = 18
INIT_PRODUCER_ID = 22

_CLIENT_ID = b"stream-kpi"
_LARGEST_RESPONSE_BYTES = 1_000_000


class WireError(Exception):
    """What answers is no Kafka broker, or it hung up."""


class WireConnection:
    """One connection. Raises OSError (refused, time-out, unknown host) or WireError."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._deadline_s = time.monotonic() + timeout_s
        self._socket = socket.create_connection((host, port), timeout_s)
        self._correlation_ids = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def api_versions(self) -> dict[int, tuple[int, int]]:
        """Return ``{api key: (least version, greatest version)}``."""
        body = self._ask(API_VERSIONS, b"")
        if len(body) < 6:
            raise WireError
        error, count = struct.unpack_from(">hi", body)
        if error or not 0 < count <= 1000 or len(body) < 6 + 6 * count:
            raise WireError
        versions = struct.iter_unpack(">hhh", body[6 : 6 + 6 * count])
        return {key: (least, greatest) for key, least, greatest in versions}

    def init_producer_id_error(self) -> int:
        """Ask for a producer id, as an idempotent producer does, and return the broker's error code (0: granted)."""
        body = self._ask(INIT_PRODUCER_ID, struct.pack(">hi", -1, 60_000))
        if len(body) < 6:
            raise WireError
        error: int = struct.unpack_from(">ih", body)[1]
        return error

    def _ask(self, api_key: int, body: bytes) -> bytes:
        """Send version 0 of a request and return the body of its response."""
        correlation_id = next(self._correlation_ids)
        header = struct.pack(">hhih", api_key, 0, correlation_id, len(_CLIENT_ID)) + _CLIENT_ID
        self._socket.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
        (length,) = struct.unpack(">i", self._receive(4))
        if not 4 <= length <= _LARGEST_RESPONSE_BYTES:
            raise WireError
        response = self._receive(length)
        if struct.unpack_from(">i", response) != (correlation_id,):
            raise WireError
        return response[4:]

    def _receive(self, length: int) -> bytes:
        received = bytearray()
        while len(received) < length:
            self._socket.settimeout(max(self._deadline_s - time.monotonic(), 0.001))
            chunk = self._socket.recv(length - len(received))
            if not chunk:
                raise WireError
            received += chunk
        return bytes(received)
