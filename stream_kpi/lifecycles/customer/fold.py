"""The customer lifecycle: subscription states to movements, levels and losses; invoices to what was paid; what tickets
say of missed service levels to the revenue at risk."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from itertools import chain
from typing import Final

import msgspec
from msgspec.structs import replace
from mypy_extensions import mypyc_attr

from stream_kpi.lifecycles.customer.account import Account
from stream_kpi.lifecycles.customer.at_risk import RevenueAtRisk
from stream_kpi.lifecycles.customer.events import BreachedTicket, CustomerEvent, EffectiveOrder, Paid, SubscriptionState
from stream_kpi.lifecycles.customer.sole import SoleSubscription
from stream_kpi.lifecycles.facts import CutSets, Fact, difference
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import NEVER_MS, HistoryEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures import registry

NEXT_EFFECT: Final = 0
"""Due moment: a state or a cancellation that is known already takes effect."""


INVOICES_PAID_SLOT: Final = registry.INVOICES_PAID.slot


def _effective_order(state: SubscriptionState) -> EffectiveOrder:
    return state.effective_order


@mypyc_attr(allow_interpreted_subclasses=True)  # a test's that never takes the short way
class CustomerFold(Fold):
    """One customer's subscriptions.

    The history is ordered by the time at which states became known; the fold keeps them in the order in which they
    take effect. Its facts depend on nothing but the set of states and the clock: one that is known ahead waits for
    its due moment, one that reaches back before the open instant restates what came after.
    """

    __slots__ = ("_account", "_applied", "_at_risk", "_options", "_paid_invoices", "_replays", "_sole", "_timeline")

    history_decoder = msgspec.msgpack.Decoder(list[CustomerEvent])

    def __init__(self, cut_sets: CutSets, options: Options) -> None:
        super().__init__(cut_sets)
        self.voided = False  # a customer counts from the first state on
        self._options = options
        self._timeline: list[SubscriptionState] = []
        """Every state, in order of effect."""
        self._applied = 0
        """How many of the timeline's states the account has taken in."""
        self._sole: SoleSubscription | None = SoleSubscription(cut_sets, options.zone_info)
        """Takes the states in until it cannot; ``_account``, which is made only then, takes over."""
        self._account: Account
        self._replays = False
        self._paid_invoices: dict[str, None] = {}
        """Their ids. A dictionary, which the cycle collector does not track."""
        self._at_risk: RevenueAtRisk | None = None
        """None: no ticket has ever missed a service level, nearly always."""

    @property
    def closed(self) -> bool:
        """Never for one who has had a subscription or an invoice: who paid once and pays again is a reactivation, so
        that has to be remembered."""
        known = self._timeline or self._paid_invoices
        return self._at_risk is not None and self._at_risk.settled and not known

    def on_event(self, event: HistoryEvent) -> None:
        """Take a state in, and its effect if that has come. Raises TypeError for another lifecycle's event."""
        if not isinstance(event, SubscriptionState):
            if isinstance(event, BreachedTicket):
                self._revenue_at_risk().on_word(event)
            else:
                self._on_paid(event)
        elif self._replays:
            self._timeline.append(event)
        else:
            stated = len(self.facts)
            self._on_state(event)
            if self._at_risk is not None:
                self._at_risk.follow(self.facts, stated)

    def replace(self, known: HistoryEvent, event: HistoryEvent) -> bool:
        """Let a ticket say its last word, where that is nothing new."""
        if not (isinstance(event, BreachedTicket) and event.final and replace(event, final=False) == known):
            return False
        at_risk = self._revenue_at_risk()
        at_risk.on_word(event)
        self.spent += at_risk.forget()
        return True

    def _on_state(self, event: SubscriptionState) -> None:
        timeline = self._timeline
        sole = self._sole
        if sole is not None:
            if sole.move(event, self.facts):
                timeline.append(event)
                return
            self.facts += self._part_with(sole)
        place = len(timeline)
        if place and event.effective_ms <= timeline[-1].effective_ms:
            place = bisect(timeline, event.effective_order, key=_effective_order)
        if place < self._applied or event.effective_ms < self._account.instant_ms:
            self._restate(place, event)
        else:
            timeline.insert(place, event)
        self._settle(event.time_ms)

    def replay(self) -> None:
        """Let states come together, to be brought in at once in the order in which they take effect."""
        self._replays = True

    def replayed(self, clock_ms: int) -> None:
        """Bring in all that has taken effect by ``clock_ms``, and state the past once: what each step says of it takes
        back what the one before said."""
        self._replays = False
        stated = len(self.facts)
        self._state_all(clock_ms)
        if self._at_risk is not None:
            self._at_risk.follow(self.facts, stated)

    def _state_all(self, clock_ms: int) -> None:
        sole = self._sole
        if sole is not None:
            facts: list[Fact] = []
            if all(sole.move(state, facts, restates=False) for state in self._timeline):
                sole.state_past(facts)
                self.facts += facts
                return
            self._sole = None
        self._timeline.sort(key=_effective_order)
        movements, past = self._replay(clock_ms)
        self.facts += movements
        self.facts += past
        self._settle(clock_ms)

    def _on_paid(self, event: HistoryEvent) -> None:
        """Count an invoice once, when it was first paid."""
        if not isinstance(event, Paid):
            raise TypeError(f"{type(event).__name__} is no event of a customer")
        if event.invoice_id in self._paid_invoices:
            self.note_problem("invoice_paid_twice")
            return
        self._paid_invoices[event.invoice_id] = None
        cuts = self.cut_sets.pair(self.cut_sets.total, self.cut_sets.only("plan", event.plan))
        self.emit(INVOICES_PAID_SLOT + event.currency, event.time_ms, cuts, event.amount)

    def on_due(self, kind: int, due_ms: int) -> None:  # noqa: ARG002 it schedules one kind only
        """Bring in what takes effect at ``due_ms``."""
        stated = len(self.facts)
        self._settle(due_ms)
        if self._at_risk is not None:
            self._at_risk.follow(self.facts, stated)

    def forgotten(self, at_ms: int) -> list[Fact]:
        """A customer that is forgotten while it pays is churn: no MRR goes without a movement."""
        facts: list[Fact] = []
        if self._sole is not None:
            facts = self._part_with(self._sole)
        account = self._account
        ended = [replace(state, mrr_by_plan=(), cancel_ms=None) for state in self._timeline]
        facts += account.move(max(at_ms, account.instant_ms), ended)
        if self._at_risk is not None:
            self._at_risk.follow(facts, 0)
        return facts

    def _revenue_at_risk(self) -> RevenueAtRisk:
        if self._at_risk is None:
            self._at_risk = RevenueAtRisk()
        return self._at_risk

    def _new_account(self) -> Account:
        return Account(self.cut_sets, self._options.zone_info)

    def _part_with(self, sole: SoleSubscription) -> list[Fact]:
        """Let an account take over. The movements are the same; the past is the customer's and its plan's now."""
        stated: list[Fact] = []
        sole.state_past(stated)
        self._sole = None
        _, past = self._replay(sole.instant_ms)
        return [(slot, time_ms, cuts, value, -sign) for slot, time_ms, cuts, value, sign in stated] + past

    def _settle(self, now_ms: int) -> None:
        """Let everything up to ``now_ms`` take effect, and wait for what comes next."""
        next_ms, facts = self._bring_in(now_ms)
        self.facts += facts
        if next_ms < NEVER_MS:
            self.schedule(next_ms, NEXT_EFFECT)
        else:
            self.cancel(NEXT_EFFECT)

    def _restate(self, place: int, event: SubscriptionState) -> None:
        """Insert a state before what the account has taken in: the movements from there on are others now."""
        until_ms = self._account.instant_ms
        before = chain(*self._replay(until_ms))
        self._timeline.insert(place, event)
        self.facts += difference(chain(*self._replay(until_ms)), before)

    def _replay(self, until_ms: int) -> tuple[list[Fact], list[Fact]]:
        """Bring everything in anew: the movements, and what they leave of the past."""
        self._account = self._new_account()
        self._applied = 0
        movements = self._bring_in(until_ms)[1]
        return movements, self._account.state_past()

    def _bring_in(self, until_ms: int) -> tuple[int, list[Fact]]:
        """Take states and cancellations in up to ``until_ms``: the instant of the next one, and the facts."""
        facts: list[Fact] = []
        timeline, account = self._timeline, self._account
        while True:
            first = last = self._applied
            next_ms = min(timeline[first].effective_ms if first < len(timeline) else NEVER_MS, account.next_cancel_ms())
            if next_ms > until_ms:
                return next_ms, facts
            while last < len(timeline) and timeline[last].effective_ms == next_ms:
                last += 1
            states: Sequence[SubscriptionState] = timeline[first:last]
            facts += account.move(next_ms, states)
            self._applied = last
