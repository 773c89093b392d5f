"""Kafka brokers for the demo, the bench and the tests: the embedded one, Apache Kafka, or any that runs already."""

from __future__ import annotations

from stream_kpi.brokers.apache_kafka import ApacheKafka
from stream_kpi.brokers.base import Broker, BrokerUnavailableError
from stream_kpi.brokers.embedded import EmbeddedBroker
from stream_kpi.brokers.external import ExternalBroker
from stream_kpi.brokers.security import OPEN, Security

__all__ = [
    "ApacheKafka",
    "Broker",
    "BrokerUnavailableError",
    "EmbeddedBroker",
    "ExternalBroker",
    "broker_of",
    "start_broker",
]


def broker_of(which: str, security: Security = OPEN) -> Broker:
    """Return the broker ``embedded``, ``kafka`` or ``HOST:PORT``, not started. ``security`` is of the last alone."""
    if which == "embedded":
        return EmbeddedBroker()
    return ApacheKafka() if which == "kafka" else ExternalBroker(which, security)


def start_broker(which: str) -> Broker:
    """Start ``embedded`` or ``kafka`` on a free port of 127.0.0.1, or check the one at ``HOST:PORT``.

    The broker answers when this returns. Whoever calls stops it (it is a context manager); when the caller's process
    ends in any way, the broker ends too. Raises BrokerUnavailableError when it cannot be started, UserError when none
    answers at HOST:PORT.
    """
    broker = broker_of(which)
    broker.start()
    return broker
