"""The exporter's side of the Redis live store: a snapshot that follows what the merging worker publishes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from stream_kpi.deadlines import Deadline, unpack_deadlines
from stream_kpi.kpis.record import KpiHistogram, KpiRecord
from stream_kpi.publish.live_store import EMPTY, Snapshot
from stream_kpi.publish.redis_format import (
    DEADLINES_FIELD,
    FAILURES,
    Announcement,
    Keys,
    Meta,
    decode_announcement,
    decode_histogram,
    in_order,
    whole_hash,
)

log = logging.getLogger(__name__)
STALE_AFTER_S: Final = 5.0
"""A worker confirms its values every second at least: after so long without a word they are called stale."""
LEAST_LEFT_MS: Final = 1_000
"""What expires sooner is not read: some of it may have expired before the rest was read."""
RETRY_S: Final = 0.5
POLL_S: Final = 0.25
SCAN_COUNT: Final = 200
"""Records asked for at once: what is read in one piece holds the event loop."""
TURN: Final = 1_000
"""Records of an announcement that are decoded in one go, for the same reason."""
_decode = msgspec.json.Decoder(KpiRecord).decode


@dataclass(slots=True)
class _Read:
    """A generation as far as it has been read. It is coherent when ``sequence`` has come to ``coherent_at``."""

    generation: str
    sequence: int
    values_ms: int
    ttl_ms: int
    coherent_at: int
    records: dict[bytes, KpiRecord]
    histograms: tuple[KpiHistogram, ...]
    deadlines: tuple[Deadline, ...]


class RedisReader:
    """Follows one app's values. ``snapshot`` never shows half of a publication.

    Its snapshot is stale while Redis is away or no worker confirms its values, and empty when they have not been
    confirmed for as long as they live in Redis.
    """

    def __init__(
        self,
        client: Redis,
        app_id: str,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock_s`` is monotonic."""
        self._client = client
        self._keys = Keys(app_id)
        self.lost = 0
        """How often a connection was given up: it failed, or no worker was heard of on it."""
        self._clock_s = clock_s
        self._shown = EMPTY
        self._following = False
        self._confirmed_s = 0.0
        self._ttl_s = 0.0
        self._trouble = False

    def snapshot(self) -> Snapshot:
        """What is known now, stale or not."""
        age_s = self._clock_s() - self._confirmed_s
        if age_s > self._ttl_s:
            return EMPTY._replace(stale=True)
        return self._shown._replace(stale=not self._following or age_s > STALE_AFTER_S)

    def get(self, key: bytes) -> KpiRecord | None:
        """The record of a key."""
        return self.snapshot().records.get(key)

    async def run(self) -> None:
        """Follow until cancelled. Nothing that Redis does ends it."""
        while True:
            try:
                async with self._client.pubsub(ignore_subscribe_messages=True) as changes:
                    await self.follow(changes)
            except FAILURES as error:
                self._following = False
                self.lost += 1
                if not self._trouble:
                    self._trouble = True
                    log.warning("Redis is not to be followed (%s): values are stale", error)
            await asyncio.sleep(RETRY_S)

    async def follow(self, changes: PubSub) -> None:
        """Read everything and take every announcement. Raises one of FAILURES, TimeoutError when nothing is announced
        for long: a connection may be dead and not know it."""
        # Before anything is read: what is announced meanwhile waits, and nothing is missed between the two.
        await changes.subscribe(self._keys.channel)
        read: _Read | None = None
        heard_s = self._clock_s()
        while True:
            if read is None:
                read = await self._read()
            message = await changes.get_message(ignore_subscribe_messages=True, timeout=POLL_S)
            if message is None:
                if self._clock_s() - heard_s > STALE_AFTER_S:
                    raise TimeoutError("no worker confirms its values")
                continue
            announced = decode_announcement(message["data"])
            if read is not None:
                if announced.generation == read.generation:
                    heard_s = self._clock_s()
                read = await self._applied(read, announced)

    async def _read(self) -> _Read | None:
        """Everything that Redis holds; None when it holds nothing, or a writer began anew meanwhile."""
        meta = Meta.of(await whole_hash(self._client, self._keys.meta))
        if meta is None:
            return None
        records: dict[bytes, KpiRecord] = {}
        for kpi in meta.kpis:
            async for key, value in self._client.hscan_iter(self._keys.kpi(meta.generation, kpi), count=SCAN_COUNT):
                records[key] = _decode(value)
        encoded = await whole_hash(self._client, self._keys.histograms(meta.generation))
        histograms = in_order(decode_histogram(value) for value in encoded.values())
        packed = (await whole_hash(self._client, self._keys.deadlines(meta.generation))).get(DEADLINES_FIELD)
        deadlines = unpack_deadlines(packed) if packed else ()
        after = Meta.of(await whole_hash(self._client, self._keys.meta))
        left_ms = await self._client.pttl(self._keys.meta)
        if after is None or after.generation != meta.generation or left_ms < LEAST_LEFT_MS:
            return None
        read = _Read(
            meta.generation,
            meta.sequence,
            meta.values_ms,
            meta.ttl_ms,
            after.sequence,
            records,
            histograms,
            deadlines,
        )
        self._show(read, (meta.ttl_ms - left_ms) / 1000)
        return read

    async def _applied(self, read: _Read, announced: Announcement) -> _Read | None:
        """The state after an announcement; None: everything is to be read anew."""
        if announced.generation != read.generation:
            # Without a sequence it is the begin of a generation. Others are older than what was read.
            return None if announced.sequence == 0 else read
        if announced.sequence <= read.sequence:
            return read
        if announced.sequence != read.sequence + 1 or announced.changed is None:
            return None
        read.records = read.records.copy()
        for number, (key, value) in enumerate(announced.changed.items(), 1):
            if value is None:
                read.records.pop(key, None)
            else:
                read.records[key] = _decode(value)
            if number % TURN == 0:
                await asyncio.sleep(0)
        if announced.histograms is not None:
            read.histograms = in_order(announced.histograms)
        if announced.deadlines is not None:
            read.deadlines = announced.deadlines
        read.sequence, read.values_ms = announced.sequence, announced.values_ms
        self._show(read, 0.0)
        return read

    def _show(self, read: _Read, age_s: float) -> None:
        if read.sequence < read.coherent_at:
            return
        self._shown = Snapshot(MappingProxyType(read.records), read.histograms, read.values_ms, read.deadlines)
        self._confirmed_s, self._ttl_s = self._clock_s() - age_s, read.ttl_ms / 1000
        self._following = True
        if self._trouble:
            self._trouble = False
            log.warning("Redis is followed again")
