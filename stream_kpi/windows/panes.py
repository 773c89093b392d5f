"""A shard's panes, one vector per (tier, start, cut), and the records that state them."""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from stream_kpi.lifecycles.facts import Cut
from stream_kpi.measures.vector import Vector, add_into
from stream_kpi.windows.ages import AgeSets
from stream_kpi.windows.cut_table import CutTable
from stream_kpi.windows.sums import FactSums
from stream_kpi.windows.tiers import TIERS, Tier

AGES_KEY = b"ages"
"""Key of the shard's sets that age, beside its panes (a packed pane key never starts with a letter)."""


class PaneKey(NamedTuple):
    """One pane's place."""

    tier: int
    start_ms: int
    cut: Cut


class PaneState(msgspec.Struct, frozen=True, array_like=True):
    """A pane's record. Whole, so that the last one is enough; with what is new in it, so that who has the version
    before need not compare (a total has hundreds of slots, of which a flush changes a few)."""

    version: int
    """One more than the record before; from 1 after a tombstone."""
    delta: Vector
    vector: msgspec.Raw
    """Everything; read it with :func:`unpack_vector`."""


_encode = msgspec.msgpack.Encoder().encode
_decode_key = msgspec.msgpack.Decoder(tuple[int, int, list[str]]).decode
_decode_vector = msgspec.msgpack.Decoder(dict[int, int]).decode
_decode_state = msgspec.msgpack.Decoder(PaneState).decode


def pack_key(key: PaneKey) -> bytes:
    """The Kafka key of a pane's record."""
    return _encode(key)


def unpack_key(packed: bytes) -> PaneKey:
    """The inverse of :func:`pack_key`."""
    tier, start_ms, cut = _decode_key(packed)
    return PaneKey(tier, start_ms, (cut[0], cut[1]) if cut else ())


def unpack_state(packed: bytes) -> PaneState:
    """A pane's record, its vector still packed."""
    return _decode_state(packed)


def unpack_vector(state: PaneState) -> Vector:
    """All of a pane."""
    return _decode_vector(state.vector)


class _Pane:
    __slots__ = ("delta", "key", "vector", "version")

    def __init__(self, key: PaneKey) -> None:
        self.key = pack_key(key)
        self.vector: Vector = {}
        self.delta: Vector = {}
        self.version = 0


class Panes:
    """The panes of one shard. :meth:`add` takes facts as they come, :meth:`flush` brings the panes up to date."""

    def __init__(self, table: CutTable, ages: AgeSets, zone: ZoneInfo, tiers: tuple[Tier, ...] = TIERS) -> None:
        """``tiers``: those that are kept; `compute` keeps only what its window is read from."""
        self._sums = FactSums(table, ages)
        self._zone = zone
        self._tiers = tiers
        self._panes: dict[PaneKey, _Pane] = {}
        self._dirty: dict[PaneKey, _Pane] = {}
        self._keys_at: dict[int, dict[int, set[PaneKey]]] = {tier.number: {} for tier in tiers}
        self._expired_before: dict[int, int] = {}
        self.add = self._sums.add

    def spread(self, clock_ms: int) -> None:
        """Take what was added to every cut, every tier that still keeps its time, and the sets that age."""
        panes, dirty = self._panes, self._dirty
        for tier, starts_ms, deltas in self._sums.spread(self._tiers, clock_ms, self._zone):
            for start, cut, vector in deltas:
                key = PaneKey(tier.number, starts_ms[start], cut)
                pane = panes.get(key)
                if pane is None:
                    pane = self._new(key)
                add_into(pane.vector, vector)
                if key in dirty:
                    pane.delta = dict(pane.delta)
                    add_into(pane.delta, vector)
                else:
                    pane.delta = vector
                    dirty[key] = pane

    def restore(self, key: PaneKey, state: PaneState | None) -> None:
        """Put a pane back as it was flushed (recovery), in log order; None: it is gone."""
        if state is None:
            self._forget(key)
            return
        pane = self._panes.get(key) or self._new(key)
        pane.version = state.version
        pane.vector = unpack_vector(state)

    def flush(self, clock_ms: int) -> list[tuple[bytes, bytes | None]]:
        """The records of all panes that changed since the last flush; panes past their retention leave with a
        tombstone."""
        self.spread(clock_ms)
        records = self._expire(clock_ms)
        for key, pane in self._dirty.items():
            if not pane.vector:
                self._forget(key)
                if pane.version:
                    records.append((pane.key, None))
            elif pane.delta:
                pane.version += 1
                records.append((pane.key, _encode((pane.version, pane.delta, pane.vector))))
            pane.delta = {}
        self._dirty = {}
        return records

    def _new(self, key: PaneKey) -> _Pane:
        pane = self._panes[key] = _Pane(key)
        self._keys_at[key.tier].setdefault(key.start_ms, set()).add(key)
        return pane

    def _forget(self, key: PaneKey) -> None:
        if self._panes.pop(key, None) is not None:
            self._keys_at[key.tier][key.start_ms].discard(key)

    def _expire(self, clock_ms: int) -> list[tuple[bytes, bytes | None]]:
        gone: list[tuple[bytes, bytes | None]] = []
        for tier in self._tiers:
            if not tier.due(clock_ms, self._expired_before):
                continue
            keys_at = self._keys_at[tier.number]
            for start_ms in [start for start in keys_at if start < tier.expires_before(clock_ms)]:
                for key in keys_at.pop(start_ms):
                    pane = self._panes.pop(key, None)
                    self._dirty.pop(key, None)
                    if pane is not None and pane.version:
                        gone.append((pane.key, None))
        return gone
