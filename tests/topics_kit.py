"""An app's topics on a broker, for the commands that read and write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from kafka import KafkaProducer

from stream_kpi.brokers.topic_admin import create_topics
from stream_kpi.events.sla import SlaEvent
from stream_kpi.settings import Settings, load_settings
from stream_kpi.settings_sections import TopicSettings
from tests.merge_kit import Publisher
from tests.shard_kit import HOUR_MS, MINUTE_MS, T0_MS, created, status

Written = tuple[bytes | None, bytes | None]


def settings_on(address: str, prefix: str) -> Settings:
    """Names of their own, and the topics made."""
    names = {name: f"{prefix}.{name}" for name in TopicSettings.model_fields}
    settings = load_settings(None, {"app_id": prefix, "broker": {"address": address}, "topics": names})
    create_topics(settings, 2)
    return settings


def environment(settings: Settings) -> dict[str, str]:
    """The variables that say the same to a command."""
    named = {f"STREAM_KPI_TOPICS__{name.upper()}": topic for name, topic in settings.topics.model_dump().items()}
    return {**named, "STREAM_KPI_APP_ID": settings.app_id, "STREAM_KPI_BROKER__ADDRESS": settings.broker.address}


def write(settings: Settings, topic: str, records: Iterable[Written]) -> None:
    """In their order; returns when all are acknowledged."""
    # One request at a time: a second one would overtake the first while that is sent again to a new leader.
    producer = KafkaProducer(
        bootstrap_servers=settings.broker.address, enable_idempotence=False, max_in_flight_requests_per_connection=1
    )
    sent = [producer.send(topic, key=key, value=value, partition=0) for key, value in records]
    for one in sent:
        one.get(timeout=30)
    producer.close()


def published() -> Publisher:
    """Two tickets an hour ago, one of them by fax and taken back since."""
    publisher = Publisher()
    publisher.take(created("A", T0_MS, channel="fax"), created("B", T0_MS))
    publisher.publish(T0_MS + HOUR_MS)
    publisher.take(status("A", T0_MS + MINUTE_MS, "spam"))
    publisher.publish(T0_MS + HOUR_MS)
    return publisher


def history_of(publisher: Publisher) -> list[Written]:
    """As the merge writes it."""
    return [(key, msgspec.json.encode(record)) for key, record in publisher.history]


def sla_events(*steps: str, subject: str = "T-1") -> Sequence[Written]:
    """Steps of one instance."""
    event = {
        "id": "1",
        "source": "/stream-kpi",
        "subject": subject,
        "time": "2026-03-02T10:00:00.000Z",
        "data": {
            "metric": "first_response",
            "policy": "gold",
            "instance": "i",
            "priority": "high",
            "started_at": "2026-03-02T09:00:00.000Z",
            "deadline": "2026-03-02T10:00:00.000Z",
        },
    }
    made = [msgspec.convert({**event, "id": step, "type": f"sla.{step}"}, SlaEvent) for step in steps]
    return [(subject.encode(), msgspec.json.encode(one)) for one in made]
