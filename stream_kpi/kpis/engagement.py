"""Rows about visitors, users and mentions (pure)."""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis import rows
from stream_kpi.kpis.distinct import DistinctRatio, LevelRatio
from stream_kpi.kpis.formulas import CohortRatio, Count, MeanDuration, PartDistribution
from stream_kpi.kpis.levels import Level
from stream_kpi.kpis.rows import Area, Kpi, KpiKind
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Measure

_PLAN: Final = (rows.TOTAL_CUT, "plan")
_NETWORK: Final = (rows.TOTAL_CUT, "network")


def _active_users(kpi_id: str, title: str, measure: Measure, time: str, advice: str) -> Kpi:
    return Kpi(
        id=kpi_id,
        title=title,
        area=Area.ENGAGEMENT,
        unit="users",
        kind=KpiKind.LEVEL,
        direction="up",
        target=None,
        cuts=_PLAN,
        windows=rows.INSTANT,
        formula=Level(measure),
        definition=f"Distinct users with an activity in the trailing {time}, counted exactly; by plan, a user counts "
        "under each plan that such an activity names.",
        advice=advice,
    )


VISITS: Final = (
    Kpi(
        id="conversion_rate",
        title="Conversion rate",
        area=Area.ENGAGEMENT,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.02,
        cuts=(rows.TOTAL_CUT, "channel", "goal"),
        windows=(*rows.FLOW_WINDOWS, *rows.MONTH),
        formula=DistinctRatio(registry.CONVERTED_VISITORS, registry.VISITORS, by_total="goal"),
        definition="Distinct visitors with a visit and a conversion in the window / distinct visitors with a visit in "
        "it, counted exactly. By channel: of the visits; who came by two counts under both. By goal: those who "
        "reached it / all visitors.",
        advice="Compare channels first. If one falls, look at what it promises and where it lands; if all fall, walk "
        "through the form or checkout yourself, and read the chats that began on those pages.",
    ),
    Kpi(
        id="bounce_rate",
        title="Bounce rate",
        area=Area.ENGAGEMENT,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="down",
        target=0.5,
        cuts=(rows.TOTAL_CUT, "channel"),
        windows=rows.FLOW_WINDOWS,
        formula=CohortRatio(registry.COHORT_BOUNCES, registry.COHORT_VISITS),
        definition="Visits that no other signal of the visitor followed within 30 minutes / visits, only of visits at "
        "least 30 minutes old. A rolling window shows the window of the same length that ended 30 minutes ago.",
        advice="Open the landing pages of the worst channel on a phone: how long until they show, and do they answer "
        "what the advertisement or the search asked? A help page may bounce because it answered.",
    ),
)

USERS: Final = (
    Kpi(
        id="activation_rate",
        title="Activation rate",
        area=Area.ENGAGEMENT,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.4,
        cuts=(rows.TOTAL_CUT, "channel", "plan"),
        windows=(*rows.TOTAL_WINDOW, *rows.TUMBLING, *rows.MONTH),
        formula=CohortRatio(registry.COHORT_ACTIVATED, registry.COHORT_SIGNUPS),
        definition="Sign-ups whose user performed definitions.activation_action within "
        "definitions.activation_window_days (7) / sign-ups, only of sign-ups at least as old. No value while the "
        "action is not set. A rolling window shows the window of the same length that ended so long ago.",
        advice="Find the step between sign-up and the action at which most give up, and have support reach out there "
        "within the first hour. If one channel activates badly, it brings people who want something else.",
    ),
    _active_users(
        "dau",
        "Daily active users (DAU)",
        registry.DAILY_ACTIVE_USERS,
        "24 hours",
        "Compare with the same weekday of last week. A sudden fall is an outage or a broken login until shown "
        "otherwise: look at status and tickets before anything else.",
    ),
    _active_users(
        "wau",
        "Weekly active users (WAU)",
        registry.WEEKLY_ACTIVE_USERS,
        "7 days",
        "If it falls while sign-ups hold, new users try once and leave: see which action those who stay have in "
        "common in their first week, and lead the others there.",
    ),
    _active_users(
        "mau",
        "Monthly active users (MAU)",
        registry.MONTHLY_ACTIVE_USERS,
        "30 days",
        "A fall comes before churn. List the paying customers whose users have stopped coming, and have their "
        "contacts called by somebody who knows their tickets.",
    ),
    Kpi(
        id="stickiness",
        title="Stickiness (DAU / MAU)",
        area=Area.ENGAGEMENT,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.2,
        cuts=_PLAN,
        windows=rows.INSTANT,
        formula=LevelRatio(registry.DAILY_ACTIVE_USERS, registry.MONTHLY_ACTIVE_USERS),
        definition="Users of the trailing 24 hours / users of the trailing 30 days.",
        advice="Ask what would bring a monthly user back tomorrow: a report, a reminder, a colleague's answer. A rise "
        "because MAU falls is no success, so read both.",
    ),
)

SOCIAL: Final = (
    Kpi(
        id="social_mentions",
        title="Social mentions",
        area=Area.SOCIAL,
        unit="count",
        kind=KpiKind.COUNT,
        direction="none",
        target=None,
        cuts=_NETWORK,
        windows=rows.FLOW_WINDOWS,
        formula=Count(registry.MENTIONS),
        definition="Mentions of the organisation on social networks in the window.",
        advice="A peak is a campaign, a press article or an outage: find out which within minutes, give agents one "
        "agreed answer, and move someone from email to the network where it happens.",
    ),
    Kpi(
        id="social_sentiment",
        title="Sentiment of mentions",
        area=Area.SOCIAL,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="none",
        target=None,
        cuts=_NETWORK,
        windows=rows.FLOW_WINDOWS,
        formula=PartDistribution(registry.MENTIONS),
        definition="Mentions of each sentiment - positive, neutral, negative, or unknown where none is stated - / "
        "mentions. One record a class.",
        advice="When the negative share rises, read twenty mentions before you act: one bug, one price or one agent "
        "explains most of them. Reply there with what you have done about it, and count again the day after.",
    ),
    Kpi(
        id="social_response_time",
        title="Response time to mentions",
        area=Area.SOCIAL,
        unit="seconds",
        kind=KpiKind.DURATION,
        direction="down",
        target=3_600,
        cuts=_NETWORK,
        windows=rows.FLOW_WINDOWS,
        formula=MeanDuration(registry.SOCIAL_RESPONSE),
        definition="First reply less the mention, in the window of the reply; mentions without a reply are not in it.",
        advice="Route mentions into the same queue as tickets, with the network as their channel and a shift that "
        "covers evenings. Answer negative ones first, in public, and go on in private.",
    ),
)
