"""Every topic: its partitions, cleanup, what its records are, who writes and who reads it (data only, no Kafka)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from stream_kpi.events.topics import TopicKind, dead_letter_topic, late_topic
from stream_kpi.settings import Settings

DEFAULT_PARTITIONS = 4
LARGEST_BATCH_BYTES = 16 * 1024 * 1024
"""A record batch of state or panes; where the broker has no transactions a flush's state is one batch."""

_COMPACTED = {
    "cleanup.policy": "compact",
    # Recovery reads the topic from its start: the cleaner is to keep it near the size of what it says.
    "min.cleanable.dirty.ratio": "0.2",
    "segment.bytes": str(128 * 1024 * 1024),
}
_CHANGELOG = {**_COMPACTED, "max.message.bytes": str(LARGEST_BATCH_BYTES)}
_LOG = {"cleanup.policy": "delete"}
_HISTORY = {
    **_LOG,
    "retention.ms": str(90 * 86_400_000),
    # Thousands of records that differ little; and gzip is read by every client without a further package.
    "compression.type": "gzip",
}

_PANES_KEY = "packed (tier or fresh, start, cut), ages, or flushed"
_PANES_VALUE = "packed vector, or sets that age; what came before flushed goes together"
_CLOCK = "how far its clock has come, its first event's time, whether it is caught up"
_WITHDRAWN = "the revision that told history that the record is no more, while its window may change"
_REPLAYED = "this dead letter has been sent again"
_REKEYED = "a record about an entity of another partition, as it came"


class Partitions(Enum):
    """How many partitions a topic has."""

    AS_SOURCES = "as the sources"
    """All source topics have equally many, and so has everything that is kept by shard."""
    ONE = "1"


class Topic(NamedTuple):
    """One topic. ``configs`` are Kafka's own names."""

    name: str
    partitions: Partitions
    configs: Mapping[str, str]
    key: str
    value: str
    producer: str
    consumer: str
    source: bool = False
    """Whether it is one of the inputs."""

    @property
    def compacted(self) -> bool:
        """Whether the last record of each key is kept for ever."""
        return self.configs["cleanup.policy"] == "compact"

    def partition_count(self, source_partitions: int) -> int:
        """Return its number of partitions where the sources have ``source_partitions``."""
        return 1 if self.partitions is Partitions.ONE else source_partitions


class InternalTopics(NamedTuple):
    """Names of the topics that only the app itself writes and reads."""

    state: str
    panes: str
    clock: str
    rekeyed: str
    customers: str
    withdrawn: str
    replayed: str

    @classmethod
    def of(cls, app_id: str) -> InternalTopics:
        """Return the names that belong to the app."""
        names = ("state-changelog", "panes-changelog", "clock", "rekeyed", "customers", "withdrawn", "replayed")
        return cls(*[f"{app_id}-{name}" for name in names])


_KIND_BY_PREFIX = {
    "ticket": TopicKind.TICKET,
    "chat": TopicKind.CHAT,
    "agent": TopicKind.CHAT,
    "subscription": TopicKind.SUBSCRIPTION,
    "invoice": TopicKind.SUBSCRIPTION,
    "visit": TopicKind.SIGNAL,
    "conversion": TopicKind.SIGNAL,
    "signup": TopicKind.SIGNAL,
    "activity": TopicKind.SIGNAL,
    "survey": TopicKind.SIGNAL,
    "social": TopicKind.SIGNAL,
    "cost": TopicKind.SIGNAL,
}


def source_topics(settings: Settings) -> dict[TopicKind, str]:
    """Return the name of the source topic of each contract."""
    return dict(zip(TopicKind, settings.topics.sources, strict=True))


def kind_of(event_type: str) -> TopicKind | None:
    """Return the contract that a CloudEvents type belongs to, by what stands before its first dot; None if to none."""
    return _KIND_BY_PREFIX.get(event_type.partition(".")[0])


def all_topics(settings: Settings) -> list[Topic]:
    """Return every topic that the app reads or writes: sources, what leaves them, internal ones, values, their
    history, service levels."""
    rule, replay = Partitions.AS_SOURCES, "dlq replay"
    worker, merge, anyone = "worker", "merge owner", "anyone"
    topics = []
    for source in settings.topics.sources:
        event = "CloudEvents 1.0, JSON"
        topics += [
            Topic(source, rule, _LOG, "the event's subject", event, "your systems", worker, source=True),
            Topic(
                dead_letter_topic(source), rule, _LOG, "as it came", "the invalid record, as it came", worker, anyone
            ),
            Topic(late_topic(source), rule, _LOG, "as it came", "the late record, as it came", worker, anyone),
        ]
    internal = InternalTopics.of(settings.app_id)
    return [
        *topics,
        Topic(internal.state, rule, _CHANGELOG, "entity, or position", "packed entity, or position", worker, worker),
        Topic(internal.panes, rule, _CHANGELOG, _PANES_KEY, _PANES_VALUE, worker, merge),
        Topic(internal.clock, Partitions.ONE, _COMPACTED, "shard", _CLOCK, worker, worker),
        Topic(internal.rekeyed, rule, _LOG, "the entity's id", _REKEYED, worker, worker),
        Topic(internal.customers, rule, _LOG, "none", "what tickets and chats say to their customers", worker, worker),
        Topic(internal.replayed, Partitions.ONE, _COMPACTED, "topic:partition:offset", _REPLAYED, replay, replay),
        Topic(
            settings.topics.values,
            Partitions.ONE,
            _COMPACTED,
            "kpi|window|cut|...",
            "KPI record",
            merge,
            anyone,
        ),
        Topic(internal.withdrawn, Partitions.ONE, _COMPACTED, "kpi|window|cut|...", _WITHDRAWN, merge, merge),
        Topic(
            settings.topics.history,
            Partitions.ONE,
            _HISTORY,
            "kpi|window|cut|...",
            "KPI record of a final window, or of a correction of it",
            merge,
            anyone,
        ),
        Topic(settings.topics.sla, rule, _LOG, "ticket or chat", "what became of a service level", worker, anyone),
    ]


class TopicProblem(NamedTuple):
    """What is wrong with one topic, in words."""

    topic: str
    problem: str


def source_partitions(settings: Settings, existing: Mapping[str, int]) -> int | None:
    """Return the partition count that most of the existing source topics have; None when none exists."""
    counts = [existing[name] for name in settings.topics.sources if name in existing]
    return max(counts, key=counts.count) if counts else None


def topic_problems(
    settings: Settings, existing: Mapping[str, int], partitions: int | None = None
) -> list[TopicProblem]:
    """Return what is missing or has another partition count than it needs. ``existing``: partition count by name.

    Without ``partitions`` the sources decide how many there have to be.
    """
    wanted = partitions or source_partitions(settings, existing)
    problems = []
    for topic in all_topics(settings):
        found = existing.get(topic.name)
        needed = 1 if topic.partitions is Partitions.ONE else wanted
        if found is None:
            problems.append(TopicProblem(topic.name, "is missing"))
        elif needed is not None and found != needed:
            problems.append(TopicProblem(topic.name, f"has {_counted(found)}, needs {needed}"))
    return problems


def _counted(partitions: int) -> str:
    return f"{partitions} partition{'' if partitions == 1 else 's'}"
