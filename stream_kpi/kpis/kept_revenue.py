"""Rows about the revenue that customers keep bringing (pure)."""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis import rows
from stream_kpi.kpis.kept import GrossRetention, LifetimeValue, NetRetention
from stream_kpi.kpis.rows import Area, Kpi, KpiKind

_PLAN: Final = (rows.TOTAL_CUT, "plan")

ROWS: Final = (
    Kpi(
        id="grr",
        title="Gross revenue retention (GRR)",
        area=Area.REVENUE,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.9,
        cuts=_PLAN,
        windows=(*rows.MONTH, *rows.YEAR),
        formula=GrossRetention(),
        definition="Of the customers with an MRR at the window's start: what is left of it at the window's end, no "
        "more than it was / what it was, by currency. Who left and came back counts as there. The 12 months are "
        "rolling:365d. No value under total.",
        advice="Growth cannot hide this one: list who shrank and who left, greatest loss first, and read their tickets "
        "of the last weeks. Where several name one missing thing, that is the next to be built.",
    ),
    Kpi(
        id="nrr",
        title="Net revenue retention (NRR)",
        area=Area.REVENUE,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=1.0,
        cuts=_PLAN,
        windows=(*rows.MONTH, *rows.YEAR),
        formula=NetRetention(),
        definition="MRR at the window's end / MRR at its start, both of the customers that had one at its start, by "
        "currency. Who left and came back counts as there. The 12 months are rolling:365d. No value under total.",
        advice="Below 1, customers are worth less each month that you keep them. If gross retention is good, what is "
        "missing is growth: tell those who reach a plan's limits of the next one.",
    ),
    Kpi(
        id="clv",
        title="Customer lifetime value (CLV)",
        area=Area.REVENUE,
        unit="money",
        kind=KpiKind.MONEY,
        direction="up",
        target=None,
        cuts=_PLAN,
        windows=rows.MONTH,
        formula=LifetimeValue(),
        definition="ARPU at the window's end x gross margin / churn rate of the window (customers of all currencies). "
        "No value at churn 0, nor while definitions.gross_margin is not set.",
        advice="Lower the churn of the plan with the lowest value before you raise its price: half the churn doubles "
        "the value. Never spend more to win a customer than a third of it.",
    ),
)
