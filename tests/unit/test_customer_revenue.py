from __future__ import annotations

import pytest

from stream_kpi.events.subscriptions import (
    InvoicePaid,
    InvoicePaidData,
    SubscriptionChanged,
    SubscriptionChangedData,
    SubscriptionItem,
)
from stream_kpi.lifecycles.customer.events import Paid, SubscriptionState, from_wire
from stream_kpi.lifecycles.customer.revenue import monthly_minor_units


@pytest.mark.parametrize(
    ("amount", "quantity", "discount", "interval", "count", "expected"),
    [
        (200_000, 4, 0.0, "year", 1, 66_667),
        (6_000, 2, 0.0, "month", 1, 12_000),
        (60_000, 1, 0.0, "year", 1, 5_000),
        (1_200, 1, 0.0, "week", 1, 5_200),
        (365, 1, 0.0, "day", 1, 11_102),  # 365 x 365 / 12 = 11,102.08
        (30_000, 1, 0.0, "month", 3, 10_000),
        (60_000, 1, 0.0, "year", 2, 2_500),
        (6, 1, 0.0, "year", 1, 0),  # 0.5 to even
        (18, 1, 0.0, "year", 1, 2),  # 1.5 to even
        (30, 1, 0.0, "year", 1, 2),  # 2.5 to even
        (1_000, 1, 0.1, "month", 1, 900),
        (5, 1, 0.9, "month", 1, 0),  # exactly a half, though 1 - 0.9 in binary is a little less
        (15, 1, 0.9, "month", 1, 2),
        (25, 1, 0.7, "month", 1, 8),  # 7.5 to even: in binary 1 - 0.7 is a little more
        (1_000, 1, 1.0, "month", 1, 0),
        (10**14, 1, 0.3, "day", 1, 2_129_166_666_666_667),
        (-18, 1, 0.0, "year", 1, -2),
    ],
)
def test_an_items_mrr_is_exact_and_rounded_half_to_even(
    amount: int, quantity: int, discount: float, interval: str, count: int, expected: int
) -> None:
    assert monthly_minor_units(amount, quantity, discount, interval, count) == expected


def changed(**data: object) -> SubscriptionState:
    whole = {"subscription_id": "s", "status": "active", "currency": "EUR", "items": ()} | data
    event = SubscriptionChanged(
        specversion="1.0",
        id="1",
        source="/b",
        subject="c",
        data=SubscriptionChangedData(**whole),  # type: ignore[arg-type]
    )
    compact = from_wire(event, 1_000)
    assert isinstance(compact, SubscriptionState)
    return compact


def item(plan: str, amount: int, **more: object) -> SubscriptionItem:
    return SubscriptionItem(plan=plan, unit_amount=amount, interval="month", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "pays"),
    [
        ("active", True),
        ("past_due", True),
        ("trialing", False),
        ("paused", False),
        ("unpaid", False),
        ("canceled", False),
        ("expired", False),
    ],
)
def test_only_active_and_past_due_subscriptions_pay(status: str, pays: bool) -> None:
    compact = changed(status=status, items=(item("gold", 100),))
    assert compact.paying is pays
    assert compact.mrr_by_plan == ((("gold", 100),) if pays else ())


def test_metered_items_have_no_mrr_and_items_of_one_plan_add_up() -> None:
    items = (item("gold", 100), item("api", 7, usage="metered"), item("gold", 50, quantity=2), item("free", 0))
    assert changed(items=items).mrr_by_plan == (("gold", 200),)


@pytest.mark.parametrize(
    ("status", "reason", "delinquent"),
    [
        ("canceled", None, False),
        ("canceled", "delinquent", True),
        ("unpaid", None, True),
        ("canceled", "voluntary", False),
    ],
)
def test_a_loss_is_delinquent_when_unpaid_or_said_so(status: str, reason: str | None, delinquent: bool) -> None:
    assert changed(status=status, reason=reason).delinquent is delinquent


def test_a_state_holds_from_the_events_time_unless_it_says_otherwise() -> None:
    assert (changed().time_ms, changed().effective_ms, changed().cancel_ms) == (1_000, 1_000, None)
    ahead = changed(effective_at="1970-01-01T00:01:00Z", cancel_at="1970-01-01T01:00:00+00:00")
    assert (ahead.time_ms, ahead.effective_ms, ahead.cancel_ms) == (1_000, 60_000, 3_600_000)
    assert (ahead.currency, ahead.uid) == (978, "1\0/b")


def test_an_invoice_keeps_what_was_paid_in_minor_units_and_for_which_plan() -> None:
    data = InvoicePaidData(invoice_id="i", amount=119, currency="EUR", plan="gold")
    event = InvoicePaid(specversion="1.0", id="1", source="/b", subject="c", data=data)
    assert from_wire(event, 1_000) == Paid(1_000, "1\0/b", "i", 119, 978, "gold")
