"""Rows about what customers answer (pure)."""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis import rows
from stream_kpi.kpis.formulas import MeanScore, Ratio
from stream_kpi.kpis.rows import Area, Kpi, KpiKind
from stream_kpi.measures import registry

SATISFACTION: Final = (
    Kpi(
        id="csat",
        title="Customer satisfaction (CSAT)",
        area=Area.SURVEYS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.85,
        cuts=rows.AGENT_CUTS,
        windows=(*rows.FLOW_WINDOWS, *rows.MONTH),
        formula=Ratio(registry.CSAT_POSITIVE, registry.CSAT_ANSWERS),
        definition="Answers of at least 4 on the scale 1..5 / answers, other scales mapped to 1..5. A re-rating "
        "replaces the answer in the first answer's window; credited to the solver, else the assignee.",
        advice="Look at the interval first: below 30 answers it says little. Then read the negative answers of the "
        "worst category with its agents, call back three of those customers, and fix what two of them name.",
    ),
    Kpi(
        id="csat_score",
        title="Satisfaction score",
        area=Area.SURVEYS,
        unit="score",
        kind=KpiKind.SCORE,
        direction="up",
        target=4.3,
        cuts=rows.AGENT_CUTS,
        windows=(*rows.FLOW_WINDOWS, *rows.MONTH),
        formula=MeanScore(registry.CSAT_SCORE),
        definition="Mean of the answers on the scale 1..5, other scales mapped to it.",
        advice="If the score falls while CSAT stays, delighted customers became merely content: look at waits and "
        "tone. If both fall, start with the tickets that were rated 1.",
    ),
)
