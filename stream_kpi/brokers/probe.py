"""Is there a Kafka broker, and what can it do? Answers within seconds, with one line that says what to try if not."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from stream_kpi.brokers.security import OPEN, Security
from stream_kpi.brokers.wire import INIT_PRODUCER_ID, RefusedError, WireConnection, WireError
from stream_kpi.errors import NO_BROKER, WRONG_USAGE, UserError

TIMEOUT_S = 8.0
"""A worker has to say within 10 s that no broker answers."""
_POLL_S = 0.05
_STARTING_UP = {14, 15, 16, 41}
"""Errors of a broker that has only just started: coordinator loading, not available, not it; not controller."""


class BrokerFacts(NamedTuple):
    """What a probe found."""

    address: str
    transactional: bool
    """Whether idempotent and transactional producers work."""
    cluster_id: str | None
    brokers: int
    topics: dict[str, int]
    """Partition count of every topic."""


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of ``HOST:PORT``. Raises UserError."""
    host, colon, port = address.strip().rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) <= 65_535):
        message = f"{address!r} is no broker address: HOST:PORT is needed, for example 127.0.0.1:9092."
        raise UserError(message, WRONG_USAGE)
    return host.strip("[]"), int(port)


def no_broker(address: str, reason: str) -> UserError:
    """Return the one error for a broker that does not answer."""
    return UserError(
        f"No Kafka broker answers at {address} ({reason}). Start one or name another with --broker HOST:PORT; "
        "`stream-kpi demo` needs none.",
        NO_BROKER,
    )


def not_let_in(address: str, security: Security, reason: str) -> UserError:
    """Return the one error for a broker that answers, and with which these settings do not get on."""
    return UserError(
        f"The Kafka broker at {address} does not let us in with broker.security_protocol = {security.protocol}: "
        f"{reason}.",
        WRONG_USAGE,
    )


def check_reachable(addresses: str, timeout_s: float = TIMEOUT_S, *, security: Security = OPEN) -> bool:
    """Return whether the broker grants producer ids, which idempotent and transactional producers need.

    ``addresses``: HOST:PORT, or several with commas, of which one has to answer. Raises UserError when none does, or
    one does not let us in.
    """
    deadline_s = time.monotonic() + timeout_s
    reasons = []
    for address in addresses.split(","):
        host, port = split_address(address)
        try:
            return _grants_producer_ids(host, port, deadline_s, security)
        except ConnectionRefusedError:
            reasons.append("connection refused")
        except TimeoutError:
            reasons.append(f"nothing came back within {timeout_s:g} s")
        except socket.gaierror:
            reasons.append(f"unknown host {host}")
        except RefusedError as error:
            raise not_let_in(address, security, str(error)) from error
        except ssl.SSLError as error:
            raise not_let_in(address, security, _of_tls(error)) from error
        except WireError:
            reasons.append(f"what listens there does not speak Kafka, or not over {security.protocol}")
        except OSError as error:
            reasons.append(error.strerror or type(error).__name__)
    raise no_broker(addresses, ", ".join(dict.fromkeys(reasons)))


def _of_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); see broker.ca_file"
    reason = (error.reason or "TLS failed").lower().replace("_", " ")
    # So it says what it misses: our certificate, or one that it trusts.
    if "certificate" in reason or "unknown ca" in reason:
        return f"it asks for a certificate that it trusts ({reason}); see broker.cert_file"
    return f"{reason}: does it speak TLS there?"


def _grants_producer_ids(host: str, port: int, deadline_s: float, security: Security) -> bool:
    with WireConnection(host, port, max(deadline_s - time.monotonic(), 0.001), security) as connection:
        granted = INIT_PRODUCER_ID in connection.api_versions()
        connection.authenticate()
        if not granted:
            return False
        while (error := connection.init_producer_id_error()) in _STARTING_UP and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
        return error == 0


@contextmanager
def admin_client(address: str, timeout_s: float = TIMEOUT_S, *, security: Security = OPEN) -> Iterator[Any]:
    """Yield a kafka-python admin client. Raises UserError when the broker cannot be talked to."""
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaConnectionError, KafkaTimeoutError

    # It logs every failed attempt to connect; the one line that matters is ours.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=address.split(","),
            bootstrap_timeout_ms=int(timeout_s * 1000),
            request_timeout_ms=int(max(timeout_s, 1.0) * 1000),
            **security.client_options(),
        )
    except (KafkaConnectionError, KafkaTimeoutError) as error:
        raise no_broker(address, str(error) or type(error).__name__) from error
    try:
        yield admin
    finally:
        admin.close()


def probe(address: str, timeout_s: float = TIMEOUT_S, *, security: Security = OPEN) -> BrokerFacts:
    """Ask the broker who it is and which topics it has. Raises UserError when none answers, or lets us in."""
    transactional = check_reachable(address, timeout_s, security=security)
    with admin_client(address, timeout_s, security=security) as admin:
        cluster = admin.describe_cluster()
        topics = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
    return BrokerFacts(address, transactional, cluster.get("cluster_id"), len(cluster["brokers"]), topics)


def wait_until_ready(address: str, deadline_s: float, still_runs: Callable[[], bool]) -> bool:
    """Return whether the broker at the address answers with at least one live node before ``deadline_s`` (monotonic).

    Gives up as soon as ``still_runs()`` is false.
    """
    while time.monotonic() < deadline_s and still_runs():
        try:
            check_reachable(address, timeout_s=1.0)
            with admin_client(address, timeout_s=2.0) as admin:
                if admin.describe_cluster()["brokers"]:
                    return True
        except UserError:
            time.sleep(_POLL_S)
    return False
