"""What the values topic says: every record that the merge has published and not taken back."""

from __future__ import annotations

from collections.abc import Generator, Mapping

import msgspec
from msgspec.structs import replace

from stream_kpi.kpis.record import KpiRecord, cut_of
from stream_kpi.lifecycles.facts import Cut

WindowId = tuple[str, str | None]
"""Kind, and start (RFC 3339) for tumbling windows and months."""
_decode = msgspec.json.Decoder(KpiRecord).decode
_encode = msgspec.json.Encoder().encode


def window_id(kind: str, start: str | None) -> WindowId:
    """Of windows that do not follow each other there is one of a kind, whatever its start."""
    return (kind, start if kind == "month" or kind.startswith("tumbling:") else None)


class Published:
    """Records by window and cut, and what has to be written to bring the topic to them."""

    def __init__(self) -> None:
        self.records: dict[bytes, KpiRecord] = {}
        """Every current record by key."""
        self._by_window: dict[WindowId, dict[Cut, dict[bytes, KpiRecord]]] = {}
        self._changed: list[tuple[bytes, bytes | None]] = []
        self._read: dict[bytes, bytes] = {}
        """What :meth:`restored` has not seen."""

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the topic back, in log order."""
        if value is None:
            self._read.pop(key, None)
        else:
            self._read[key] = value

    def restored(self) -> Generator[None, None, None]:
        """The topic has been read to its end. To be iterated over, a step at a time."""
        read, self._read = self._read, {}
        for key, value in read.items():
            record = self.records[key] = _decode(value)
            window = window_id(record.window.kind, record.window.start)
            self._by_window.setdefault(window, {}).setdefault(cut_of(record), {})[key] = record
            yield

    def cuts(self, window: WindowId) -> Mapping[Cut, Mapping[bytes, KpiRecord]]:
        """The window's records by cut; cuts without any may be among them."""
        return self._by_window.get(window, {})

    def forget_before(self, kind: str, oldest: str) -> None:
        """Take back what windows of a kind say that start before ``oldest``."""
        for window in [w for w in self._by_window if w[0] == kind and w[1] is not None and w[1] < oldest]:
            for cut in list(self._by_window[window]):
                self.replace(window, cut, {})
            del self._by_window[window]

    def replace(self, window: WindowId, cut: Cut, records: dict[bytes, KpiRecord]) -> None:
        """Say this of a window's cut, and nothing else. A record that says the same as the earlier one stays that; one
        that corrects a final one is a revision of it."""
        by_cut = self._by_window.setdefault(window, {})
        before = by_cut.get(cut, {})
        for key in before.keys() - records.keys():
            self._changed.append((key, None))
            self.records.pop(key, None)
        for key, record in records.items():
            earlier = before.get(key)
            if earlier is not None:
                if _says_the_same(record, earlier):
                    records[key] = earlier
                    continue
                revision = earlier.revision + (earlier.final and window[1] is not None)
                if revision:
                    records[key] = record = replace(record, revision=revision)  # noqa: PLW2901 - the record that is told
            self._changed.append((key, _encode(record)))
            self.records[key] = record
        if records:
            by_cut[cut] = records
        else:
            by_cut.pop(cut, None)

    def take_changed(self) -> list[tuple[bytes, bytes | None]]:
        """Records for the topic since the last call; None: a tombstone."""
        changed, self._changed = self._changed, []
        return changed


def _says_the_same(record: KpiRecord, earlier: KpiRecord) -> bool:
    """Whether a record differs from an earlier one of its key by when it was made at most."""
    if record.value != earlier.value or record.window != earlier.window:  # nearly always, and soon told
        return False
    return replace(record, as_of=earlier.as_of, revision=earlier.revision) == earlier
