"""The report of the running period, from the values that a worker publishes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from stream_kpi.brokers.probe import no_broker, probe
from stream_kpi.brokers.security import Security, security_of
from stream_kpi.errors import WRONG_TOPICS, WRONG_USAGE, UserError
from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.reports.build import build
from stream_kpi.reports.content import Report
from stream_kpi.reports.live import latest_ms, read_live
from stream_kpi.reports.period import PeriodKind, period_at
from stream_kpi.settings import Settings

_READ_TIMEOUT_S = 60.0
_POLL_MS = 500
_NOTES = (
    "Live values, each of the window that its span names: now, today or the month so far, the last 7 d or 30 d.",
    "What adds up during a period is not compared with a whole one before. For a finished period use files of events.",
)
_decode = msgspec.json.Decoder(KpiRecord).decode


def live_report(settings: Settings, kind: PeriodKind) -> Report:
    """The report. Raises UserError: no broker, no values topic, no values in it, or values that are no KPI records."""
    records = list(_latest(settings.broker.address, security_of(settings.broker), settings.topics.values).values())
    at_ms = latest_ms(records)
    if at_ms is None:
        raise UserError(f"{settings.topics.values}: no values yet; is a worker running?", WRONG_USAGE)
    options = settings.options()
    rows, period = catalogue(options), period_at(kind, at_ms, options.zone_info)
    readings = read_live(records, rows, period)
    return build(period, rows, readings, business=options.schedules is not None, live=True, notes=_NOTES)


def _latest(address: str, security: Security, topic: str) -> dict[bytes, KpiRecord]:
    """The newest record of every key."""
    partitions = probe(address, security=security).topics.get(topic)
    if partitions is None:
        message = f"Topics: {topic} is missing. Make them with: stream-kpi topics create --broker {address}"
        raise UserError(message, WRONG_TOPICS)
    latest: dict[bytes, KpiRecord] = {}
    try:
        for key, value in _read(address, security, topic, partitions):
            if value:
                latest[key] = _decode(value)
            else:
                latest.pop(key, None)
    except KafkaError as error:
        raise no_broker(address, str(error) or type(error).__name__) from error
    except msgspec.DecodeError as error:
        raise UserError(f"{topic}: holds what is no KPI record ({error})", WRONG_USAGE) from error
    return latest


def _read(address: str, security: Security, topic: str, partitions: int) -> Iterator[tuple[bytes, bytes | None]]:
    """Every committed record up to the topic's end as it is now. Raises UserError when it is not reached in time."""
    consumer = KafkaConsumer(
        bootstrap_servers=address.split(","),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=10_000,
        **security.client_options(),
    )
    try:
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        consumer.assign(places)
        ends, starts = consumer.end_offsets(places), consumer.beginning_offsets(places)
        left = {place for place in places if ends[place] > starts[place]}
        deadline_s = time.monotonic() + _READ_TIMEOUT_S
        while left:
            if time.monotonic() > deadline_s:
                raise UserError(f"{topic}: could not be read to its end within {_READ_TIMEOUT_S:g} s", WRONG_USAGE)
            for place, records in consumer.poll(timeout_ms=_POLL_MS).items():
                yield from ((record.key, record.value) for record in records if record.key is not None)
                # The embedded broker states ends that are too low until something has been fetched.
                ends[place] = max(ends[place], consumer.highwater(place) or 0) if place in left else ends[place]
            left = {place for place in left if consumer.position(place) < ends[place]}
    finally:
        consumer.close()
