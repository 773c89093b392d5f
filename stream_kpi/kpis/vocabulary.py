"""What formulas of the settings may read: measures, what they mean, and the cuts that their facts carry (pure).

Measures that mean something only to one formula of the catalogue are not offered: cohorts, whose members are decided
later; starts of what runs; what counts an entity once in a window; what says today's truth of the past; sets that age.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from stream_kpi.kpis.rows import AGENT_CUTS, ALL_CUTS, TOTAL_CUT, Area
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Kind, Measure


class Offered(NamedTuple):
    """One measure that formulas may read."""

    measure: Measure
    meaning: str
    area: Area
    cuts: tuple[str, ...]

    @property
    def is_money(self) -> bool:
        """Whether it is an amount by currency."""
        return self.measure.by_currency and self.measure is not registry.CUSTOMERS_BY_CURRENCY

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that may read it, by name."""
        if self.measure.kind is Kind.LEVEL:
            return ("level",)
        if self.measure.kind is Kind.COUNT:
            return ("sum",) if self.is_money else ("count",)
        return ("count", "sum", "mean", "quantile")


_PLAN: Final = (TOTAL_CUT, "plan")
_EFFORT: Final = (TOTAL_CUT, "channel", "category")
_AGENTS: Final = (TOTAL_CUT, "group", "agent")
_NETWORK: Final = (TOTAL_CUT, "network")

_GROUPS: Final[tuple[tuple[Area, tuple[str, ...], tuple[tuple[Measure, str], ...]], ...]] = (
    (
        Area.TICKETS,
        ALL_CUTS,
        (
            (registry.TICKETS_CREATED, "tickets created"),
            (registry.TICKETS_LEFT_OUT, "tickets created that ticket_volume leaves out by the options"),
            (registry.BACKLOG_UNASSIGNED, "open tickets without an agent"),
            (registry.BACKLOG_UNATTENDED, "open tickets with an unanswered customer"),
            (registry.SOLVED_IN_24H, "first solves of the trailing 24 hours"),
            (registry.LATER_SOLVES, "solves after the first"),
            (registry.REOPENS, "reopens"),
        ),
    ),
    (Area.TICKETS, (*ALL_CUTS, "status"), ((registry.BACKLOG, "open tickets"),)),
    (
        Area.TICKETS,
        AGENT_CUTS,
        (
            (registry.FIRST_RESPONSE, "first responses, and how long they took"),
            (registry.FIRST_RESPONSE_IN_TARGET, "first responses within the target of their channel"),
            (registry.NEXT_REPLY, "replies to later turns of the customer, and how long they took"),
            (registry.RESOLUTION_FIRST, "first solves whose time counts, and how long they took"),
            (registry.RESOLUTION_FULL, "last solves whose time counts, and how long they took"),
            (registry.FIRST_RESPONSE_BUSINESS, "first_response on the business clock, where there are schedules"),
            (registry.NEXT_REPLY_BUSINESS, "next_reply on the business clock"),
            (registry.RESOLUTION_FIRST_BUSINESS, "resolution_first on the business clock"),
            (registry.RESOLUTION_FULL_BUSINESS, "resolution_full on the business clock"),
            (registry.FIRST_SOLVES, "first solves, one a ticket"),
            (registry.FCR_SOLVES, "first solves by a human"),
            (registry.FCR_FIRST_CONTACT, "first solves by a human at the first contact"),
            (registry.CREATED_NOW_SOLVED, "tickets created that are solved now"),
            (registry.TRANSFERS, "assignments to another agent than the one before"),
            (registry.TOUCHES, "public agent messages up to the first solve, counted at the solve"),
        ),
    ),
    (
        Area.CHATS,
        ALL_CUTS,
        (
            (registry.CHATS_QUEUED, "chats and calls queued"),
            (registry.QUEUE_LENGTH, "chats and calls waiting"),
            (registry.CHAT_OUTCOMES, "accepted or left, without short abandons and blocked ones"),
            (registry.CHAT_ABANDONS, "abandoned or timed out, without short ones"),
            (registry.ABANDON_TIME, "abandons, without short ones, and how long they waited"),
            (registry.SERVICE_LEVEL_MET, "answered within the service level's target"),
            (registry.SERVICE_LEVEL_OFFERED, "what the default service level is a share of"),
            (registry.CHATS_ANSWERED_LATE, "answered past the target"),
            (registry.CHATS_ABANDONED_IN_TARGET, "abandoned within the target, short ones included"),
            (registry.CHATS_ABANDONED_LATE, "abandoned past the target, short ones included"),
            (registry.CHATS_ABANDONED_SHORT, "abandoned at once"),
            (registry.CHATS_FLOWED_OUT_IN_TARGET, "left as callback, flow-out or voicemail within the target"),
            (registry.CHATS_FLOWED_OUT_LATE, "the same past the target"),
        ),
    ),
    (
        Area.CHATS,
        AGENT_CUTS,
        (
            (registry.ANSWER_TIME, "accepted, and how long they waited"),
            (registry.HANDLE_TIME, "handled, and how long that took, after-call work included"),
            (registry.CHAT_DURATION, "ended, and how long after they were queued"),
            (registry.CHATS_DROPPED, "ended on a customer's unanswered message"),
        ),
    ),
    (
        Area.AGENTS,
        _AGENTS,
        (
            (registry.AGENTS_PRESENT, "agents available or busy"),
            (registry.AGENTS_BUSY, "agents busy"),
            (registry.CHATS_IN_HAND, "chats and calls that agents have in hand"),
        ),
    ),
    (
        Area.SURVEYS,
        AGENT_CUTS,
        (
            (registry.CSAT_ANSWERS, "answers to satisfaction surveys"),
            (registry.CSAT_POSITIVE, "those of at least 4 on 1..5"),
            (registry.CSAT_SCORE, "those answers, and their points on 1..5"),
            (registry.CSAT_CLASS_VERY_POSITIVE, "answers from 4.5"),
            (registry.CSAT_CLASS_POSITIVE, "answers from 3.5, below 4.5"),
            (registry.CSAT_CLASS_NEUTRAL, "answers from 2.5, below 3.5"),
            (registry.CSAT_CLASS_POOR, "answers from 1.5, below 2.5"),
            (registry.CSAT_CLASS_VERY_POOR, "answers below 1.5"),
        ),
    ),
    (
        Area.SURVEYS,
        _EFFORT,
        (
            (registry.CES_SCORE, "answers to effort surveys, and their points on 1..7"),
            (registry.CES_EASY, "those of at least 5"),
        ),
    ),
    (
        Area.REVENUE,
        _PLAN,
        (
            (registry.MRR, "monthly recurring revenue"),
            (registry.CUSTOMERS, "paying customers"),
            (registry.CUSTOMERS_BY_CURRENCY, "paying customers, by the currency in which they pay"),
            (registry.MRR_NEW, "MRR of customers who pay for the first time"),
            (registry.MRR_EXPANSION, "increases of the MRR of customers who go on paying"),
            (registry.MRR_CONTRACTION, "decreases of it, as positive amounts"),
            (registry.MRR_REACTIVATION, "MRR of customers who pay again"),
            (registry.INVOICES_PAID, "invoices paid, without tax"),
        ),
    ),
    (Area.REVENUE, (*_PLAN, "reason"), ((registry.MRR_CHURNED, "MRR of customers who stopped paying"),)),
    (
        Area.COSTS,
        (TOTAL_CUT, "channel"),
        (
            (registry.SUPPORT_COST, "what support cost, each local day's share from the day's start on"),
            (registry.ACQUISITION_COST, "what the acquisition of customers cost, likewise"),
        ),
    ),
    (
        Area.ENGAGEMENT,
        _PLAN,
        (
            (registry.DAILY_ACTIVE_USERS, "users active in the trailing 24 hours"),
            (registry.WEEKLY_ACTIVE_USERS, "in the trailing 7 days"),
            (registry.MONTHLY_ACTIVE_USERS, "in the trailing 30 days"),
        ),
    ),
    (
        Area.SOCIAL,
        _NETWORK,
        (
            (registry.MENTIONS, "mentions on social networks"),
            (registry.SOCIAL_RESPONSE, "mentions replied to, and how long that took"),
        ),
    ),
)

OFFERED: Final[dict[str, Offered]] = {
    measure.name: Offered(measure, meaning, area, cuts)
    for area, cuts, members in _GROUPS
    for measure, meaning in members
}
"""By the measure's name."""
