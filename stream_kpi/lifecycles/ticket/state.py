"""What a ticket remembers between two of its events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stream_kpi.lifecycles.facts import CutSets
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import NEVER_MS
from stream_kpi.lifecycles.survey import Surveys

if TYPE_CHECKING:
    from stream_kpi.calendars.schedule import Schedule
    from stream_kpi.calendars.timeline import Timeline
    from stream_kpi.lifecycles.options import Options
    from stream_kpi.lifecycles.ticket.business_runs import BusinessRuns
    from stream_kpi.lifecycles.ticket.clocks import Clocks

OUT: Final = -1
"""In place of the cuts of a level or a set that ages: the ticket is not in it."""

UNKNOWN_TIME_MS: Final = -NEVER_MS
"""In place of a time that there is not."""


class TicketState(Fold):
    """The fields of a ticket, by concern, and what several concerns ask of them. Times are epoch milliseconds."""

    __slots__ = (
        "age_band",
        "answered",
        "assignee",
        "backlog_cuts",
        "backlog_status",
        "brand",
        "business_clock",
        "business_runs",
        "category",
        "channel",
        "clocks",
        "created_by",
        "created_category",
        "created_cuts",
        "created_ms",
        "customer_id",
        "customer_wrote",
        "cuts",
        "first_contact",
        "first_reopen_ms",
        "first_solve_cuts",
        "first_solve_ms",
        "followed_up",
        "full_resolution",
        "group",
        "handler",
        "last_agent",
        "merged",
        "options",
        "owner_cuts",
        "pause_overrun",
        "priority",
        "reopened_in_window",
        "reply_sessions",
        "resolution_first_stated",
        "resolved",
        "response_start_ms",
        "several_handlers",
        "sla_policy",
        "solved_cuts",
        "solver",
        "standing",
        "surveys",
        "touches",
        "transferred",
        "turn_start_ms",
        "unanswered_cuts",
        "unassigned_cuts",
        "unattended",
        "unattended_cuts",
    )

    def __init__(self, cut_sets: CutSets, options: Options) -> None:  # noqa: PLR0915 - a field a line
        super().__init__(cut_sets)
        self.options = options

        # Creation and dimensions
        self.created_ms = UNKNOWN_TIME_MS
        self.created_by = ""
        self.customer_id: str | None = None
        self.channel: str | None = None
        self.priority: str | None = None
        self.category: str | None = None
        self.created_category: str | None = None
        self.group: str | None = None
        self.brand: str | None = None
        self.cuts = OUT
        """The standard cuts of the present dimensions, no agent."""
        self.business_clock: Schedule | Timeline | None = None
        """What counts business time: the one schedule that has applied so far, which tickets share, or several one
        after another; None: no schedules in the options."""

        # Where it stands
        self.standing = options.standings["new"]
        """What its status means."""
        self.merged = self.resolved = False
        """Merged: for good. Resolved: solved or closed, and not reopened since."""
        self.assignee: str | None = None
        self.last_agent: str | None = None
        """The last agent that it was assigned to, even if it is nobody's now."""

        # What it is stated to be in: the cuts, or OUT
        self.backlog_cuts = OUT
        self.backlog_status = self.age_band = ""
        """Those that the backlog is broken down by, while it is in there."""
        self.unassigned_cuts = self.unattended_cuts = self.unanswered_cuts = OUT
        self.created_cuts = self.owner_cuts = self.solved_cuts = OUT
        """Those in which its creation counts, if that does; those of the agent for whom it does; and those in which it
        counts as solved by now."""

        self.clocks: Clocks | None = None
        self.business_runs: BusinessRuns | None = None
        self.pause_overrun = False
        """The customer has written while the ticket was pending, and it still is, unanswered."""

        # Replies
        self.answered = self.unattended = False
        """Answered: the first response has been sent. Unattended: a customer message is unanswered; the creation's
        text counts as one."""
        self.customer_wrote = False
        """After the creation."""
        self.response_start_ms = UNKNOWN_TIME_MS
        """From when the first response is waited for."""
        self.turn_start_ms = UNKNOWN_TIME_MS
        """The oldest unanswered customer message after the first response."""
        self.reply_sessions: tuple[str, ...] = ()
        """Chat sessions in which an agent has replied."""

        # Handling, for first contact resolution
        self.followed_up = self.several_handlers = self.transferred = False
        """Followed up: a customer wrote after an agent had, in public."""
        self.handler: str | None = None
        """The agent of the first public message with a known sender."""
        self.touches = 0
        """Public messages of agents; those of one chat session are one."""

        # Solves
        self.solver: str | None = None
        self.first_solve_ms = UNKNOWN_TIME_MS
        self.first_solve_cuts = OUT
        self.first_contact: bool | None = None
        """Whether the first solve took only one contact; None: there is none, or it was not by a human."""
        self.first_reopen_ms: int | None = None
        self.reopened_in_window = self.resolution_first_stated = False
        self.full_resolution: tuple[int, int, int] | None = None
        """The stated resolution_full: time, cuts, duration."""

        self.sla_policy: str | None = None
        """The policy of service levels that it names."""
        self.surveys: Surveys | None = None

    def cuts_with_agent(self, agent: str | None) -> int:
        """The standard cuts of the present dimensions and the agent to credit (None: ``unknown``)."""
        return self.cuts | self.cut_sets.agents[agent]

    def set_dimensions(self) -> None:
        """Find the cuts again after a dimension changed."""
        self.cuts = self.cut_sets.standard(self.channel, self.priority, self.category, self.group, self.brand)
