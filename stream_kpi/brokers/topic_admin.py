"""Makes and checks the topics of stream_kpi.topics on a broker."""

from __future__ import annotations

import re

from stream_kpi.brokers.probe import TIMEOUT_S, BrokerFacts, admin_client, probe
from stream_kpi.brokers.security import security_of
from stream_kpi.errors import WRONG_TOPICS, UserError
from stream_kpi.settings import Settings
from stream_kpi.topics import (
    DEFAULT_PARTITIONS,
    InternalTopics,
    TopicProblem,
    all_topics,
    source_partitions,
    topic_problems,
)

_CREATE_TIMEOUT_MS = 30_000
_LISTED = 5


def create_topics(settings: Settings, partitions: int | None = None) -> list[str]:
    """Create the topics that are missing and return their names; those that exist stay as they are.

    ``partitions``: of the sources; without it as many as the existing sources have, else DEFAULT_PARTITIONS. Raises
    UserError when a topic exists with another count, before anything is created.
    """
    address = settings.broker.address
    security = security_of(settings.broker)
    existing = probe(address, security=security).topics
    count = partitions or source_partitions(settings, existing) or DEFAULT_PARTITIONS
    wrong = [problem for problem in topic_problems(settings, existing, count) if problem.topic in existing]
    if wrong:
        raise _refusal(wrong, settings, existing)
    missing = [topic for topic in all_topics(settings) if topic.name not in existing]
    if missing:
        wanted = {
            topic.name: {"num_partitions": topic.partition_count(count), "configs": dict(topic.configs)}
            for topic in missing
        }
        with admin_client(address, TIMEOUT_S, security=security) as admin:
            admin.create_topics(wanted, timeout_ms=_CREATE_TIMEOUT_MS, wait_for_metadata=True)
    return [topic.name for topic in missing]


def check_topics(settings: Settings) -> BrokerFacts:
    """Return what the broker is and has. Raises UserError: no broker, topics missing or of unequal counts."""
    facts = probe(settings.broker.address, security=security_of(settings.broker))
    problems = topic_problems(settings, facts.topics)
    if problems:
        raise _refusal(problems, settings, facts.topics)
    return facts


def remedy(problems: list[TopicProblem], settings: Settings, existing: dict[str, int]) -> str:
    """Return the command or step that mends the first kind of problem there is."""
    address = settings.broker.address
    counts = {existing[name] for name in settings.topics.sources if name in existing}
    wrong = [problem for problem in problems if problem.topic in existing]
    if not wrong:
        return f"Make them with: stream-kpi topics create --broker {address}"
    internal = [problem.topic for problem in wrong if problem.topic in InternalTopics.of(settings.app_id)]
    if len(counts) > 1:
        small = next(name for name in settings.topics.sources if existing.get(name, max(counts)) < max(counts))
        return (
            "All sources need equally many. Either make new ones, or add partitions before anything is processed: "
            f"kafka-topics.sh --bootstrap-server {address} --alter --topic {small} --partitions {max(counts)}"
        )
    if internal and counts == {int(count) for count in re.findall(r"needs (\d+)", wrong[0].problem)}:
        return (
            "It is kept by partition and cannot be repartitioned: start anew with another app_id (STREAM_KPI_APP_ID)."
        )
    if counts:
        return f"Use the count there is: stream-kpi topics create --partitions {counts.pop()} --broker {address}"
    return "Delete it and run: stream-kpi topics create --broker " + address


def listed(problems: list[TopicProblem]) -> str:
    """Return the first few problems in one line, and how many more there are."""
    shown = "; ".join(f"{problem.topic} {problem.problem}" for problem in problems[:_LISTED])
    more = len(problems) - _LISTED
    return f"{shown}; and {more} more" if more > 0 else shown


def _refusal(problems: list[TopicProblem], settings: Settings, existing: dict[str, int]) -> UserError:
    return UserError(f"Topics: {listed(problems)}. {remedy(problems, settings, existing)}", WRONG_TOPICS)


def check_sources(settings: Settings) -> BrokerFacts:
    """Return what the broker is and has. Raises UserError: no broker, or a source topic is missing."""
    facts = probe(settings.broker.address, security=security_of(settings.broker))
    missing = [TopicProblem(name, "is missing") for name in settings.topics.sources if name not in facts.topics]
    if missing:
        raise _refusal(missing, settings, facts.topics)
    return facts
