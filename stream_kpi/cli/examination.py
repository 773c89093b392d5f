"""The checks of `doctor`. Each answers with one finding, whatever happens."""

from __future__ import annotations

import time
from enum import Enum
from typing import Any, NamedTuple

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from stream_kpi import entities
from stream_kpi.brokers.base import BrokerUnavailableError
from stream_kpi.brokers.embedded import embedded_program
from stream_kpi.brokers.kafka_jars import jars_folder, java_program
from stream_kpi.brokers.probe import BrokerFacts, admin_client, probe
from stream_kpi.brokers.security import Security, security_of
from stream_kpi.brokers.topic_admin import listed, remedy
from stream_kpi.errors import UserError
from stream_kpi.events.partitioner import Partitioner
from stream_kpi.settings import Settings
from stream_kpi.topics import all_topics, topic_problems

SKEW_WARNING_S = 2.0
SAMPLED_KEYS = 500
"""Of each source topic."""
_EMBEDDED_CLUSTER = "tansu_cluster"
_SAMPLE_TIMEOUT_MS = 2_000


class Verdict(Enum):
    """What came of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not be checked; the detail says why."""


class Finding(NamedTuple):
    """One line of the doctor's report."""

    check: str
    verdict: Verdict
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """Return all findings. Nothing is changed but one topic, ``<app>-doctor``, which is made and deleted again."""
    findings = [Finding("settings", Verdict.OK, f"app {settings.app_id}, zone {settings.zone}, {settings.clock} clock")]
    try:
        security = security_of(settings.broker)
        facts = probe(settings.broker.address, security=security)
    except UserError as error:
        findings.append(Finding("broker", Verdict.FAILED, str(error)))
    else:
        findings += [_broker(facts, security), _transactions(facts)]
        topics = _topics(settings, facts)
        findings.append(topics)
        if topics.verdict is Verdict.OK:
            findings += [_changelogs(settings, facts, security), _partitioner(settings, facts, security)]
        findings.append(_clock(settings, security))
    return [*findings, _core(), *_machine()]


def _broker(facts: BrokerFacts, security: Security) -> Finding:
    kind = "embedded (Tansu)" if facts.cluster_id == _EMBEDDED_CLUSTER else "Kafka"
    nodes = f"{facts.brokers} node{'' if facts.brokers == 1 else 's'}"
    user = f", {security.protocol} as {security.username}" if security.username else f", {security.protocol}"
    return Finding("broker", Verdict.OK, f"{kind} at {facts.address}, cluster {facts.cluster_id}, {nodes}{user}")


def _transactions(facts: BrokerFacts) -> Finding:
    if facts.transactional:
        return Finding(
            "transactions", Verdict.OK, "yes: every KPI is exact, whatever fails, with any number of workers"
        )
    detail = "no: run one worker only; a worker that is killed may publish a value twice. Use Apache Kafka for more."
    return Finding("transactions", Verdict.WARNING, detail)


def _topics(settings: Settings, facts: BrokerFacts) -> Finding:
    problems = topic_problems(settings, facts.topics)
    if not problems:
        partitions = facts.topics[settings.topics.tickets]
        detail = f"all {len(all_topics(settings))} are there, {partitions} partitions each source"
        return Finding("topics", Verdict.OK, detail)
    return Finding("topics", Verdict.FAILED, f"{listed(problems)}. {remedy(problems, settings, facts.topics)}")


def _changelogs(settings: Settings, facts: BrokerFacts, security: Security) -> Finding:
    """Compaction, and room for a flush's largest batch."""
    check = "changelogs"
    wanted = {topic.name: topic.configs for topic in all_topics(settings) if topic.compacted}
    try:
        with admin_client(settings.broker.address, security=security) as admin:
            resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
            found = admin.describe_configs(resources, config_filter="all")
    except (KafkaError, UserError, AttributeError, KeyError) as error:
        return Finding(check, Verdict.UNKNOWN, f"the broker does not tell its topics' configuration ({error})")
    configs = _by_topic(found)
    if not any(configs.get(name) for name in wanted):
        return Finding(check, Verdict.UNKNOWN, "the broker does not tell its topics' configuration")
    wrong = []
    for name, needed in wanted.items():
        has = configs.get(name, {})
        if "compact" not in (has.get("cleanup.policy") or ""):
            wrong.append(f"{name} cleanup.policy={has.get('cleanup.policy')}, needs compact: its state would be lost")
        limit, room = int(has.get("max.message.bytes") or 0), int(needed.get("max.message.bytes", "0"))
        if limit < room:
            wrong.append(f"{name} max.message.bytes={limit}, needs {room}")
    if wrong:
        change = (
            f"kafka-configs.sh --bootstrap-server {settings.broker.address} --alter --topic NAME --add-config KEY=VALUE"
        )
        return Finding(check, Verdict.FAILED, f"{'; '.join(wrong)}. Set it with: {change}")
    if facts.cluster_id == _EMBEDDED_CLUSTER:
        return Finding(check, Verdict.WARNING, "this broker keeps every record in memory: it does not compact")
    return Finding(check, Verdict.OK, f"{len(wanted)} compacted, with room for the largest batch")


def _by_topic(found: Any) -> dict[str, dict[str, str]]:  # noqa: ANN401 - kafka-python has no types
    """Return ``{topic: {key: value}}`` of an answer to describe_configs."""
    topics = found.get("topic", found) if isinstance(found, dict) else {}
    return {
        name: {key: config["value"] if isinstance(config, dict) else config for key, config in configs.items()}
        for name, configs in topics.items()
    }


def _clock(settings: Settings, security: Security) -> Finding:
    """Let the broker stamp a record and compare."""
    check, topic = "clock", f"{settings.app_id}-doctor"
    try:
        with admin_client(settings.broker.address, security=security) as admin:
            configs = {"message.timestamp.type": "LogAppendTime", "retention.ms": "3600000"}
            admin.create_topics({topic: {"num_partitions": 1, "configs": configs}}, wait_for_metadata=True)
            try:
                producer = KafkaProducer(
                    bootstrap_servers=settings.broker.address, enable_idempotence=False, **security.client_options()
                )
                before_ms = time.time_ns() // 1_000_000
                stamp = producer.send(topic, b"", timestamp_ms=1).get(timeout=10)
                after_ms = time.time_ns() // 1_000_000
                producer.close()
            finally:
                admin.delete_topics([topic])
    except (KafkaError, UserError) as error:
        return Finding(check, Verdict.UNKNOWN, f"could not be compared ({str(error) or type(error).__name__})")
    if stamp.timestamp in (None, -1, 1):
        return Finding(check, Verdict.UNKNOWN, "the broker does not stamp records, so its clock cannot be read")
    skew_s = max(before_ms - stamp.timestamp, stamp.timestamp - after_ms, 0) / 1000
    if skew_s > settings.future_skew_s:
        detail = (
            f"{skew_s:.1f} s apart, more than future_skew_s allows: events would be put aside. Set the clocks (NTP)."
        )
        return Finding(check, Verdict.FAILED, detail)
    if skew_s > SKEW_WARNING_S:
        return Finding(check, Verdict.WARNING, f"{skew_s:.1f} s apart from the broker's. Set the clocks (NTP).")
    return Finding(check, Verdict.OK, f"within {max(skew_s, (after_ms - before_ms) / 1000):.3f} s of the broker's")


def _partitioner(settings: Settings, facts: BrokerFacts, security: Security) -> Finding:
    """Sample the newest keys of the sources and see which partitioner has put them where they are."""
    check, chosen = "partitioner", settings.broker.partitioner
    fits, sampled = {"murmur2": 0, "crc32": 0}, 0
    try:
        for topic in settings.topics.sources:
            count = facts.topics[topic]
            for partition, key in _newest_keys(settings.broker.address, security, topic, count):
                sampled += 1
                for algorithm in fits:
                    fits[algorithm] += Partitioner(algorithm, count).owner(key) == partition  # type: ignore[arg-type]
    except KafkaError as error:
        return Finding(check, Verdict.UNKNOWN, f"the source topics could not be read ({error})")
    if sampled == 0:
        return Finding(check, Verdict.UNKNOWN, "the source topics have no records with keys yet")
    if fits[chosen] == sampled:
        return Finding(check, Verdict.OK, f"{chosen} fits all of {sampled} keys")
    shown = ", ".join(f"{algorithm} fits {count} of {sampled} keys" for algorithm, count in fits.items())
    best = max(fits, key=lambda algorithm: fits[algorithm])
    if best != chosen and fits[best] == sampled:
        detail = f"{shown}: set broker.partitioner = {best}"
        return Finding(check, Verdict.FAILED, detail)
    return Finding(check, Verdict.WARNING, f"{shown}: the others are sent on to their owners, which costs time")


def _newest_keys(address: str, security: Security, topic: str, partitions: int) -> list[tuple[int, bytes]]:
    consumer = KafkaConsumer(
        bootstrap_servers=address,
        enable_auto_commit=False,
        consumer_timeout_ms=_SAMPLE_TIMEOUT_MS,
        **security.client_options(),
    )
    try:
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        starts = consumer.beginning_offsets(places)
        each = SAMPLED_KEYS // partitions + 1
        left = {place for place in places if ends[place] > starts[place]}
        for place in places:
            consumer.seek(place, max(starts[place], ends[place] - each))
        keys: list[tuple[int, bytes]] = []
        deadline_s = time.monotonic() + _SAMPLE_TIMEOUT_MS / 1000
        while left and time.monotonic() < deadline_s:
            for place, records in consumer.poll(timeout_ms=200).items():
                keys += [(place.partition, record.key) for record in records if record.key is not None]
            left = {place for place in left if consumer.position(place) < ends[place]}
        return keys
    finally:
        consumer.close()


def _core() -> Finding:
    """Say whether this installation is compiled: it works the same without, slower."""
    compiled = not entities.__file__.endswith(".py")
    return Finding("core", Verdict.OK, "compiled" if compiled else "pure Python: about a third slower than compiled")


def _machine() -> list[Finding]:
    """Say which brokers this machine can start; none is needed where there is a cluster."""
    findings = []
    try:
        embedded_program()
        findings.append(Finding("embedded broker", Verdict.OK, "installed"))
    except BrokerUnavailableError as error:
        findings.append(Finding("embedded broker", Verdict.WARNING, str(error)))
    try:
        java = java_program()
        jars = "jars in the cache" if jars_folder().is_dir() else "its jars come from Maven Central at first use"
        findings.append(Finding("Apache Kafka here", Verdict.OK, f"{java}, {jars}"))
    except BrokerUnavailableError as error:
        findings.append(Finding("Apache Kafka here", Verdict.WARNING, str(error)))
    return findings
