"""The few Kafka requests a quick probe needs, over a socket of its own: they fail at once and say why."""

from __future__ import annotations

import itertools
import socket
import struct
import time
from typing import Self

from stream_kpi.brokers.security import Security

SASL_HANDSHAKE = 17
API_VERSIONS = 18
INIT_PRODUCER_ID = 22
SASL_AUTHENTICATE = 36

_CLIENT_ID = "stream-kpi"
_LARGEST_RESPONSE_BYTES = 1_000_000


class WireError(Exception):
    """What answers is no Kafka broker, or it hung up."""


class RefusedError(Exception):
    """The broker does not let us in; the message says why."""


class WireConnection:
    """One connection. Raises OSError (refused, time-out, unknown host, TLS) or WireError."""

    def __init__(self, host: str, port: int, timeout_s: float, security: Security) -> None:
        self._deadline_s = time.monotonic() + timeout_s
        self._correlation_ids = itertools.count(1)
        self._security = security
        plain = socket.create_connection((host, port), timeout_s)
        try:
            self._socket = security.tls.wrap_socket(plain, server_hostname=host) if security.tls else plain
        except BaseException:
            plain.close()
            raise

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

    def authenticate(self) -> None:
        """Say who we are, if the settings say so. Raises RefusedError."""
        from kafka.net.sasl import get_sasl_mechanism

        mechanism, options = self._security.mechanism, self._security.client_options()
        if mechanism is None:
            return
        answer = _Reader(self._ask(SASL_HANDSHAKE, _text(mechanism), version=1))
        if answer.int16():
            offered = ", ".join(answer.text() for _ in range(answer.int32()))
            raise RefusedError(f"it does not take broker.sasl_mechanism = {mechanism}; it takes: {offered}")
        # Its own warning that a password is in the clear comes from each of its clients.
        exchange = get_sasl_mechanism(mechanism)(**{**options, "security_protocol": None})
        while not exchange.is_done():
            token = exchange.auth_bytes()
            answer = _Reader(self._ask(SASL_AUTHENTICATE, struct.pack(">i", len(token)) + token))
            if answer.int16():
                reason = answer.text() or "no reason given"
                raise RefusedError(f"user {self._security.username}: {reason}; see broker.username, .password_file")
            answer.text()
            try:
                exchange.receive(answer.octets())
            except ValueError as error:
                raise RefusedError(f"it did not prove that it knows the password ({error})") from error
        if not exchange.is_authenticated():
            raise RefusedError(f"user {self._security.username} was not let in")

    def init_producer_id_error(self) -> int:
        """Ask for a producer id, as an idempotent producer does, and return the broker's error code (0: granted)."""
        body = self._ask(INIT_PRODUCER_ID, struct.pack(">hi", -1, 60_000))
        if len(body) < 6:
            raise WireError
        error: int = struct.unpack_from(">ih", body)[1]
        return error

    def _ask(self, api_key: int, body: bytes, version: int = 0) -> bytes:
        """Send a request and return the body of its response."""
        correlation_id = next(self._correlation_ids)
        header = struct.pack(">hhi", api_key, version, correlation_id) + _text(_CLIENT_ID)
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


class _Reader:
    """The fields of a response one after the other. Raises WireError where it ends too soon."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def int16(self) -> int:
        return self._int(">h", 2)

    def int32(self) -> int:
        return self._int(">i", 4)

    def text(self) -> str:
        """Of a length in two octets; empty for none."""
        return self._take(max(self.int16(), 0)).decode(errors="replace")

    def octets(self) -> bytes:
        """Of a length in four."""
        return self._take(max(self.int32(), 0))

    def _int(self, layout: str, size: int) -> int:
        number: int = struct.unpack(layout, self._take(size))[0]
        return number

    def _take(self, length: int) -> bytes:
        taken = self._body[self._at : self._at + length]
        if len(taken) < length:
            raise WireError
        self._at += length
        return taken


def _text(text: str) -> bytes:
    octets = text.encode()
    return struct.pack(">h", len(octets)) + octets
