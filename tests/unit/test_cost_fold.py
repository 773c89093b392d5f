from __future__ import annotations

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_kpi.lifecycles.chat.events import Queued
from stream_kpi.lifecycles.cost.events import Recorded
from stream_kpi.lifecycles.cost.fold import CostFold
from stream_kpi.lifecycles.cost.spread import daily_shares
from stream_kpi.lifecycles.entity import Entity
from stream_kpi.lifecycles.facts import CutSets, Fact, net
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.registry import ACQUISITION_COST, SUPPORT_COST

BERLIN = ZoneInfo("Europe/Berlin")
EUR, USD = 978, 840
HOUR, DAY = 3_600_000, 86_400_000


def ms(local: str) -> int:
    return int(datetime.fromisoformat(local).replace(tzinfo=BERLIN).timestamp() * 1000)


def test_a_months_cost_is_spread_over_its_days_and_the_left_over_units_go_to_the_first_ones() -> None:
    start_ms, end_ms = ms("2026-04-01T00:00"), ms("2026-05-01T00:00")
    shares = daily_shares(100, start_ms, end_ms, BERLIN)
    assert [share for _, share in shares] == [4] * 10 + [3] * 20
    assert shares[1][0] == ms("2026-04-02T00:00")


def test_a_day_has_its_part_of_the_hours_and_the_day_the_clocks_go_forward_has_twenty_three() -> None:
    shares = daily_shares(71, ms("2026-03-28T00:00"), ms("2026-03-31T00:00"), BERLIN)
    assert [share for _, share in shares] == [24, 23, 24]
    half = daily_shares(90, ms("2026-04-01T12:00"), ms("2026-04-03T00:00"), BERLIN)
    assert half == [(ms("2026-04-01T12:00"), 30), (ms("2026-04-02T00:00"), 60)]


@given(st.integers(-(10**14), 10**14), st.integers(0, 4 * 10**12), st.integers(1, 100 * DAY), st.sampled_from([BERLIN]))
def test_the_shares_add_up_to_the_amount_and_none_is_a_unit_or_more_from_its_part(
    amount: int, start_ms: int, length_ms: int, zone: ZoneInfo
) -> None:
    shares = daily_shares(amount, start_ms, start_ms + length_ms, zone)
    assert sum(share for _, share in shares) == amount
    ends_ms = [day for day, _ in shares[1:]] + [start_ms + length_ms]
    for (day_ms, share), end_ms in zip(shares, ends_ms, strict=True):
        assert abs(share * length_ms - amount * (end_ms - day_ms)) < length_ms


class Cost:
    """A cost under test."""

    def __init__(self) -> None:
        self.entity = Entity(partial(CostFold, CutSets(), Options(zone="Europe/Berlin")))
        self.facts: list[Fact] = []

    def record(self, at: str, kind: str, amount: int, start: str, end: str, currency: int = EUR) -> None:
        time_ms = ms(at)
        uid = f"{at}{amount}"
        event = Recorded(time_ms, uid, kind, amount, currency, ms(start), ms(end))
        self.facts += self.entity.apply(event, max(time_ms, self.entity.clock_ms)) or []

    def advance(self, to: str) -> None:
        self.facts += self.entity.advance(ms(to))

    def amounts(self, slot: int) -> list[tuple[int, int]]:
        return sorted((time_ms, value * n) for (of, time_ms, _, value), n in net(self.facts).items() if of == slot)


def test_a_past_periods_shares_come_at_once_and_those_ahead_as_their_days_begin() -> None:
    cost, slot = Cost(), SUPPORT_COST.currency_slot(EUR)
    cost.record("2026-04-03T09:00", "support", 50, "2026-04-01T00:00", "2026-04-06T00:00")
    assert cost.amounts(slot) == [(ms(f"2026-04-0{day}T00:00"), 10) for day in (1, 2, 3)]
    cost.advance("2026-04-04T00:00")
    assert len(cost.amounts(slot)) == 4
    cost.advance("2026-05-01T00:00")
    assert cost.amounts(slot) == [(ms(f"2026-04-0{day}T00:00"), 10) for day in (1, 2, 3, 4, 5)]
    assert cost.entity.fold.next_due_ms() > ms("2027-01-01T00:00")


def test_what_is_recorded_again_adds_and_a_negative_amount_corrects() -> None:
    cost, slot = Cost(), ACQUISITION_COST.currency_slot(USD)
    cost.record("2026-04-02T00:00", "acquisition", 40, "2026-04-01T00:00", "2026-04-03T00:00", USD)
    cost.record("2026-04-01T00:00", "acquisition", -10, "2026-04-01T00:00", "2026-04-02T00:00", USD)
    cost.advance("2026-05-01T00:00")
    assert sum(amount for _, amount in cost.amounts(slot)) == 30
    assert cost.amounts(SUPPORT_COST.currency_slot(USD)) == []
    assert cost.entity.fold.closed


def test_a_cost_takes_no_other_lifecycles_event() -> None:
    with pytest.raises(TypeError, match="Queued"):
        Cost().entity.apply(Queued(0, "q", "sales", "chat", None, None, None), 0)
