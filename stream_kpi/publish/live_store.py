"""The live store: the newest record of every KPI, held where /metrics and wallboards read it."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import NamedTuple, Protocol

from stream_kpi.deadlines import Deadline
from stream_kpi.kpis.record import KpiHistogram, KpiRecord, record_key


class Snapshot(NamedTuple):
    """Everything at one moment; never changed after it is made."""

    records: MappingProxyType[bytes, KpiRecord]
    """By :func:`~stream_kpi.kpis.record.record_key`."""
    histograms: tuple[KpiHistogram, ...]
    values_ms: int | None = None
    """The moment as of which the values were published, epoch ms; None while there are none."""
    deadlines: tuple[Deadline, ...] = ()
    """The nearest of tickets and chats, as they were published."""
    stale: bool = False
    """Newer values may have been published that have not arrived here: whoever shows these says so."""


EMPTY = Snapshot(MappingProxyType({}), ())


class LiveStore(Protocol):
    """Where readers get values. A reader's snapshot never changes in its hands."""

    def snapshot(self) -> Snapshot:
        """What is held now."""

    def get(self, key: bytes) -> KpiRecord | None:
        """The record of a key."""


class WritableStore(LiveStore, Protocol):
    """Where the merge puts them."""

    def replace(
        self,
        records: Iterable[KpiRecord],
        histograms: Iterable[KpiHistogram] = (),
        values_ms: int | None = None,
        deadlines: tuple[Deadline, ...] = (),
    ) -> None:
        """Put these in place of everything that is held. ``values_ms`` as in Snapshot."""

    def update(
        self,
        records: Iterable[KpiRecord],
        gone: Iterable[bytes] = (),
        histograms: Iterable[KpiHistogram] | None = None,
        values_ms: int | None = None,
        deadlines: tuple[Deadline, ...] | None = None,
    ) -> None:
        """Take out the keys of ``gone`` (unknown ones do nothing), then put the records over those of the same key.
        Histograms and deadlines are replaced as a whole, and ``values_ms``, unless None."""


class MemoryStore:
    """The live store of one process: a change makes a new snapshot, so readers in other threads need no lock. One
    writer at a time."""

    def __init__(self) -> None:
        self._snapshot = EMPTY

    def replace(
        self,
        records: Iterable[KpiRecord],
        histograms: Iterable[KpiHistogram] = (),
        values_ms: int | None = None,
        deadlines: tuple[Deadline, ...] = (),
    ) -> None:
        """As in LiveStore."""
        by_key = {record_key(record): record for record in records}
        self._snapshot = Snapshot(MappingProxyType(by_key), tuple(histograms), values_ms, deadlines)

    def update(
        self,
        records: Iterable[KpiRecord],
        gone: Iterable[bytes] = (),
        histograms: Iterable[KpiHistogram] | None = None,
        values_ms: int | None = None,
        deadlines: tuple[Deadline, ...] | None = None,
    ) -> None:
        """As in LiveStore."""
        before = self._snapshot
        by_key = before.records.copy()
        for key in gone:
            by_key.pop(key, None)
        by_key.update((record_key(record), record) for record in records)
        kept = before.histograms if histograms is None else tuple(histograms)
        at_ms = before.values_ms if values_ms is None else values_ms
        nearest = before.deadlines if deadlines is None else deadlines
        self._snapshot = Snapshot(MappingProxyType(by_key), kept, at_ms, nearest)

    def snapshot(self) -> Snapshot:
        """As in LiveStore."""
        return self._snapshot

    def get(self, key: bytes) -> KpiRecord | None:
        """As in LiveStore."""
        return self._snapshot.records.get(key)
