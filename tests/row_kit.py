"""One row's record from a story of a few events, by the code of `compute`. Times are minutes after T0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stream_kpi.compute import Computation
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.options import Options
from stream_kpi.windows.kinds import parse
from tests.catalogue_kit import kpi_by_id
from tests.shard_kit import MINUTE_MS, T0_MS, event


def at(minute: float) -> int:
    """Epoch milliseconds."""
    return T0_MS + round(minute * MINUTE_MS)


def assigned(subject: str, minute: float, agent: str | None, **data: Any) -> bytes:
    """An assignment."""
    return event("ticket.assigned", subject, at(minute), f"{subject}/to/{minute}", agent_id=agent, **data)


def solved(subject: str, minute: float, agent: str = "ann", actor: str = "agent") -> bytes:
    """A solve by a known agent."""
    data = {"status": "solved", "actor": actor, "actor_id": agent}
    return event("ticket.status", subject, at(minute), f"{subject}/solved/{minute}", **data)


def wrote(subject: str, minute: float, author: str = "customer", **data: Any) -> bytes:
    """A message."""
    return event("ticket.message", subject, at(minute), f"{subject}/{author}/{minute}", author=author, **data)


def merged(subject: str, minute: float) -> bytes:
    """The ticket goes into another one."""
    return event("ticket.merged", subject, at(minute), f"{subject}/merged", into="X")


def rows(
    kpi: str, lines: Iterable[bytes], window: str = "total", minute: float = 60, options: Options | None = None
) -> list[KpiRecord]:
    """Every record of a row, in the order in which `compute` prints them."""
    computation = Computation(options or Options(), parse(window), at(minute))
    for line in lines:
        assert computation.take(line) is None
    row = kpi_by_id(kpi)
    return list(computation.records([row], set(row.cuts)))


def only(
    kpi: str,
    lines: Iterable[bytes],
    window: str = "total",
    minute: float = 60,
    options: Options | None = None,
    **cut: str,
) -> KpiRecord:
    """The one record of a cut, by default the total's."""
    (record,) = [record for record in rows(kpi, lines, window, minute, options) if record.cut == cut]
    return record
