"""What the shell asks of the pure core. stream_kpi.shard.Shard and stream_kpi.merge.Merge fit as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from stream_kpi.pipeline import Flush, InputRecord

StateRecords = Iterable[tuple[bytes, bytes | None]]


class AppliedRecord(Protocol):
    """The last record of an input that the state holds."""

    @property
    def offset(self) -> int:
        """Its offset."""

    @property
    def timestamp_ms(self) -> int:
        """Its Kafka timestamp."""

    @property
    def checksum(self) -> int:
        """crc32 of its value."""


class ShardCore(Protocol):
    """Everything of one partition number. What may take long is done a step at a time, and nothing else is asked of it
    before the last step; after a flush that was not written it is thrown away."""

    shards: int
    greatest_ms: int | None
    clock_ms: int
    """Up to where deadlines have come."""
    counts: Counter[tuple[str, ...]]

    @property
    def position(self) -> Mapping[tuple[str, int], AppliedRecord]:
        """By (topic, partition)."""

    def restore(self, state: StateRecords, panes: StateRecords) -> None:
        """Take records of the changelogs back, in log order."""

    def restored(self) -> Generator[None, None, None]:
        """The changelogs have been read to their end: recover what follows from them, a step at a time."""

    def apply_steps(
        self, topic: str, partition: int, records: Sequence[InputRecord], wall_ms: int
    ) -> Generator[None, None, None]:
        """Take a batch of one input in."""

    def advance_steps(self, clock_ms: int | None, unread: Collection[str]) -> Generator[None, None, None]:
        """Let deadlines come: up to the clock (None: not known), where no ``unread`` topic has a say in it."""

    def flush_steps(self, *, caught_up: bool) -> Generator[None, None, Flush | None]:
        """Everything since the last flush; None when nothing changed."""


class PublicationCore(Protocol):
    """What one publish has to say."""

    @property
    def changed(self) -> list[tuple[bytes, bytes | None]]:
        """Records for the values topic; None: a tombstone."""

    @property
    def history(self) -> Sequence[tuple[bytes, bytes]]:
        """Records for the history topic."""

    @property
    def withdrawn(self) -> Sequence[tuple[bytes, bytes | None]]:
        """Records for the topic of what history was told and the values topic no longer says; None: a tombstone."""

    @property
    def complete(self) -> bool:
        """Nothing waits for the next publish."""

    @property
    def unbalanced(self) -> int:
        """Windows x cuts whose revenue does not balance."""

    @property
    def untold(self) -> int:
        """Windows that history may lack."""


class MergeCore(Protocol):
    """All shards' panes to values."""

    def restore(self, shard: int, key: bytes, value: bytes | None) -> None:
        """Take one record of the panes topic back, before the first publish."""

    def restored(self) -> Generator[None, None, None]:
        """Panes, values and what was withdrawn have been read to their ends: recover what follows, a step at a time."""

    def apply(self, shard: int, key: bytes, value: bytes | None) -> None:
        """Take one record of the panes topic in."""

    def settle(self) -> Generator[None, None, None]:
        """Work off what has been taken in, a step at a time, if it is too much to be left to a publish."""

    def restore_published(self, key: bytes, value: bytes | None) -> None:
        """Take back one record of the values topic, before the first publish."""

    def restore_withdrawn(self, key: bytes, value: bytes | None) -> None:
        """Take back one record of the topic of what was withdrawn, before the first publish."""

    def publish(self, now_ms: int, first_ms: int | None) -> Generator[None, None, PublicationCore]:
        """Evaluate what has changed, a step at a time; nothing is taken in before the last."""


class Core(NamedTuple):
    """Makes the core's objects: ``shard(number, shards)`` and ``merge()``."""

    shard: Callable[[int, int], ShardCore]
    merge: Callable[[], MergeCore]
