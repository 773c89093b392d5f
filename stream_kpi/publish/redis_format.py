"""What is in Redis and on its channel (docs/decisions/0013): keys, the meta hash, announcements; and the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, cast

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from stream_kpi.deadlines import Deadline
from stream_kpi.errors import WRONG_USAGE, UserError
from stream_kpi.kpis.record import KpiHistogram
from stream_kpi.secrets import refused, secret_of
from stream_kpi.settings_sections import RedisSettings

SCHEMA: Final = "v1"
"""Part of every key: another schema has other keys, so that versions side by side never read each other's."""
TIMEOUT_S: Final = 2.0
END_S: Final = 0.5
FAILURES: Final = (RedisError, OSError, TimeoutError, msgspec.MsgspecError, KeyError, ValueError)
"""What reading and writing may raise: Redis is gone or slow, or holds what is none of ours."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one app. A generation is everything since a writer last wrote anew; readers see that of the meta
    hash alone."""

    app_id: str

    @property
    def meta(self) -> str:
        """The hash that says which generation counts and how far it has come."""
        return f"{self.app_id}:{SCHEMA}:meta"

    @property
    def channel(self) -> str:
        """Where publications are announced."""
        return f"{self.app_id}:{SCHEMA}:changes"

    def kpi(self, generation: str, kpi: str) -> str:
        """The hash of one KPI: its records as in the values topic, by their keys."""
        return f"{self.app_id}:{SCHEMA}:{generation}:kpi:{kpi}"

    def histograms(self, generation: str) -> str:
        """The hash of the histograms, as MessagePack (JSON has no infinity)."""
        return f"{self.app_id}:{SCHEMA}:{generation}:histograms"

    def deadlines(self, generation: str) -> str:
        """The hash whose one field holds the nearest deadlines, as MessagePack."""
        return f"{self.app_id}:{SCHEMA}:{generation}:deadlines"

    def every(self, generation: str, kpis: Iterable[str]) -> list[str]:
        """All keys of a generation."""
        return [*(self.kpi(generation, kpi) for kpi in kpis), self.histograms(generation), self.deadlines(generation)]


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of the meta hash. ``token`` orders writers, ``sequence`` their publications; ``kpis`` has an id for
    each hash."""

    generation: str
    token: int
    sequence: int
    values_ms: int
    ttl_ms: int
    kpis: tuple[str, ...]

    @classmethod
    def of(cls, fields: Mapping[bytes, bytes]) -> Self | None:
        """What the hash says; None when there is none. Raises msgspec.MsgspecError for what is no meta hash."""
        if not fields:
            return None
        content: dict[str, Any] = {name.decode(): value.decode() for name, value in fields.items()}
        return msgspec.convert({**content, "kpis": content.get("kpis", "").split()}, cls, strict=False)

    def items(self) -> list[str | int]:
        """Names and values in turn, as the hash holds them."""
        fields: dict[str, str | int] = {**msgspec.structs.asdict(self), "kpis": " ".join(self.kpis)}
        return [part for item in fields.items() for part in item]


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """One publication on the channel. ``changed``: records by key, None for those that are gone; None in all: read
    everything anew. ``histograms``, ``deadlines`` None: as before."""

    generation: str
    sequence: int
    values_ms: int
    changed: dict[bytes, bytes | None] | None
    histograms: tuple[KpiHistogram, ...] | None
    deadlines: tuple[Deadline, ...] | None = None


DEADLINES_FIELD: Final = b"nearest"
encode_announcement = msgspec.msgpack.Encoder().encode
decode_announcement = msgspec.msgpack.Decoder(Announcement).decode
encode_histogram = msgspec.msgpack.Encoder().encode
decode_histogram = msgspec.msgpack.Decoder(KpiHistogram).decode


def histogram_field(histogram: KpiHistogram) -> str:
    """The histogram's name in its hash."""
    cut = "&".join(f"{name}={value}" for name, value in sorted(histogram.cut.items()))
    return f"{histogram.kpi}|{histogram.clock or ''}|{cut}"


def in_order(histograms: Iterable[KpiHistogram]) -> tuple[KpiHistogram, ...]:
    """Histograms in the one order that every reader has them in."""
    return tuple(sorted(histograms, key=histogram_field))


async def whole_hash(client: Redis, key: str) -> dict[bytes, bytes]:
    """A hash that is small."""
    return cast("dict[bytes, bytes]", await client.hgetall(key))


def connect(settings: RedisSettings) -> Redis:
    """A client that connects when it is used, and never tries twice: who uses it knows what a lost answer means.

    Raises UserError: no address is set, or a file cannot be read.
    """
    if settings.address is None:
        raise UserError(
            "redis.address is not set: must be HOST:PORT, in [redis] or STREAM_KPI_REDIS__ADDRESS", WRONG_USAGE
        )
    host, _, port = settings.address.strip().rpartition(":")
    path = settings.password_file
    encrypted: dict[str, Any] = {"ssl": True, "ssl_ca_certs": settings.ca_file and str(settings.ca_file)}
    if settings.ca_file is not None and not settings.ca_file.is_file():
        raise refused("redis.ca_file", settings.ca_file, "must be a file that can be read")
    return Redis(
        host=host.strip("[]"),
        port=int(port),
        username=settings.username,
        password=None if path is None else secret_of("redis.password_file", path),
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        **(encrypted if settings.tls else {}),
    )


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a task that uses Redis, and wait for its end.

    One cancellation is not enough: redis-py writes each command inside asyncio.wait_for, and that of Python 3.11
    returns the result and drops a cancellation that comes when the write is done (49 of 600 clients, cancelled while
    they connected or read, ran on).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=END_S)
