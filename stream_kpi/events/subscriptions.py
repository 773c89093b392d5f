"""Events of ``billing.subscriptions.v1``; the subject is the customer's id."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from stream_kpi.events.envelope import (
    MAX_AMOUNT,
    Amount,
    Currency,
    Data,
    Event,
    Id,
    RequiredText,
    Text,
    Time,
    check_currency,
    checked_time_ms,
)
from stream_kpi.events.rejection import InvalidEventError, Reason


class SubscriptionItem(Data, frozen=True, gc=False, kw_only=True):
    """One priced position: ``unit_amount`` minor units, ``quantity`` times, every ``interval_count`` intervals, less
    the recurring ``discount`` (a share of 1)."""

    plan: RequiredText
    unit_amount: Amount
    quantity: Annotated[int, Meta(ge=0, le=10**12)] = 1
    interval: Literal["day", "week", "month", "year"]
    interval_count: Annotated[int, Meta(ge=1, le=10_000)] = 1
    usage: Literal["licensed", "metered"] = "licensed"
    discount: Annotated[float, Meta(ge=0, le=1)] = 0.0


class SubscriptionChangedData(Data, frozen=True, gc=False, kw_only=True):
    """The whole state of one subscription after the change. ``effective_at`` None: the event's time. Refused with
    ``unknown_currency``, ``invalid_time``, or ``amount_too_large`` (the items' amounts together)."""

    subscription_id: Id
    status: Literal["trialing", "active", "past_due", "paused", "unpaid", "canceled", "expired"]
    currency: Currency
    items: Annotated[tuple[SubscriptionItem, ...], Meta(max_length=1_000)]
    effective_at: Time | None = None
    cancel_at: Time | None = None
    reason: Literal["voluntary", "delinquent"] | None = None
    channel: Text | None = None

    def __post_init__(self) -> None:
        """Check what the types do not say."""
        check_currency(self.currency)
        if self.effective_at is not None:
            checked_time_ms(self.effective_at)
        if self.cancel_at is not None:
            checked_time_ms(self.cancel_at)
        amount = 0
        for item in self.items:
            amount += abs(item.unit_amount) * item.quantity
        if amount > MAX_AMOUNT:
            raise InvalidEventError(Reason.AMOUNT_TOO_LARGE, f"the items are worth more than {MAX_AMOUNT} minor units")


class SubscriptionChanged(Event, frozen=True, gc=False, kw_only=True, tag="subscription.changed"):
    """A subscription began, changed or ended."""

    data: SubscriptionChangedData


class InvoicePaidData(Data, frozen=True, gc=False, kw_only=True):
    """What was paid, without tax."""

    invoice_id: Id
    amount: Amount
    currency: Currency
    plan: Text | None = None

    def __post_init__(self) -> None:
        """Check what the types do not say."""
        check_currency(self.currency)


class InvoicePaid(Event, frozen=True, gc=False, kw_only=True, tag="invoice.paid"):
    """An invoice was paid."""

    data: InvoicePaidData


SubscriptionWire = SubscriptionChanged | InvoicePaid
"""Every type of the topic."""
