"""A month of a few customers by hand, in EUR: March 2026, seen at noon of its last day."""

from __future__ import annotations

from typing import Any

from stream_kpi.events.times import event_time_ms
from stream_kpi.lifecycles.options import Options
from tests.shard_kit import MINUTE_MS, T0_MS, created, event
from tests.walks.kit import Row, Walk


def _ms(day: str) -> int:
    return event_time_ms(f"2026-{day}T12:00:00Z")


def _pays(customer: str, day: str, amount: float) -> bytes:
    """A monthly item; 0: canceled."""
    item = {"plan": "basic", "unit_amount": round(amount * 100), "interval": "month"}
    data: dict[str, Any] = {"subscription_id": f"{customer}/s", "currency": "EUR", "items": [item] if amount else []}
    status = "active" if amount else "canceled"
    return event("subscription.changed", customer, _ms(day), f"{customer}/{day}", status=status, **data)


def _invoice(customer: str, day: str, amount: float) -> bytes:
    data = {"invoice_id": f"{customer}/{day}", "amount": round(amount * 100), "currency": "EUR"}
    return event("invoice.paid", customer, _ms(day), f"{customer}/i/{day}", **data)


def _cost(kind: str, name: str, amount: float) -> bytes:
    period = {"period_start": "2026-03-01T00:00:00Z", "period_end": "2026-04-01T00:00:00Z"}
    data = {"kind": kind, "amount": round(amount * 100), "currency": "EUR", **period}
    return event("cost.recorded", name, _ms("03-02"), name, **data)


MARCH = Walk(
    [
        *(_pays("c1", "02-10", 100), _pays("c1", "03-10", 150)),  # grows by 50
        *(_pays("c2", "02-10", 80), _pays("c2", "03-12", 60)),  # shrinks by 20
        *(_pays("c3", "02-10", 40), _pays("c3", "03-15", 0)),  # leaves
        _pays("c4", "03-05", 30),  # is new
        *(_pays("c5", "01-10", 20), _pays("c5", "02-15", 0), _pays("c5", "03-20", 25)),  # comes back
        *(_invoice("c1", "03-10", 100), _invoice("c2", "03-12", 60)),
        *(_cost("support", "k1", 31), _cost("acquisition", "k2", 62)),
        *(created(f"T{n}", _ms(f"03-0{n}")) for n in range(1, 5)),
    ],
    [
        *(_pays("c2", "03-11", 90), _pays("c2", "03-28", 0)),  # grew by 10, shrank by 30, left
        _pays("c5", "03-19", 35),  # came back with more, shrank by 10
        *(_pays("c6", "03-06", 35), _pays("c7", "03-07", 5)),
        _invoice("c6", "03-08", 40),
        _cost("support", "k3", 15.5),
        created("T5", _ms("03-05")),
    ],
    {
        "mrr": Row(265, 245, 0),  # 150 + 60 + 30 + 25; 150 + 30 + 25 + 35 + 5
        "arr": Row(3_180, 2_940, 0),  # 12 x 265; 12 x 245
        "customers": Row(4, 5, 0),  # c1 c2 c4 c5; c1 c4 c5 c6 c7
        "arpu": Row(66.25, 49, None),  # 265 / 4; 245 / 5
        "mrr_new": Row(30, 70, 0),  # c4; c4 30 + c6 35 + c7 5
        "expansion_revenue": Row(50, 60, 0),  # c1; c1 50 + c2 10
        "revenue_contraction": Row(20, 40, 0),  # c2; c2 30 + c5 10
        "mrr_churned": Row(40, 100, 0),  # c3; c3 40 + c2 60
        "mrr_reactivation": Row(25, 35, 0),  # c5
        "recurring_revenue": Row(160, 200, 0),  # 100 + 60; + 40
        "customers_new": Row(2, 4, 0),  # c4 c5; c4 c5 c6 c7
        "customers_lost": Row(1, 2, 0),  # c3; c2 c3
        "churn_rate": Row(1 / 3, 2 / 3, None),  # c3 of c1 c2 c3; c2 c3
        "retention_rate": Row(2 / 3, 1 / 3, None),  # (4 - 2) / 3; (5 - 4) / 3
        "net_customer_change": Row(-1 / 3, -2 / 3, None),  # (3 - 4) / 3; (3 - 5) / 3
        "quick_ratio": Row(105 / 60, 165 / 140, None),  # (30 + 25 + 50) / (40 + 20); (70 + 35 + 60) / (100 + 40)
        "grr": Row(160 / 220, 100 / 220, None),  # (100 + 60 + 0) / (100 + 80 + 40); (100 + 0 + 0) / 220
        "nrr": Row(210 / 220, 150 / 220, None),  # (150 + 60 + 0) / 220; (150 + 0 + 0) / 220
        "clv": Row(159, 58.8, None),  # 66.25 x 0.8 / (1 / 3); 49 x 0.8 / (2 / 3)
        "cost_per_ticket": Row(7.75, 9.3, None),  # 31 / 4; 46.50 / 5
        "support_cost_ratio": Row(31 / 160, 46.5 / 200, None),
        "cac": Row(31, 15.5, None),  # 62 / 2; 62 / 4
        "cac_payback": Row(31 / 53, 15.5 / 39.2, None),  # by 66.25 x 0.8; by 49 x 0.8
    },
    window="month",
    minute=(_ms("03-31") - T0_MS) / MINUTE_MS,
    options=Options(gross_margin=0.8),
)
WALKS = (MARCH,)
