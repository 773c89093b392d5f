"""Rows about what customers answer (pure)."""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis import rows
from stream_kpi.kpis.formulas import CohortRatio, Distribution, MeanScore, Ratio
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
    Kpi(
        id="csat_distribution",
        title="Satisfaction by class",
        area=Area.SURVEYS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="none",
        target=None,
        cuts=rows.AGENT_CUTS,
        windows=(*rows.FLOW_WINDOWS, *rows.MONTH),
        formula=Distribution(
            (
                ("very_positive", registry.CSAT_CLASS_VERY_POSITIVE),
                ("positive", registry.CSAT_CLASS_POSITIVE),
                ("neutral", registry.CSAT_CLASS_NEUTRAL),
                ("poor", registry.CSAT_CLASS_POOR),
                ("very_poor", registry.CSAT_CLASS_VERY_POOR),
            ),
            registry.CSAT_ANSWERS,
        ),
        definition="Answers of each class / answers: on the scale 1..5 very positive from 4.5, positive from 3.5, "
        "neutral from 2.5, poor from 1.5, below that very poor. One record a class.",
        advice="Two humps, very positive and very poor, are two different services under one name: find the category "
        "or shift that divides them. Many neutral answers mean that problems are solved late or only halfway; ask "
        "five of those customers what was missing.",
    ),
)

RESPONSE: Final = (
    Kpi(
        id="survey_response_rate",
        title="Survey response rate",
        area=Area.SURVEYS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.2,
        cuts=(*rows.AGENT_CUTS, "kind"),
        windows=(*rows.TOTAL_WINDOW, *rows.TUMBLING, *rows.MONTH),
        formula=CohortRatio(registry.COHORT_SURVEYS_ANSWERED, registry.COHORT_SURVEYS_SENT),
        definition="Surveys that were answered within 7 days / surveys sent, in the window in which they were sent "
        "and only of surveys sent at least 7 days ago. A reminder is no other survey. A rolling window shows the "
        "window of the same length that ended 7 days ago.",
        advice="Below a tenth the satisfaction figures speak for few customers. Ask one question in the message "
        "itself, sooner after the solve, and once; if one channel alone is low, check that its surveys arrive at all.",
    ),
)

EFFORT: Final = (
    Kpi(
        id="ces_score",
        title="Customer effort score (CES)",
        area=Area.SURVEYS,
        unit="score",
        kind=KpiKind.SCORE,
        direction="up",
        target=5.5,
        cuts=(rows.TOTAL_CUT, "channel", "category"),
        windows=rows.MONTH,
        formula=MeanScore(registry.CES_SCORE),
        definition="Mean of the answers to how easy it was, on the scale 1..7, other scales mapped to it. A re-rating "
        "replaces the answer in the first answer's window.",
        advice="Take the category with the least score and walk its way as a customer would: count how often one has "
        "to ask again, repeat what was said, or change the channel, and remove the step that most complain about.",
    ),
    Kpi(
        id="ces_share",
        title="Customers who found it easy",
        area=Area.SURVEYS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.75,
        cuts=(rows.TOTAL_CUT, "channel", "category"),
        windows=rows.MONTH,
        formula=Ratio(registry.CES_EASY, registry.CES_SCORE),
        definition="Answers of at least 5 on the effort scale 1..7 / answers, other scales mapped to 1..7.",
        advice="If it falls while the mean effort score stays, a few customers have a hard time that many easy cases "
        "hide: read the answers below 5 of one week and fix the cause that most of them share.",
    ),
)
