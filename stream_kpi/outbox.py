"""What leaves a shard besides its own state: records that it refused, that came too late, or that belong to another,
what has become of service levels, and what its entities say to customers of others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from stream_kpi.events.decode import Outcome
from stream_kpi.events.records import InputRecord, Outgoing, size_bytes
from stream_kpi.events.rejection import Reason, Rejected, UnknownType, dead_letter
from stream_kpi.events.rekeying import LARGEST_SENT_ON_BYTES, rekeyed
from stream_kpi.events.topics import late_topic
from stream_kpi.lifecycles.sla.transition import Transition
from stream_kpi.sla_events import sla_record


class Source(NamedTuple):
    """Where a record was first written, and whether it has been sent on from there (it is never sent on twice)."""

    topic: str
    partition: int
    sent_on: bool = False


class Outbox:
    """Outgoing records until the next flush, each counted by what it is."""

    def __init__(
        self, counts: Counter[tuple[str, ...]], rekeyed_topic: str, sla_topic: str, customers_topic: str
    ) -> None:
        """``sla_topic`` empty: nothing is told of service levels."""
        self.counts = counts
        self._customers_topic = customers_topic
        self._rekeyed_topic = rekeyed_topic
        self._sla_topic = sla_topic
        self._outgoing: list[Outgoing] = []

    def take(self) -> list[Outgoing]:
        """What has come together; the outbox is empty then."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def refuse(self, record: InputRecord, source: Source, outcome: Outcome, ahead_s: int) -> None:
        """The record is no event, or one ``ahead_s`` seconds in the future. An unknown type is only counted."""
        if isinstance(outcome, UnknownType):
            self.counts["unknown_type",] += 1
        elif isinstance(outcome, Rejected):
            self.reject(record, source, outcome.reason, outcome.detail)
        else:
            self.reject(record, source, Reason.FUTURE, f"the event's time is {ahead_s} s ahead")

    def reject(self, record: InputRecord, source: Source, reason: Reason, detail: str) -> None:
        """To the dead-letter topic."""
        self._outgoing.append(dead_letter(record, source.topic, source.partition, reason, detail))
        self.counts["rejected", reason.value] += 1

    def late(self, record: InputRecord, source: Source) -> None:
        """To the late topic, as it came."""
        to, headers = late_topic(source.topic), [*record.headers]
        self._outgoing.append(Outgoing(to, None, record.key, record.value, headers, record.timestamp))
        self.counts["late",] += 1

    def send_on(self, record: InputRecord, source: Source, keys: Mapping[int, bytes]) -> None:
        """To the shards that own the keys. A record that would have to be cut for it is refused."""
        record_bytes = size_bytes(record)
        if record_bytes > LARGEST_SENT_ON_BYTES:
            detail = f"the record has {record_bytes} bytes; at most {LARGEST_SENT_ON_BYTES} are sent on"
            self.reject(record, source, Reason.RECORD_TOO_LARGE, detail)
            return
        for owner, key in keys.items():
            to = (self._rekeyed_topic, owner)
            self._outgoing.append(rekeyed(record, source.topic, source.partition, key, to))
            self.counts["rekeyed",] += 1

    def tell(self, transitions: Iterable[tuple[str, Transition]]) -> None:
        """What has become of the service levels of these tickets or chats."""
        if self._sla_topic:
            for subject, transition in transitions:
                self._outgoing.append(sla_record(self._sla_topic, subject, transition))

    def contribute(self, packed: bytes, owner: int) -> None:
        """What entities say to customers of another shard."""
        self._outgoing.append(Outgoing(self._customers_topic, owner, None, packed, [], None))
