"""What a customer pays, and the movement that each instant is.

All that happens to a customer at one instant is one movement (an upgrade that ends one subscription and starts
another is an expansion). So the latest instant stays open: another state of it replaces the movement stated before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from stream_kpi.lifecycles.customer.course import BEFORE_ALL, Course, restate, turn
from stream_kpi.lifecycles.customer.events import SubscriptionState
from stream_kpi.lifecycles.customer.paying import flip, restate_history
from stream_kpi.lifecycles.facts import CutSets, Fact
from stream_kpi.lifecycles.history import NEVER_MS
from stream_kpi.measures import compound, registry

NEW_SLOT: Final = compound.NEW_MRR.slot
REACTIVATION_SLOT: Final = compound.REACTIVATED_MRR.slot
EXPANSION_SLOT: Final = compound.EXPANDED_MRR.slot
CONTRACTION_SLOT: Final = compound.CONTRACTED_MRR.slot
CHURN_SLOT: Final = compound.CHURNED_MRR.slot
"""Each changes the MRR, and counts that as of its class."""
CHURNED_SLOT: Final = registry.MRR_CHURNED.slot
CUSTOMERS_BY_CURRENCY_SLOT: Final = registry.CUSTOMERS_BY_CURRENCY.slot
"""Slots of money and of what is counted by currency: an amount's own is this plus the currency's numeric code."""

Change = tuple[SubscriptionState | None, SubscriptionState | None, bool]
"""A subscription before and after an instant (None: no MRR), and whether what it loses there is delinquent."""


class Account:
    """One customer's running state, instant by instant in ascending order. "Paying" is MRR > 0.

    It takes in what there is already; from :meth:`state_past` on, each movement restates the past.
    """

    __slots__ = ("_cancels", "_changes", "_channel", "_courses", "_cut_sets", "_facts", "_flips", "_moved", "_mrr",
                 "_open", "_paid", "_restates", "_states", "_switches", "_turned", "_zone", "instant_ms")  # fmt: skip

    def __init__(self, cut_sets: CutSets, zone: ZoneInfo) -> None:
        self._cut_sets = cut_sets
        self._channel: str | None = None
        """By which the customer came: the first that is named by the time it first has an MRR. It stays."""
        self._zone = zone
        self.instant_ms = -NEVER_MS
        """The open instant."""
        self._restates = False
        # Before the open instant:
        self._states: dict[str, SubscriptionState] = {}
        """Subscriptions that have an MRR."""
        self._mrr: dict[int, dict[str, int]] = {}
        """By currency and plan."""
        self._courses: dict[tuple[int, str | None], Course] = {}
        """By currency: of all its plans (None), and of each."""
        self._paid: frozenset[int] = frozenset()
        """Currencies in which the customer has ever paid."""
        self._cancels = False
        """Whether any state has stated a ``cancel_ms``; few do."""
        self._switches: dict[str | None, list[int]] = {}
        """When the customer (None), and each plan of it, started and stopped paying, in turn."""
        # The open instant:
        self._open: dict[str, SubscriptionState] = {}
        self._changes: Sequence[Change] = ()
        self._moved: dict[int, dict[str, int]] = {}
        """By currency and plan: MRR after less before. Every currency of it is in ``_mrr`` too."""
        self._turned: dict[tuple[int, str | None], Course] = {}
        """Courses with the step that they take."""
        self._flips: Sequence[str | None] = ()
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
            if state.cancel_ms is not None:
                self._cancels = True
            if self._channel is None and not self._courses:
                self._channel = state.channel
        self._facts = self._movement()
        if self._restates:
            self._restate_past()
        facts += self._facts
        return facts

    def state_past(self) -> list[Fact]:
        """State the past as it is now, all at once; to be called once."""
        facts: list[Fact] = []
        for (currency, key), course in self._courses.items():
            restate(BEFORE_ALL, course, currency, self._cuts((key,)), facts)
        for key, switches in self._switches.items():
            restate_history((), switches, self._cuts((key,)), facts)
        moved = len(self._facts)
        self._restates = True
        self._restate_past()
        return facts + self._facts[moved:]

    def next_cancel_ms(self) -> int:
        """The next instant at which a subscription ends by its ``cancel_ms``, ``NEVER_MS`` without one."""
        next_ms = NEVER_MS
        if not self._cancels:
            return next_ms
        for states in (self._open, self._states):
            for subscription_id, state in states.items():
                cancel_ms = state.cancel_ms
                if (
                    cancel_ms is not None
                    and self.instant_ms < cancel_ms < next_ms
                    and (states is self._open or subscription_id not in self._open)
                ):
                    next_ms = cancel_ms
        return next_ms

    def _touched(self) -> list[Change]:
        """What the open instant does to each subscription that it touches."""
        changes: list[Change] = []
        for subscription_id, state in self._open.items():
            changes.append((self._states.get(subscription_id), _alive(state, self.instant_ms), state.delinquent))
        for subscription_id, state in self._states.items() if self._cancels else ():
            if state.cancel_ms == self.instant_ms and subscription_id not in self._open:
                changes.append((state, None, state.delinquent))
        return changes

    def _settle(self) -> None:
        """Close the open instant: what was before it is now what is after it."""
        for before, after, _ in self._changes:
            if after is not None:
                self._states[after.subscription_id] = after
            elif before is not None:
                del self._states[before.subscription_id]
        for currency, deltas in self._moved.items():
            plans = self._mrr[currency]
            for plan, delta in deltas.items():
                plans[plan] = plans.get(plan, 0) + delta
                if not plans[plan]:
                    del plans[plan]
            if sum(plans.values()) > 0 and currency not in self._paid:
                self._paid |= {currency}
        for key in self._flips:
            self._switches.setdefault(key, []).append(self.instant_ms)
        self._courses.update(self._turned)
        self._open = {}
        self._changes = ()
        self._moved = {}
        self._turned = {}
        self._flips = ()

    def _movement(self) -> list[Fact]:
        self._changes = self._touched()
        self._moved = {}
        self._turned = {}
        self._flips = ()
        lost: dict[tuple[int, bool], int] = {}
        for before, after, delinquent in self._changes:
            if before is not None and after is not None and _same_revenue(before, after):
                continue
            if before is not None:
                self._count(before, -1, delinquent, lost)
            if after is not None:
                self._count(after, 1, delinquent, lost)
        facts: list[Fact] = []
        turned: dict[str | None, bool] = {}
        for currency, deltas in self._moved.items():
            self._money(currency, deltas, lost, turned, facts)
        if turned:
            self._customers(turned, facts)
        return facts

    def _count(self, state: SubscriptionState, sign: int, delinquent: bool, lost: dict[tuple[int, bool], int]) -> None:  # noqa: FBT001 its only caller is above
        """Add a subscription's revenue to the movement, or take it off."""
        currency = state.currency
        deltas = self._moved.get(currency)
        if deltas is None:
            deltas = self._moved[currency] = {}
            self._mrr.setdefault(currency, {})
        for plan, amount in state.mrr_by_plan:
            deltas[plan] = deltas.get(plan, 0) + sign * amount
            lost[currency, delinquent] = lost.get((currency, delinquent), 0) - sign * amount

    def _money(
        self,
        currency: int,
        deltas: dict[str, int],
        lost: dict[tuple[int, bool], int],
        turned: dict[str | None, bool],
        facts: list[Fact],
    ) -> None:
        """State a currency's movement, and note in ``turned`` who starts (True) or stops (False) paying in it: only
        they can start or stop paying at all."""
        time_ms = self.instant_ms
        plans = self._mrr[currency]
        before, change = sum(plans.values()), sum(deltas.values())
        class_slot, sign = self._classify(currency, before, before + change)
        slot = class_slot + currency
        parts: list[tuple[tuple[str | None, ...], int, int]]
        if len(deltas) == 1 and len(plans) <= 1 and plans.keys() <= deltas.keys():
            parts = [((None, *deltas), before, change)]  # nearly always: the one plan is all that there is
        else:
            parts = [((None,), before, change)]
            parts += [((plan,), plans.get(plan, 0), delta) for plan, delta in deltas.items()]
        for keys, was, delta in parts:
            if delta:
                cuts = self._cuts(keys)
                facts.append((slot, time_ms, cuts, sign * delta, 1))
                if (was > 0) != (was + delta > 0):
                    facts.append((CUSTOMERS_BY_CURRENCY_SLOT + currency, time_ms, cuts, 1, -1 if was > 0 else 1))
                    for key in keys:
                        turned[key] = was <= 0 or turned.get(key, False)
                self._turn(currency, keys, was + delta, facts)
        if class_slot == CHURN_SLOT:
            for delinquent, reason in ((True, "delinquent"), (False, "voluntary")):
                amount = lost.get((currency, delinquent), 0)
                if amount:
                    cuts = self._cut_sets.only("reason", reason)
                    facts.append((CHURNED_SLOT + currency, time_ms, cuts, amount, 1))

    def _turn(self, currency: int, keys: tuple[str | None, ...], after: int, facts: list[Fact]) -> None:
        """State what a change of the MRR, of each of the keys to the same amount, keeps and loses of the month's."""
        courses = [self._courses.get((currency, key), BEFORE_ALL) for key in keys]
        if len(keys) == 2 and courses[0] == courses[1]:  # one plan from the first, nearly always
            turned = turn(courses[0], after, self.instant_ms, currency, self._cuts(keys), self._zone, facts)
            self._turned.update(dict.fromkeys([(currency, key) for key in keys], turned))
            return
        for key, course in zip(keys, courses, strict=True):
            self._turned[currency, key] = turn(
                course, after, self.instant_ms, currency, self._cuts((key,)), self._zone, facts
            )

    def _restate_past(self) -> None:
        """State what the open instant changes of the past, for the customer and for each plan by itself: they part
        sooner or later."""
        for (currency, key), course in self._turned.items():
            before = self._courses.get((currency, key), BEFORE_ALL)
            restate(before, course, currency, self._cuts((key,)), self._facts)
        for key in self._flips:
            switches = self._switches.get(key, [])
            restate_history(switches, [*switches, self.instant_ms], self._cuts((key,)), self._facts)

    def _classify(self, currency: int, before: int, after: int) -> tuple[int, int]:
        """The one class of the currency's movement, and the sign that its amounts are counted with. Plans switched at
        the same price are an expansion of nothing: the plans' parts cancel."""
        if before <= 0 < after:
            return (REACTIVATION_SLOT if currency in self._paid else NEW_SLOT), 1
        if after <= 0 < before:
            return CHURN_SLOT, -1
        return (EXPANSION_SLOT, 1) if after >= before else (CONTRACTION_SLOT, -1)

    def _customers(self, turned: dict[str | None, bool], facts: list[Fact]) -> None:
        flips: list[str | None] = []
        for key, pays_in_one in turned.items():
            pays = pays_in_one or self._pays(key)
            if pays != bool(len(self._switches.get(key, ())) % 2):
                flips.append(key)
        self._flips = flips
        if len(flips) == 2 and flips[0] is None and self._switches.get(None) == self._switches.get(flips[1]):
            self._flip(tuple(flips), facts)  # who only ever had one plan, nearly always
        else:
            for key in flips:
                self._flip((key,), facts)

    def _pays(self, plan: str | None) -> bool:
        """Whether the customer, or a plan of it, pays in any currency after the open instant."""
        for currency, plans in self._mrr.items():
            deltas = self._moved.get(currency)
            if plan is None:
                amount = sum(plans.values()) + (sum(deltas.values()) if deltas else 0)
            else:
                amount = plans.get(plan, 0) + (deltas.get(plan, 0) if deltas else 0)
            if amount > 0:
                return True
        return False

    def _flip(self, keys: tuple[str | None, ...], facts: list[Fact]) -> None:
        """State that those start or stop paying, who have done so together from the first."""
        flip(self.instant_ms, self._switches.get(keys[0], ()), self._cuts(keys), self._zone, facts)

    def _cuts(self, keys: tuple[str | None, ...]) -> int:
        """The cuts of the customer (None) or a plan, or of both."""
        cut_sets = self._cut_sets
        ids = [
            cut_sets.with_total("channel", self._channel) if plan is None else cut_sets.only("plan", plan)
            for plan in keys
        ]
        return ids[0] if len(ids) == 1 else cut_sets.pair(*ids)


def _same_revenue(before: SubscriptionState, after: SubscriptionState) -> bool:
    return before.currency == after.currency and before.mrr_by_plan == after.mrr_by_plan


def _alive(state: SubscriptionState, instant_ms: int) -> SubscriptionState | None:
    ended = state.cancel_ms is not None and state.cancel_ms <= instant_ms
    return state if state.mrr_by_plan and not ended else None
