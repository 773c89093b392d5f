"""Is there a Kafka broker, and what can it do? Answers within seconds, with one line that says what to try if not."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from stream_kpi.brokers.wire import INIT_PRODUCER_ID, WireConnection, WireError
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


def check_reachable(addresses: str, timeout_s: float = TIMEOUT_S) -> bool:
    """Return whether the broker grants producer ids, which idempotent and transactional producers need.

    ``addresses``: HOST:PORT, or several with commas, of which one has to answer. Raises UserError when none does.
    """
    deadline_s = time.monotonic() + timeout_s
    reasons = []
    for address in addresses.split(","):
        host, port = split_address(address)
        try:
            return _grants_producer_ids(host, port, deadline_s)
        except ConnectionRefusedError:
            reasons.append("connection refused")
        except TimeoutError:
            reasons.append(f"nothing came back within {timeout_s:g} s")
        except socket.gaierror:
            reasons.append(f"unknown host {host}")
        except WireError:
            reasons.append("what listens there does not speak Kafka")
        except OSError as error:
            reasons.append(error.strerror or type(error).__name__)
    raise no_broker(addresses, ", ".join(dict.fromkeys(reasons)))


def _grants_producer_ids(host: str, port: int, deadline_s: float) -> bool:
    with WireConnection(host, port, max(deadline_s - time.monotonic(), 0.001)) as connection:
        if INIT_PRODUCER_ID not in connection.api_versions():
            return False
        while (error := connection.init_producer_id_error()) in _STARTING_UP and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
        return error == 0


@contextmanager
def admin_client(address: str, timeout_s: float = TIMEOUT_S) -> Iterator[Any]:
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
        )
    except (KafkaConnectionError, KafkaTimeoutError) as error:
        raise no_broker(address, str(error) or type(error).__name__) from error
    try:
        yield admin
    finally:
        admin.close()


def probe(address: str, timeout_s: float = TIMEOUT_S) -> BrokerFacts:
    """Ask the broker who it is and which topics it has. Raises UserError when none answers."""
    transactional = check_reachable(address, timeout_s)
    with admin_client(address, timeout_s) as admin:
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
