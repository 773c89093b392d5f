"""The KPI records that a report is made of, from a computation over files (pure).

Each period is read as it stood at its end, from a computation of its own that knows nothing later: so cohorts that are
not yet decided, and what was taken back since, weigh on both sides of a comparison alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from stream_kpi.compute import Computation
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.kpis.rows import Kpi
from stream_kpi.reports.period import Period, PeriodKind
from stream_kpi.windows.kinds import ROLLING, TODAY, TUMBLING, Rolling, Tumbling
from stream_kpi.windows.tiers import DAYS, FIVE_MINUTES, HOURS

TIERS: Final = (FIVE_MINUTES, HOURS, DAYS)
"""What a computation has to keep for a report."""
VOLUME_ROWS: Final = ("ticket_volume", "chat_volume")
"""What the charts of volumes show."""
CATEGORY_ROWS: Final = (
    "ticket_volume",
    "ticket_category_share",
    "ticket_backlog",
    "first_response_time",
    "resolution_time_full",
    "fcr_provisional",
    "sla_achievement",
    "csat",
)
"""The columns of the table of categories."""
CHANNEL_ROWS: Final = (
    "preferred_channel_share",
    "ticket_volume",
    "chat_volume",
    "first_response_time",
    "response_time_compliance",
    "service_level",
    "chat_abandonment_rate",
    "csat",
)
"""The columns of the table of channels."""
AGENT_ROWS: Final = (
    "first_response_time",
    "next_reply_time",
    "resolution_time_full",
    "fcr_provisional",
    "transfers",
    "handle_time",
    "agent_occupancy",
    "sla_achievement",
    "csat",
)
"""The columns of the table of agents."""
TABLES: Final = {"channel": CHANNEL_ROWS, "category": CATEGORY_ROWS, "agent": AGENT_ROWS}
"""The columns of the tables by dimension, of those that the catalogue has."""

_KINDS: Final = {kind.name: kind for kind in TUMBLING}
_THIRTY_DAYS: Final = next(kind for kind in ROLLING if kind.name == "rolling:30d")


class Readings(NamedTuple):
    """Records of one report. Those of the totals but for ``cuts``."""

    current: Sequence[KpiRecord]
    """One a KPI, clock, currency and class, as of the period's end."""
    before: Sequence[KpiRecord]
    """The same of the period before; empty where nothing is known of it."""
    inside: Sequence[KpiRecord]
    """Windows that follow each other inside the period: days, of a day its hours."""
    hours: Sequence[KpiRecord]
    """The hours of the period, of the volumes; empty where they are not kept for all of it."""
    cuts: Sequence[KpiRecord]
    """As current, by the dimensions of the tables, of their columns."""


def step_of(kind: PeriodKind) -> Tumbling:
    """The windows that a period of the kind is divided into."""
    return _KINDS["tumbling:1h" if kind is PeriodKind.DAY else "tumbling:1d"]


def totals(computation: Computation, rows: Iterable[Kpi], period: Period) -> list[KpiRecord]:
    """Every row's records of a period: those that mean little in so short a span over 30 days to its end."""
    rows = list(rows)
    own = [row for row in rows if _fits(row, period.kind)]
    longer = [row for row in rows if not _fits(row, period.kind)]
    return [
        *computation.latest(_window(period), own, ()),
        *computation.latest(_THIRTY_DAYS, longer, ()),
    ]


def read(computation: Computation, rows: Sequence[Kpi], period: Period, before: Sequence[KpiRecord]) -> Readings:
    """All records of a report on a period, at whose ``at_ms`` the computation stands."""
    step = step_of(period.kind)
    tabled = {kpi for columns in TABLES.values() for kpi in columns}
    cuts = computation.latest(_window(period), [row for row in rows if row.id in tabled], TABLES)
    stepped = [row for row in rows if row.stands or step.name in row.windows]
    volumes = [row for row in rows if row.id in VOLUME_ROWS]
    return Readings(
        current=totals(computation, rows, period),
        before=before,
        inside=list(computation.series(step, stepped, period.start_ms)),
        hours=list(computation.series(_KINDS["tumbling:1h"], volumes, period.start_ms)),
        cuts=[record for record in cuts if record.cut],
    )


def _fits(row: Kpi, kind: PeriodKind) -> bool:
    """Whether the row is published for windows as short as the period."""
    return kind is PeriodKind.MONTH or row.stands or bool({"today", "rolling:7d"} & set(row.windows))


def _window(period: Period) -> Rolling | Tumbling:
    if period.kind is PeriodKind.DAY:
        return TODAY
    if period.kind is PeriodKind.MONTH:
        return _KINDS["month"]
    # Its grain of five minutes starts it exactly at the midnight, in any zone.
    return Rolling("rolling:7d", period.at_ms - period.start_ms, FIVE_MINUTES)
