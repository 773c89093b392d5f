"""Reads topics record by record, committed ones only: to their ends, or on and on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from stream_kpi.brokers.probe import no_broker, probe
from stream_kpi.brokers.security import security_of
from stream_kpi.errors import WRONG_TOPICS, WRONG_USAGE, UserError
from stream_kpi.settings_sections import BrokerSettings

_READ_TIMEOUT_S = 60.0
_POLL_MS = 500


class Found(NamedTuple):
    """One record as it is on its topic."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def to_end(broker: BrokerSettings, topics: list[str]) -> Iterator[Found]:
    """Every record up to the topics' ends as they are now. Raises UserError: no broker, a topic is missing, or the end
    is not reached in time."""
    with _consumer(broker, topics) as (consumer, places, _):
        consumer.seek_to_beginning(*places)
        ends, starts = consumer.end_offsets(places), consumer.beginning_offsets(places)
        left = {place for place in places if ends[place] > starts[place]}
        deadline_s = time.monotonic() + _READ_TIMEOUT_S
        while left:
            if time.monotonic() > deadline_s:
                raise UserError(f"{', '.join(topics)}: not read to the end within {_READ_TIMEOUT_S:g} s", WRONG_USAGE)
            for place, records in consumer.poll(timeout_ms=_POLL_MS).items():
                yield from map(_found, records)
                # The embedded broker states ends that are too low until something has been fetched.
                ends[place] = max(ends[place], consumer.highwater(place) or 0)
            left = {place for place in left if consumer.position(place) < ends[place]}


def follow(broker: BrokerSettings, topics: list[str], *, from_beginning: bool) -> Iterator[Found]:
    """Every record from now on, or from the beginning, until the reader has had enough. Raises UserError as
    :func:`to_end` does."""
    with _consumer(broker, topics) as (consumer, places, exact_ends):
        if from_beginning:
            consumer.seek_to_beginning(*places)
        else:
            consumer.seek_to_end(*places)
        # Where a broker states ends that are too low, what the first fetch holds was there before.
        since: dict[TopicPartition, int] = {}
        while True:
            for place, records in consumer.poll(timeout_ms=_POLL_MS).items():
                if not (from_beginning or exact_ends):
                    since.setdefault(place, consumer.highwater(place) or 0)
                yield from (_found(record) for record in records if record.offset >= since.get(place, 0))


@contextmanager
def _consumer(broker: BrokerSettings, topics: list[str]) -> Iterator[tuple[Any, list[TopicPartition], bool]]:
    address, security = broker.address, security_of(broker)
    facts = probe(address, security=security)
    missing = [topic for topic in topics if topic not in facts.topics]
    if missing:
        message = f"Topics: {missing[0]} is missing. Make them with: stream-kpi topics create --broker {address}"
        raise UserError(message, WRONG_TOPICS)
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=address.split(","),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=2_000,
            **security.client_options(),
        )
        try:
            places = [TopicPartition(topic, p) for topic in topics for p in range(facts.topics[topic])]
            consumer.assign(places)
            yield consumer, places, facts.transactional
        finally:
            consumer.close()
    except KafkaError as error:
        raise no_broker(address, str(error) or type(error).__name__) from error


def _found(record: Any) -> Found:  # noqa: ANN401 - kafka-python has no types
    return Found(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        tuple(record.headers),
    )
