"""A ticket of an organisation that promises service levels: all others do not even ask whether there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from stream_kpi.lifecycles.sla.agreements import SLA_DUE
from stream_kpi.lifecycles.ticket.fold import TicketFold
from stream_kpi.lifecycles.ticket.service_levels import ServiceLevels
from stream_kpi.lifecycles.ticket.state import UNKNOWN_TIME_MS

if TYPE_CHECKING:
    from stream_kpi.lifecycles.contribution import Contribution
    from stream_kpi.lifecycles.facts import CutSets, Fact
    from stream_kpi.lifecycles.history import HistoryEvent
    from stream_kpi.lifecycles.options import Options
    from stream_kpi.lifecycles.sla.policy import Policies
    from stream_kpi.lifecycles.sla.promise import Promise


def new_ticket_fold(cut_sets: CutSets, options: Options) -> TicketFold:
    """The fold of a ticket, with service levels if the options promise any."""
    policies = options.sla
    return TicketFold(cut_sets, options) if policies is None else PromisedTicketFold(cut_sets, options, policies)


class PromisedTicketFold(TicketFold):
    """A ticket and its service levels, which follow each of its events."""

    __slots__ = ("_service_levels",)

    def __init__(self, cut_sets: CutSets, options: Options, policies: Policies) -> None:
        super().__init__(cut_sets, options)
        self._service_levels = ServiceLevels(policies)

    def memberships(self) -> list[Fact]:
        """Those of the ticket, and with the deadlines of its service levels."""
        return [] if self.voided else [*super().memberships(), *self._service_levels.memberships()]

    def promises(self) -> list[Promise]:
        """Those of the ticket whose clocks run."""
        return [] if self.voided else self._service_levels.promises()

    def contribution(self) -> Contribution | None:
        """That of the ticket, and when service levels were missed and still owed."""
        said, breaches = super().contribution(), self._service_levels.breaches
        return replace(said, breaches=breaches) if breaches and said is not None else said

    def on_event(self, event: HistoryEvent) -> None:
        """Apply the next event in order."""
        was_merged = self.merged
        super().on_event(event)
        if self.created_ms != UNKNOWN_TIME_MS and not was_merged:
            self._service_levels.follow(self, event)
            self._say_breaches()

    def on_due(self, kind: int, due_ms: int) -> None:
        """A service level is at risk or missed, or what is due of the ticket itself."""
        if kind >= SLA_DUE:
            self._service_levels.on_due(self, kind, due_ms)
            self._say_breaches()
        else:
            super().on_due(kind, due_ms)

    def _say_breaches(self) -> None:
        if self._service_levels.breaches:
            self.contribution_changed = True
