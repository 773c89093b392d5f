"""start + new + reactivation + expansion - contraction - churn = end, from events to every window that is published."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_kpi.events.decode import decode_line
from stream_kpi.kpis.balance import is_balanced
from stream_kpi.lifecycles.facts import TOTAL, Cut
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures import registry
from stream_kpi.merge import Merge
from stream_kpi.shard import Shard, ShardOptions
from stream_kpi.steps import all_of
from stream_kpi.windows.kinds import ROLLING, TODAY, TUMBLING
from stream_kpi.windows.merged import MergedPanes, RollingSums, trailing_sums
from stream_kpi.windows.panes import AGES_KEY, FLUSHED_KEY, PaneKey, pack_key, unpack_key
from stream_kpi.windows.sum_table import packed_vectors, sums_of
from stream_kpi.windows.tiers import ALL_TIME
from stream_kpi.windows.views import MergedView, instant_view, rolling_view, total_view, tumbling_views
from tests.shard_kit import LIVE, TOPICS, event
from tests.strategies.customers import EUR, INSTANTS_MS, USD, instants_ms

OPTIONS = Options(zone="Asia/Kolkata")
FORGOTTEN_MS = INSTANTS_MS[-1] + 410 * 86_400_000
"""When nobody has been heard of for more than 400 d."""
CUTS: tuple[Cut, ...] = (TOTAL, ("plan", "gold"), ("plan", "silver"))
GAINS = (registry.MRR_NEW, registry.MRR_REACTIVATION, registry.MRR_EXPANSION)
LOSSES = (registry.MRR_CONTRACTION, registry.MRR_CHURNED)


def rfc3339(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


@st.composite
def _lines(draw: st.DrawFn, place: int) -> bytes:
    """A state of a subscription of one of three customers, or an invoice."""
    customer, time_ms = draw(st.sampled_from(["c1", "c2", "c3"])), draw(instants_ms)
    currency = draw(st.sampled_from(["EUR", "EUR", "USD"]))
    if draw(st.integers(0, 5)) == 0:
        data: dict[str, Any] = {"invoice_id": draw(st.sampled_from(["i1", "i2"])), "amount": 100, "currency": currency}
        return event("invoice.paid", customer, time_ms, f"{place}", **data)
    amounts = draw(st.dictionaries(st.sampled_from(["gold", "silver"]), st.sampled_from([100, 201, -50]), max_size=2))
    data = {
        "subscription_id": draw(st.sampled_from(["one", "one", "two"])),
        "status": draw(st.sampled_from(["active", "active", "past_due", "unpaid", "canceled"])),
        "currency": currency,
        "items": [{"plan": plan, "unit_amount": amount, "interval": "month"} for plan, amount in amounts.items()],
    }
    if draw(st.integers(0, 3)) == 0:
        data["effective_at"] = rfc3339(draw(instants_ms))
    if draw(st.integers(0, 3)) == 0:
        data["cancel_at"] = rfc3339(draw(instants_ms))
    return event("subscription.changed", customer, time_ms, f"{place}", **data)


@st.composite
def logs(draw: st.DrawFn) -> list[bytes]:
    """Events of three customers, in any order."""
    return [draw(_lines(place)) for place in range(draw(st.integers(1, 12)))]


def feed(lines: list[bytes], now_ms: int, flush_after: int) -> tuple[MergedPanes, Merge, int | None]:
    """What comes at or before now, through two shards with a flush on the way."""
    shards = [Shard(n, 2, ShardOptions(options=OPTIONS, topics=TOPICS, retention=LIVE)) for n in range(2)]
    panes, merge = MergedPanes(OPTIONS.zone_info), Merge(OPTIONS, grace_ms=0)

    def flush() -> None:
        for number, shard in enumerate(shards):
            written = shard.flush(caught_up=True)
            for key, value in written.panes if written is not None else ():
                merge.apply(number, key, value)
                if key not in (AGES_KEY, FLUSHED_KEY):
                    panes.apply(number, unpack_key(key), value)

    for place, line in enumerate(lines):
        kind, wire, time_ms = decode_line(line)
        if time_ms <= now_ms:
            shards[int(wire.subject[1]) % 2].take(kind, wire, time_ms)
        if place == flush_after:
            flush()
    for shard in shards:
        shard.advance(now_ms)
    flush()
    for _ in panes.absorb():
        pass
    return panes, merge, min((shard.first_ms for shard in shards if shard.first_ms is not None), default=None)


def views(panes: MergedPanes, now_ms: int, first_ms: int | None) -> Iterator[MergedView]:
    """Every window that a worker publishes."""
    yield instant_view(panes, trailing_sums(panes), now_ms)
    yield total_view(panes, first_ms, now_ms)
    for rolling in ROLLING:
        sums = RollingSums(rolling, panes)
        sums.move(now_ms)
        yield rolling_view(panes, sums, (), now_ms)
    for kind in (TODAY, *TUMBLING):
        yield from tumbling_views(panes, kind, now_ms, now_ms - kind.live_ms, grace_ms=0)


@given(logs(), st.one_of(instants_ms, st.just(FORGOTTEN_MS)), st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_every_window_balances_to_the_minor_unit_in_every_currency_and_plan(
    lines: list[bytes], now_ms: int, flush_after: int
) -> None:
    panes, merge, first_ms = feed(lines, now_ms, flush_after)
    for view in views(panes, now_ms, first_ms):
        for cut in CUTS:
            inside, start, end = view.inside(cut), view.at_start(cut), view.at_end(cut)
            assert is_balanced(cut, inside)
            if view.window.kind == "instant":
                continue
            for currency in (EUR, USD):
                gained = sum(inside.get(measure.currency_slot(currency), 0) for measure in GAINS)
                lost = sum(inside.get(measure.currency_slot(currency), 0) for measure in LOSSES)
                mrr = registry.MRR.currency_slot(currency)
                assert start.get(mrr, 0) + gained - lost == end.get(mrr, 0), view.window
    complete = False
    while not complete:
        publication = all_of(merge.publish(now_ms, first_ms))
        assert publication.unbalanced == 0
        complete = publication.complete


def test_a_publish_counts_what_does_not_balance_once_for_each_window_and_cut() -> None:
    merge = Merge(OPTIONS, grace_ms=0)
    vector = packed_vectors(sums_of({0: {registry.MRR.currency_slot(EUR): 5}}), np.array([0]))[0]
    merge.restore(0, pack_key(PaneKey(ALL_TIME.number, 0, TOTAL)), vector)
    now_ms = INSTANTS_MS[-1]
    assert all_of(merge.publish(now_ms, now_ms)).unbalanced == 2, "all time, and what stands now"
    assert all_of(merge.publish(now_ms, now_ms)).unbalanced == 0, "nothing has changed since"


def test_a_window_whose_movements_do_not_explain_its_mrr_is_told_from_one_that_balances() -> None:
    mrr, new = registry.MRR.currency_slot(EUR), registry.MRR_NEW.currency_slot(EUR)
    churned, of_dollars = registry.MRR_CHURNED.currency_slot(EUR), registry.MRR_NEW.currency_slot(USD)
    assert is_balanced(TOTAL, {mrr: 70, new: 100, churned: 30})
    assert not is_balanced(TOTAL, {mrr: 71, new: 100, churned: 30})
    assert not is_balanced(("plan", "gold"), {mrr: 100, of_dollars: 100})
    assert is_balanced(("reason", "voluntary"), {churned: 30}), "a reason holds no MRR"
