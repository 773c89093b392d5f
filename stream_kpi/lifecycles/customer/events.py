"""A customer's compact events: what any KPI needs of a subscription's state and of an invoice, and what its tickets
say of the service levels that they have missed."""

from __future__ import annotations

from sys import intern
from typing import ClassVar

from stream_kpi.events.currencies import numeric_code
from stream_kpi.events.subscriptions import InvoicePaid, SubscriptionItem, SubscriptionWire
from stream_kpi.events.times import event_time_ms
from stream_kpi.lifecycles.customer.revenue import monthly_minor_units
from stream_kpi.lifecycles.history import HistoryEvent

PAYING_STATUSES = frozenset({"active", "past_due"})

EffectiveOrder = tuple[int, int, bool, str]


class SubscriptionState(HistoryEvent, frozen=True, gc=False, tag=1):
    """The whole state of one subscription from an instant on, until its next state."""

    subscription_id: str
    effective_ms: int
    """From when the state holds. The history stays in the order of ``time_ms``, in which states became known."""
    paying: bool
    """Whether the status pays, whatever the amount."""
    currency: int
    """ISO 4217 numeric code."""
    mrr_by_plan: tuple[tuple[str, int], ...]
    """Minor units a month of each plan, ascending; empty unless ``paying``."""
    cancel_ms: int | None = None
    """From when the subscription is cancelled, if no later state holds by then."""
    delinquent: bool = False
    """Why revenue that ends with this state (or at its ``cancel_ms``) is lost: not paid for, else given up."""
    channel: str | None = None
    """By which the customer came, as far as this state says."""

    @property
    def order(self) -> tuple[int, int, str]:
        """Time, non-paying before paying status, uid."""
        return (self.time_ms, self.paying, self.uid)

    @property
    def effective_order(self) -> EffectiveOrder:
        """The order in which states take effect: the last one of a subscription at an instant holds."""
        return (self.effective_ms, self.time_ms, self.paying, self.uid)


class Paid(HistoryEvent, frozen=True, gc=False, tag=2):
    """An invoice was paid. The same ``invoice_id`` again is the same payment, told twice."""

    invoice_id: str
    amount: int
    """Minor units, without tax."""
    currency: int
    """ISO 4217 numeric code."""
    plan: str | None = None


class BreachedTicket(HistoryEvent, frozen=True, gc=False, tag=3):
    """A ticket of the customer that has, or has had, a missed service level, at the time of the ticket's creation. The
    uid is that of the ticket, the latest word stands (:mod:`stream_kpi.lifecycles.contribution`)."""

    breaches: tuple[int, ...]
    """When it began and ceased to have one that is still owed, in turn; empty: it never had."""
    final: bool = False
    """The ticket has been forgotten: it will say nothing more."""

    opens: ClassVar[bool] = True

    def replaces(self, other: HistoryEvent) -> bool:
        """The later word stands. The same again is no other."""
        return self != other


CustomerEvent = SubscriptionState | Paid | BreachedTicket
"""Every compact event of a customer."""


def from_wire(wire: SubscriptionWire, time_ms: int) -> CustomerEvent:
    """The compact event of a wire event that happened at ``time_ms``."""
    if isinstance(wire, InvoicePaid):
        paid = wire.data
        uid = f"{wire.id}\0{wire.source}"
        return Paid(time_ms, uid, paid.invoice_id, paid.amount, numeric_code(paid.currency), paid.plan)
    data = wire.data
    paying = data.status in PAYING_STATUSES
    return SubscriptionState(
        time_ms,
        f"{wire.id}\0{wire.source}",
        data.subscription_id,
        time_ms if data.effective_at is None else event_time_ms(data.effective_at),
        paying,
        numeric_code(data.currency),
        _mrr_by_plan(data.items) if paying else (),
        None if data.cancel_at is None else event_time_ms(data.cancel_at),
        data.status == "unpaid" or data.reason == "delinquent",
        None if data.channel is None else intern(data.channel),
    )


def _mrr_by_plan(items: tuple[SubscriptionItem, ...]) -> tuple[tuple[str, int], ...]:
    if len(items) == 1:  # nearly always
        plan, amount = items[0].plan, _mrr(items[0])
        return ((plan, amount),) if amount else ()
    plans: dict[str, int] = {}
    for item in items:
        plans[item.plan] = plans.get(item.plan, 0) + _mrr(item)
    return tuple(sorted((plan, amount) for plan, amount in plans.items() if amount))


def _mrr(item: SubscriptionItem) -> int:
    if item.usage != "licensed":
        return 0
    return monthly_minor_units(item.unit_amount, item.quantity, item.discount, item.interval, item.interval_count)
