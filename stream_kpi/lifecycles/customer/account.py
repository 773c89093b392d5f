"""What a customer pays, and the movement that each instant is.

All that happens to a customer at one instant is one movement (an upgrade that ends one subscription and starts
another is an expansion). So the latest instant stays open: another state of it replaces the movement stated before.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from zoneinfo import ZoneInfo

from stream_kpi.lifecycles.customer.events import SubscriptionState
from stream_kpi.lifecycles.facts import TOTAL, CutSets, Fact
from stream_kpi.lifecycles.fold import NEVER_MS
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Measure
from stream_kpi.windows.zones import floor_1h, floor_5m, floor_day, floor_month

LOST_IN_WINDOW: tuple[tuple[int, Callable[[int, ZoneInfo], int]], ...] = (
    (registry.CUSTOMERS_LOST_5M.slot, lambda time_ms, _zone: floor_5m(time_ms)),
    (registry.CUSTOMERS_LOST_1H.slot, floor_1h),
    (registry.CUSTOMERS_LOST_1D.slot, floor_day),
    (registry.CUSTOMERS_LOST_MONTH.slot, floor_month),
)
"""The measure of each kind of window, and where the window that holds an instant starts."""


class Account:
    """One customer's running state, instant by instant in ascending order. "Paying" is MRR > 0."""

    __slots__ = ("_cut_sets", "_facts", "_flips", "_moved", "_mrr", "_open", "_paid", "_states", "_switches", "_zone",
                 "instant_ms")  # fmt: skip

    def __init__(self, cut_sets: CutSets, zone: ZoneInfo) -> None:
        self._cut_sets = cut_sets
        self._zone = zone
        self.instant_ms = -NEVER_MS
        """The open instant."""
        # Before the open instant:
        self._states: dict[str, SubscriptionState] = {}
        """Subscriptions that have an MRR."""
        self._mrr: dict[int, dict[str, int]] = {}
        """By currency and plan."""
        self._paid: set[int] = set()
        """Currencies in which the customer has ever paid."""
        self._switches: dict[str | None, list[int]] = {}
        """When the customer (None), and each plan of it, started and stopped paying, in turn."""
        # The open instant:
        self._open: dict[str, SubscriptionState] = {}
        self._moved: dict[int, dict[str, int]] = {}
        """By currency and plan: MRR after less before."""
        self._flips: list[str | None] = []
        """Who starts or stops paying: keys of ``_switches``."""
        self._facts: list[Fact] = []

    def move(self, instant_ms: int, states: Iterable[SubscriptionState]) -> list[Fact]:
        """Bring in states of an instant, ascending, not before :attr:`instant_ms`; end what is cancelled at it.

        Returns the facts of the movement; at the open instant also those that take its earlier movement back.
        """
        facts: list[Fact] = []
        if instant_ms == self.instant_ms:
            facts += [(slot, time_ms, cuts, value, -sign) for slot, time_ms, cuts, value, sign in self._facts]
        else:
            self._settle()
            self.instant_ms = instant_ms
        for state in states:
            self._open[state.subscription_id] = state
        self._facts = list(self._movement())
        return facts + self._facts

    def next_cancel_ms(self) -> int:
        """The next instant at which a subscription ends by its ``cancel_ms``, ``NEVER_MS`` without one."""
        instant_ms = self.instant_ms
        states = {**self._states, **self._open} if self._open else self._states
        return min(
            (s.cancel_ms for s in states.values() if s.cancel_ms is not None and s.cancel_ms > instant_ms),
            default=NEVER_MS,
        )

    def _changes(self) -> Iterator[tuple[SubscriptionState | None, SubscriptionState | None, bool]]:
        """The subscriptions that the open instant touches: before, after (None: no MRR), delinquent."""
        for subscription_id, state in self._open.items():
            yield self._states.get(subscription_id), _alive(state, self.instant_ms), state.delinquent
        for subscription_id, state in self._states.items():
            if state.cancel_ms == self.instant_ms and subscription_id not in self._open:
                yield state, None, state.delinquent

    def _settle(self) -> None:
        """Close the open instant: what was before it is now what is after it."""
        for before, after, _ in list(self._changes()):
            if after is not None:
                self._states[after.subscription_id] = after
            elif before is not None:
                del self._states[before.subscription_id]
        for currency, deltas in self._moved.items():
            plans = self._mrr.setdefault(currency, {})
            for plan, delta in deltas.items():
                plans[plan] = plans.get(plan, 0) + delta
                if not plans[plan]:
                    del plans[plan]
            if sum(plans.values()) > 0:
                self._paid.add(currency)
        for key in self._flips:
            self._switches.setdefault(key, []).append(self.instant_ms)
        self._open = {}
        self._moved = {}
        self._flips = []

    def _movement(self) -> Iterator[Fact]:
        self._moved = {}
        reasons: dict[int, dict[bool, int]] = {}
        for before, after, delinquent in self._changes():
            for state, sign in ((before, -1), (after, 1)):
                if state is None:
                    continue
                deltas = self._moved.setdefault(state.currency, {})
                lost = reasons.setdefault(state.currency, {})
                for plan, amount in state.mrr_by_plan:
                    deltas[plan] = deltas.get(plan, 0) + sign * amount
                    lost[delinquent] = lost.get(delinquent, 0) - sign * amount
        for currency, deltas in self._moved.items():
            yield from self._money(currency, deltas, reasons[currency])
        yield from self._customers()

    def _money(self, currency: int, deltas: dict[str, int], lost: dict[bool, int]) -> Iterator[Fact]:
        plans = self._mrr.get(currency, {})
        before, change = sum(plans.values()), sum(deltas.values())
        measure, sign = self._classify(currency, before, before + change)
        level_slot, slot = registry.MRR.currency_slot(currency), measure.currency_slot(currency)
        customers_slot = registry.CUSTOMERS_BY_CURRENCY.currency_slot(currency)
        parts = [(self._cuts(None), before, change)]
        parts += [(self._cuts(plan), plans.get(plan, 0), delta) for plan, delta in deltas.items()]
        for cuts, was, delta in parts:
            if delta:
                yield level_slot, self.instant_ms, cuts, delta, 1
                yield slot, self.instant_ms, cuts, sign * delta, 1
            if (was > 0) != (was + delta > 0):
                yield customers_slot, self.instant_ms, cuts, 1, -1 if was > 0 else 1
        if measure is registry.MRR_CHURNED:
            for delinquent, amount in lost.items():
                if amount:
                    reason = "delinquent" if delinquent else "voluntary"
                    yield slot, self.instant_ms, self._cut_sets.only("reason", reason), amount, 1

    def _classify(self, currency: int, before: int, after: int) -> tuple[Measure, int]:
        """The one class of the currency's movement, and the sign that its amounts are counted with. Plans switched at
        the same price are an expansion of nothing: the plans' parts cancel."""
        if before <= 0 < after:
            return (registry.MRR_REACTIVATION if currency in self._paid else registry.MRR_NEW), 1
        if after <= 0 < before:
            return registry.MRR_CHURNED, -1
        return (registry.MRR_EXPANSION, 1) if after >= before else (registry.MRR_CONTRACTION, -1)

    def _customers(self) -> Iterator[Fact]:
        self._flips = []
        moved_plans = {plan for deltas in self._moved.values() for plan in deltas}
        for key in (None, *sorted(moved_plans)):
            pays = self._pays(key)
            if pays != bool(len(self._switches.get(key, ())) % 2):
                self._flips.append(key)
                yield from self._starts(key) if pays else self._stops(key)

    def _pays(self, plan: str | None) -> bool:
        """Whether the customer, or a plan of it, pays in any currency after the open instant."""
        for currency in {*self._mrr, *self._moved}:
            parts = (self._mrr.get(currency, {}), self._moved.get(currency, {}))
            if sum(sum(part.values()) if plan is None else part.get(plan, 0) for part in parts) > 0:
                return True
        return False

    def _starts(self, key: str | None) -> Iterator[Fact]:
        cuts, switches = self._cuts(key), self._switches.get(key, [])
        yield registry.CUSTOMERS.slot, self.instant_ms, cuts, 1, 1
        yield from self._past(key, 1)
        yield registry.PAST_OF_ACTIVE.slot, self.instant_ms, cuts, 1, 1
        if switches:
            for slot, start_of in LOST_IN_WINDOW:
                start_ms = start_of(switches[-1], self._zone)
                if start_of(self.instant_ms, self._zone) == start_ms and _paid_before(switches, start_ms):
                    yield slot, switches[-1], cuts, 1, -1

    def _stops(self, key: str | None) -> Iterator[Fact]:
        cuts, switches = self._cuts(key), self._switches[key]
        yield registry.CUSTOMERS.slot, self.instant_ms, cuts, 1, -1
        yield from self._past(key, -1)
        for slot, start_of in LOST_IN_WINDOW:
            if _paid_before(switches, start_of(self.instant_ms, self._zone)):
                yield slot, self.instant_ms, cuts, 1, 1

    def _past(self, key: str | None, sign: int) -> Iterator[Fact]:
        """The whole paying history before the open instant, stated or taken back."""
        cuts = self._cuts(key)
        for position, switched_ms in enumerate(self._switches.get(key, ())):
            yield registry.PAST_OF_ACTIVE.slot, switched_ms, cuts, 1, -sign if position % 2 else sign

    def _cuts(self, plan: str | None) -> int:
        return self._cut_sets.id_of((TOTAL,)) if plan is None else self._cut_sets.only("plan", plan)


def _alive(state: SubscriptionState, instant_ms: int) -> SubscriptionState | None:
    ended = state.cancel_ms is not None and state.cancel_ms <= instant_ms
    return state if state.mrr_by_plan and not ended else None


def _paid_before(switches: list[int], instant_ms: int) -> bool:
    """Whether the customer paid just before an instant: windows are [start, end), and so is what they start from."""
    return bool(bisect_left(switches, instant_ms) % 2)
