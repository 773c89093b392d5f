"""Alerts on the KPIs themselves. What is bad is the catalogue's target, and how far from it is written here; each wants
so much to have happened that a quiet night cannot look like a crisis.

Several workers may show one value for a moment (the merge moves), and an exporter shows it too: expressions take the
greatest or the least over them.
"""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.families import samples_metric
from stream_kpi.kpis.rows import Kpi
from stream_kpi.publish.rules.alert import Alert, Trial, series, steady

_ROWS: Final = {kpi.id: kpi for kpi in catalogue()}

FEW: Final = 20
"""Below so many samples a ratio says nothing yet."""


def row(kpi_id: str) -> Kpi:
    """A row of the catalogue."""
    return _ROWS[kpi_id]


def target(kpi_id: str) -> float:
    """The row's target. Raises ValueError for a row without one: an alert needs something to compare with."""
    value = row(kpi_id).target
    if value is None:
        raise ValueError(f"{kpi_id} has no target in the catalogue")
    return value


def _allowed(kpi_id: str) -> float:
    """The share that may be bad before somebody is told: twice what the target leaves."""
    return round(2 * (1 - target(kpi_id)), 6)


def _first_response_breaches() -> Alert:
    kept = row("sla_achievement").cut_metric("metric")
    missed = row("sla_breaches").cut_metric("metric")
    allowed, few = _allowed("sla_achievement"), 10
    of = {"metric": "first_response"}
    ratio_1h, ratio_5m = series(kept, window="1h", **of), series(kept, window="5m", **of)
    missed_1h = series(missed, window="1h", **of)
    return Alert(
        name="StreamKpiFirstResponseBreaches",
        team="support",
        severity="critical",
        scope="kpi",
        for_s=300,
        expr=f"""1 - min({kept}{{metric="first_response",window="1h"}}) > {allowed:g}
and 1 - min({kept}{{metric="first_response",window="5m"}}) > {allowed:g}
and max({missed}{{metric="first_response",window="1h"}}) >= {few}""",
        summary="Too many first responses miss their promised time.",
        description="{{ $value | humanizePercentage }} of the first responses decided in the last hour missed their "
        f"service level, more than {allowed:.0%}, and those of the last 5 minutes do too.",
        means="Customers wait longer for a first answer than they were promised, in the last hour and still now.",
        checks=(
            '`kpi_group_sla_achievement_ratio{window="1h"}`: is it one group or all?',
            "`kpi_backlog_unattended`: how many open tickets nobody has answered.",
            "`kpi_ticket_volume` against the same hour a week ago: more tickets, or fewer agents?",
        ),
        remedy="Put agents on unanswered tickets, those with the least time left first; send a short honest first "
        "answer where a full one takes longer. If more came in than usual, tell customers what to expect.",
        trial=Trial(
            fires={ratio_1h: steady(0.8), ratio_5m: steady(0.7), missed_1h: steady(few)},
            silent={
                "at the threshold": {ratio_1h: steady(1 - allowed)},
                "over in the last 5 minutes": {ratio_5m: steady(1)},
                "at low volume": {missed_1h: steady(few - 1)},
            },
            labels={},
            value="20%",
        ),
        kpis=("sla_achievement", "sla_breaches"),
    )


def _sla_at_risk() -> Alert:
    at_risk = row("sla_at_risk").cut_metric("metric")
    decided = samples_metric(row("sla_achievement"), "metric")
    few, allowed = 10, _allowed("sla_achievement")
    risky = series(at_risk, metric="first_response")
    decided_1h = series(decided, metric="first_response", window="1h")
    # `answer` has targets of seconds: shorter than any horizon, so all that wait are at risk.
    ticket = 'metric!="answer"'
    return Alert(
        name="StreamKpiSlaAtRisk",
        team="support",
        severity="warning",
        scope="kpi",
        for_s=120,
        # So many that, were they missed, the hour would have more than its share.
        expr=f"""max by (metric) ({at_risk}{{{ticket}}}) >= {few}
and max by (metric) ({at_risk}{{{ticket}}}) > {allowed:g} * max by (metric) ({decided}{{{ticket},window="1h"}})""",
        summary="Many service levels are about to be missed.",
        description="{{ $value }} running service levels of {{ $labels.metric }} are within their policy's horizon of "
        f"the deadline, more than {allowed:.0%} of what an hour decides: they can still be kept.",
        means="Nothing is missed yet. Unless somebody works on these first, it will be within the policy's horizon.",
        checks=(
            "`kpi_metric_sla_next_breach_in_seconds`: how soon the first one is due.",
            "`kpi_group_sla_at_risk` and `kpi_priority_sla_at_risk`: where they are.",
            "The topic `support.sla.events.v1`: one event for each ticket, with its deadline.",
        ),
        remedy="Sort the queue by deadline and work from the top until the alert resolves; move agents to the group "
        "that has most of them. If it fires every day and nothing is missed, the policy's horizon is too long.",
        trial=Trial(
            fires={risky: steady(12), decided_1h: steady(100)},
            silent={
                "at the threshold": {decided_1h: steady(12 / allowed)},
                "at low volume": {risky: steady(few - 1), decided_1h: steady(few)},
            },
            labels={"metric": "first_response"},
            value="12",
        ),
        kpis=("sla_at_risk", "sla_next_breach_in"),
    )


def _sla_breached_now() -> Alert:
    breaches = row("sla_breaches").cut_metric("metric")
    decided = samples_metric(row("sla_achievement"), "metric")
    few, allowed = 5, _allowed("sla_achievement")
    of = {"metric": "resolution", "window": "5m"}
    missed, all_of_them = series(breaches, **of), series(decided, **of)
    return Alert(
        name="StreamKpiSlaBreachedNow",
        team="support",
        severity="warning",
        scope="kpi",
        for_s=60,
        expr=f"""max by (metric) ({breaches}{{window="5m"}}) >= {few}
and max by (metric) ({breaches}{{window="5m"}}) > {allowed:g} * max by (metric) ({decided}{{window="5m"}})""",
        summary="Service levels are being missed right now.",
        description="{{ $value }} service levels of {{ $labels.metric }} were missed in the last 5 minutes, more than "
        f"{allowed:.0%} of those decided.",
        means="Deadlines pass while the tickets or chats behind them are still open.",
        checks=(
            "The topic `support.sla.events.v1`, type `sla.breached`: which tickets, whose.",
            '`kpi_group_sla_breaches{window="5m"}`: where.',
            '`kpi_metric_sla_breach_size_seconds{window="1h"}`: by seconds, or by hours?',
        ),
        remedy="Answer what was missed today, largest customers first. Many at one moment are a batch of tickets that "
        "came at one moment: look for their common cause before answering each.",
        trial=Trial(
            fires={missed: steady(few), all_of_them: steady(40)},
            silent={
                "at the threshold": {all_of_them: steady(few / allowed)},
                "at low volume": {missed: steady(few - 1), all_of_them: steady(few - 1)},
            },
            labels={"metric": "resolution"},
            value="5",
        ),
        kpis=("sla_breaches",),
    )


def _queue_wait() -> Alert:
    waited, waiting = row("longest_wait"), row("queue_length")
    limit, few = target(waited.id), 3
    longest, queued = series(waited.metric, stat="max"), series(waiting.metric)
    return Alert(
        name="StreamKpiQueueWait",
        team="support",
        severity="warning",
        scope="kpi",
        for_s=180,
        expr=f"""max({waited.metric}{{stat="max"}}) > {limit:g}
and max({waiting.metric}) >= {few}""",
        summary="Chats or calls wait too long to be answered.",
        description="The longest wait in the queue is {{ $value | humanizeDuration }}, above the target of "
        f"{limit:g} s, and at least {few} are waiting.",
        means="People wait on the line or in the chat, and the longer they wait the more of them leave.",
        checks=(
            "`kpi_group_queue_length` and `kpi_group_longest_wait_seconds`: which queue.",
            "`kpi_agents_required` against the agents who are there.",
            '`kpi_chat_abandonment_rate_ratio{window="5m"}`: are they leaving already?',
        ),
        remedy="Bring agents from tickets to chats and calls for the peak, offer callbacks, and shorten what is said "
        "in the queue to the truth about the wait.",
        trial=Trial(
            fires={longest: steady(limit + 60), queued: steady(few)},
            silent={"at the threshold": {longest: steady(limit)}, "at low volume": {queued: steady(few - 1)}},
            labels={},
            value="3m 0s",
        ),
        kpis=("longest_wait", "queue_length"),
    )


def _abandonment() -> Alert:
    rate = row("chat_abandonment_rate")
    samples = samples_metric(rate, "")
    limit = round(2 * target(rate.id), 6)
    ratio, count = series(rate.metric, window="1h"), series(samples, window="1h")
    return Alert(
        name="StreamKpiAbandonment",
        team="support",
        severity="warning",
        scope="kpi",
        for_s=600,
        expr=f"""max({rate.metric}{{window="1h"}}) > {limit:g}
and max({samples}{{window="1h"}}) >= {FEW}""",
        summary="Too many people leave the queue before they are answered.",
        description="{{ $value | humanizePercentage }} of the chats and calls of the last hour were abandoned, more "
        f"than twice the target of {target(rate.id):.0%}.",
        means="People who wanted to reach support gave up. They come back as tickets, as complaints, or not at all.",
        checks=(
            "`kpi_group_chat_abandonment_rate_ratio`: which queue.",
            "`kpi_longest_wait_seconds` and `kpi_queue_length`: is it still going on?",
            "`kpi_abandon_time_seconds`: how long people were ready to wait.",
        ),
        remedy="Add agents to the queue that loses most, offer callbacks, and call back those who left today.",
        trial=Trial(
            fires={ratio: steady(0.2), count: steady(FEW)},
            silent={"at the threshold": {ratio: steady(limit)}, "at low volume": {count: steady(FEW - 1)}},
            labels={},
            value="20%",
        ),
        kpis=("chat_abandonment_rate", "abandon_time"),
    )


SUPPORT_ALERTS: Final = (
    _first_response_breaches(),
    _sla_at_risk(),
    _sla_breached_now(),
    _queue_wait(),
    _abandonment(),
)
"""What those who answer customers are told."""
