"""Tickets that are promised to be resolved within half an hour, by hand. Minutes after T0."""

from __future__ import annotations

from tests.row_kit import at, solved
from tests.shard_kit import created, event
from tests.sla_kit import options_of
from tests.walks.kit import Row, Walk

HALF_AN_HOUR = options_of(
    """
    [[sla]]
    name = "half an hour"
    at_risk = ["20m"]
    resolution = { other = "30m" }
    """
)


def _pays(customer: str, amount: int) -> bytes:
    """EUR a month."""
    item = {"plan": "basic", "unit_amount": 100 * amount, "interval": "month"}
    data = {"subscription_id": "s", "status": "active", "currency": "EUR", "items": [item]}
    return event("subscription.changed", customer, at(-100), f"{customer}/pays", **data)


RESOLVED = Walk(
    [
        *(created("A", at(0)), solved("A", 20, "ann")),
        *(created("B", at(0)), solved("B", 40, "ann")),  # 10 minutes late
        created("C", at(45)),
    ],
    [solved("B", 28, "bob"), solved("C", 55, "bob")],  # both were in time
    {
        "sla_achievement": Row(1 / 2, 1, None),  # A of A B; A B C
        "sla_breaches": Row(1, 0, 0),  # B
        "sla_breach_size": Row(600, None, None),  # B: 40 - 30 min
        "sla_at_risk": Row(1, 0, 0),  # C has 15 of the last 20 minutes left
        "sla_next_breach_in": Row(900, None, None),  # C: 75 - 60 min
    },
    options=HALF_AN_HOUR,
)

OWED = Walk(
    [
        *(_pays("c1", 100), created("A", at(0), customer_id="c1")),
        *(_pays("c2", 40), created("B", at(5), customer_id="c2"), created("C", at(6), customer_id="c2")),
        *(_pays("c3", 20), created("D", at(0), customer_id="c3"), solved("D", 40)),  # late, but no longer owed
        *(_pays("c4", 10), created("E", at(45), customer_id="c4")),
        created("F", at(0), customer_id="pays nothing"),
    ],
    [solved("A", 29, "bob")],
    {"mrr_at_risk": Row(140, 40, 0)},  # c1 c2; c2
    options=HALF_AN_HOUR,
)
WALKS = (RESOLVED, OWED)
