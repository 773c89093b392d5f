"""Alerts on what goes wrong over days: the backlog, satisfaction, churn."""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis.families import samples_metric
from stream_kpi.publish.rules.alert import Alert, Trial, series, steady
from stream_kpi.publish.rules.kpi_alerts import FEW, row, target

DAY_S: Final = 86_400
HOUR_S: Final = 3_600


def _backlog_age() -> Alert:
    age, limit_s = row("backlog_oldest_age"), target("backlog_oldest_age")
    count = samples_metric(age, "")
    oldest, opened = series(age.metric, stat="p95"), series(count)
    return Alert(
        name="StreamKpiBacklogAge",
        team="support",
        severity="warning",
        scope="kpi",
        for_s=1_800,
        # Not the oldest one alone: that may be a single ticket that waits for a supplier.
        expr=f"""max({age.metric}{{stat="p95"}}) > {limit_s:g}
and max({count}) >= {FEW}""",
        summary="Many open tickets are older than they should become.",
        description="One open ticket in 20 is older than {{ $value | humanizeDuration }}; none should be older than "
        f"{limit_s / DAY_S:g} days.",
        means="A part of the backlog is left lying while newer tickets are answered.",
        checks=(
            "`kpi_group_backlog_oldest_age_seconds` and `kpi_category_backlog_oldest_age_seconds`: whose they are.",
            "`kpi_backlog_unassigned`: how many belong to nobody.",
            "`kpi_status_ticket_backlog`: do they wait for the customer, or for us?",
        ),
        remedy="Give each an owner and a next step today. Close what the customer has not answered for a fortnight, "
        "and say so.",
        trial=Trial(
            fires={oldest: steady(8 * DAY_S), opened: steady(FEW)},
            silent={"at the threshold": {oldest: steady(limit_s)}, "at low volume": {opened: steady(FEW - 1)}},
            labels={},
            value="8d 0h 0m 0s",
        ),
        kpis=("backlog_oldest_age", "ticket_backlog"),
    )


def _backlog_growth() -> Alert:
    backlog, flow = row("ticket_backlog").metric, row("backlog_net_flow").metric
    share = 0.25
    now, grown = series(backlog), series(flow, window="24h")
    before = f'(max({backlog}) - max({flow}{{window="24h"}}))'
    return Alert(
        name="StreamKpiBacklogGrowth",
        team="support",
        severity="warning",
        scope="kpi",
        for_s=1_800,
        expr=f"""max({flow}{{window="24h"}}) > {share} * {before}
and {before} >= {FEW}""",
        summary="The backlog grows faster than it is worked off.",
        description="{{ $value }} more tickets came in within 24 hours than were solved: the backlog has grown by more "
        f"than {share:.0%}.",
        means="More comes in than is solved, over a whole day: tomorrow's customers wait longer than today's.",
        checks=(
            "`kpi_ticket_volume` by category: one cause, or more of everything?",
            "`kpi_backlog_days_to_clear`: how long it would take at this pace.",
            "`kpi_reopen_rate_ratio`: do solved tickets come back?",
        ),
        remedy="If one category explains it, answer it in one place (status page, help article, macro). If not, plan "
        "more hours until the net flow is below zero for as long as it was above.",
        trial=Trial(
            fires={now: steady(130), grown: steady(30)},
            silent={
                "at the threshold": {now: steady(125), grown: steady(25)},
                "at low volume": {now: steady(FEW - 1 + 30)},
            },
            labels={},
            value="30",
        ),
        kpis=("backlog_net_flow", "ticket_backlog"),
    )


def _csat_fall() -> Alert:
    csat = row("csat")
    samples, fall, enough = samples_metric(csat, ""), 0.1, 30
    day, month = series(csat.metric, window="24h"), series(csat.metric, window="30d")
    answers = series(samples, window="24h")
    return Alert(
        name="StreamKpiCsatFall",
        team="success",
        severity="warning",
        scope="kpi",
        for_s=HOUR_S,
        expr=f"""max({csat.metric}{{window="30d"}}) - max({csat.metric}{{window="24h"}}) > {fall}
and max({samples}{{window="24h"}}) >= {enough}""",
        summary="Customers are less satisfied than they were.",
        description="The share of satisfied answers of the last 24 hours is lower by {{ $value | humanizePercentage }} "
        "of all answers than that of the last 30 days.",
        means="Of those who answered the survey, fewer were satisfied than usual, by more than chance explains.",
        checks=(
            '`kpi_category_csat_ratio{window="24h"}` and `kpi_channel_csat_ratio{window="24h"}`: what it is about.',
            '`kpi_first_response_time_seconds{window="24h"}`: did they wait longer?',
            "The comments of yesterday's bad ratings: read ten of them.",
        ),
        remedy="Call some of those who were not satisfied, today. A product's defect goes to its owner with the "
        "number of customers; long waits go to the one who plans the shifts.",
        trial=Trial(
            fires={day: steady(0.65), month: steady(0.85), answers: steady(enough)},
            silent={"below the threshold": {day: steady(0.7501)}, "at low volume": {answers: steady(enough - 1)}},
            labels={},
            value="20%",
        ),
        kpis=("csat",),
    )


def _churn_spike() -> Alert:
    churn = row("churn_rate")
    samples, times, few = samples_metric(churn, ""), 3, 5
    day, month, customers = (
        series(churn.metric, window="24h"),
        series(churn.metric, window="30d"),
        series(samples, window="24h"),
    )
    ratio = f'max({churn.metric}{{window="24h"}})'
    return Alert(
        name="StreamKpiChurnSpike",
        team="success",
        severity="warning",
        scope="kpi",
        for_s=HOUR_S,
        expr=f"""{ratio} * 30 > {times} * max({churn.metric}{{window="30d"}})
and round({ratio} * max({samples}{{window="24h"}})) >= {few}""",
        summary="Far more customers leave than usual.",
        description="At the pace of the last 24 hours {{ $value | humanizePercentage }} of the customers leave in a "
        f"month, more than {times} times as many as in the last 30 days.",
        means="Customers have ended their subscriptions at several times the usual pace within one day.",
        checks=(
            '`kpi_reason_mrr_churned{window="24h"}`: what they gave as the reason.',
            '`kpi_plan_churn_rate_ratio{window="24h"}`: one plan, or all?',
            "A price change, an outage, a failed billing run of the last days.",
        ),
        remedy="If payments failed, stop the cancellations and ask for new means of payment first. Otherwise call the "
        "largest of those who left, and hold back what was changed until the cause is known.",
        trial=Trial(
            fires={day: steady(0.01), month: steady(0.03), customers: steady(1_000)},
            silent={
                "at the threshold": {month: steady(0.1)},
                "at low volume": {customers: steady(440)},
            },
            labels={},
            value="30%",
        ),
        kpis=("churn_rate", "mrr_churned"),
    )


TREND_ALERTS: Final = (_backlog_age(), _backlog_growth(), _csat_fall(), _churn_spike())
"""What is looked at within the day."""
