"""What a row of the catalogue is, and the names that rows are made of (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final, Literal

import msgspec

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


class Area(Enum):
    """What a KPI is about. A cut in which an area has nothing at all has no records of that area."""

    TICKETS = "tickets"
    CONTACTS = "contacts"
    CHATS = "chats"
    SURVEYS = "surveys"
    REVENUE = "revenue"


TOTAL_CUT: Final = "total"
ALL_CUTS: Final = (TOTAL_CUT, "channel", "priority", "category", "group", "brand")
"""kpis.md's "all"; a chat's group is its queue's."""
AGENT_CUTS: Final = (*ALL_CUTS, "agent")
"""kpis.md's "all A"."""

ROLLING: Final = ("rolling:5m", "rolling:15m", "rolling:1h", "rolling:4h", "rolling:24h", "rolling:7d")
TODAY: Final = ("today",)
TUMBLING: Final = ("tumbling:5m", "tumbling:1h", "tumbling:1d")
MONTH: Final = ("month", "rolling:30d")
TOTAL_WINDOW: Final = ("total",)
INSTANT: Final = ("instant",)
FLOW_WINDOWS: Final = (*ROLLING, *TODAY, *TUMBLING, *TOTAL_WINDOW)
"""kpis.md's R T B."""

_SUFFIX: Final[Mapping[KpiKind, str]] = {
    KpiKind.COUNT: "",
    KpiKind.LEVEL: "",
    KpiKind.RATIO: "_ratio",
    KpiKind.DURATION: "_seconds",
    KpiKind.AGE: "_seconds",
    KpiKind.SCORE: "",
    KpiKind.MONEY: "",
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

    @property
    def metric(self) -> str:
        """Name of its Prometheus family for the total; see :meth:`cut_metric` for the others."""
        return f"kpi_{self.id}{_SUFFIX[self.kind]}"

    def cut_metric(self, dimension: str) -> str:
        """Name of its Prometheus family for the cuts of one dimension."""
        return f"kpi_{dimension}_{self.id}{_SUFFIX[self.kind]}"

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
            "area": self.area.value,
        }


def measures_read(rows: Iterable[Kpi]) -> frozenset[Measure]:
    """What the rows' formulas read."""
    return frozenset(measure for row in rows for measure in row.formula.measures)
