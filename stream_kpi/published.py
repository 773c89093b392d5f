"""What the values topic says, and what has to be written to say otherwise; what of it history is told."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from stream_kpi.deadlines import Deadline
from stream_kpi.kpis.history import history_value, withdrawn_value
from stream_kpi.kpis.record import KpiHistogram, KpiRecord, cut_of
from stream_kpi.lifecycles.facts import Cut

WindowId = tuple[str, str | None]
"""Kind, and start (RFC 3339) for tumbling windows and months."""
Changed = list[tuple[bytes, bytes | None]]
"""Records for a compacted topic; None: a tombstone."""
_decode = msgspec.json.Decoder(KpiRecord).decode
_encode = msgspec.json.Encoder().encode


def window_id(kind: str, start: str | None) -> WindowId:
    """Of windows that do not follow each other there is one of a kind, whatever its start."""
    return (kind, start if kind == "month" or kind.startswith("tumbling:") else None)


class _Withdrawn(NamedTuple):
    """A record that history was told is no more, while its window may still change."""

    window: WindowId
    revision: int
    """The one that said so."""


_decode_withdrawn = msgspec.msgpack.Decoder(_Withdrawn).decode
_encode_withdrawn = msgspec.msgpack.Encoder().encode


class Publication(NamedTuple):
    """What one publish has to say, all of it or nothing."""

    changed: Changed
    """For the values topic."""
    history: list[tuple[bytes, bytes]]
    """For the history topic: each final record and each correction of it once."""
    withdrawn: Changed
    """For the memory of what history was told and the values topic no longer says."""
    records: dict[bytes, KpiRecord]
    """Every current record by key."""
    histograms: tuple[KpiHistogram, ...]
    """Of the durations over all time: what a Prometheus histogram shows."""
    deadlines: tuple[Deadline, ...]
    """The nearest of tickets and chats (deadlines.nearest)."""
    complete: bool
    """Nothing waits for the next publish: every record stands as of this one's now."""
    unbalanced: int
    """Windows x cuts evaluated whose revenue's movements do not explain the change of its MRR: a defect, always 0."""
    untold: int
    """Windows that are published no longer and were not evaluated after they became final: history may lack them."""


class Published:
    """Records by window and cut, and what has to be written to bring the topics to them."""

    def __init__(self) -> None:
        self.records: dict[bytes, KpiRecord] = {}
        """Every current record by key."""
        self._by_window: dict[WindowId, dict[Cut, dict[bytes, KpiRecord]]] = {}
        self._withdrawn: dict[WindowId, dict[bytes, int]] = {}
        """By key, the revision that told history that the record is no more."""
        self._changed: Changed = []
        self._history: list[tuple[bytes, bytes]] = []
        self._changed_withdrawn: Changed = []
        self._read: dict[bytes, bytes] = {}
        """What :meth:`restored` has not seen."""
        self._read_withdrawn: dict[bytes, bytes] = {}

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the values topic back, in log order."""
        _keep_last(self._read, key, value)

    def restore_withdrawn(self, key: bytes, value: bytes | None) -> None:
        """The same of the memory of what was withdrawn."""
        _keep_last(self._read_withdrawn, key, value)

    def restored(self) -> Generator[None, None, None]:
        """The topics have been read to their ends. To be iterated over, a step at a time."""
        read, self._read = self._read, {}
        for key, value in read.items():
            record = self.records[key] = _decode(value)
            window = window_id(record.window.kind, record.window.start)
            self._by_window.setdefault(window, {}).setdefault(cut_of(record), {})[key] = record
            yield
        withdrawn, self._read_withdrawn = self._read_withdrawn, {}
        for key, value in withdrawn.items():
            window, revision = _decode_withdrawn(value)
            self._withdrawn.setdefault(window, {})[key] = revision
            yield

    def cuts(self, window: WindowId) -> Mapping[Cut, Mapping[bytes, KpiRecord]]:
        """The window's records by cut; cuts without any may be among them."""
        return self._by_window.get(window, {})

    def forget_before(self, kind: str, oldest: str) -> None:
        """Take back what windows of a kind say that start before ``oldest``: they change no more, and what history was
        told of them stands."""
        for window in [w for w in self._by_window if w[0] == kind and w[1] is not None and w[1] < oldest]:
            for records in self._by_window.pop(window).values():
                for key in records:
                    self._take_back(key)
        for window in [w for w in self._withdrawn if w[0] == kind and w[1] is not None and w[1] < oldest]:
            self._changed_withdrawn += [(key, None) for key in self._withdrawn.pop(window)]

    def replace(self, window: WindowId, cut: Cut, records: dict[bytes, KpiRecord], *, final: bool, as_of: str) -> None:
        """Say this of a window's cut, and nothing else. A record that says the same as the earlier one stays that; one
        that corrects a final one is a revision of it. ``final``, ``as_of``: of the evaluation, whatever it found."""
        by_cut = self._by_window.setdefault(window, {})
        before = by_cut.get(cut, {})
        follows = window[1] is not None
        if follows and not final:
            records = self._left_as_final(window, before, records)
        for key in before.keys() - records.keys():
            self._take_back(key)
            if follows and before[key].final:
                self._withdraw(window, key, before[key], as_of)
        for key, record in records.items():
            earlier = before.get(key)
            if earlier is not None and _says_the_same(record, earlier):
                records[key] = earlier
                continue
            if follows:
                records[key] = record = self._revision(window, key, record, earlier)  # noqa: PLW2901 - the one told
            self._changed.append((key, _encode(record)))
            self.records[key] = record
        if records:
            by_cut[cut] = records
        else:
            by_cut.pop(cut, None)

    def take_changed(self) -> tuple[Changed, list[tuple[bytes, bytes]], Changed]:
        """Records since the last call: for the values topic, for history, for the memory of what was withdrawn."""
        taken = self._changed, self._history, self._changed_withdrawn
        self._changed, self._history, self._changed_withdrawn = [], [], []
        return taken

    def _left_as_final(
        self, window: WindowId, before: Mapping[bytes, KpiRecord], records: Mapping[bytes, KpiRecord]
    ) -> dict[bytes, KpiRecord]:
        """What is final stays so. After a restart the clock may stand before the window's end again: its records are
        then seen half, and are looked at once more when it has come there."""
        withdrawn = self._withdrawn.get(window, {})
        current = {key: record for key, record in records.items() if key not in withdrawn}
        return {**current, **{key: record for key, record in before.items() if record.final}}

    def _revision(self, window: WindowId, key: bytes, record: KpiRecord, earlier: KpiRecord | None) -> KpiRecord:
        if not record.final:
            return record
        former = earlier if earlier is not None and earlier.final else None
        revision = 0 if former is None else former.revision + 1
        withdrawn = self._withdrawn.get(window, {}).pop(key, None)
        if withdrawn is not None:
            revision = withdrawn + 1
            self._changed_withdrawn.append((key, None))
        if revision:
            record = replace(record, revision=revision)
        self._history.append((key, history_value(record, former)))
        return record

    def _withdraw(self, window: WindowId, key: bytes, record: KpiRecord, as_of: str) -> None:
        revision = record.revision + 1
        self._withdrawn.setdefault(window, {})[key] = revision
        self._changed_withdrawn.append((key, _encode_withdrawn(_Withdrawn(window, revision))))
        self._history.append((key, withdrawn_value(record, as_of)))

    def _take_back(self, key: bytes) -> None:
        self._changed.append((key, None))
        self.records.pop(key, None)


def _keep_last(read: dict[bytes, bytes], key: bytes, value: bytes | None) -> None:
    if value is None:
        read.pop(key, None)
    else:
        read[key] = value


def _says_the_same(record: KpiRecord, earlier: KpiRecord) -> bool:
    """Whether a record differs from an earlier one of its key by when it was made at most."""
    if record.value != earlier.value or record.window != earlier.window:  # nearly always, and soon told
        return False
    return replace(record, as_of=earlier.as_of, revision=earlier.revision) == earlier
