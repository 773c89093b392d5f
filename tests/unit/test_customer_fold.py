from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import partial

import pytest

from stream_kpi.lifecycles.customer.events import SubscriptionState
from stream_kpi.lifecycles.customer.fold import CustomerFold
from stream_kpi.lifecycles.customer.revenue import monthly_minor_units
from stream_kpi.lifecycles.entity import Entity, facts_of
from stream_kpi.lifecycles.facts import CutSets, Fact, net, spelled_out
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures import registry
from stream_kpi.measures.registry import BY_NUMBER, SLOTS_PER_MEASURE, Measure

EUR, USD = 978, 840
MONTHLY_SILVER = 6_000
GOLD = monthly_minor_units(200_000, 4, 0.0, "year", 1)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


FEB, MAR, APR, MAY, JUN = (ms(f"2026-0{month}-01T00:00:00") for month in (2, 3, 4, 5, 6))
DAY_MS = 86_400_000
MOVEMENTS = {"mrr_new", "mrr_expansion", "mrr_contraction", "mrr_churned", "mrr_reactivation"}


class Customer:
    """A customer under test: its states, and sums of its facts."""

    def __init__(self) -> None:
        self.cut_sets = CutSets()
        self.entity = Entity(partial(CustomerFold, self.cut_sets, Options()))
        self.facts: list[Fact] = []

    def is_now(
        self,
        subscription_id: str,
        time_ms: int,
        plans: dict[str, int],
        *,
        effective_ms: int | None = None,
        cancel_ms: int | None = None,
        delinquent: bool = False,
        currency: int = EUR,
    ) -> None:
        uid = f"e{len(self.entity.history):02d}"
        state = SubscriptionState(
            time_ms,
            uid,
            subscription_id,
            time_ms if effective_ms is None else effective_ms,
            bool(plans),
            currency,
            tuple(sorted(plans.items())),
            cancel_ms,
            delinquent,
        )
        self.facts += self.entity.apply(state, max(time_ms, self.entity.clock_ms)) or []

    def advance(self, clock_ms: int) -> None:
        self.facts += self.entity.advance(clock_ms)

    def rows(self) -> Counter[tuple[str, int, tuple[str, ...]]]:
        """Net sums of every measure by time and cut; money of euros only."""
        sums: Counter[tuple[str, int, tuple[str, ...]]] = Counter()
        for slot, time_ms, cuts, value, sign in spelled_out(self.facts):
            if slot % SLOTS_PER_MEASURE in (0, EUR):
                for cut in self.cut_sets.cuts_of(cuts):
                    sums[BY_NUMBER[slot // SLOTS_PER_MEASURE].name, time_ms, cut] += value * sign
        return Counter({key: n for key, n in sums.items() if n})

    def moved(self, cut: tuple[str, ...] = ()) -> list[tuple[str, int, int]]:
        """The MRR movements of a cut: class, time, amount."""
        return sorted(
            ((name, time_ms, n) for (name, time_ms, c), n in self.rows().items() if name in MOVEMENTS and c == cut),
            key=lambda row: row[1],
        )

    def level(self, measure: Measure, at_ms: int, cut: tuple[str, ...] = ()) -> int:
        return sum(n for (name, t, c), n in self.rows().items() if name == measure.name and t <= at_ms and c == cut)

    def count(self, measure: Measure, cut: tuple[str, ...] = ()) -> int:
        return self.level(measure, 1 << 62, cut)


def test_the_story_of_one_customer_from_new_to_reactivation() -> None:
    customer = Customer()
    story: list[tuple[int, str, int, int]] = []

    def step(measure: str, time_ms: int, amount: int, stands: int) -> None:
        story.append((time_ms, measure, amount, stands))

    customer.is_now("g", FEB, {"Gold": GOLD})
    step("mrr_new", FEB, 66_667, 66_667)
    customer.is_now("s", FEB + DAY_MS, {"Silver": 2 * MONTHLY_SILVER})
    step("mrr_expansion", FEB + DAY_MS, 12_000, 78_667)
    customer.is_now("s", FEB + 2 * DAY_MS, {"Silver": MONTHLY_SILVER})
    step("mrr_contraction", FEB + 2 * DAY_MS, 6_000, 72_667)
    customer.is_now("g", MAR, {"Gold": GOLD}, cancel_ms=APR)  # the click: nothing moves yet
    customer.is_now("s", MAR + DAY_MS, {}, effective_ms=APR)
    assert len(customer.moved()) == 3
    customer.advance(APR)
    step("mrr_churned", APR, 72_667, 0)
    customer.is_now("g2", MAY, {"Gold": GOLD})
    step("mrr_reactivation", MAY, 66_667, 66_667)
    assert customer.moved() == [(measure, time_ms, amount) for time_ms, measure, amount, _ in story]
    for time_ms, _, _, stands in story:
        assert customer.level(registry.MRR, time_ms) == stands
    assert customer.moved(("plan", "Gold"))[1:] == [("mrr_churned", APR, 66_667), ("mrr_reactivation", MAY, 66_667)]
    assert customer.moved(("reason", "voluntary")) == [("mrr_churned", APR, 72_667)]


def test_a_hundred_monthly_and_fifty_yearly_customers_are_12_500_a_month() -> None:
    total = 0
    for amount, interval, customers in ((10_000, "month", 100), (60_000, "year", 50)):
        customer = Customer()
        customer.is_now("s", FEB, {"p": monthly_minor_units(amount, 1, 0.0, interval, 1)}, currency=EUR)
        total += customers * customer.level(registry.MRR, FEB)
    assert total == 1_250_000


def test_an_upgrade_that_ends_one_subscription_and_starts_another_at_one_instant_is_an_expansion() -> None:
    steps: list[tuple[str, dict[str, int]]] = [("a", {}), ("b", {"Gold": 5_000})]
    for upgrade in (steps, steps[::-1]):
        customer = Customer()
        customer.is_now("a", FEB, {"Silver": 2_000})
        for subscription_id, plans in upgrade:
            customer.is_now(subscription_id, MAR, plans)
        assert customer.moved() == [("mrr_new", FEB, 2_000), ("mrr_expansion", MAR, 3_000)]
        assert customer.moved(("plan", "Silver"))[1:] == [("mrr_expansion", MAR, -2_000)]
        assert customer.moved(("plan", "Gold")) == [("mrr_expansion", MAR, 5_000)]
        assert customer.count(registry.CUSTOMERS_LOST_MONTH) == 0
        assert customer.count(registry.CUSTOMERS_LOST_MONTH, ("plan", "Silver")) == 1
        assert customer.count(registry.CUSTOMERS) == 1


def test_plans_switched_at_the_same_price_move_between_the_plans_and_nothing_in_total() -> None:
    customer = Customer()
    customer.is_now("a", FEB, {"Silver": 2_000})
    customer.is_now("a", MAR, {"Gold": 2_000})
    assert customer.moved() == [("mrr_new", FEB, 2_000)]
    assert customer.moved(("plan", "Gold")) == [("mrr_expansion", MAR, 2_000)]
    assert customer.moved(("plan", "Silver"))[1:] == [("mrr_expansion", MAR, -2_000)]


def test_a_future_state_takes_effect_at_its_instant_and_not_before() -> None:
    customer = Customer()
    customer.is_now("a", FEB, {"Silver": 2_000})
    customer.is_now("a", FEB + 1, {"Gold": 5_000}, effective_ms=MAR)
    customer.advance(MAR - 1)
    assert customer.level(registry.MRR, MAR) == 2_000
    customer.advance(MAR)
    assert customer.level(registry.MRR, MAR) == 5_000


def test_a_later_state_lifts_a_cancellation_at_a_date() -> None:
    customer = Customer()
    customer.is_now("a", FEB, {"Silver": 2_000}, cancel_ms=APR)
    customer.is_now("a", MAR, {"Silver": 2_000})
    customer.advance(JUN)
    assert customer.moved() == [("mrr_new", FEB, 2_000)]


def test_a_state_that_reaches_back_restates_what_came_after() -> None:
    customer = Customer()
    customer.is_now("a", FEB, {"Silver": 2_000})
    customer.is_now("a", APR, {"Silver": 5_000})
    customer.is_now("a", MAY, {"Silver": 4_000}, effective_ms=MAR)
    assert customer.moved() == [("mrr_new", FEB, 2_000), ("mrr_expansion", MAR, 2_000), ("mrr_expansion", APR, 1_000)]


def test_of_the_states_of_one_instant_and_subscription_the_last_holds_and_a_paying_one_is_last() -> None:
    customer = Customer()
    customer.is_now("a", FEB, {"Gold": 5_000})
    customer.is_now("a", FEB, {})
    assert customer.level(registry.MRR, FEB) == 5_000
    customer.is_now("a", FEB + 1, {}, effective_ms=FEB)
    assert customer.moved() == []
    assert customer.rows() == Counter()


def test_each_currency_moves_on_its_own_and_the_customer_stays_one() -> None:
    customer = Customer()
    customer.is_now("a", FEB, {"Gold": 5_000}, currency=USD)
    customer.is_now("a", MAR, {"Gold": 4_000}, currency=EUR)
    assert customer.moved() == [("mrr_new", MAR, 4_000)]
    churned = registry.MRR_CHURNED.currency_slot(USD)
    amounts = [
        v * s
        for slot, t, cuts, v, s in spelled_out(customer.facts)
        for _ in customer.cut_sets.cuts_of(cuts)
        if (slot, t) == (churned, MAR)
    ]
    assert sum(amounts) == 4 * 5_000  # total, channel, plan, reason
    assert customer.count(registry.CUSTOMERS) == 1
    assert customer.count(registry.CUSTOMERS_LOST_MONTH) == 0


def test_churn_is_cut_by_the_reason_of_each_subscription_that_ended() -> None:
    customer = Customer()
    customer.is_now("a", FEB, {"Gold": 5_000})
    customer.is_now("b", FEB, {"Silver": 2_000})
    customer.is_now("a", MAR, {}, delinquent=True)
    customer.is_now("b", MAR, {})
    assert customer.moved(("reason", "delinquent")) == [("mrr_churned", MAR, 5_000)]
    assert customer.moved(("reason", "voluntary")) == [("mrr_churned", MAR, 2_000)]


@pytest.mark.parametrize(
    ("back_after_ms", "lost"),
    [
        (60_000, []),
        (10 * 60_000, ["5m"]),
        (2 * 3_600_000, ["5m", "1h"]),
        (2 * DAY_MS, ["5m", "1h", "1d"]),
        (40 * DAY_MS, ["5m", "1h", "1d", "month"]),
    ],
)
def test_who_pays_again_inside_a_window_is_not_lost_in_it(back_after_ms: int, lost: list[str]) -> None:
    customer = Customer()
    customer.is_now("a", FEB, {"Gold": 5_000})
    customer.is_now("a", MAR, {})
    assert customer.level(registry.PAST_OF_ACTIVE, FEB) == 0
    customer.is_now("a", MAR + back_after_ms, {"Gold": 5_000})
    stated = {name for (name, _, cut), _ in customer.rows().items() if not cut and name.startswith("customers_lost")}
    assert stated == {f"customers_lost_{kind}" for kind in lost}
    assert customer.level(registry.PAST_OF_ACTIVE, FEB) == 1
    assert customer.level(registry.PAST_OF_ACTIVE, MAR) == 0
    assert customer.level(registry.PAST_OF_ACTIVE, MAR + back_after_ms) == 1


def test_who_came_and_went_inside_a_window_was_never_one_of_its_customers() -> None:
    customer = Customer()
    customer.is_now("a", FEB, {"Gold": 5_000})
    customer.is_now("a", FEB + 10 * 60_000, {})
    names = {name for name, _, _ in customer.rows() if name.startswith("customers_lost")}
    assert names == {"customers_lost_5m"}


def test_windows_of_loss_follow_the_zone() -> None:
    berlin = Options(zone="Europe/Berlin")
    # 1 March 00:30 in Berlin is still February in UTC.
    start_ms, end_ms = MAR - 3_600_000 + 1_800_000, MAR + 3_600_000
    history: list[HistoryEvent] = [
        SubscriptionState(start_ms, "1", "s", start_ms, True, EUR, (("p", 1),)),
        SubscriptionState(end_ms, "2", "s", end_ms, False, EUR, ()),
    ]
    lost = {}
    for options in (berlin, Options()):
        cut_sets = CutSets()
        facts = net(facts_of(partial(CustomerFold, cut_sets, options), history, end_ms)[1])
        lost[options.zone] = sum(
            n * len(cut_sets.cuts_of(cuts))
            for (slot, _, cuts, _), n in facts.items()
            if slot == registry.CUSTOMERS_LOST_MONTH.slot
        )
    assert lost == {"Europe/Berlin": 0, "UTC": 3}  # the customer, its channel and its plan


def test_a_whole_history_states_of_the_past_only_what_its_last_change_leaves_of_it() -> None:
    changes = 400
    history: list[HistoryEvent] = [
        SubscriptionState(at_ms, f"{at_ms}", "s", at_ms, True, EUR, (("p", 1_000 + n % 2 * 500),))
        for n, at_ms in enumerate(range(FEB, FEB + changes * 3_600_000, 3_600_000))
    ]
    facts = facts_of(partial(CustomerFold, CutSets(), Options()), history, MAR)[1]
    assert len(facts) < 10 * changes
    entity, stated = Entity(partial(CustomerFold, CutSets(), Options())), list[Fact]()
    for event in history:
        stated += entity.apply(event, event.time_ms) or []
    assert net(stated) == net(facts)
