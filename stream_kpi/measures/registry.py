"""Every measure: its number (part of the state format, never reused), name and kind."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

SLOTS_PER_MEASURE = 8192
"""A slot is ``measure number * SLOTS_PER_MEASURE + component``. Component 0 is the sum (of a count, level, money or
histogram); a histogram's bin ``b`` is component ``1 + b``; money's component is the ISO 4217 numeric code."""


class Kind(Enum):
    """How a fact of the measure changes its slots."""

    COUNT = "count"
    """slot += value"""
    LEVEL = "level"
    """slot += value; what stands is the sum of everything up to an instant"""
    DURATION = "duration"
    """integer milliseconds into the log-bucket histogram: sum slot += value, bin slot += 1"""
    SCORE = "score"
    """integer millionths on 1..5 or 1..7 into exact bins of a thousandth: sum slot += value, bin slot += 1"""
    AGE = "age"
    """a member of a set that ages: value is the start in epoch milliseconds; never in a pane (windows.ages)"""


class Measure(NamedTuple):
    """One thing that is added up. ``by_currency``: the component is an ISO 4217 numeric code. ``by_clocks``: it is a
    set of a ticket's clocks (:data:`CLOCK_SETS`). ``starts``, of a level whose time is measured: the number of the
    measure that adds up when what it counts has started and stopped."""

    number: int
    name: str
    kind: Kind
    by_currency: bool = False
    parts: tuple[str, ...] = ()
    """Counts beside that of component 0, in the components that follow it; by clocks, each part has as many."""
    by_clocks: bool = False
    starts: int | None = None

    @property
    def slot(self) -> int:
        """The slot of component 0."""
        return self.number * SLOTS_PER_MEASURE

    def currency_slot(self, numeric_code: int) -> int:
        """The slot of one currency's amount."""
        return self.number * SLOTS_PER_MEASURE + numeric_code

    def part_slot(self, part: str) -> int:
        """The slot of one of :attr:`parts`. Raises ValueError for another."""
        return self.slot + self._components * (1 + self.parts.index(part))

    @property
    def part_slots(self) -> tuple[int, ...]:
        """The slots of component 0 and of all parts."""
        return tuple([self.slot + self._components * place for place in range(1 + len(self.parts))])

    @property
    def _components(self) -> int:
        """How many of them each part has."""
        return CLOCK_SETS.stop if self.by_clocks else 1


# Tickets
TICKETS_CREATED = Measure(1, "tickets_created", Kind.COUNT)
BACKLOG = Measure(2, "backlog", Kind.LEVEL)
BACKLOG_UNASSIGNED = Measure(3, "backlog_unassigned", Kind.LEVEL)
BACKLOG_UNATTENDED = Measure(4, "backlog_unattended", Kind.LEVEL)
OPEN_TICKETS = Measure(5, "open_tickets", Kind.AGE)
UNANSWERED_TICKETS = Measure(6, "unanswered_tickets", Kind.AGE)
FIRST_RESPONSE = Measure(7, "first_response", Kind.DURATION)
FIRST_RESPONSE_IN_TARGET = Measure(8, "first_response_in_target", Kind.COUNT)
NEXT_REPLY = Measure(9, "next_reply", Kind.DURATION)
RESOLUTION_FIRST = Measure(10, "resolution_first", Kind.DURATION)
RESOLUTION_FULL = Measure(11, "resolution_full", Kind.DURATION)
COHORT_SOLVES = Measure(12, "cohort_solves", Kind.COUNT)
COHORT_REOPENS = Measure(13, "cohort_reopens", Kind.COUNT)
FCR_SOLVES = Measure(14, "fcr_solves", Kind.COUNT)
FCR_FIRST_CONTACT = Measure(15, "fcr_first_contact", Kind.COUNT)
FIRST_SOLVES = Measure(16, "first_solves", Kind.COUNT)

# A ticket's clocks. What they measure is stated once for all that run together: the component of a fact is the sum of
# the numbers of the clocks that it is about.
REQUESTER_WAIT, AGENT_WORK, ON_HOLD, ILLEGITIMATE_PAUSE = 1, 2, 4, 8
CLOCK_SETS = range(1, 16)
CLOCK_EPOCH_MS = 1_577_836_800_000
"""2020-01-01T00:00:00Z: clock times are counted from here, so that sums of them stay small."""

CLOCKS_RUNNING = Measure(63, "clocks_running", Kind.LEVEL, by_clocks=True, starts=64)
CLOCK_STARTS_LESS_STOPS = Measure(64, "clock_starts_less_stops", Kind.COUNT, by_clocks=True)
"""The time of each start less that of each stop, milliseconds since :data:`CLOCK_EPOCH_MS`. What has run up to T is
``clocks_running at T x T`` less this: exact in any window, and nothing is to be split over windows."""
CLOCKS_STOPPED = Measure(65, "clocks_stopped", Kind.COUNT, by_clocks=True)
"""Tickets that ran, at the last millisecond in which they did; taken back when they run again. Inside a window that
ends now, those that have run in it and do not run now."""
CLOCKS_FIRST_RUN_5M = Measure(66, "clocks_first_run_5m", Kind.COUNT, by_clocks=True)
"""Starts that are the ticket's first in their five minutes, while it did not run just before those. This and the next
three: a start counts only for the longest window that it is the first in."""
CLOCKS_FIRST_RUN_1H = Measure(67, "clocks_first_run_1h", Kind.COUNT, by_clocks=True)
CLOCKS_FIRST_RUN_1D = Measure(68, "clocks_first_run_1d", Kind.COUNT, by_clocks=True)
CLOCKS_FIRST_RUN_MONTH = Measure(69, "clocks_first_run_month", Kind.COUNT, by_clocks=True)

# The same on the business clock, while the options have schedules. There is none of illegitimate pauses.
CLOCKS_OF_SCHEDULE = 8
"""So many components has each schedule: the component of a set of clocks is this times the schedule's number more."""
BUSINESS_RUNS = Measure(78, "business_runs", Kind.LEVEL)
"""By schedule, whose number is part of the component, and set of clocks: tickets in which they run. A run begins and
ends with an open instant, and goes on while the schedule is closed."""
CLOCKS_FIRST_RUN = (CLOCKS_FIRST_RUN_5M, CLOCKS_FIRST_RUN_1H, CLOCKS_FIRST_RUN_1D, CLOCKS_FIRST_RUN_MONTH)
BUSINESS_STARTS_LESS_STOPS = Measure(
    79,
    "business_starts_less_stops",
    Kind.COUNT,
    by_clocks=True,
    parts=tuple(measure.name for measure in (CLOCKS_STOPPED, *CLOCKS_FIRST_RUN)),
)
"""The reading of the run's schedule (:meth:`Schedule.reading_ms`) at each start less that at each stop. What has run up
to T is ``business_runs at T x the reading at T`` of all schedules, less this. The parts are the measures of their names
on the business clock."""

LATER_SOLVES = Measure(70, "later_solves", Kind.COUNT)
"""Solves after the first."""
REOPENS = Measure(71, "reopens", Kind.COUNT)
SOLVED_IN_24H = Measure(72, "solved_in_24h", Kind.LEVEL)
"""First solves of the trailing 24 hours."""
CREATED_NOW_SOLVED = Measure(73, "created_now_solved", Kind.COUNT)
"""At the creation; taken back on reopen."""
TICKETS_OF_AGENT = Measure(74, "tickets_of_agent", Kind.COUNT)
"""Tickets created, by agent alone: whose the ticket is now, or who has solved it."""
TRANSFERS = Measure(75, "transfers", Kind.COUNT)
TOUCHES = Measure(76, "touches", Kind.COUNT)
"""Public agent messages up to the first solve, at the solve."""
TICKETS_LEFT_OUT = Measure(77, "tickets_left_out", Kind.COUNT)
"""Tickets created that the options leave out of tickets_created."""

# Chats and calls
CHATS_QUEUED = Measure(20, "chats_queued", Kind.COUNT, parts=("target_above_other_ms",))
"""The part, by total and queue only, is by how much the service level's X of their channels is above that of all other
channels (mostly below, so negative), added up in milliseconds: what is stated of few gives the mean X of all."""
QUEUE_LENGTH = Measure(21, "queue_length", Kind.LEVEL)
WAITING_CHATS = Measure(22, "waiting_chats", Kind.AGE)
CHAT_OUTCOMES = Measure(23, "chat_outcomes", Kind.COUNT)
CHAT_ABANDONS = Measure(24, "chat_abandons", Kind.COUNT)
ANSWER_TIME = Measure(25, "answer_time", Kind.DURATION)
ABANDON_TIME = Measure(26, "abandon_time", Kind.DURATION)
SERVICE_LEVEL_MET = Measure(27, "service_level_met", Kind.COUNT)
SERVICE_LEVEL_OFFERED = Measure(28, "service_level_offered", Kind.COUNT)
HANDLE_TIME = Measure(29, "handle_time", Kind.DURATION)

# Tickets on the business clock, while the options have schedules
FIRST_RESPONSE_BUSINESS = Measure(30, "first_response_business", Kind.DURATION)
NEXT_REPLY_BUSINESS = Measure(31, "next_reply_business", Kind.DURATION)
RESOLUTION_FIRST_BUSINESS = Measure(32, "resolution_first_business", Kind.DURATION)
RESOLUTION_FULL_BUSINESS = Measure(33, "resolution_full_business", Kind.DURATION)

# Service levels that are promised, tickets' and chats'
SLA_MET = Measure(34, "sla_met", Kind.COUNT)
SLA_BREACHED = Measure(35, "sla_breached", Kind.COUNT)
SLA_BREACH_SIZE = Measure(36, "sla_breach_size", Kind.DURATION)
"""By how much the target was exceeded on its clock, at the breach, once it is known."""
SLA_AT_RISK = Measure(37, "sla_at_risk", Kind.LEVEL)
"""Instances within any horizon of their policy; the components are those within so many minutes."""
SLA_DEADLINES = Measure(38, "sla_deadlines", Kind.AGE)
"""Of the running instances: the starts are the deadlines, which lie ahead."""
SLA_RUNNING = Measure(39, "sla_running", Kind.LEVEL)
"""Instances whose clock runs to a deadline that has not come."""

# Surveys
CSAT_ANSWERS = Measure(40, "csat_answers", Kind.COUNT)
CSAT_POSITIVE = Measure(41, "csat_positive", Kind.COUNT)
CSAT_SCORE = Measure(42, "csat_score", Kind.SCORE)
CSAT_CLASS_VERY_POSITIVE = Measure(43, "csat_class_very_positive", Kind.COUNT)
CSAT_CLASS_POSITIVE = Measure(44, "csat_class_positive", Kind.COUNT)
CSAT_CLASS_NEUTRAL = Measure(45, "csat_class_neutral", Kind.COUNT)
CSAT_CLASS_POOR = Measure(46, "csat_class_poor", Kind.COUNT)
CSAT_CLASS_VERY_POOR = Measure(47, "csat_class_very_poor", Kind.COUNT)
COHORT_SURVEYS_SENT = Measure(48, "cohort_surveys_sent", Kind.COUNT)
COHORT_SURVEYS_ANSWERED = Measure(49, "cohort_surveys_answered", Kind.COUNT)

# Customers and revenue. Money is integer minor units.
MRR = Measure(50, "mrr", Kind.LEVEL, by_currency=True)
MRR_NEW = Measure(51, "mrr_new", Kind.COUNT, by_currency=True)
MRR_EXPANSION = Measure(52, "mrr_expansion", Kind.COUNT, by_currency=True)
MRR_CONTRACTION = Measure(53, "mrr_contraction", Kind.COUNT, by_currency=True)
MRR_CHURNED = Measure(54, "mrr_churned", Kind.COUNT, by_currency=True)
MRR_REACTIVATION = Measure(55, "mrr_reactivation", Kind.COUNT, by_currency=True)
CUSTOMERS = Measure(56, "customers", Kind.LEVEL)
CUSTOMERS_BY_CURRENCY = Measure(57, "customers_by_currency", Kind.LEVEL, by_currency=True)
CUSTOMERS_LOST_5M = Measure(58, "customers_lost_5m", Kind.COUNT)
CUSTOMERS_LOST_1H = Measure(59, "customers_lost_1h", Kind.COUNT)
CUSTOMERS_LOST_1D = Measure(60, "customers_lost_1d", Kind.COUNT)
CUSTOMERS_LOST_MONTH = Measure(61, "customers_lost_month", Kind.COUNT)
PAST_OF_ACTIVE = Measure(62, "past_of_active", Kind.LEVEL)
"""The whole activity history (+1, -1) of the customers that pay now, taken back while they do not: its level at an
instant is how many of today's customers paid then. Customers of then less this = lost since, for any window."""
INVOICES_PAID = Measure(105, "invoices_paid", Kind.COUNT, by_currency=True)
MRR_BELOW_ZERO = Measure(106, "mrr_below_zero", Kind.LEVEL, by_currency=True)
"""The part of the MRR that belongs to customers (by plan: plans of customers) whose MRR is below 0: MRR less this is
that of the customers with MRR > 0."""
MRR_CHANGE_MONTH = Measure(107, "mrr_change_month", Kind.COUNT, by_currency=True)
"""By how much the MRR of customers has changed who paid at the start of the month."""
MRR_LOST_MONTH = Measure(108, "mrr_lost_month", Kind.COUNT, by_currency=True)
"""By how much the MRR of each customer is below what it was at the start of the month."""
MRR_OF_PAST_PAYERS = Measure(109, "mrr_of_past_payers", Kind.LEVEL, by_currency=True)
"""Its level at the start of an hour (UTC), or of a local day, is today's MRR of the customers who paid then: restated,
back to a customer's beginning, whenever its MRR changes."""
MRR_LOST_SINCE = Measure(110, "mrr_lost_since", Kind.LEVEL, by_currency=True)
"""Its level at such a start is by how much each customer's MRR of today is below what it was then;
restated as well."""
MRR_AT_RISK = Measure(111, "mrr_at_risk", Kind.LEVEL, by_currency=True)
"""The MRR of customers that have a ticket with a missed service level that is still owed."""
CUSTOMERS_AT_RISK = Measure(112, "customers_at_risk", Kind.LEVEL, by_currency=True)
"""Those of customers_by_currency that have one."""

# Chats and calls: how each contact left the queue, in time or past the service level's X, with or without an answer.
# Answered in time is service_level_met; blocked ones are in none. Every definition of a service level is made of these.
CHATS_ANSWERED_LATE = Measure(80, "chats_answered_late", Kind.COUNT)
CHATS_ABANDONED_IN_TARGET = Measure(81, "chats_abandoned_in_target", Kind.COUNT)
"""Short ones too, here and in the next."""
CHATS_ABANDONED_LATE = Measure(82, "chats_abandoned_late", Kind.COUNT)
CHATS_ABANDONED_SHORT = Measure(83, "chats_abandoned_short", Kind.COUNT)
CHATS_FLOWED_OUT_IN_TARGET = Measure(84, "chats_flowed_out_in_target", Kind.COUNT)
"""Left as callback, flowout or voicemail."""
CHATS_FLOWED_OUT_LATE = Measure(85, "chats_flowed_out_late", Kind.COUNT)
CHATS_DROPPED = Measure(86, "chats_dropped", Kind.COUNT)
CHAT_DURATION = Measure(87, "chat_duration", Kind.DURATION)

CES_SCORE = Measure(92, "ces_score", Kind.SCORE)
CES_EASY = Measure(93, "ces_easy", Kind.COUNT)

# Agents, and the chats that they have in hand. What has lasted up to T is ``level at T x T`` less the starts: exact in
# any window, and nothing is to be split over windows.
AGENTS_PRESENT = Measure(96, "agents_present", Kind.LEVEL, starts=97)
"""Available or busy, by the group and by each queue of the agent."""
AGENTS_PRESENT_STARTS = Measure(97, "agents_present_starts", Kind.COUNT)
"""The time of each start less that of each stop, milliseconds since :data:`CLOCK_EPOCH_MS`."""
AGENTS_BUSY = Measure(98, "agents_busy", Kind.LEVEL, starts=99)
AGENTS_BUSY_STARTS = Measure(99, "agents_busy_starts", Kind.COUNT)
CHATS_IN_HAND = Measure(100, "chats_in_hand", Kind.LEVEL, starts=101)
"""Accepted, and neither ended nor back in a queue."""
CHATS_IN_HAND_STARTS = Measure(101, "chats_in_hand_starts", Kind.COUNT)

# Engagement and costs
DISTINCT_PARTS = ("5m", "1h", "1d", "month")
"""The windows with fixed bounds in which an entity counts once; component 0 is for those that end now."""
VISITORS = Measure(113, "visitors", Kind.COUNT, parts=DISTINCT_PARTS)
CONVERTED_VISITORS = Measure(114, "converted_visitors", Kind.COUNT, parts=DISTINCT_PARTS)
COHORT_VISITS = Measure(115, "cohort_visits", Kind.COUNT)
COHORT_BOUNCES = Measure(116, "cohort_bounces", Kind.COUNT)
COHORT_SIGNUPS = Measure(117, "cohort_signups", Kind.COUNT)
COHORT_ACTIVATED = Measure(118, "cohort_activated", Kind.COUNT)
DAILY_ACTIVE_USERS = Measure(119, "daily_active_users", Kind.LEVEL)
WEEKLY_ACTIVE_USERS = Measure(120, "weekly_active_users", Kind.LEVEL)
MONTHLY_ACTIVE_USERS = Measure(121, "monthly_active_users", Kind.LEVEL)
MENTIONS = Measure(122, "mentions", Kind.COUNT, parts=("positive", "neutral", "negative"))
SOCIAL_RESPONSE = Measure(123, "social_response", Kind.DURATION)
SUPPORT_COST = Measure(124, "support_cost", Kind.COUNT, by_currency=True)
ACQUISITION_COST = Measure(125, "acquisition_cost", Kind.COUNT, by_currency=True)

# What only a customer's whole view tells
COHORT_FCR_SOLVES = Measure(88, "cohort_fcr_solves", Kind.COUNT)
"""First solves by a human."""
COHORT_FCR_CONFIRMED = Measure(89, "cohort_fcr_confirmed", Kind.COUNT)
COHORT_CHATS_RESOLVED = Measure(90, "cohort_chats_resolved", Kind.COUNT)
COHORT_CHATS_FIRST_CONTACT = Measure(91, "cohort_chats_first_contact", Kind.COUNT)
NPS_ANSWERS = Measure(102, "nps_answers", Kind.COUNT, parts=DISTINCT_PARTS)
"""Customers, each by the last answer: component 0 by the last of all, a part by the last in a window of that kind."""
NPS_PROMOTERS = Measure(103, "nps_promoters", Kind.COUNT, parts=DISTINCT_PARTS)
NPS_DETRACTORS = Measure(104, "nps_detractors", Kind.COUNT, parts=DISTINCT_PARTS)

# Measures of cohorts, whose members are decided some time after the event that they are counted at; how long after,
# lifecycles.options says.
REOPEN_COHORT = (COHORT_SOLVES, COHORT_REOPENS)
SURVEY_COHORT = (COHORT_SURVEYS_SENT, COHORT_SURVEYS_ANSWERED)
BOUNCE_COHORT = (COHORT_VISITS, COHORT_BOUNCES)
ACTIVATION_COHORT = (COHORT_SIGNUPS, COHORT_ACTIVATED)
FCR_COHORT = (COHORT_FCR_SOLVES, COHORT_FCR_CONFIRMED)
CHAT_FCR_COHORT = (COHORT_CHATS_RESOLVED, COHORT_CHATS_FIRST_CONTACT)

OF_A_QUARTER = (NPS_ANSWERS, NPS_PROMOTERS, NPS_DETRACTORS)
"""What windows of more than 30 days read."""

TRAILING = (CHATS_QUEUED, HANDLE_TIME)
"""What is read over the trailing half hour, wherever a gauge needs it."""

RESTATED = (PAST_OF_ACTIVE, MRR_OF_PAST_PAYERS, MRR_LOST_SINCE)
"""Levels that say of the past what is so today. Only windows that end now read them, at their start."""

MEASURES: tuple[Measure, ...] = tuple(m for m in list(globals().values()) if isinstance(m, Measure))
BY_NUMBER: dict[int, Measure] = {m.number: m for m in MEASURES}
RUNNING = tuple(m for m in MEASURES if m.starts is not None)
"""Levels whose time is measured."""
