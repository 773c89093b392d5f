"""What a customer pays, from its events to the records: movements, what is kept of it, invoices, lifetime value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from stream_kpi.compute import Computation
from stream_kpi.events.decode import decode_line
from stream_kpi.events.times import event_time_ms
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.facts import TOTAL
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Measure
from stream_kpi.windows.kinds import parse
from stream_kpi.windows.panes import PaneKey
from stream_kpi.windows.tiers import ALL_TIME
from tests.catalogue_kit import kpi_by_id
from tests.shard_kit import DAY_MS, Topics, event, new_shard

MOVEMENTS = {
    "mrr_new": 1,
    "mrr_reactivation": 1,
    "expansion_revenue": 1,
    "revenue_contraction": -1,
    "mrr_churned": -1,
}


def ms(day: str) -> int:
    return event_time_ms(f"2026-{day}T12:00:00Z")


class Billing:
    """Writes events as a billing system does."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def subscription(
        self, customer: str, day: str, name: str, *items: dict[str, Any], status: str = "active", **more: str
    ) -> None:
        data = {"subscription_id": name, "status": status, "currency": "EUR", "items": items, **more}
        self.lines.append(event("subscription.changed", customer, ms(day), f"{len(self.lines)}", **data))

    def invoice(self, customer: str, day: str, invoice_id: str, amount: int, **more: str) -> None:
        data = {"invoice_id": invoice_id, "amount": amount, "currency": "EUR", **more}
        self.lines.append(event("invoice.paid", customer, ms(day), f"{len(self.lines)}", **data))

    def records(
        self, window: str, at: str, kpis: Iterable[str], *, options: Options | None = None, by_plan: bool = False
    ) -> list[KpiRecord]:
        """What `compute` says at an instant."""
        computation = Computation(options or Options(), parse(window), ms(at))
        for line in self.lines:
            assert computation.take(line) is None
        rows = [kpi_by_id(kpi_id) for kpi_id in kpis]
        return list(computation.records(rows, {"plan"} if by_plan else set()))

    def values(self, window: str, at: str, kpi: str, *, options: Options | None = None) -> list[float | None]:
        """One KPI's values over everything, window by window."""
        return [record.value for record in self.records(window, at, [kpi], options=options)]


def gold(quantity: int) -> dict[str, Any]:
    return {"plan": "Gold", "unit_amount": 200_000, "quantity": quantity, "interval": "year"}


def silver(quantity: int) -> dict[str, Any]:
    return {"plan": "Silver", "unit_amount": 6_000, "quantity": quantity, "interval": "month"}


def basic(amount: int) -> dict[str, Any]:
    return {"plan": "Basic", "unit_amount": amount, "interval": "month"}


@pytest.fixture
def story() -> Billing:
    """From new business to its return."""
    billing = Billing()
    billing.subscription("c", "01-10", "g", gold(4))
    billing.subscription("c", "02-03", "s", silver(2))
    billing.subscription("c", "03-20", "s", silver(1))
    billing.subscription("c", "04-05", "g", gold(4), cancel_at="2026-05-10T12:00:00Z")
    billing.subscription("c", "04-06", "s", silver(1), cancel_at="2026-05-10T12:00:00Z")
    billing.subscription("c", "06-02", "g2", gold(4))
    return billing


@pytest.mark.parametrize(
    ("at", "month", "mrr"),
    [
        ("01-10", {"mrr_new": 666.67}, 666.67),
        ("02-03", {"expansion_revenue": 120.0}, 786.67),
        ("03-20", {"revenue_contraction": 60.0}, 726.67),
        ("04-06", {}, 726.67),  # the click
        ("05-09", {}, 726.67),
        ("05-10", {"mrr_churned": 726.67}, 0.0),  # the period's end, of both subscriptions: one movement
        ("06-02", {"mrr_reactivation": 666.67}, 666.67),
    ],
)
def test_a_customers_story_is_one_movement_a_step_and_start_and_movements_make_the_end(
    story: Billing, at: str, month: dict[str, float], mrr: float
) -> None:
    moved = story.records("month", at, MOVEMENTS)
    last = moved[-1].window
    assert {r.kpi: r.value for r in moved if r.window == last and r.value} == month
    assert story.values("total", at, "mrr") == [mrr]
    ends = {r.window.start: round(100 * (r.value or 0)) for r in story.records("month", at, ["mrr"])}
    start = 0
    for window, end in ends.items():
        parts = [MOVEMENTS[r.kpi] * round(100 * (r.value or 0)) for r in moved if r.window.start == window]
        assert start + sum(parts) == end
        start = end


def test_a_hundred_monthly_and_fifty_yearly_customers_make_an_mrr_of_12_500() -> None:
    billing = Billing()
    for number in range(150):
        monthly = {"plan": "monthly", "unit_amount": 10_000, "interval": "month"}
        yearly = {"plan": "yearly", "unit_amount": 60_000, "interval": "year"}
        billing.subscription(f"c{number}", "01-10", "s", monthly if number < 100 else yearly)
    (record,) = billing.records("total", "01-10", ["mrr"])
    assert (record.value, record.samples) == (12_500, 150)
    by_plan = billing.records("total", "01-10", ["mrr"], by_plan=True)
    assert {r.cut["plan"]: r.value for r in by_plan if r.cut} == {"monthly": 10_000, "yearly": 2_500}


@pytest.fixture
def four() -> Billing:
    """Four customers of 100.00 at the start of March; one grows to 150, one shrinks to 60, one leaves."""
    billing = Billing()
    for customer in "abcd":
        billing.subscription(customer, "02-10", "s", basic(10_000))
    billing.subscription("a", "03-05", "s", basic(15_000))
    billing.subscription("b", "03-06", "s", basic(6_000))
    billing.subscription("c", "03-07", "s", status="canceled")
    billing.subscription("new", "03-08", "s", basic(99_900))
    return billing


@pytest.mark.parametrize(("window", "at"), [("month", "03-20"), ("rolling:30d", "03-20"), ("rolling:365d", "03-20")])
def test_net_and_gross_retention_are_of_the_customers_of_the_start(four: Billing, window: str, at: str) -> None:
    if window == "rolling:365d":
        four.lines = [line.replace(b"2026-02-10", b"2025-02-10") for line in four.lines]
    grr, nrr = four.records(window, at, ["grr", "nrr"])[-2:]
    assert (grr.value, grr.numerator, grr.denominator, grr.samples, grr.currency) == (0.65, 260, 400, 4, "EUR")
    assert (nrr.value, nrr.numerator, nrr.denominator, nrr.samples, nrr.unit) == (0.775, 310, 400, 4, "ratio")


def test_a_month_that_has_ended_keeps_its_retention_when_the_next_one_moves(four: Billing) -> None:
    four.subscription("a", "04-05", "s", status="canceled")
    assert four.values("month", "04-20", "grr") == [None, 0.65, (6_000 + 10_000 + 99_900) / 130_900]
    assert four.values("month", "04-20", "nrr") == [None, 0.775, (6_000 + 10_000 + 99_900) / 130_900]


def test_the_12_months_start_with_a_local_day_and_know_who_left_long_ago() -> None:
    billing = Billing()
    for customer in "abc":
        billing.subscription(customer, "02-10", "s", basic(10_000))
    billing.subscription("a", "03-25", "s", status="canceled")
    billing.subscription("b", "04-10", "s", basic(15_000))
    billing.lines = [line.replace(b"2026-", b"2025-") for line in billing.lines]
    (grr, nrr) = billing.records("rolling:365d", "03-20", ["grr", "nrr"])
    assert grr.window.start == "2025-03-20T00:00:00.000Z"
    assert (grr.value, nrr.value, grr.samples) == (200 / 300, 250 / 300, 3)
    billing.subscription("c", "03-19", "s", basic(4_000))  # late: at the start it was that much
    billing.lines[-1] = billing.lines[-1].replace(b"2026-", b"2025-")
    assert billing.values("rolling:365d", "03-20", "grr") == [140 / 240]
    assert billing.values("rolling:365d", "03-20", "nrr") == [190 / 240]
    assert billing.values("rolling:365d", "03-27", "grr") == [1]  # a was gone by then


def test_who_left_and_came_back_counts_as_there_and_grows_net_retention_only(four: Billing) -> None:
    four.subscription("c", "03-15", "s", basic(20_000))
    for window in ("month", "rolling:30d"):
        assert four.values(window, "03-20", "grr")[-1] == (100 + 60 + 100 + 100) / 400
        assert four.values(window, "03-20", "nrr")[-1] == (150 + 60 + 200 + 100) / 400


def test_retention_is_corrected_by_a_state_that_reaches_back(four: Billing) -> None:
    four.subscription("b", "03-18", "s", basic(5_000), effective_at="2026-02-20T00:00:00Z")
    for window in ("month", "rolling:30d"):
        grr, nrr = four.records(window, "03-20", ["grr", "nrr"])[-2:]
        # From 20 February on b pays 50.00, until 6 March makes it 60.00: at the start of March, not 30 days ago.
        at_start = 350 if window == "month" else 400
        assert (grr.denominator, nrr.denominator) == (at_start, at_start)
        assert (grr.numerator, nrr.numerator) == ((250, 310) if window == "month" else (260, 310))


def test_retention_has_no_value_without_a_start_nor_in_windows_that_are_not_its_own(four: Billing) -> None:
    assert four.values("total", "03-20", "nrr") == [None]
    assert four.values("today", "03-05", "grr") == [None]
    assert four.values("rolling:24h", "03-05", "grr") == [None]
    assert four.values("month", "02-20", "grr") == [None]
    assert Billing().values("month", "02-20", "nrr") == [None]


def test_by_plan_retention_is_of_the_plans_own_customers() -> None:
    billing = Billing()
    billing.subscription("c", "02-10", "s", silver(1), gold(4))
    billing.subscription("c", "03-10", "s", silver(3))
    found = billing.records("rolling:30d", "03-20", ["grr", "nrr"], by_plan=True)
    values = {(r.kpi, *r.cut.values()): r.value for r in found}
    assert values == {
        ("grr",): 18_000 / 72_667,
        ("nrr",): 18_000 / 72_667,
        ("grr", "Gold"): 0,
        ("nrr", "Gold"): 0,
        ("grr", "Silver"): 1,
        ("nrr", "Silver"): 3,
    }


MARGIN = Options(gross_margin=0.8)


@pytest.mark.parametrize("window", ["month", "rolling:30d"])
def test_lifetime_value_is_the_margin_of_a_month_by_the_churn_of_it(four: Billing, window: str) -> None:
    record = four.records(window, "03-20", ["clv"], options=MARGIN)[-1]
    arpu = (150 + 60 + 100 + 999) / 4
    assert record.value == pytest.approx(arpu * 0.8 / 0.25, rel=1e-12)
    assert record.numerator == pytest.approx(arpu * 0.8)
    assert (record.denominator, record.samples) == (0.25, 4)
    assert (record.currency, record.unit) == ("EUR", "EUR")


def test_lifetime_value_is_corrected_when_who_was_lost_comes_back(four: Billing) -> None:
    four.subscription("d", "03-10", "s", status="canceled")
    four.subscription("d", "03-15", "s", basic(10_000))
    assert four.values("month", "03-12", "clv", options=MARGIN)[-1] == pytest.approx((150 + 60 + 999) / 3 * 0.8 / 0.5)
    assert four.values("month", "03-20", "clv", options=MARGIN)[-1] == pytest.approx((1_309) / 4 * 0.8 / 0.25)


def test_lifetime_value_is_absent_at_churn_0_without_a_margin_and_in_windows_that_are_no_month(four: Billing) -> None:
    assert four.values("month", "03-06", "clv", options=MARGIN)[-1] is None
    assert four.values("month", "03-20", "clv")[-1] is None
    assert four.values("rolling:7d", "03-10", "clv", options=MARGIN) == [None]
    assert four.values("total", "03-20", "clv", options=MARGIN) == [None]
    assert Billing().values("month", "02-20", "clv", options=MARGIN) == [None]


def test_recurring_revenue_is_what_was_paid_once_an_invoice_by_plan_and_unknown_without_one() -> None:
    billing = Billing()
    billing.invoice("c", "03-01", "i1", 11_900, plan="Gold")
    billing.invoice("c", "03-02", "i2", 100)
    billing.invoice("c", "03-03", "i1", 99_999, plan="Gold")  # the same one, told again
    billing.invoice("d", "03-04", "i1", 1_000, plan="Gold")  # another customer's
    found = billing.records("rolling:7d", "03-05", ["recurring_revenue"], by_plan=True)
    assert {tuple(r.cut.values()): r.value for r in found} == {(): 130.0, ("Gold",): 129.0, ("unknown",): 1.0}
    assert {r.currency for r in found} == {"EUR"}
    assert billing.values("month", "03-05", "recurring_revenue") == [130.0]


def test_an_earlier_payment_that_comes_late_is_the_one_that_counts() -> None:
    billing = Billing()
    billing.invoice("c", "03-02", "i", 11_900)
    billing.invoice("c", "02-27", "i", 11_000)
    assert billing.values("month", "03-05", "recurring_revenue") == [110.0, 0.0]


def test_recurring_revenue_is_0_where_nothing_was_paid() -> None:
    assert Billing().values("rolling:7d", "03-05", "recurring_revenue") == [0]


def test_a_customer_that_is_forgotten_while_it_pays_is_churn_and_its_mrr_does_not_vanish() -> None:
    billing = Billing()
    billing.subscription("c", "01-10", "s", silver(1))
    shard = new_shard()
    kind, wire, time_ms = decode_line(billing.lines[0])
    shard.take(kind, wire, time_ms)
    forgotten_ms = time_ms + 400 * DAY_MS
    topics = Topics()
    shard.advance(forgotten_ms - 1)
    topics.write(shard.flush(caught_up=True))
    assert (standing(topics, registry.MRR), standing(topics, registry.MRR_CHURNED)) == (6_000, 0)
    shard.advance(forgotten_ms)
    topics.write(shard.flush(caught_up=True))
    assert topics.entities() == set()
    assert (standing(topics, registry.MRR), standing(topics, registry.MRR_CHURNED)) == (0, 6_000)
    assert standing(topics, registry.MRR_OF_PAST_PAYERS) == 0


def standing(topics: Topics, measure: Measure) -> int:
    """The euros of the total over all time."""
    everything = topics.vectors().get(PaneKey(ALL_TIME.number, 0, TOTAL), {})
    return everything.get(measure.currency_slot(978), 0)
