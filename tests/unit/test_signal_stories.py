"""Signals from their events to the records: conversion, bounces, activation, active users, mentions, costs."""

from __future__ import annotations

from typing import Any

import pytest

from stream_kpi.compute import Computation
from stream_kpi.events.rejection import Reason, Rejected
from stream_kpi.events.times import event_time_ms
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.facts import TOTAL
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures import registry
from stream_kpi.windows.kinds import parse
from stream_kpi.windows.view import Window
from tests.catalogue_kit import kpi_by_id
from tests.shard_kit import created, event
from tests.unit.test_kpi_formulas import FakeView, only

DIMENSIONS = {"channel", "goal", "plan", "network"}


def ms(at: str) -> int:
    return event_time_ms(f"2026-{at}:00Z")


class Signals:
    """Writes events as a site, a product and an accountant do."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.lines: list[bytes] = []

    def add(self, name: str, at: str, subject: str, **data: Any) -> None:
        self.lines.append(event(name, subject, ms(at), f"{len(self.lines)}", **data))

    def visit(self, at: str, visitor: str, channel: str = "ads") -> None:
        self.add("visit.started", at, visitor, visitor_id=visitor, channel=channel)

    def convert(self, at: str, visitor: str, goal: str = "signup") -> None:
        self.add("conversion.completed", at, visitor, visitor_id=visitor, goal=goal)

    def act(self, at: str, user: str, action: str = "login", **more: str) -> None:
        self.add("activity.performed", at, user, user_id=user, action=action, **more)

    def sign_up(self, at: str, user: str) -> None:
        self.add("signup.completed", at, user, user_id=user, channel="ads", plan="pro")

    def mention(self, at: str, mention: str, network: str = "x", **more: str) -> None:
        self.add("social.mention", at, mention, network=network, **more)

    def cost(self, at: str, cost: str, amount: int, start: str, end: str, kind: str = "support", **more: str) -> None:
        period = {"period_start": f"2026-{start}:00Z", "period_end": f"2026-{end}:00Z"}
        self.add("cost.recorded", at, cost, kind=kind, amount=amount, currency="EUR", **period, **more)

    def records(self, kpi: str, window: str, at: str) -> list[KpiRecord]:
        """What `compute` says of a row at an instant."""
        computation = Computation(self.options, parse(window), ms(at))
        for line in self.lines:
            assert computation.take(line) is None
        return list(computation.records([kpi_by_id(kpi)], DIMENSIONS))

    def value(self, kpi: str, window: str, at: str, **cut: str) -> float | None:
        """The value of a cut; in windows that follow each other, of the last."""
        return [record for record in self.records(kpi, window, at) if record.cut == cut][-1].value


def test_two_hundred_thousand_visitors_and_four_thousand_of_them_converted_are_two_percent() -> None:
    vector = {registry.VISITORS.slot: 200_000, registry.CONVERTED_VISITORS.slot: 4_000}
    record = only(FakeView(inside_by_cut={TOTAL: vector}), "conversion_rate")
    assert (record.value, record.numerator, record.denominator, record.samples) == (0.02, 4_000, 200_000, 200_000)
    assert record.interval == pytest.approx((0.01939559, 0.02062285), abs=1e-7)


@pytest.mark.parametrize(
    ("kind", "part"),
    [("tumbling:5m", "5m"), ("tumbling:1h", "1h"), ("tumbling:1d", "1d"), ("today", "1d"), ("month", "month")],
)
def test_each_window_with_fixed_bounds_reads_its_own_count_of_visitors(kind: str, part: str) -> None:
    vector = {registry.VISITORS.slot: 9, registry.VISITORS.part_slot(part): 4}
    vector |= {registry.CONVERTED_VISITORS.part_slot(part): 1}
    record = only(FakeView(Window(kind, 0, 1, final=True), {TOTAL: vector}), "conversion_rate")
    assert record.value == 0.25


def test_visitors_and_converted_ones_count_once_in_every_window_and_cut() -> None:
    signals = Signals()
    signals.visit("03-02T09:00", "ann", "ads")
    signals.visit("03-02T10:10", "ann", "mail")
    signals.convert("03-02T10:20", "ann", "signup")
    signals.convert("03-02T10:30", "ann", "demo")
    signals.visit("03-02T10:10", "bob", "ads")
    signals.visit("03-01T10:00", "cyd", "mail")
    signals.convert("03-02T10:00", "cyd", "demo")
    at = "03-02T10:50"
    assert signals.value("conversion_rate", "total", at) == pytest.approx(2 / 3)
    assert signals.value("conversion_rate", "today", at) == 0.5
    assert signals.value("conversion_rate", "rolling:1h", at) == 0.5
    assert signals.value("conversion_rate", "rolling:5m", at) is None
    assert signals.value("conversion_rate", "month", at) == pytest.approx(2 / 3)
    assert signals.value("conversion_rate", "total", at, channel="ads") == 0.5
    assert signals.value("conversion_rate", "total", at, channel="mail") == 1
    assert signals.value("conversion_rate", "total", at, goal="signup") == pytest.approx(1 / 3)
    assert signals.value("conversion_rate", "today", at, goal="demo") == 0.5
    hours = [r for r in signals.records("conversion_rate", "tumbling:1h", at) if not r.cut]
    assert [(r.numerator, r.denominator) for r in hours[-2:]] == [(0, 1), (1, 2)]
    signals.visit("03-02T09:30", "cyd", "mail")  # late
    assert signals.value("conversion_rate", "today", at) == pytest.approx(2 / 3)


def test_bounces_are_of_visits_half_an_hour_old_and_a_rolling_window_looks_that_far_back() -> None:
    signals = Signals()
    signals.visit("03-02T10:00", "ann")
    signals.visit("03-02T10:00", "bob")
    signals.act("03-02T10:05", "u1", visitor_id="bob")
    signals.visit("03-02T10:40", "cyd")
    assert signals.value("bounce_rate", "total", "03-02T10:29") is None
    assert signals.value("bounce_rate", "total", "03-02T10:50") == 0.5
    assert signals.value("bounce_rate", "rolling:5m", "03-02T10:33") == 0.5
    assert signals.value("bounce_rate", "rolling:5m", "03-02T10:50") is None
    assert signals.value("bounce_rate", "rolling:1h", "03-02T11:25", channel="ads") == pytest.approx(2 / 3)
    signals.act("03-02T10:20", "u2", visitor_id="ann")  # late
    assert signals.value("bounce_rate", "total", "03-02T10:50") == 0


def test_activation_is_decided_a_week_after_the_sign_up_and_needs_the_action_to_be_set() -> None:
    signals = Signals(Options(activation_action="invite"))
    for user in ("ann", "bob"):
        signals.sign_up("03-02T10:00", user)
        signals.act("03-03T10:00", user)
    assert signals.value("activation_rate", "total", "03-09T09:59") is None
    assert signals.value("activation_rate", "total", "03-09T10:00") == 0
    signals.act("03-09T10:00", "ann", "invite")
    signals.act("03-09T10:01", "bob", "invite")
    assert signals.value("activation_rate", "total", "03-10T10:00") == 0.5
    assert signals.value("activation_rate", "total", "03-10T10:00", plan="pro") == 0.5
    assert signals.value("activation_rate", "rolling:30d", "03-10T10:00", channel="ads") == 0.5
    assert signals.value("activation_rate", "rolling:1h", "03-09T10:10") == 0.5
    signals.options = Options()
    assert signals.value("activation_rate", "total", "03-10T10:00") is None


def test_active_users_are_distinct_and_stickiness_is_the_days_share_of_the_months() -> None:
    signals = Signals()
    signals.act("03-02T10:00", "ann", plan="pro")
    signals.act("03-02T11:00", "ann", plan="pro")
    signals.act("03-10T10:00", "bob", plan="team")
    signals.act("03-10T10:00", "cyd")
    at = "03-10T12:00"
    assert [signals.value(kpi, "total", at) for kpi in ("dau", "wau", "mau", "stickiness")] == [2, 2, 3, 2 / 3]
    assert [signals.value(kpi, "total", at, plan="pro") for kpi in ("dau", "mau", "stickiness")] == [0, 1, 0]
    signals.act("03-09T13:00", "ann", plan="team")  # late
    assert signals.value("dau", "total", at) == 3
    assert signals.value("dau", "total", at, plan="team") == 2
    later = "05-01T00:00"
    assert [signals.value(kpi, "total", later) for kpi in ("dau", "mau", "stickiness")] == [0, 0, None]


def test_mentions_by_sentiment_are_shares_of_all_and_the_first_reply_is_the_response() -> None:
    signals = Signals()
    signals.mention("03-02T10:00", "m1", sentiment="negative")
    signals.mention("03-02T10:00", "m2", sentiment="positive")
    signals.mention("03-02T10:00", "m3", "reddit", sentiment="negative")
    signals.mention("03-02T10:00", "m4", "reddit")
    signals.add("social.replied", "03-02T10:30", "m1", mention="m1")
    signals.add("social.replied", "03-02T10:40", "m1", mention="m1")
    at = "03-02T11:00"
    assert signals.value("social_mentions", "total", at) == 4
    shares = {tuple(r.cut.values()): r.value for r in signals.records("social_sentiment", "total", at)}
    assert shares == {
        ("positive",): 0.25,
        ("neutral",): 0,
        ("negative",): 0.5,
        ("unknown",): 0.25,
        ("x", "positive"): 0.5,
        ("x", "neutral"): 0,
        ("x", "negative"): 0.5,
        ("x", "unknown"): 0,
        ("reddit", "positive"): 0,
        ("reddit", "neutral"): 0,
        ("reddit", "negative"): 0.5,
        ("reddit", "unknown"): 0.5,
    }
    assert signals.value("social_response_time", "total", at, network="x") == 1_800
    signals.add("social.replied", "03-02T10:10", "m1", mention="m1")  # late
    assert signals.value("social_response_time", "total", at) == 600
    nothing = Signals().records("social_sentiment", "total", at)
    assert [(r.cut["class"], r.value) for r in nothing] == [
        (name, None) for name in ("positive", "neutral", "negative", "unknown")
    ]


def test_a_cost_per_ticket_is_the_part_of_the_cost_whose_days_have_begun() -> None:
    signals = Signals()
    signals.cost("03-01T09:00", "payroll", 310_000, "03-01T00:00", "04-01T00:00")
    for n in range(5):
        signals.lines.append(created(f"T{n}", ms("03-02T10:00")))
    assert signals.value("cost_per_ticket", "month", "03-02T12:00") == 200 / 5
    assert signals.value("cost_per_ticket", "today", "03-02T12:00") == 100 / 5
    assert signals.value("cost_per_ticket", "month", "03-31T12:00") == 3_100 / 5
    assert signals.value("cost_per_ticket", "today", "03-03T12:00") is None
    signals.cost("03-05T09:00", "payroll", -155_000, "03-01T00:00", "04-01T00:00")  # half of it was a mistake
    (record,) = signals.records("cost_per_ticket", "month", "03-31T12:00")
    assert (record.value, record.numerator, record.denominator, record.currency) == (1_550 / 5, 1_550, 5, "EUR")
    assert Signals().value("cost_per_ticket", "month", "03-02T12:00") is None


def test_new_customers_have_a_cost_which_their_margin_pays_back_and_support_its_part_of_the_revenue() -> None:
    signals = Signals(Options(gross_margin=0.8))
    item = {"plan": "gold", "unit_amount": 5_000, "interval": "month"}
    for customer, day in (("old", "02-10T10:00"), ("ann", "03-02T10:00"), ("bob", "03-03T10:00")):
        data = {"subscription_id": "s", "status": "active", "currency": "EUR", "items": [item]}
        signals.add("subscription.changed", day, customer, **data)
        signals.add("invoice.paid", day, customer, invoice_id=f"i-{customer}", amount=5_000, currency="EUR")
    signals.cost("03-01T09:00", "ads", 31_000, "03-01T00:00", "04-01T00:00", kind="acquisition")
    signals.cost("03-01T09:00", "desk", 1_550, "03-01T00:00", "04-01T00:00")
    at = "03-31T12:00"
    assert signals.value("cac", "month", at) == 155
    assert signals.value("cac_payback", "month", at) == pytest.approx(155 / 40)
    assert signals.value("support_cost_ratio", "month", at) == pytest.approx(15.5 / 100)
    assert signals.value("cac", "month", "03-01T12:00") is None
    assert signals.value("support_cost_ratio", "month", "03-01T12:00") is None
    signals.options = Options()
    assert signals.value("cac_payback", "month", at) is None


def test_by_channel_a_new_customer_costs_what_was_spent_on_the_channel_that_it_came_by() -> None:
    signals = Signals(Options(gross_margin=0.8))

    def pays(customer: str, day: str, amount: int, **data: Any) -> None:
        data |= {"subscription_id": "s", "status": "active" if amount else "trialing", "currency": "EUR"}
        items = [{"plan": "gold", "unit_amount": amount, "interval": "month"}] if amount else []
        signals.add("subscription.changed", day, customer, items=items, **data)

    pays("old", "02-10T10:00", 9_000, channel="ads")
    pays("ann", "03-02T10:00", 0, channel="ads")  # tries it out first; what she says later is not how she came
    pays("ann", "03-04T10:00", 3_000, channel="mail")
    pays("bob", "03-03T10:00", 5_000, channel="mail")
    pays("bob", "03-05T10:00", 7_000)
    pays("eve", "03-06T10:00", 2_000)
    month = ("03-01T00:00", "04-01T00:00")
    signals.cost("03-01T09:00", "a", 31_000, *month, kind="acquisition", channel="ads")
    signals.cost("03-01T09:00", "m", 6_200, *month, kind="acquisition", channel="mail")
    signals.cost("03-01T09:00", "x", 1_550, *month, kind="acquisition")
    signals.cost("03-01T09:00", "f", 3_100, *month, kind="acquisition", channel="fair")
    at = "03-31T12:00"

    def by_channel(kpi: str) -> dict[str, float | None]:
        return {r.cut["channel"]: r.value for r in signals.records(kpi, "month", at) if r.cut}

    assert signals.value("cac", "month", at) == pytest.approx(418.5 / 3)
    assert by_channel("cac") == {"ads": 310, "mail": 62, "unknown": 15.5, "fair": None}
    payback = {"ads": 310 / (60 * 0.8), "mail": 62 / (70 * 0.8), "unknown": 15.5 / (20 * 0.8), "fair": None}
    assert by_channel("cac_payback") == pytest.approx(payback)  # ads: (90 + 30) / 2 a month
    pays("bob", "03-01T10:00", 0, channel="fair")  # late: that is how he came
    assert by_channel("cac") == {"ads": 310, "mail": None, "unknown": 15.5, "fair": 31}


def test_a_cost_of_more_than_ten_years_is_refused() -> None:
    signals = Signals()
    signals.cost("03-01T09:00", "typo", 1, "03-01T00:00", "03-02T00:00")
    line = signals.lines[0].replace(b'"period_end": "2026', b'"period_end": "2226')
    rejected = Computation(Options(), None, None).take(line)
    assert isinstance(rejected, Rejected)
    assert rejected.reason is Reason.INVALID_TIME
