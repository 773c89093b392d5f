"""Records of the history topic: what windows with fixed bounds said when they became final, and corrections since."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import asdict, replace

from stream_kpi.kpis.record import KpiRecord


class HistoryRecord(KpiRecord, frozen=True, kw_only=True):
    """One value of one KPI in a window that is final, of one cut; a later revision of it replaces this one.

    ``status`` is ``final`` when it is told for the first time (``revision`` 0), then ``revised``, and ``former`` is the
    value that stood before. Key and ``revision`` together name a record: what comes twice is the same. ``withdrawn``:
    nothing of the cut is left in the window, as if it had never been told; ``value`` is then null.
    """

    status: Literal["final", "revised"]
    former: float | int | None
    withdrawn: bool


_encode = msgspec.json.Encoder().encode


def history_value(record: KpiRecord, former: KpiRecord | None) -> bytes:
    """The history topic's value for a final record; ``former``: what stood in its place."""
    return _encode(_told(record, former))


def withdrawn_value(former: KpiRecord, as_of: str) -> bytes:
    """The same when nothing stands in the place of ``former`` any more, one revision later."""
    nothing = replace(
        former,
        value=None,
        stats=None,
        numerator=None,
        denominator=None,
        samples=None if former.samples is None else 0,
        interval=msgspec.UNSET,
        as_of=as_of,
        revision=former.revision + 1,
    )
    return _encode(_told(nothing, former, withdrawn=True))


def _told(record: KpiRecord, former: KpiRecord | None, *, withdrawn: bool = False) -> HistoryRecord:
    return HistoryRecord(
        **asdict(record),
        status="revised" if record.revision else "final",
        former=None if former is None else former.value,
        withdrawn=withdrawn,
    )
