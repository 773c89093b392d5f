"""What a row of the catalogue is, and the names that rows are made of (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final, Literal

import msgspec
from msgspec.structs import replace

from stream_kpi.kpis.formulas import Formula
from stream_kpi.measures.registry import Measure

Direction = Literal["up", "down", "none"]
"""Which way is good."""


class KpiKind(Enum):
    """What sort of number a KPI is."""

    COUNT = "count"
    LEVEL = "level"
    RATIO = "ratio"
    DURATION = "duration"
    AGE = "age"
    SCORE = "score"
    MONEY = "money"
    MONTHS = "months"
    TIME = "time"
    """Seconds in one figure: added up, or what a formula of the settings makes of them."""
    LEFT = "left"
    """Seconds until something comes; of several, the least."""
    QUOTIENT = "quotient"
    """So much of one thing for each of another, in a unit of its own."""


class Area(Enum):
    """What a KPI is about. A cut in which an area has nothing at all has no records of that area."""

    TICKETS = "tickets"
    CONTACTS = "contacts"
    CHATS = "chats"
    AGENTS = "agents"
    SLA = "sla"
    SURVEYS = "surveys"
    REVENUE = "revenue"
    COSTS = "costs"
    ENGAGEMENT = "engagement"
    SOCIAL = "social"
    CUSTOMERS = "customers"


TOTAL_CUT: Final = "total"
ALL_CUTS: Final = (TOTAL_CUT, "channel", "priority", "category", "group", "brand")
"""The total and every dimension that tickets and chats have; a chat's group is its queue's."""
AGENT_CUTS: Final = (*ALL_CUTS, "agent")
"""Of what agents are credited with."""

CLASS: Final = "class"
"""Beside its cut, a record of a distribution names its class under this. No dimension has this name."""

ROLLING: Final = ("rolling:5m", "rolling:15m", "rolling:1h", "rolling:4h", "rolling:24h", "rolling:7d")
TODAY: Final = ("today",)
TUMBLING: Final = ("tumbling:5m", "tumbling:1h", "tumbling:1d")
MONTH: Final = ("month", "rolling:30d")
QUARTER: Final = ("rolling:90d",)
YEAR: Final = ("rolling:365d",)
TOTAL_WINDOW: Final = ("total",)
INSTANT: Final = ("instant",)
FLOW_WINDOWS: Final = (*ROLLING, *TODAY, *TUMBLING, *TOTAL_WINDOW)
"""Of what is counted as it happens: rolling, fixed, since the beginning."""

_SUFFIX: Final[Mapping[KpiKind, str]] = {
    KpiKind.COUNT: "",
    KpiKind.LEVEL: "",
    KpiKind.RATIO: "_ratio",
    KpiKind.DURATION: "_seconds",
    KpiKind.AGE: "_seconds",
    KpiKind.SCORE: "",
    KpiKind.MONEY: "",
    KpiKind.MONTHS: "_months",
    KpiKind.TIME: "_seconds",
    KpiKind.LEFT: "_seconds",
    KpiKind.QUOTIENT: "",
}


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """One row: everything that metrics, records, dashboards and docs are generated from."""

    id: str
    title: str
    area: Area
    unit: str
    """Of the value. A record of money has its currency's code in place of ``money``."""
    kind: KpiKind
    direction: Direction
    target: float | None
    """A default to compare with, in the unit; None where only the organisation can know."""
    cuts: tuple[str, ...]
    windows: tuple[str, ...]
    """Window kinds that are published live; `compute` prints every kind in which the row means something."""
    formula: Formula
    definition: str
    advice: str
    """What to do when it is bad."""
    clock: Literal["calendar", "business"] | None = None
    """The clock of its durations; None where there is only one."""
    business_formula: Formula | None = None
    """The same on the business clock, for rows that have both."""
    beside: tuple[Area, ...] = ()
    """Other areas that it is about too: a cut that any of them knows has records of it."""
    metric_id: str = ""
    """What its Prometheus families are named by where the id will not do: it names a unit that is none of theirs."""
    variant: dict[str, str] = {}
    """What else tells its records from those of the catalogue's row, ``{"preset": "amazon"}``."""

    @property
    def on_business_clock(self) -> Kpi | None:
        """The row's twin, which differs in the clock; None where there is only one."""
        if self.business_formula is None:
            return None
        title = f"{self.title}, business hours"
        return replace(self, title=title, formula=self.business_formula, clock="business", business_formula=None)

    @property
    def stem(self) -> str:
        """What the names of its Prometheus families are made of. The business clock has families of its own, not a
        label: a sum or a mean over a label would mix the two."""
        stem = self.metric_id or self.id
        return f"{stem}_business" if self.clock == "business" else stem

    @property
    def metric(self) -> str:
        """Name of its Prometheus family for the total; see :meth:`cut_metric` for the others."""
        return f"kpi_{self.stem}{_SUFFIX[self.kind]}"

    def cut_metric(self, dimension: str) -> str:
        """Name of its Prometheus family for the cuts of one dimension."""
        return f"kpi_{dimension}_{self.stem}{_SUFFIX[self.kind]}"

    @property
    def stands(self) -> bool:
        """Whether it is a value at an instant, not of a window."""
        return self.windows[0] in INSTANT

    def as_json(self) -> dict[str, Any]:
        """The row for machines: what `stream-kpi catalogue --format json` prints."""
        return {
            "id": self.id,
            "title": self.title,
            "unit": self.unit,
            "kind": self.kind.value,
            "direction": self.direction,
            "target": self.target,
            "cuts": list(self.cuts),
            "windows": list(self.windows),
            "formula": self.formula.text,
            "definition": self.definition,
            "advice": self.advice,
            "metric": self.metric,
            "clock": self.clock,
            "business_metric": None if self.on_business_clock is None else self.on_business_clock.metric,
            "area": self.area.value,
        }


def measures_read(rows: Iterable[Kpi]) -> frozenset[Measure]:
    """What the rows' formulas read."""
    return frozenset(measure for row in rows for measure in row.formula.measures)
