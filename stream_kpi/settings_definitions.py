"""The part of the settings that says what of the KPIs' definitions an organisation has chosen."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from stream_kpi.lifecycles.options import AgentCreatedRule, FcrRule, FirstResponseStart, ServiceLevelPreset
from stream_kpi.settings_sections import Section

COHORT_DAYS = 7
"""The longest window of a cohort: rolling:30d of cohorts reads 30 days that ended so long ago, from panes of an hour,
which are kept 38 days (windows.tiers)."""

OF_FORMULAS = frozenset({"service_level", "staffing_target", "staffing_patience_s", "gross_margin"})
"""The definitions that choose among what is counted in any case: they can be changed at any time."""

Status = Literal["new", "open", "pending", "on_hold", "solved", "closed"]
RunningStatus = Literal["new", "open", "pending", "on_hold"]
TargetSeconds = Annotated[float, Field(gt=0, le=366 * 86_400)]


class DefinitionSettings(Section):
    """What of the KPIs' definitions an organisation can choose."""

    terminal_statuses: frozenset[Status] = Field(frozenset[Status]({"solved", "closed"}), min_length=1)
    """Statuses that leave the backlog (deleted and spam always do)."""
    include_agent_created: bool = True
    """Whether tickets that agents created count in ticket_volume."""
    auto_resolve_counts: bool = True
    """Whether a solve by automation or system counts in the resolution times."""
    first_response_start: FirstResponseStart = "first_customer_message"
    """From when first_response_time counts. creation: always from the creation. first_customer_message: from the
    creation if a customer created the ticket, else from the customer's first message, else from the creation.
    bot_handoff_or_reopen: from the last hand-off by a bot (`ticket.assigned` with the reason bot_handoff) or reopen,
    else from a bot's solve, else from the creation."""
    first_response_count_bot: bool = False
    """Whether a bot's message can be the first response."""
    first_response_count_notes: bool = False
    """Whether a private note can be the first response."""
    first_response_agent_created: AgentCreatedRule = "exclude"
    """Tickets that agents created. exclude: they have no first response. second_comment: agents' second public message
    is it, or their first if the customer has written before it. include: agents' first public message is it."""
    fcr_rule: FcrRule = "one_contact"
    """What makes a first solve by a human a first contact resolution (fcr_provisional). one_contact: one agent, and no
    customer message after the agent's first public one. one_agent: public messages and the solve are one agent's, and
    no transfer. one_reply: exactly one public message of agents, a session's being one. zero_customer_followups: no
    customer message since the creation."""
    response_targets_s: dict[str, TargetSeconds] = Field({"chat": 60, "voice": 20, "social": 3_600})
    """Target of the first response by channel (response_time_compliance). A table given here replaces the whole
    default."""
    response_target_other_s: TargetSeconds = 86_400
    """The same for every other channel."""
    requester_wait_statuses: frozenset[RunningStatus] = frozenset[RunningStatus]({"new", "open", "on_hold"})
    """Statuses in which requester_wait_time runs."""
    agent_work_statuses: frozenset[RunningStatus] = frozenset[RunningStatus]({"new", "open"})
    """The same for agent_work_time."""
    on_hold_statuses: frozenset[RunningStatus] = frozenset[RunningStatus]({"on_hold"})
    """The same for on_hold_time."""
    service_level_targets_s: dict[str, TargetSeconds] = Field({"voice": 20})
    """Target of the answer by channel (service_level). A table given here replaces the whole default."""
    service_level_target_other_s: TargetSeconds = 60
    """The same for every other channel."""
    short_abandon_s: float = Field(5, ge=0, le=600)
    """Who leaves a queue sooner is no abandon."""
    abandon_after_s: float = Field(120, gt=0, le=86_400)
    """An accepted chat in which nobody has written for so long since a customer's unanswered message counts as dropped,
    until someone writes or it ends."""
    service_level: ServiceLevelPreset = "default"
    """Whose definition service_level follows; docs/kpis.md says what each counts. It applies to the past as well."""
    staffing_target: float = Field(0.8, gt=0, le=0.999)
    """The service level, as a share, that agents_required is to reach."""
    staffing_patience_s: float = Field(0, ge=0, le=3_600)
    """How long customers wait on average before they abandon: agents_required then follows Erlang A. 0 is not known:
    Erlang C, in which nobody abandons."""
    reopen_window_days: int = Field(7, ge=1, json_schema_extra={"maximum": COHORT_DAYS})
    """A first solve counts as reopened (reopen_rate) when that happens within so many days: no more than 7, as what the
    trailing 30 days look back on is kept for 38."""
    fcr_window_days: int = Field(7, ge=1, le=7)
    """fcr_confirmed takes a first contact for enough when neither a reopen nor a new ticket of the customer follows
    within so many days."""
    fcr_same_category: bool = True
    """Whether that new ticket has to be of the same category."""
    gross_margin: float | None = Field(None, ge=0, le=1)
    """Share of the revenue that is left after the costs of the service, 0.8 for 80 %. Without it clv has no value."""
    activation_action: str | None = Field(None, min_length=1, max_length=256)
    """The `action` of `activity.performed` that a new user has to do to be activated; without it, activation_rate has
    no value."""
    activation_window_days: int = Field(7, ge=1, le=COHORT_DAYS)
    """A sign-up counts as activated when that happens within so many days."""

    @field_validator("reopen_window_days")
    @classmethod
    def _panes_are_kept(cls, days: int) -> int:
        if days > COHORT_DAYS:
            message = f"must be at most {COHORT_DAYS}: what the trailing 30 days look back on is not kept for longer"
            raise ValueError(message)
        return days
