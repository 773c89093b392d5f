"""Subscriptions that start, grow, shrink, end and come back; invoices."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from stream_kpi.events.topics import TopicKind
from stream_kpi.simulator.world import World, rfc3339

DAY_MS = 86_400_000
MINUTE_MS = 60_000
TRIAL_MS = 14 * DAY_MS
PRICES = {"starter": 1_900, "team": 4_900, "business": 9_900, "enterprise": 29_900}
"""Minor units a seat and month."""
PLANS = tuple(PRICES)
PLAN_WEIGHTS = {"starter": 46.0, "team": 33.0, "business": 16.0, "enterprise": 5.0}
CURRENCY_WEIGHTS = {"EUR": 64.0, "USD": 36.0}
ACQUISITION = {"organic": 44.0, "ads": 26.0, "partner": 18.0, "referral": 12.0}
CHANGES = {"start": 30.0, "upgrade": 24.0, "downgrade": 11.0, "churn": 13.0, "fail": 8.0, "return": 9.0, "pause": 5.0}
SNAPSHOT_AGE_MS = 400 * DAY_MS


class Subscription(msgspec.Struct, eq=False):
    """A customer's subscription as it stands."""

    customer_id: str
    subscription_id: str
    currency: str
    plan: str
    quantity: int
    yearly: bool
    discount: float
    channel: str
    metered: bool
    status: str = "active"


class Billing:
    """The book of subscriptions."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._paying: list[Subscription] = []
        self._former: list[Subscription] = []
        self._subscribers = 0
        self._changes: dict[str, Callable[[], None]] = {
            "start": self._start_new,
            "upgrade": self._upgrade,
            "downgrade": self._downgrade,
            "churn": self._churn,
            "fail": self._fail_to_pay,
            "return": self._come_back,
            "pause": self._pause,
        }

    def start(self) -> None:
        """State the subscriptions that exist, each effective when it began; from now on they change."""
        world = self._world
        for number in range(world.team.subscribers):
            subscription = self._new_subscription()
            self._paying.append(subscription)
            age_ms = int(SNAPSHOT_AGE_MS * world.random.random() ** 0.8)
            effective_at = rfc3339(world.start_ms - age_ms)
            world.after(number * 20, partial(self._emit, subscription, effective_at=effective_at))
        world.after(world.team.subscribers * 20, self._begin_changes)

    def _begin_changes(self) -> None:
        per_day = self._world.team.subscription_changes_per_day
        self._world.arrivals(per_day, self._change)
        self._world.arrivals(per_day, self._invoice)

    def _new_subscription(self) -> Subscription:
        world = self._world
        self._subscribers += 1
        customer_id = f"C-{self._subscribers - 1}"
        return Subscription(
            customer_id=customer_id,
            subscription_id=f"S-{self._subscribers - 1}",
            currency=world.choose(CURRENCY_WEIGHTS),
            plan=world.choose(PLAN_WEIGHTS),
            quantity=1 + int(world.random.expovariate(1 / 4)),
            yearly=world.chance(0.3),
            discount=0.1 if world.chance(0.12) else 0.0,
            channel=world.choose(ACQUISITION),
            metered=world.chance(0.08),
        )

    def _emit(self, subscription: Subscription, **more: object) -> None:
        price = PRICES[subscription.plan]
        item: dict[str, object] = {
            "plan": subscription.plan,
            "unit_amount": price * 10 if subscription.yearly else price,
            "quantity": subscription.quantity,
            "interval": "year" if subscription.yearly else "month",
        }
        if subscription.discount:
            item["discount"] = subscription.discount
        items = [item]
        if subscription.metered:
            items.append({"plan": "messages", "unit_amount": 2, "interval": "month", "usage": "metered"})
        data = {
            "subscription_id": subscription.subscription_id,
            "status": subscription.status,
            "currency": subscription.currency,
            "items": items,
            "channel": subscription.channel,
            **more,
        }
        self._world.emit(TopicKind.SUBSCRIPTION, "subscription.changed", subscription.customer_id, data)

    def _change(self) -> None:
        self._changes[self._world.choose(CHANGES)]()

    def _take(self, subscriptions: list[Subscription]) -> Subscription | None:
        """A random one, out of the list."""
        if not subscriptions:
            return None
        place = self._world.random.randrange(len(subscriptions))
        subscriptions[place], subscriptions[-1] = subscriptions[-1], subscriptions[place]
        return subscriptions.pop()

    def _start_new(self) -> None:
        subscription = self._new_subscription()
        if self._world.chance(0.5):
            subscription.status = "trialing"
            self._world.after(TRIAL_MS, partial(self._end_trial, subscription))
        else:
            self._paying.append(subscription)
        self._emit(subscription)

    def _end_trial(self, subscription: Subscription) -> None:
        if self._world.chance(0.45):
            subscription.status = "active"
            self._paying.append(subscription)
        else:
            subscription.status = "expired"
            self._former.append(subscription)
        self._emit(subscription)

    def _upgrade(self) -> None:
        subscription = self._take(self._paying)
        if subscription is None:
            return
        if subscription.plan != PLANS[-1] and self._world.chance(0.4):
            subscription.plan = PLANS[PLANS.index(subscription.plan) + 1]
        else:
            subscription.quantity += self._world.random.randint(1, 3)
        self._emit(subscription)
        self._paying.append(subscription)

    def _downgrade(self) -> None:
        subscription = self._take(self._paying)
        if subscription is None:
            return
        if subscription.quantity > 1:
            subscription.quantity = max(1, subscription.quantity - self._world.random.randint(1, 3))
        elif subscription.plan != PLANS[0]:
            subscription.plan = PLANS[PLANS.index(subscription.plan) - 1]
        self._emit(subscription)
        self._paying.append(subscription)

    def _churn(self) -> None:
        """At once, or announced for the end of the period."""
        subscription = self._take(self._paying)
        if subscription is None:
            return
        if self._world.chance(0.3):
            notice_ms = int(self._world.random.uniform(0.1, 30) * DAY_MS)
            self._emit(subscription, cancel_at=rfc3339(self._world.now_ms + notice_ms))
            self._world.after(notice_ms, partial(self._end, subscription, "canceled", "voluntary"))
        else:
            self._end(subscription, "canceled", "voluntary")

    def _end(self, subscription: Subscription, status: str, reason: str) -> None:
        subscription.status = status
        self._emit(subscription, reason=reason)
        self._former.append(subscription)

    def _fail_to_pay(self) -> None:
        """Past due; most pay after all, the others become unpaid."""
        subscription = self._take(self._paying)
        if subscription is None:
            return
        subscription.status = "past_due"
        self._emit(subscription)
        self._world.after(self._world.span_ms(300 * MINUTE_MS), partial(self._settle, subscription))

    def _settle(self, subscription: Subscription) -> None:
        if self._world.chance(0.65):
            self._reactivate(subscription)
        else:
            self._end(subscription, "unpaid", "delinquent")

    def _come_back(self) -> None:
        subscription = self._take(self._former)
        if subscription is not None:
            self._reactivate(subscription)

    def _reactivate(self, subscription: Subscription) -> None:
        subscription.status = "active"
        self._emit(subscription)
        self._paying.append(subscription)

    def _pause(self) -> None:
        subscription = self._take(self._paying)
        if subscription is None:
            return
        subscription.status = "paused"
        self._emit(subscription)
        self._world.after(self._world.span_ms(2 * DAY_MS), partial(self._reactivate, subscription))

    def _invoice(self) -> None:
        if not self._paying:
            return
        world = self._world
        subscription = world.random.choice(self._paying)
        months = 10 if subscription.yearly else 1
        amount = round(PRICES[subscription.plan] * months * subscription.quantity * (1 - subscription.discount))
        data = {
            "invoice_id": world.entity_id("I"),
            "amount": amount,
            "currency": subscription.currency,
            "plan": subscription.plan,
        }
        world.emit(TopicKind.SUBSCRIPTION, "invoice.paid", subscription.customer_id, data)
