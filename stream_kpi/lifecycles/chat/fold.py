"""The chat lifecycle: waiting, answered or left, ended (kpis.md, Chat and voice)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from stream_kpi.lifecycles.chat.events import (
    Accepted,
    AgentWrote,
    ChatEvent,
    CustomerWrote,
    Ended,
    Left,
    Queued,
    SurveyAnswered,
    SurveySent,
    Transferred,
)
from stream_kpi.lifecycles.chat.service_levels import ServiceLevel
from stream_kpi.lifecycles.chat.silence import Silence
from stream_kpi.lifecycles.contribution import Contribution, Resolution
from stream_kpi.lifecycles.dimensions import dimensions_of
from stream_kpi.lifecycles.facts import CutSets, Fact
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.running import Running
from stream_kpi.lifecycles.sla.agreements import SLA_DUE
from stream_kpi.lifecycles.sla.promise import Promise
from stream_kpi.lifecycles.survey import SURVEY_DUE, Surveys
from stream_kpi.measures import compound, registry

ANSWER_DEADLINE: Final = 0
"""Due moment: a waiting chat passes the service level's X. Other kinds are those of the modules beside this one."""

ABANDONS: Final = frozenset({"abandoned", "timeout"})
"""Reasons of leaving that are abandons, unless short. A short one counts nowhere, whichever of the two it is."""
BLOCKED: Final = "blocked"
"""The reason that counts nowhere. All others flow out: they count below the line only."""

QUEUED_SLOT: Final = compound.CHAT_QUEUED.slot
TARGET_ABOVE_OTHER_SLOT: Final = registry.CHATS_QUEUED.part_slot("target_above_other_ms")
QUEUE_LENGTH_SLOT: Final = registry.QUEUE_LENGTH.slot
WAITING_SLOT: Final = registry.WAITING_CHATS.slot
TAKEN_IN_TARGET_SLOT: Final = compound.CHAT_TAKEN_IN_TARGET.slot
ANSWERED_IN_TARGET_SLOT: Final = compound.CHAT_ANSWERED_IN_TARGET.slot
OUTCOMES_SLOT: Final = registry.CHAT_OUTCOMES.slot
ABANDONS_SLOT: Final = registry.CHAT_ABANDONS.slot
ANSWER_TIME_SLOT: Final = registry.ANSWER_TIME.slot
ABANDON_TIME_SLOT: Final = registry.ABANDON_TIME.slot
OFFERED_SLOT: Final = registry.SERVICE_LEVEL_OFFERED.slot
HANDLE_TIME_SLOT: Final = registry.HANDLE_TIME.slot
DURATION_SLOT: Final = registry.CHAT_DURATION.slot
ANSWERED_LATE_SLOT: Final = registry.CHATS_ANSWERED_LATE.slot
ABANDONED_SHORT_SLOT: Final = registry.CHATS_ABANDONED_SHORT.slot
ABANDONED_SLOTS: Final = (registry.CHATS_ABANDONED_LATE.slot, registry.CHATS_ABANDONED_IN_TARGET.slot)
FLOWED_OUT_SLOTS: Final = (registry.CHATS_FLOWED_OUT_LATE.slot, registry.CHATS_FLOWED_OUT_IN_TARGET.slot)
"""Late, in time."""
IN_HAND: Final = Running.of(registry.CHATS_IN_HAND)


class ChatFold(Fold):
    """One chat or call. The group cut is the queue; what happens before an agent answers credits none.

    Of several agents, the first accept counts for the answer, the last one who had the chat for the rest.
    """

    __slots__ = (
        "_accepted_ms",
        "_agent_cut",
        "_cuts",
        "_ended",
        "_hand_cuts",
        "_missed",
        "_options",
        "_over",
        "_queue",
        "_queued",
        "_resolution",
        "_service_level",
        "_silence",
        "_surveys",
        "_transferred",
        "_waiting_cuts",
    )

    history_decoder = msgspec.msgpack.Decoder(list[ChatEvent])

    def __init__(self, cut_sets: CutSets, options: Options) -> None:
        super().__init__(cut_sets)
        self._options = options
        self._queued: Queued | None = None
        self._queue: str | None = None
        """The one that it is in now, or was last."""
        self._agent_cut = 0
        """Of the agent who has it now, or had it last; 0, which adds no cut, before one has answered."""
        self._accepted_ms: int | None = None
        self._over = False
        """Ended, or left without an agent."""
        self._ended = False
        self._transferred = False
        self._resolution: tuple[int, int] | None = None
        """Time and cuts of the end, if that says that all is resolved."""
        self._hand_cuts: int | None = None
        """The cuts in which an agent has it in hand."""
        self._cuts = 0
        """The standard cuts of the present dimensions, no agent: ``_cuts | _agent_cut`` are those with the agent."""
        self._waiting_cuts = 0
        """The cuts in which it stands in the queue's length."""
        self._missed: tuple[int, int] | None = None
        """Time and cuts of the missed service level."""
        self._service_level: ServiceLevel | None = None
        """None: the options promise none, or it has not been queued yet."""
        self._silence: Silence | None = None
        """None until the customer writes."""
        self._surveys: Surveys | None = None

    @property
    def closed(self) -> bool:
        """Ended, or left without an agent."""
        return self._over

    def contribution(self) -> Contribution | None:
        """Its queueing, its end if that was a resolution, and the answers that count by customer. One of nobody known
        has no say until there is more than the queueing."""
        answers = () if self._surveys is None else self._surveys.nps_answers
        queued, resolved = self._queued, self._resolution
        if queued is None or not (queued.customer_id or resolved or answers):
            return None
        resolution = None
        if resolved is not None:
            time_ms, cuts = resolved
            resolution = Resolution(time_ms, dimensions_of(self.cut_sets, cuts), first_contact=not self._transferred)
        return Contribution(queued.customer_id, queued.time_ms, None, resolution, answers)

    def memberships(self) -> list[Fact]:
        """Among the waiting, and with the deadline of its service level."""
        queued = self._queued
        if queued is None or self._accepted_ms is not None or self._over:
            return []
        waiting: Fact = (WAITING_SLOT, queued.time_ms, self._waiting_cuts, queued.time_ms, 1)
        return [waiting] if self._service_level is None else [waiting, *self._service_level.memberships()]

    def promises(self) -> list[Promise]:
        """Its answer, while it waits for one."""
        return [] if self._service_level is None else self._service_level.promises()

    def on_event(self, event: HistoryEvent) -> None:
        """Apply the next event. What comes before the queued one is held: the engine folds it again then."""
        queued = self._queued
        if queued is not None:
            _HANDLERS[type(event)](self, event, queued)
        elif isinstance(event, Queued):
            self._on_queued(event)

    def on_due(self, kind: int, due_ms: int) -> None:
        """Still waiting past X: the service level is missed, for now. Or what is beside this module is due."""
        if kind == ANSWER_DEADLINE:
            self._missed = (due_ms, self._cuts)
            self.emit(OFFERED_SLOT, due_ms, self._cuts)
        elif kind == SURVEY_DUE:
            self._all_surveys().on_due(self, due_ms)
        elif kind >= SLA_DUE and self._service_level is not None:
            self._service_level.on_due(self, kind, due_ms)
        elif self._silence is not None:
            self._silence.on_due(self, due_ms, self._cuts | self._agent_cut)

    def _enter_queue(self, queued: Queued, queue: str) -> None:
        self._queue = queue
        self._cuts = self.cut_sets.standard(queued.channel, queued.priority, queued.category, queue, queued.brand)

    def _queue_cuts(self) -> int:
        """The total and the queue."""
        return self.cut_sets.with_total("group", self._queue)

    def _on_queued(self, event: Queued) -> None:
        self.voided = False
        self.contribution_changed = True
        self._queued = event
        self._enter_queue(event, event.queue)
        time_ms = event.time_ms
        self._waiting_cuts = cuts = self._cuts
        self.facts.append((QUEUED_SLOT, time_ms, cuts, 1, 1))
        options = self._options
        target_ms = other_ms = options.service_level_target_other_ms
        if event.channel in options.service_level_targets_ms:
            target_ms = options.service_level_targets_ms[event.channel]
            self.emit(TARGET_ABOVE_OTHER_SLOT, time_ms, self._queue_cuts(), target_ms - other_ms)
        self.schedule(time_ms + target_ms, ANSWER_DEADLINE)
        if options.sla is not None:
            self._service_level = ServiceLevel(options.sla)
            self._promise_answer(event, time_ms)

    def _promise_answer(self, queued: Queued, time_ms: int) -> None:
        """It waits in its queue from now on."""
        if self._service_level is not None:
            dimensions = (queued.channel, queued.priority, queued.category, self._queue, queued.brand)
            self._service_level.on_queue(self, self._options, time_ms, dimensions, self._cuts)

    def _on_queued_again(self, _: Queued, __: Queued) -> None:
        self.note_problem("second_queued")

    def _start_waiting(self, time_ms: int, queued_ms: int) -> None:
        self._waiting_cuts = cuts = self._cuts
        self.join(QUEUE_LENGTH_SLOT, time_ms, cuts)
        self.join(WAITING_SLOT, time_ms, cuts, queued_ms)

    def _stop_waiting(self, time_ms: int, queued_ms: int) -> None:
        cuts = self._waiting_cuts
        self.facts += ((QUEUE_LENGTH_SLOT, time_ms, cuts, 1, -1), (WAITING_SLOT, time_ms, cuts, queued_ms, -1))

    def _on_transferred(self, event: Transferred, queued: Queued) -> None:
        if self._over:
            return
        self._transferred = True
        if event.to_queue and event.to_queue != self._queue:
            self._enter_queue(queued, event.to_queue)
            if self._accepted_ms is None:
                time_ms = max(event.time_ms, queued.time_ms)
                self._stop_waiting(time_ms, queued.time_ms)
                self._start_waiting(time_ms, queued.time_ms)
                self._promise_answer(queued, time_ms)
        if self._accepted_ms is None:
            return
        if event.to_agent:
            self._agent_cut = self.cut_sets.agents[event.to_agent]
            self._take_in_hand(event.time_ms)
        elif event.to_queue:
            self._let_go(event.time_ms)

    def _take_in_hand(self, time_ms: int) -> None:
        cuts = self._queue_cuts() | self._agent_cut
        if cuts != self._hand_cuts:
            if self._hand_cuts is not None:
                self._let_go(time_ms)
            IN_HAND.start(self.facts, time_ms, cuts)
            self._hand_cuts = cuts

    def _let_go(self, time_ms: int) -> None:
        if self._hand_cuts is not None:
            IN_HAND.stop(self.facts, time_ms, self._hand_cuts)
            self._hand_cuts = None

    def _on_accepted(self, event: Accepted, queued: Queued) -> None:
        if self._over:
            self.note_problem("accepted_after_end")
            return
        self._agent_cut = self.cut_sets.agents[event.agent_id]
        if event.queue and event.queue != self._queue:
            self._enter_queue(queued, event.queue)
        self._take_in_hand(event.time_ms)
        if self._accepted_ms is None:
            self._answer(event, queued.time_ms)

    def _answer(self, event: Accepted, queued_ms: int) -> None:
        time_ms = self._accepted_ms = event.time_ms
        self.cancel(ANSWER_DEADLINE)
        waited_until_ms = max(time_ms, queued_ms)
        facts, cuts, waiting_cuts = self.facts, self._cuts, self._waiting_cuts
        waited_ms = self.duration_ms(queued_ms, time_ms)
        facts.append((ANSWER_TIME_SLOT, time_ms, cuts | self._agent_cut, waited_ms, 1))
        if self._missed is None and cuts == waiting_cuts and waited_until_ms == time_ms:  # as below, in fewer facts
            facts.append((TAKEN_IN_TARGET_SLOT, time_ms, cuts, 1, 1))
            facts.append((WAITING_SLOT, time_ms, cuts, queued_ms, -1))
        else:
            self._stop_waiting(waited_until_ms, queued_ms)
            if self._missed is None:
                facts.append((ANSWERED_IN_TARGET_SLOT, time_ms, cuts, 1, 1))
            else:
                facts += ((OUTCOMES_SLOT, time_ms, cuts, 1, 1), (ANSWERED_LATE_SLOT, time_ms, cuts, 1, 1))
        if self._silence is not None:
            self._silence.on_accepted(self, time_ms)
        if self._service_level is not None:
            self._service_level.on_answered(self, waited_until_ms, cuts, event.agent_id)

    def _on_customer_wrote(self, event: CustomerWrote, _: Queued) -> None:
        if self._over:
            return
        silence = self._silence
        if silence is None:
            silence = self._silence = Silence(self._options.abandon_after_ms)
        silence.on_customer_wrote(self, event.time_ms, accepted=self._accepted_ms is not None)

    def _on_agent_wrote(self, _: AgentWrote, __: Queued) -> None:
        if self._silence is not None and not self._over:
            self._silence.on_agent_wrote(self)

    def _on_left(self, event: Left, queued: Queued) -> None:
        if self._accepted_ms is not None:
            self.note_problem("left_after_accept")
        elif not self._over:
            self._leave_queue(event.time_ms, queued.time_ms, event.reason)

    def _leave_queue(self, time_ms: int, queued_ms: int, reason: str) -> None:
        self._over = True
        self.cancel(ANSWER_DEADLINE)
        self._stop_waiting(max(time_ms, queued_ms), queued_ms)
        if self._service_level is not None:
            self._service_level.on_left(self, max(time_ms, queued_ms))
        waited_ms = self.duration_ms(queued_ms, time_ms)
        cuts = self._cuts
        in_time = self._missed is None
        if reason in ABANDONS:
            self.emit(ABANDONED_SLOTS[in_time], time_ms, cuts)
            if waited_ms >= self._options.short_abandon_ms:
                self.emit(OUTCOMES_SLOT, time_ms, cuts)
                self.emit(ABANDONS_SLOT, time_ms, cuts)
                self.emit(ABANDON_TIME_SLOT, time_ms, cuts, waited_ms)
                if in_time:
                    self.emit(OFFERED_SLOT, time_ms, cuts)
                return
            self.emit(ABANDONED_SHORT_SLOT, time_ms, cuts)
        elif reason != BLOCKED:
            self.emit(FLOWED_OUT_SLOTS[in_time], time_ms, cuts)
            self.emit(OUTCOMES_SLOT, time_ms, cuts)
        if self._missed is not None:
            self.take_back(OFFERED_SLOT, *self._missed)

    def _on_ended(self, event: Ended, queued: Queued) -> None:
        if self._ended:
            self.note_problem("second_ended")
            return
        time_ms, queued_ms = event.time_ms, queued.time_ms
        cuts = self._cuts | self._agent_cut
        if self._accepted_ms is not None:
            self._let_go(time_ms)
            handled_ms = self.duration_ms(self._accepted_ms, time_ms) + event.after_work_ms
            self.facts.append((HANDLE_TIME_SLOT, time_ms, cuts, handled_ms, 1))
            if self._silence is not None:
                self._silence.on_ended(self, time_ms, cuts)
        elif not self._over:
            self._leave_queue(time_ms, queued_ms, "abandoned" if event.by == "customer" else "timeout")
        # A negative one is a problem that the answer or the leave before it has counted already.
        self.facts.append((DURATION_SLOT, time_ms, cuts, max(0, time_ms - queued_ms), 1))
        self._over = self._ended = True
        if event.resolved:
            self._resolution = (time_ms, cuts)
            self.contribution_changed = True

    def _on_survey_sent(self, event: SurveySent, _: Queued) -> None:
        self._all_surveys().on_sent(self, event, self._cuts | self._agent_cut)

    def _on_survey_answered(self, event: SurveyAnswered, _: Queued) -> None:
        self.contribution_changed = True
        self._all_surveys().on_answered(self, event, self._cuts | self._agent_cut)

    def _all_surveys(self) -> Surveys:
        # Most chats have none.
        if self._surveys is None:
            self._surveys = Surveys()
        return self._surveys


_HANDLERS: Final[dict[type, Callable[[ChatFold, Any, Queued], None]]] = {
    Queued: ChatFold._on_queued_again,  # noqa: SLF001 the class's own
    Transferred: ChatFold._on_transferred,  # noqa: SLF001
    Accepted: ChatFold._on_accepted,  # noqa: SLF001
    Left: ChatFold._on_left,  # noqa: SLF001
    Ended: ChatFold._on_ended,  # noqa: SLF001
    CustomerWrote: ChatFold._on_customer_wrote,  # noqa: SLF001
    AgentWrote: ChatFold._on_agent_wrote,  # noqa: SLF001
    SurveyAnswered: ChatFold._on_survey_answered,  # noqa: SLF001
    SurveySent: ChatFold._on_survey_sent,  # noqa: SLF001
}
