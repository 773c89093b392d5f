"""What of the definitions a user can set (kpis.md, column options). Built by settings, read by the lifecycles,
the formulas and, where a choice is between formulas over the same measures, by the catalogue."""

from __future__ import annotations

from functools import cached_property
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from stream_kpi.calendars.selection import Selection
from stream_kpi.events.tickets import TicketState
from stream_kpi.lifecycles.sla.policy import Policies
from stream_kpi.measures.registry import (
    ACTIVATION_COHORT,
    AGENT_WORK,
    BOUNCE_COHORT,
    CHAT_FCR_COHORT,
    FCR_COHORT,
    ON_HOLD,
    REOPEN_COHORT,
    REQUESTER_WAIT,
    SURVEY_COHORT,
    Measure,
)

SURVEY_WINDOW_MS: Final = 7 * 86_400_000
"""An answer counts in the response rate when it comes this soon after the survey was sent."""
BOUNCE_WINDOW_MS: Final = 30 * 60_000
"""A visit that no other signal of the visitor follows this soon is a bounce."""
CHAT_FCR_WINDOW_MS: Final = 86_400_000
"""A chat's end was not the last of it when the customer's next one is queued this soon after."""

SOLVED_STATUSES: Final = frozenset({"solved", "closed"})
REMOVED_STATUSES: Final = frozenset({"deleted", "spam"})

ServiceLevelPreset = Literal["default", "amazon", "genesys", "asterisk2", "talkdesk", "vonage", "twilio", "intermedia"]
"""Whose definition of the service level."""


FirstResponseStart = Literal["creation", "first_customer_message", "bot_handoff_or_reopen"]
AgentCreatedRule = Literal["exclude", "second_comment", "include"]
FcrRule = Literal["one_contact", "one_agent", "one_reply", "zero_customer_followups"]


class CustomKpi(msgspec.Struct, frozen=True, kw_only=True):
    """A KPI of the organisation's own, as a checked `[[kpi]]` table of the settings describes it."""

    id: str
    title: str
    unit: str
    formula: str
    """Over the measures of kpis.vocabulary, in the language of kpis.expressions."""
    cuts: tuple[str, ...] = ()
    """Dimensions beside the total."""
    target: float | None = None
    direction: Literal["up", "down", "none"] = "none"


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What a ticket's status means."""

    status: str
    is_open: bool
    """In the backlog."""
    solved: bool
    """Solved or closed, whichever statuses leave the backlog."""
    removed: bool
    """Deleted or spam: in no count at all. Another status brings it back."""
    clocks: int
    """Those that run, as the sum of their numbers (measures.registry)."""


class Options(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Defaults are those of kpis.md. Times are integer milliseconds."""

    zone: str = "UTC"
    """IANA zone that days and months follow."""
    terminal_statuses: frozenset[str] = frozenset({"solved", "closed"})
    """Statuses that leave the backlog. Deleted and spam always do, and leave every other count too."""
    include_agent_created: bool = True
    """Whether ticket_volume counts tickets that agents created."""
    auto_resolve_counts: bool = True
    """Whether a solve by automation or system counts in the resolution times."""
    first_response_start: FirstResponseStart = "first_customer_message"
    """From when the first response is waited for. By first_customer_message a customer's creation is one, and a ticket
    to which no customer has written is waited for from its creation; by bot_handoff_or_reopen it is the later of the
    two, else a bot's solve, else the creation."""
    first_response_count_bot: bool = False
    """Whether a bot's message is a first response."""
    first_response_count_notes: bool = False
    """Whether a private note is a first response."""
    first_response_agent_created: AgentCreatedRule = "exclude"
    """Of tickets that agents created, which message is the first response: none, the agents' second public one (their
    first if the customer has written before it), the first."""
    fcr_rule: FcrRule = "one_contact"
    """What a first contact is (lifecycles.ticket.first_contact)."""
    response_targets_ms: dict[str, int] = msgspec.field(
        default_factory=lambda: {"chat": 60_000, "voice": 20_000, "social": 3_600_000}
    )
    """Target of the first response by channel (response_time_compliance)."""
    response_target_other_ms: int = 86_400_000
    service_level_targets_ms: dict[str, int] = msgspec.field(default_factory=lambda: {"voice": 20_000})
    """Target of the answer by channel (service_level)."""
    service_level_target_other_ms: int = 60_000
    requester_wait_statuses: frozenset[str] = frozenset({"new", "open", "on_hold"})
    """Statuses in which the customer waits for the organisation. Solved and closed are never among these, nor among
    those of the next two: all clocks stop there."""
    agent_work_statuses: frozenset[str] = frozenset({"new", "open"})
    on_hold_statuses: frozenset[str] = frozenset({"on_hold"})
    short_abandon_ms: int = 5_000
    """A caller who leaves sooner is no abandon."""
    abandon_after_ms: int = 120_000
    """An accepted chat whose customer has waited for an answer so long, with nobody writing, counts as dropped until
    someone writes or it ends."""
    service_level: ServiceLevelPreset = "default"
    """What service_level counts on either side of the line."""
    staffing_target: float = 0.8
    """The service level that agents_required is to reach."""
    staffing_patience_ms: int | None = None
    """How long customers wait on average before they abandon (Erlang A); None: not known (Erlang C)."""
    reopen_window_ms: int = 7 * 86_400_000
    """Cohort of reopen_rate."""
    fcr_window_ms: int = 7 * 86_400_000
    """Cohort of fcr_confirmed."""
    fcr_same_category: bool = True
    """Whether only a new ticket of the same category says that the first contact was not enough."""
    gross_margin: float | None = None
    """Share of the revenue that is left after the costs of the service (clv); None: not known."""
    activation_action: str | None = None
    """What a new user has to do to be activated; without it, activation_rate has no value."""
    activation_window_ms: int = 7 * 86_400_000
    """Cohort of activation_rate."""
    custom_kpis: tuple[CustomKpi, ...] = ()
    """Rows that come after the catalogue's own."""
    schedules: Selection | None = None
    """Whose open hours the business clock counts. None: open always, so that a business clock would say what the
    calendar does; nothing is stated on one."""

    sla: Policies | None = None
    """What service levels are promised to tickets and chats. None: none."""

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """What each status of a ticket means: asked at every change of one, so said in advance."""
        return {status: self._standing(status) for status in get_args(TicketState)}

    def _standing(self, status: str) -> Standing:
        removed = status in REMOVED_STATUSES
        clocks = (
            (REQUESTER_WAIT, self.requester_wait_statuses),
            (AGENT_WORK, self.agent_work_statuses),
            (ON_HOLD, self.on_hold_statuses),
        )
        return Standing(
            status=status,
            is_open=not removed and status not in self.terminal_statuses,
            solved=status in SOLVED_STATUSES,
            removed=removed,
            clocks=sum(clock for clock, statuses in clocks if status in statuses),
        )

    @property
    def zone_info(self) -> ZoneInfo:
        """The zone as an object."""
        return ZoneInfo(self.zone)

    @property
    def cohorts(self) -> dict[int, tuple[Measure, ...]]:
        """Measures of cohorts by the milliseconds after which their members are decided."""
        measures: dict[int, tuple[Measure, ...]] = {}
        for decided_after_ms, cohort in (
            (self.reopen_window_ms, REOPEN_COHORT),
            (self.fcr_window_ms, FCR_COHORT),
            (CHAT_FCR_WINDOW_MS, CHAT_FCR_COHORT),
            (SURVEY_WINDOW_MS, SURVEY_COHORT),
            (self.activation_window_ms, ACTIVATION_COHORT),
            (BOUNCE_WINDOW_MS, BOUNCE_COHORT),
        ):
            measures[decided_after_ms] = measures.get(decided_after_ms, ()) + cohort
        return measures
