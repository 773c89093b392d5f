"""Dead letters: what they say, which have been sent again, and sending them again, each once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from kafka import KafkaProducer
from kafka.errors import KafkaError

from stream_kpi.brokers.probe import BrokerFacts, no_broker, probe
from stream_kpi.brokers.security import security_of
from stream_kpi.cli.following import Found, to_end
from stream_kpi.cli.terminal import shown, shown_bytes
from stream_kpi.errors import UserError
from stream_kpi.events.decode import decode
from stream_kpi.events.rejection import Rejected, UnknownType
from stream_kpi.events.topics import TopicKind, dead_letter_topic
from stream_kpi.settings import Settings
from stream_kpi.topics import InternalTopics, source_topics

_TRUNCATED = "stream_kpi.truncated_from_bytes"
_TOPIC, _PARTITION, _OFFSET = (f"__connect.errors.{name}" for name in ("topic", "partition", "offset"))
_DETAIL, _REASON = "__connect.errors.exception.message", "stream_kpi.reason"
_OURS = frozenset({_TOPIC, _PARTITION, _OFFSET, _DETAIL, _REASON, _TRUNCATED})


class Letter(NamedTuple):
    """A dead letter and what its headers say; ``place`` names it: ``topic:partition:offset`` of the letter itself."""

    found: Found
    place: str
    reason: str
    detail: str
    source: str
    source_partition: int | None
    """None: the headers are not those of a dead letter."""
    headers: tuple[tuple[str, bytes], ...]
    """Those that the record came with."""
    truncated: bool

    @property
    def line(self) -> str:
        """In one line, for people."""
        return "  ".join(
            [self.place, shown(self.reason), shown_bytes(self.found.key), shown(self.detail)],
        )


def topics_of(settings: Settings) -> list[str]:
    """The dead-letter topics."""
    return [dead_letter_topic(source) for source in settings.topics.sources]


def letter_of(found: Found) -> Letter:
    """Read a dead letter's headers, whatever is in them. Of a name that comes twice ours is the last."""
    said = {name: content.decode(errors="backslashreplace") for name, content in found.headers if name in _OURS}
    partition = said.get(_PARTITION, "")
    return Letter(
        found,
        f"{found.topic}:{found.partition}:{found.offset}",
        said.get(_REASON, "-"),
        said.get(_DETAIL, "-"),
        said.get(_TOPIC, "-"),
        int(partition) if partition.isascii() and partition.isdigit() and _TOPIC in said else None,
        tuple((name, content) for name, content in found.headers if name not in _OURS),
        _TRUNCATED in said,
    )


def summary(letter: Letter) -> dict[str, Any]:
    """For programs."""
    return {
        "place": letter.place,
        "reason": letter.reason,
        "detail": letter.detail,
        "source": letter.source,
        "source_partition": letter.source_partition,
        "key": None if letter.found.key is None else letter.found.key.decode(errors="backslashreplace"),
        "timestamp_ms": letter.found.timestamp_ms,
    }


def letters(settings: Settings) -> Iterator[Letter]:
    """All that there are. Raises UserError: no broker, or topics are missing."""
    return map(letter_of, to_end(settings.broker, topics_of(settings)))


def replayed(settings: Settings) -> set[str]:
    """Places of the letters that have been sent again. What is no place is of no letter."""
    marks = to_end(settings.broker, [InternalTopics.of(settings.app_id).replayed])
    return {shown_bytes(mark.key) for mark in marks if mark.value is not None}


def obstacle(letter: Letter, settings: Settings, facts: BrokerFacts) -> tuple[str, bool] | None:
    """Why a letter is not to be sent again, and whether ``--force`` overrules that; None: nothing is in the way."""
    kinds = {topic: kind for kind, topic in source_topics(settings).items()}
    if letter.source_partition is None or letter.source not in kinds:
        return "its headers do not say where it came from", False
    if letter.source_partition >= facts.topics.get(letter.source, 0):
        return f"{letter.source} has no partition {letter.source_partition}", False
    if letter.truncated:
        return "its value was cut short: send it from where it was made", False
    refused = _refusal(letter, kinds[letter.source], settings)
    return None if refused is None else (f"still invalid: {refused}", True)


def _refusal(letter: Letter, kind: TopicKind, settings: Settings) -> str | None:
    found = letter.found
    try:
        _, time_ms = decode(kind, found.value, letter.headers, found.timestamp_ms)
    except Rejected as rejected:
        return f"{rejected.reason.value}, {rejected.detail}"
    except UnknownType as unknown:
        return f"{letter.source} takes no events of type {unknown.event_type!r}"
    ahead_s = time_ms / 1000 - time.time()
    return f"its time is {ahead_s:.0f} s ahead" if ahead_s > settings.future_skew_s else None


class Replayer:
    """Sends dead letters again, each once: letter and mark are one transaction under one id, so that a kill leaves both
    or none, and of two that run at once the later one fences the other. A broker without transactions gets the letter
    before its mark: a kill between them sends it twice, which the event's id makes good."""

    def __init__(self, settings: Settings, facts: BrokerFacts) -> None:
        """Raises UserError when the broker does not answer."""
        self._settings = settings
        self._facts = facts
        transactional = {"transactional_id": f"{settings.app_id}-replay"} if facts.transactional else {}
        try:
            self._producer: Any = KafkaProducer(
                bootstrap_servers=settings.broker.address.split(","),
                acks="all",
                enable_idempotence=facts.transactional,
                **transactional,
                **security_of(settings.broker).client_options(),
            )
            if facts.transactional:
                self._producer.init_transactions()
        except KafkaError as error:
            raise no_broker(settings.broker.address, str(error) or type(error).__name__) from error
        # Read when whoever ran before can send nothing any more.
        self._replayed = replayed(settings)

    def close(self) -> None:
        """Let go of the connection."""
        self._producer.close()

    def replay(self, chosen: Iterable[Letter], *, force: bool) -> Iterator[tuple[Letter, str | None]]:
        """Send them again; of each, why it was not sent, None: it was. Raises UserError when another replay has taken
        over or the broker fails: what was not told of is not sent."""
        for letter in chosen:
            in_the_way = obstacle(letter, self._settings, self._facts)
            if letter.place in self._replayed:
                yield letter, "sent again before"
            elif in_the_way is not None and not (force and in_the_way[1]):
                yield letter, in_the_way[0]
            else:
                try:
                    self._send(letter)
                except KafkaError as error:
                    raise UserError(f"{letter.place}: not sent ({type(error).__name__}: {error})") from error
                self._replayed.add(letter.place)
                yield letter, None

    def _send(self, letter: Letter) -> None:
        producer, found = self._producer, letter.found
        if self._facts.transactional:
            producer.begin_transaction()
        original = producer.send(
            letter.source,
            value=found.value,
            key=found.key,
            headers=list(letter.headers),
            partition=letter.source_partition,
            timestamp_ms=found.timestamp_ms if found.timestamp_ms >= 0 else None,
        )
        original.get(timeout=30)
        mark = producer.send(
            InternalTopics.of(self._settings.app_id).replayed, key=letter.place.encode(), value=b"replayed"
        )
        mark.get(timeout=30)
        if self._facts.transactional:
            producer.commit_transaction()


def replayer(settings: Settings) -> Replayer:
    """One for the settings' broker. Raises UserError when it does not answer."""
    return Replayer(settings, probe(settings.broker.address, security=security_of(settings.broker)))
