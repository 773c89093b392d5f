"""The ticket lifecycle: what each event and each moment does, in order (kpis.md: Response, resolution, volume)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from stream_kpi.lifecycles.survey import SURVEY_DUE, Surveys
from stream_kpi.lifecycles.ticket.backlog import (
    AGE_BAND_DUE,
    ages,
    grow_older,
    settle,
    settle_assignment,
    settle_waiting,
)
from stream_kpi.lifecycles.ticket.business_runs import OPENING_DUE, settle_business_runs
from stream_kpi.lifecycles.ticket.business_time import follow_schedule
from stream_kpi.lifecycles.ticket.clocks import move_clocks, on_agent_answered, on_customer_wrote, settle_clocks
from stream_kpi.lifecycles.ticket.contribution import contribution_of
from stream_kpi.lifecycles.ticket.creation import state_creation
from stream_kpi.lifecycles.ticket.events import (
    Assigned,
    Created,
    HandedOff,
    Merged,
    Message,
    Status,
    SurveyAnswered,
    SurveySent,
    TicketEvent,
    Updated,
)
from stream_kpi.lifecycles.ticket.first_response import (
    counts_as_response,
    expect_anew,
    expected_from_creation,
    respond_first,
)
from stream_kpi.lifecycles.ticket.handling import on_assigned, settle_owner
from stream_kpi.lifecycles.ticket.replies import on_agent_reply, on_customer_message
from stream_kpi.lifecycles.ticket.resolution import (
    SOLVED_24H_DUE,
    on_cohort_due,
    on_reopen,
    on_solve,
    on_solved_24h_ago,
)
from stream_kpi.lifecycles.ticket.state import UNKNOWN_TIME_MS, TicketState

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream_kpi.lifecycles.contribution import Contribution
    from stream_kpi.lifecycles.facts import Fact
    from stream_kpi.lifecycles.history import HistoryEvent


class TicketFold(TicketState):
    """A ticket while its events are folded in order. Until its creation has been seen, and once it is merged, events
    change nothing."""

    __slots__ = ()

    history_decoder = msgspec.msgpack.Decoder(list[TicketEvent])

    @property
    def closed(self) -> bool:
        """Solved, closed, deleted, spam or merged."""
        return self.resolved or self.standing.removed or self.merged

    def contribution(self) -> Contribution | None:
        """See :mod:`stream_kpi.lifecycles.ticket.contribution`."""
        return contribution_of(self)

    def memberships(self) -> list[Fact]:
        """Among the open and the unanswered tickets."""
        return [] if self.voided else ages(self)

    def forgotten(self, at_ms: int) -> list[Fact]:
        """The clocks' time ends with the levels that they are in; on the business clock that takes more than those."""
        facts: list[Fact] = []
        self.facts = facts
        if self.business_runs is not None:
            self.business_runs.turn(self, None, at_ms)
        return facts

    def on_event(self, event: HistoryEvent) -> None:
        """Apply the next event in order."""
        created_ms, time_ms = self.created_ms, event.time_ms
        if self.merged or (created_ms == UNKNOWN_TIME_MS and not event.opens):
            return
        # A clock that runs behind must not let a ticket leave what it has not joined.
        at_ms = time_ms if time_ms > created_ms else created_ms  # noqa: FURB136 - max() takes three times as long
        _HANDLERS[type(event)](self, event, at_ms)

    def on_due(self, kind: int, due_ms: int) -> None:
        """The ticket or its first solve is older, that has stood the time of the cohort, or a survey's time is over."""
        if kind == AGE_BAND_DUE:
            grow_older(self, due_ms)
        elif kind == SOLVED_24H_DUE:
            on_solved_24h_ago(self, due_ms)
        elif kind == SURVEY_DUE:
            self._surveys().on_due(self, due_ms)
        elif kind == OPENING_DUE:
            assert self.business_runs is not None  # noqa: S101 it has asked for this
            self.business_runs.on_opening(self, due_ms)
        else:
            on_cohort_due(self)

    def _on_created(self, event: Created, _: int) -> None:
        if self.created_ms != UNKNOWN_TIME_MS:
            self.note_problem("second_created")
            return
        self.voided = False
        self.contribution_changed = True
        self.created_ms = event.time_ms
        self.created_by = event.created_by
        self.customer_id = event.customer_id
        self.channel = event.channel
        self.priority = event.priority
        self.category = self.created_category = event.category
        self.group = event.group
        self.brand = event.brand
        self.set_dimensions()
        if self.options.schedules is not None:
            follow_schedule(self, event.time_ms)
        if event.created_by == "customer":
            self.response_start_ms = event.time_ms
            self.unattended = True
        elif expected_from_creation(self):
            self.response_start_ms = event.time_ms
        state_creation(self)
        settle_clocks(self, event.time_ms)
        if self.business_clock is not None:
            settle_business_runs(self, event.time_ms)

    def _on_updated(self, event: Updated, at_ms: int) -> None:
        for dimension, value in event.changes:
            setattr(self, dimension, value)
        self.contribution_changed = True
        self.set_dimensions()
        if self.options.schedules is not None:
            follow_schedule(self, event.time_ms)
        settle(self, at_ms)
        move_clocks(self, at_ms)
        if self.business_clock is not None:
            settle_business_runs(self, at_ms)

    def _on_merged(self, _: Merged, __: int) -> None:
        self.merged = True
        self.voided = True
        self.contribution_changed = True
        for kind in tuple(self.due):
            self.cancel(kind)

    def _on_assigned(self, event: Assigned, at_ms: int) -> None:
        self.assignee = event.agent_id
        if event.group is not None and event.group != self.group:
            self.group = event.group
            self.set_dimensions()
            if self.options.schedules is not None:
                follow_schedule(self, event.time_ms)
            settle(self, at_ms)
        else:
            settle_assignment(self, at_ms)
        on_assigned(self, event)
        move_clocks(self, at_ms)
        if self.business_clock is not None:
            settle_business_runs(self, at_ms)

    def _on_handed_off(self, event: HandedOff, at_ms: int) -> None:
        expect_anew(self, event.time_ms)
        self._on_assigned(event, at_ms)
        settle_waiting(self, at_ms)

    def _on_message(self, event: Message, at_ms: int) -> None:
        time_ms, author = event.time_ms, event.author
        if author == "customer":
            on_customer_message(self, time_ms)
            if self.standing.status == "pending":
                on_customer_wrote(self, at_ms)
        elif author == "agent" and event.public:
            on_agent_reply(self, event)
            if self.pause_overrun:
                on_agent_answered(self, at_ms)
        elif not self.answered and counts_as_response(self, event):
            respond_first(self, event)
        else:
            return
        settle_waiting(self, at_ms)

    def _on_status(self, event: Status, at_ms: int) -> None:
        standing = self.standing = self.options.standings[event.status]
        self.voided = standing.removed
        self.contribution_changed = True
        if standing.status != "pending":
            self.pause_overrun = False
        if standing.solved and not self.resolved:
            on_solve(self, event, at_ms)
            settle_owner(self)
        else:
            if self.resolved and standing.is_open:
                on_reopen(self, event.time_ms)
                settle_owner(self)
            settle(self, at_ms)
        settle_clocks(self, at_ms)
        if self.business_clock is not None:
            settle_business_runs(self, at_ms)

    def _on_survey_sent(self, event: SurveySent, _: int) -> None:
        self._surveys().on_sent(self, event, self.cuts_with_agent(self.solver or self.assignee))

    def _on_survey_answered(self, event: SurveyAnswered, _: int) -> None:
        self.contribution_changed = True
        self._surveys().on_answered(self, event, self.cuts_with_agent(self.solver or self.assignee))

    def _surveys(self) -> Surveys:
        # Most tickets have none.
        if self.surveys is None:
            self.surveys = Surveys()
        return self.surveys


_HANDLERS: Final[dict[type, Callable[[TicketFold, Any, int], None]]] = {
    Created: TicketFold._on_created,  # noqa: SLF001 the class's own
    Updated: TicketFold._on_updated,  # noqa: SLF001
    Merged: TicketFold._on_merged,  # noqa: SLF001
    Assigned: TicketFold._on_assigned,  # noqa: SLF001
    HandedOff: TicketFold._on_handed_off,  # noqa: SLF001
    Message: TicketFold._on_message,  # noqa: SLF001
    Status: TicketFold._on_status,  # noqa: SLF001
    SurveySent: TicketFold._on_survey_sent,  # noqa: SLF001
    SurveyAnswered: TicketFold._on_survey_answered,  # noqa: SLF001
}
