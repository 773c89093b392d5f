"""What the shell must be told: broker, application id, topics, intervals, limits."""

from __future__ import annotations

from dataclasses import dataclass

from stream_kpi.brokers.security import OPEN, Security
from stream_kpi.events.topics import TopicKind
from stream_kpi.topics import InternalTopics


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellOptions:
    """The shell's own settings. Times are seconds, sizes bytes. The command line fills it from the user's settings."""

    broker: str
    security: Security = OPEN
    app_id: str
    source_topics: tuple[str, ...] = tuple(kind.default_topic for kind in TopicKind)
    values_topic: str = "support.kpi.values.v1"
    history_topic: str = "support.kpi.history.v1"
    event_clock: bool = False
    flush_interval_s: float = 0.4
    publish_interval_s: float = 1.0
    flush_events: int = 50_000
    """A flush starts early when this many events wait for it; intake pauses at twice as many."""
    flush_timeout_s: float = 10.0
    tick_s: float = 0.25
    session_timeout_s: float = 10.0
    heartbeat_interval_s: float = 3.0
    rebalance_timeout_s: float = 30.0
    max_poll_records: int = 5_000
    max_partition_fetch_bytes: int = 2 << 20
    max_batch_bytes: int = 900_000
    """A record batch on the wire; a broker refuses more than message.max.bytes, 1 MiB by default."""

    @property
    def state_topic(self) -> str:
        """Entities and position, compacted, one partition a shard."""
        return InternalTopics.of(self.app_id).state

    @property
    def panes_topic(self) -> str:
        """Panes, compacted, one partition a shard."""
        return InternalTopics.of(self.app_id).panes

    @property
    def clock_topic(self) -> str:
        """Each shard's clock, compacted, one partition."""
        return InternalTopics.of(self.app_id).clock

    @property
    def rekeyed_topic(self) -> str:
        """Mis-keyed records on their way to their owner, one partition a shard."""
        return InternalTopics.of(self.app_id).rekeyed

    @property
    def customers_topic(self) -> str:
        """What tickets and chats say on their way to their customers, one partition a shard."""
        return InternalTopics.of(self.app_id).customers

    @property
    def withdrawn_topic(self) -> str:
        """What history was told and the values topic no longer says, compacted, one partition."""
        return InternalTopics.of(self.app_id).withdrawn

    @property
    def input_topics(self) -> tuple[str, ...]:
        """Everything that a shard consumes: partition p of each is shard p's."""
        return (*self.source_topics, self.rekeyed_topic, self.customers_topic)

    def transactional_id(self, shard: int) -> str:
        """The name under which the broker knows a shard's owner, and fences the former one."""
        return f"{self.app_id}-shard-{shard}"
