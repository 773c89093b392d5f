"""The merging worker's side of the Redis live store: publications go there beside its own store, in the background."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from stream_kpi.deadlines import Deadline, pack_deadlines
from stream_kpi.kpis.record import KpiHistogram, KpiRecord
from stream_kpi.publish.redis_format import (
    DEADLINES_FIELD,
    FAILURES,
    Announcement,
    Keys,
    Meta,
    encode_announcement,
    encode_histogram,
    histogram_field,
    whole_hash,
)

log = logging.getLogger(__name__)
MOST_INTERVAL_S: Final = 1.0
"""Values are to be confirmed that often at least: readers call them stale soon after."""
CHUNK: Final = 500
"""Records of one command when all are written, which may be many: nobody else waits long."""
MOST_ANNOUNCED: Final = 20_000
"""More changes than that are not sent to every reader: they read everything anew."""
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class _State:
    """The newest complete publication."""

    token: int
    records: Mapping[bytes, KpiRecord]
    histograms: tuple[KpiHistogram, ...]
    values_ms: int
    deadlines: tuple[Deadline, ...]


@dataclass(slots=True)
class _Generation:
    """What this writer has in Redis."""

    name: str
    sequence: int = 0
    kpis: set[str] = field(default_factory=set)
    histograms: tuple[KpiHistogram, ...] = ()
    deadlines: tuple[Deadline, ...] = ()


class SupersededError(Exception):
    """A later writer has written, or our generation is no longer the one that counts."""


class RedisWriter:
    """Takes publications at once, and writes the newest of them as soon as Redis takes it.

    However long Redis is away, what is held is one publication: on its return everything is written anew, and so after
    every error, as an answer that was lost leaves open what Redis has. A writer with a smaller token than another's
    never overwrites that one's values while they live.
    """

    def __init__(self, client: Redis, app_id: str, ttl_s: float, interval_s: float, failed: Callable[[], None]) -> None:
        """Values are confirmed every ``interval_s`` though nothing changes, and disappear ``ttl_s`` after the last
        time. ``failed`` is called for each write that fails."""
        self._client = client
        self._keys = Keys(app_id)
        self._ttl_ms = round(ttl_s * 1000)
        self._interval_s = interval_s
        self._failed = failed
        self._state: _State | None = None
        self._changed: dict[bytes, bytes | None] | None = None
        """Since the last write was begun; None: everything is to be written."""
        self._generation: _Generation | None = None
        self._news = asyncio.Event()
        self._trouble = ""

    def take(
        self,
        token: int,
        records: Mapping[bytes, KpiRecord],
        changed: Iterable[tuple[bytes, bytes | None]],
        histograms: tuple[KpiHistogram, ...],
        values_ms: int,
        deadlines: tuple[Deadline, ...] = (),
    ) -> None:
        """Take a publication: all its records, which must not change any more, and those that differ from the one
        before, as in the values topic. A greater ``token`` than before begins anew."""
        if self._state is None or self._state.token != token:
            self._generation = self._changed = None
        if self._changed is not None:
            self._changed.update(changed)
        self._state = _State(token, records, histograms, values_ms, deadlines)
        self._news.set()

    def rest(self) -> None:
        """Write and confirm nothing until the next publication: another worker publishes from now on."""
        self._state = self._generation = self._changed = None

    async def run(self) -> None:
        """Write until cancelled. Nothing that Redis does ends it."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval_s):
                    await self._news.wait()
            self._news.clear()
            if not await self.write():
                await asyncio.sleep(self._interval_s)

    async def write(self) -> bool:
        """Write what has been taken, or confirm it; whether that worked."""
        state = self._state
        if state is None:
            return True
        changed, self._changed = self._changed, {}
        try:
            if changed is None or self._generation is None:
                await self._replace(state)
            else:
                await self._advance(state, self._generation, changed)
        except (*FAILURES, SupersededError) as error:
            self._generation = self._changed = None
            self._failed()
            if not self._trouble:
                log.warning("Redis takes no values (%s); they are written anew when it does", error)
            self._trouble = str(error) or type(error).__name__
            return False
        if self._trouble:
            log.warning("Redis takes values again")
            self._trouble = ""
        return True

    async def _replace(self, state: _State) -> None:
        await self._counting(self._client, state.token)
        name = f"{state.token}-{uuid.uuid4().hex[:12]}"
        generation = _Generation(name, histograms=state.histograms, deadlines=state.deadlines)
        rest = iter(state.records.items())
        while chunk := list(islice(rest, CHUNK)):
            async with self._client.pipeline(transaction=False) as pipe:
                self._put(pipe, generation, {key: _encode(record) for key, record in chunk})
                self._expire(pipe, generation)
                await pipe.execute()
        async with self._client.pipeline(transaction=True) as pipe:
            await pipe.watch(self._keys.meta)
            before = await self._counting(pipe, state.token)
            pipe.multi()  # type: ignore[no-untyped-call]
            self._put_histograms(pipe, generation)
            self._put_deadlines(pipe, generation)
            self._expire(pipe, generation)
            self._announce(pipe, generation, state, None)
            if before is not None:
                pipe.unlink(*self._keys.every(before.generation, before.kpis))
            await pipe.execute()
        if self._state is not None and self._state.token == state.token:
            self._generation = generation

    async def _advance(self, state: _State, generation: _Generation, changed: dict[bytes, bytes | None]) -> None:
        async with self._client.pipeline(transaction=True) as pipe:
            await pipe.watch(self._keys.meta)
            meta = Meta.of(await whole_hash(pipe, self._keys.meta))
            if meta is None or (meta.generation, meta.sequence) != (generation.name, generation.sequence):
                raise SupersededError("another worker has written, or the values have expired")
            pipe.multi()  # type: ignore[no-untyped-call]
            self._put(pipe, generation, changed)
            histograms = None if state.histograms == generation.histograms else state.histograms
            if histograms is not None:
                generation.histograms = histograms
                pipe.delete(self._keys.histograms(generation.name))
                self._put_histograms(pipe, generation)
            deadlines = None if state.deadlines == generation.deadlines else state.deadlines
            if deadlines is not None:
                generation.deadlines = deadlines
                self._put_deadlines(pipe, generation)
            self._expire(pipe, generation)
            generation.sequence += 1
            few = len(changed) <= MOST_ANNOUNCED
            self._announce(pipe, generation, state, changed if few else None, histograms, deadlines)
            await pipe.execute()

    async def _counting(self, client: Redis, token: int) -> Meta | None:
        """The generation that counts. Raises SupersededError when it is a later writer's."""
        meta = Meta.of(await whole_hash(client, self._keys.meta))
        if meta is not None and meta.token > token:
            raise SupersededError("a worker that began later has written")
        return meta

    def _put(self, pipe: Pipeline, generation: _Generation, changed: Mapping[bytes, bytes | None]) -> None:
        put: defaultdict[str, list[bytes]] = defaultdict(list)
        gone: defaultdict[str, list[bytes]] = defaultdict(list)
        for key, value in changed.items():
            kpi = key.partition(b"|")[0].decode()
            if value is None:
                gone[kpi].append(key)
            else:
                put[kpi] += (key, value)
        for kpi, fields in put.items():
            pipe.hset(self._keys.kpi(generation.name, kpi), items=fields)
        for kpi, keys in gone.items():
            pipe.hdel(self._keys.kpi(generation.name, kpi), *keys)
        generation.kpis.update(put)

    def _put_histograms(self, pipe: Pipeline, generation: _Generation) -> None:
        if generation.histograms:
            items = [part for one in generation.histograms for part in (histogram_field(one), encode_histogram(one))]
            pipe.hset(self._keys.histograms(generation.name), items=items)

    def _put_deadlines(self, pipe: Pipeline, generation: _Generation) -> None:
        pipe.hset(self._keys.deadlines(generation.name), items=[DEADLINES_FIELD, pack_deadlines(generation.deadlines)])

    def _expire(self, pipe: Pipeline, generation: _Generation) -> None:
        for key in self._keys.every(generation.name, generation.kpis):
            pipe.pexpire(key, self._ttl_ms)

    def _announce(
        self,
        pipe: Pipeline,
        generation: _Generation,
        state: _State,
        changed: dict[bytes, bytes | None] | None,
        histograms: tuple[KpiHistogram, ...] | None = None,
        deadlines: tuple[Deadline, ...] | None = None,
    ) -> None:
        meta = Meta(
            generation=generation.name,
            token=state.token,
            sequence=generation.sequence,
            values_ms=state.values_ms,
            ttl_ms=self._ttl_ms,
            kpis=tuple(sorted(generation.kpis)),
        )
        pipe.hset(self._keys.meta, items=meta.items())
        pipe.pexpire(self._keys.meta, self._ttl_ms)
        announcement = Announcement(
            generation=generation.name,
            sequence=generation.sequence,
            values_ms=state.values_ms,
            changed=changed,
            histograms=histograms,
            deadlines=deadlines,
        )
        pipe.publish(self._keys.channel, encode_announcement(announcement))
