"""The service level of a chat: how soon it is answered (kpis.md, SLA)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream_kpi.calendars.schedule import ALWAYS
from stream_kpi.calendars.timeline import continued
from stream_kpi.lifecycles.sla.agreements import Agreements, Terms
from stream_kpi.lifecycles.sla.policy import ANSWER

if TYPE_CHECKING:
    from stream_kpi.lifecycles.fold import Fold
    from stream_kpi.lifecycles.options import Options
    from stream_kpi.lifecycles.sla.policy import Clock, Policies


class ServiceLevel(Agreements):
    """The agreement of one chat. Answering fulfils it; leaving unanswered cancels it. It never pauses."""

    __slots__ = ("_hours",)

    def __init__(self, policies: Policies) -> None:
        super().__init__(policies)
        self._hours: Clock | None = None

    def on_queue(
        self,
        fold: Fold,
        options: Options,
        time_ms: int,
        dimensions: tuple[str | None, str | None, str | None, str | None, str | None],
        cuts: int,
    ) -> None:
        """The chat waits in a queue from now on. ``dimensions``: channel, priority, category, queue, brand."""
        channel, priority, category, queue, brand = dimensions
        schedules = options.schedules
        schedule = ALWAYS if schedules is None else schedules.schedule_of(queue, channel, brand)
        self._hours = continued(self._hours, time_ms, schedule)
        policy = self.policies.of_chat(channel, queue, brand, category)
        self.terms = Terms(policy, priority, cuts, None, self._hours)
        self.settle(fold, time_ms)
        self.start(fold, ANSWER, time_ms)

    def on_answered(self, fold: Fold, time_ms: int, cuts: int, agent: str | None) -> None:
        """An agent has answered, in a queue with these cuts."""
        self.terms = self.terms._replace(cuts=cuts)
        self.fulfil(fold, ANSWER, time_ms, agent)

    def on_left(self, fold: Fold, time_ms: int) -> None:
        """The customer has left the queue without an agent."""
        self.cancel(fold, ANSWER, time_ms)
