"""The customer that nearly all are: one subscription to one plan, whose states come in order and hold at once."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from stream_kpi.lifecycles.customer.account import (
    CHURN_SLOT,
    CHURNED_SLOT,
    CONTRACTION_SLOT,
    CUSTOMERS_BY_CURRENCY_SLOT,
    EXPANSION_SLOT,
    NEW_SLOT,
    REACTIVATION_SLOT,
)
from stream_kpi.lifecycles.customer.course import BEFORE_ALL, Course, restate, turn
from stream_kpi.lifecycles.customer.events import SubscriptionState
from stream_kpi.lifecycles.customer.paying import flip, restate_history
from stream_kpi.lifecycles.facts import CutSets, Fact
from stream_kpi.lifecycles.history import NEVER_MS


class SoleSubscription:
    """States the facts that :class:`Account` states, in a quarter of the time, for as long as it can."""

    __slots__ = ("_amount", "_channel", "_course", "_currency", "_cut_sets", "_cuts", "_id", "_plan", "_switches",
                 "_zone", "instant_ms")  # fmt: skip

    def __init__(self, cut_sets: CutSets, zone: ZoneInfo) -> None:
        self._cut_sets = cut_sets
        self._zone = zone
        self.instant_ms = -NEVER_MS
        """Of the last state."""
        self._id = ""
        self._plan = ""
        """The plan that has been paid for, and its currency; empty before."""
        self._channel: str | None = None
        """The first that is named by the time that plan is."""
        self._currency = 0
        self._cuts = 0
        """Of the customer and its plan."""
        self._amount = 0
        """MRR in minor units."""
        self._course: Course = BEFORE_ALL
        self._switches: tuple[int, ...] = ()
        """When the customer started and stopped paying, in turn."""

    def move(self, state: SubscriptionState, facts: list[Fact], *, restates: bool = True) -> bool:
        """Take a state in and state its movement; False, and nothing has changed, when only an Account can. Without
        ``restates``, the past is left to :meth:`state_past`."""
        time_ms = state.effective_ms
        plans = state.mrr_by_plan
        if (
            not self.instant_ms < time_ms <= state.time_ms
            or state.cancel_ms is not None
            or len(plans) > 1
            or (self._id and state.subscription_id != self._id)
        ):
            return False
        after = 0
        channel = self._channel
        if channel is None and not self._plan:
            channel = state.channel
        if plans:
            ((plan, after),) = plans
            if after < 0 or (self._plan and (plan != self._plan or state.currency != self._currency)):
                return False
            if not self._plan:
                self._plan, self._currency = plan, state.currency
                customer = self._cut_sets.with_total("channel", channel)
                self._cuts = self._cut_sets.pair(customer, self._cut_sets.only("plan", plan))
        self._channel = channel
        self._id = state.subscription_id
        self.instant_ms = time_ms
        if after != self._amount:
            switches, course = self._switches, self._course
            self._state(time_ms, after, state.delinquent, facts)
            self._course = turn(course, after, time_ms, self._currency, self._cuts, self._zone, facts)
            self._amount = after
            if restates:
                restate(course, self._course, self._currency, self._cuts, facts)
                if self._switches is not switches:
                    restate_history(switches, self._switches, self._cuts, facts)
        return True

    def state_past(self, facts: list[Fact]) -> None:
        """State the past as it is now, all at once."""
        if self._course is not BEFORE_ALL:
            restate(BEFORE_ALL, self._course, self._currency, self._cuts, facts)
            restate_history((), self._switches, self._cuts, facts)

    def _state(self, time_ms: int, after: int, delinquent: bool, facts: list[Fact]) -> None:  # noqa: FBT001 its only caller is above
        before, cuts, currency = self._amount, self._cuts, self._currency
        if before and after:
            slot = EXPANSION_SLOT if after > before else CONTRACTION_SLOT
            facts.append((slot + currency, time_ms, cuts, abs(after - before), 1))
            return
        if after:
            slot = REACTIVATION_SLOT if self._switches else NEW_SLOT
            facts.append((slot + currency, time_ms, cuts, after, 1))
        else:
            reason = self._cut_sets.only("reason", "delinquent" if delinquent else "voluntary")
            facts.append((CHURN_SLOT + currency, time_ms, cuts, before, 1))
            facts.append((CHURNED_SLOT + currency, time_ms, reason, before, 1))
        facts.append((CUSTOMERS_BY_CURRENCY_SLOT + currency, time_ms, cuts, 1, 1 if after else -1))
        flip(time_ms, self._switches, cuts, self._zone, facts)
        self._switches += (time_ms,)
