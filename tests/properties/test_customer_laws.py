"""Laws of the customer's facts, against a model that looks at every instant anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_kpi.lifecycles.customer.events import CustomerEvent, Paid, SubscriptionState
from stream_kpi.lifecycles.customer.fold import CustomerFold
from stream_kpi.lifecycles.entity import Entity, facts_of
from stream_kpi.lifecycles.facts import CutSets, Fact, net, spelled_out
from stream_kpi.lifecycles.history import NEVER_MS
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures import registry
from stream_kpi.measures.registry import BY_NUMBER, SLOTS_PER_MEASURE, Measure
from stream_kpi.windows.zones import floor_1h, floor_5m, floor_day, floor_month, next_day
from tests.strategies.customers import (
    END_MS,
    EUR,
    HOUR_MS,
    INSTANTS_MS,
    USD,
    customer_stories,
    instants_ms,
    sole_stories,
)

OPTIONS = Options(zone="Europe/Berlin")
HALF_AN_HOUR_OFF = Options(zone="Asia/Kolkata")
"""Its days start within an hour of UTC."""
CUTS = ((), ("plan", "gold"), ("plan", "silver"))
GAINS = (registry.MRR_NEW, registry.MRR_REACTIVATION, registry.MRR_EXPANSION)
LOSSES = (registry.MRR_CONTRACTION, registry.MRR_CHURNED)
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[CustomerEvent]).decode
Cut = tuple[str, ...]
stories = st.one_of(customer_stories(), sole_stories())


def in_order(story: list[CustomerEvent]) -> list[CustomerEvent]:
    return sorted(story, key=lambda event: event.order)


def by_cut(cut_sets: CutSets, facts: list[Fact]) -> Counter[tuple[int, int, int, int]]:
    """What is stated of each cut: a fact may be of a customer and of its plan, or there is one of each."""
    return net(
        (slot, time_ms, cut_sets.id_of((cut,)), value, sign)
        for slot, time_ms, cuts, value, sign in facts
        for cut in cut_sets.cuts_of(cuts)
    )


class AccountFold(CustomerFold):
    """A customer whose account has taken over before the first state."""

    __slots__ = ()

    def __init__(self, cut_sets: CutSets, options: Options) -> None:
        super().__init__(cut_sets, options)
        self._sole = None
        self._replay(-NEVER_MS)


class Facts:
    """Facts by slot and cut, to be summed over time."""

    def __init__(self, story: list[CustomerEvent], clock_ms: int, options: Options = OPTIONS) -> None:
        cut_sets = CutSets()
        known = [event for event in in_order(story) if event.time_ms <= clock_ms]
        self.rows = [
            (slot, cut, time_ms, value * sign)
            for slot, time_ms, cuts, value, sign in spelled_out(
                facts_of(partial(CustomerFold, cut_sets, options), known, clock_ms)[1]
            )
            for cut in cut_sets.cuts_of(cuts)
        ]

    def total(self, slot: int, cut: Cut, end_ms: int, start_ms: int = -1) -> int:
        """What was stated in [start, end)."""
        return sum(v for s, c, t, v in self.rows if s == slot and c == cut and start_ms <= t < end_ms)


def mrr(story: list[CustomerEvent], clock_ms: int, at_ms: int, cut: Cut, currency: int) -> int:
    """The model: the last state of each subscription that holds at an instant, as known at the clock."""
    last: dict[str, SubscriptionState] = {}
    states = [event for event in story if isinstance(event, SubscriptionState)]
    for state in sorted(states, key=lambda event: event.effective_order):
        if state.effective_ms <= at_ms and state.time_ms <= clock_ms:
            last[state.subscription_id] = state
    return sum(
        amount
        for state in last.values()
        if state.currency == currency and not (state.cancel_ms is not None and state.cancel_ms <= at_ms)
        for plan, amount in state.mrr_by_plan
        if not cut or cut[1] == plan
    )


def pays(story: list[CustomerEvent], clock_ms: int, at_ms: int, cut: Cut) -> bool:
    return any(mrr(story, clock_ms, at_ms, cut, currency) > 0 for currency in (EUR, USD))


@given(customer_stories())
@settings(max_examples=100, deadline=None)
def test_packing_and_unpacking_a_customers_history_is_the_identity(story: list[CustomerEvent]) -> None:
    assert _unpack(_pack(story)) == story


@given(stories, st.data())
@settings(max_examples=150, deadline=None)
def test_a_customers_facts_do_not_depend_on_arrival_duplicates_or_how_the_clock_ran(
    story: list[CustomerEvent], data: st.DataObject
) -> None:
    repeats = data.draw(st.lists(st.sampled_from(story), max_size=2)) if story else []
    new_fold = partial(CustomerFold, CutSets(), OPTIONS)
    entity = Entity(new_fold)
    passed_on: list[Fact] = []
    clock_ms = INSTANTS_MS[0]
    seen: list[CustomerEvent] = []
    for event in data.draw(st.permutations(story + repeats)):
        clock_ms = max(clock_ms, event.time_ms, data.draw(instants_ms))
        is_new = event not in seen
        facts = entity.apply(event, clock_ms)
        assert (facts is not None) is is_new
        passed_on += [*(facts or []), *entity.advance(clock_ms)]
        seen += [event] if is_new else []
        assert net(passed_on) == net(facts_of(new_fold, in_order(seen), clock_ms)[1])
        assert all(fact[1] <= clock_ms for fact in passed_on)
    passed_on += entity.advance(END_MS)
    assert net(passed_on) == net(facts_of(new_fold, in_order(story), END_MS)[1])


@given(sole_stories())
@settings(max_examples=300, deadline=None)
def test_the_sole_subscription_states_what_the_account_states_event_by_event(story: list[CustomerEvent]) -> None:
    cut_sets = CutSets()
    short, full = (Entity(partial(fold, cut_sets, OPTIONS)) for fold in (CustomerFold, AccountFold))
    for event in story:
        stated, expected = (by_cut(cut_sets, one.apply(event, event.time_ms) or []) for one in (short, full))
        assert stated == expected
        assert short.fold.next_due_ms() == full.fold.next_due_ms()
    assert by_cut(cut_sets, short.advance(END_MS)) == by_cut(cut_sets, full.advance(END_MS))


@given(stories, instants_ms)
@settings(max_examples=200, deadline=None)
def test_a_customer_is_all_its_life_of_the_channel_named_first_by_the_time_it_has_an_mrr(
    story: list[CustomerEvent], clock_ms: int
) -> None:
    of_customer: dict[Cut, Counter[tuple[int, int]]] = {}
    for slot, cut, time_ms, amount in Facts(story, clock_ms).rows:
        if slot // SLOTS_PER_MEASURE != registry.INVOICES_PAID.number:
            of_customer.setdefault(cut, Counter())[slot, time_ms] += amount
    channels = {cut for cut in of_customer if cut[:1] == ("channel",)}
    first_ms = min((time_ms for _, time_ms in of_customer.get((), ())), default=None)
    if first_ms is None:
        assert not channels
        return
    named = [
        state.channel
        for state in sorted(
            (event for event in story if isinstance(event, SubscriptionState) and event.time_ms <= clock_ms),
            key=lambda state: state.effective_order,
        )
        if state.effective_ms <= first_ms and state.channel
    ]
    channel = ("channel", named[0] if named else "unknown")
    assert channels == {channel}
    assert of_customer[channel] == of_customer[()]


@given(stories, instants_ms)
@settings(max_examples=150, deadline=None)
def test_mrr_and_customers_at_every_instant_are_those_of_the_states_that_hold_then(
    story: list[CustomerEvent], clock_ms: int
) -> None:
    facts = Facts(story, clock_ms)
    for at_ms in [at_ms for at_ms in INSTANTS_MS if at_ms <= clock_ms]:
        for cut in CUTS:
            for currency in (EUR, USD):
                amount = mrr(story, clock_ms, at_ms, cut, currency)
                assert facts.total(registry.MRR.currency_slot(currency), cut, at_ms + 1) == amount
                slot = registry.CUSTOMERS_BY_CURRENCY.currency_slot(currency)
                assert facts.total(slot, cut, at_ms + 1) == (amount > 0)
            assert facts.total(registry.CUSTOMERS.slot, cut, at_ms + 1) == pays(story, clock_ms, at_ms, cut)


@given(stories, instants_ms, instants_ms)
@settings(max_examples=150, deadline=None)
def test_start_and_movements_make_the_end_in_every_window_currency_and_plan(
    story: list[CustomerEvent], one_ms: int, other_ms: int
) -> None:
    facts = Facts(story, END_MS)
    start_ms, end_ms = sorted((one_ms, other_ms))
    for currency in (EUR, USD):

        def moved(measure: Measure, cut: Cut, currency: int = currency) -> int:
            return facts.total(measure.currency_slot(currency), cut, end_ms, start_ms)

        for cut in CUTS:
            start = facts.total(registry.MRR.currency_slot(currency), cut, start_ms)
            end = facts.total(registry.MRR.currency_slot(currency), cut, end_ms)
            assert start + sum(moved(m, cut) for m in GAINS) - sum(moved(m, cut) for m in LOSSES) == end
        by_reason = [moved(registry.MRR_CHURNED, ("reason", reason)) for reason in ("voluntary", "delinquent")]
        assert sum(by_reason) == moved(registry.MRR_CHURNED, ())


@given(stories)
@settings(max_examples=150, deadline=None)
def test_each_instant_is_one_movement_of_a_currency(story: list[CustomerEvent]) -> None:
    facts = Facts(story, END_MS)
    classes = {m.currency_slot(EUR): m for m in (*GAINS, *LOSSES)}
    at: dict[int, Counter[str]] = {}
    for slot, cut, time_ms, value in facts.rows:
        if slot in classes and not cut:
            at.setdefault(time_ms, Counter())[classes[slot].name] += value
    for time_ms, amounts in at.items():
        standing = {name: value for name, value in amounts.items() if value}
        before, after = (mrr(story, END_MS, at_ms, (), EUR) for at_ms in (time_ms - 1, time_ms))
        assert list(standing.values()) == [abs(after - before)] * (before != after)
        if before <= 0 < after:
            paid_before = any(mrr(story, END_MS, ms, (), EUR) > 0 for ms in INSTANTS_MS if ms < time_ms)
            assert set(standing) == {"mrr_reactivation" if paid_before else "mrr_new"}
        elif after <= 0 < before:
            assert set(standing) == {"mrr_churned"}


@given(stories, instants_ms)
@settings(max_examples=150, deadline=None)
def test_a_customer_is_lost_in_a_window_if_it_paid_at_its_start_and_does_not_at_its_end(
    story: list[CustomerEvent], clock_ms: int
) -> None:
    facts = Facts(story, clock_ms)
    zone = ZoneInfo("Europe/Berlin")
    kinds: list[tuple[Measure, Callable[[int], int]]] = [
        (registry.CUSTOMERS_LOST_5M, floor_5m),
        (registry.CUSTOMERS_LOST_1H, lambda ms: floor_1h(ms, zone)),
        (registry.CUSTOMERS_LOST_1D, lambda ms: floor_day(ms, zone)),
        (registry.CUSTOMERS_LOST_MONTH, lambda ms: floor_month(ms, zone)),
    ]
    reached = [ms for ms in INSTANTS_MS if ms <= clock_ms]
    for measure, start_of in kinds:
        for start_ms in {start_of(ms) for ms in reached}:
            last_ms = max(ms for ms in reached if start_of(ms) == start_ms)
            for cut in CUTS:
                lost = pays(story, clock_ms, start_ms - 1, cut) and not pays(story, clock_ms, last_ms, cut)
                assert facts.total(measure.slot, cut, last_ms + 1, start_ms) == lost


@given(stories, instants_ms)
@settings(max_examples=150, deadline=None)
def test_the_past_of_active_customers_is_when_they_paid_and_of_others_it_is_nothing(
    story: list[CustomerEvent], clock_ms: int
) -> None:
    facts = Facts(story, clock_ms)
    for at_ms in [ms for ms in INSTANTS_MS if ms <= clock_ms]:
        for cut in CUTS:
            expected = pays(story, clock_ms, clock_ms, cut) and pays(story, clock_ms, at_ms, cut)
            assert facts.total(registry.PAST_OF_ACTIVE.slot, cut, at_ms + 1) == expected


@given(customer_stories(), instants_ms)
@settings(max_examples=200, deadline=None)
def test_what_is_kept_and_lost_of_the_months_first_mrr_is_exact_at_every_instant_of_it(
    story: list[CustomerEvent], clock_ms: int
) -> None:
    facts = Facts(story, clock_ms)
    zone = ZoneInfo("Europe/Berlin")
    for at_ms in [ms for ms in INSTANTS_MS if ms <= clock_ms]:
        start_ms = floor_month(at_ms, zone)
        for cut in CUTS:
            for currency in (EUR, USD):
                start = mrr(story, clock_ms, start_ms - 1, cut, currency)
                end = mrr(story, clock_ms, at_ms, cut, currency)
                change = facts.total(registry.MRR_CHANGE_MONTH.currency_slot(currency), cut, at_ms + 1, start_ms)
                lost = facts.total(registry.MRR_LOST_MONTH.currency_slot(currency), cut, at_ms + 1, start_ms)
                assert change == (end - start if start > 0 else 0)
                assert lost == (start - min(start, end) if start > 0 else 0)


@given(customer_stories(), instants_ms, st.sampled_from([OPTIONS, HALF_AN_HOUR_OFF]))
@settings(max_examples=200, deadline=None)
def test_what_is_kept_and_lost_of_the_mrr_at_the_start_of_any_earlier_hour_or_local_day_is_exact_now(
    story: list[CustomerEvent], clock_ms: int, options: Options
) -> None:
    facts = Facts(story, clock_ms, options)
    starts_ms = {ms - ms % HOUR_MS + after_ms for ms in INSTANTS_MS for after_ms in (0, HOUR_MS)}
    starts_ms |= {start_of(ms, options.zone_info) for ms in INSTANTS_MS for start_of in (floor_day, next_day)}
    for start_ms in [ms for ms in starts_ms if ms <= clock_ms]:
        for cut in CUTS:
            for currency in (EUR, USD):
                then = mrr(story, clock_ms, start_ms - 1, cut, currency)
                now = mrr(story, clock_ms, clock_ms, cut, currency)
                kept, lost, below_zero = (
                    facts.total(measure.currency_slot(currency), cut, start_ms)
                    for measure in (registry.MRR_OF_PAST_PAYERS, registry.MRR_LOST_SINCE, registry.MRR_BELOW_ZERO)
                )
                assert kept == (now if then > 0 else 0)
                assert lost == (then - min(now, then) if then > 0 else 0)
                assert below_zero == min(then, 0)


@given(customer_stories(), instants_ms)
@settings(max_examples=150, deadline=None)
def test_an_invoice_counts_once_when_it_was_first_paid(story: list[CustomerEvent], clock_ms: int) -> None:
    facts = Facts(story, clock_ms)
    first: dict[str, Paid] = {}
    for event in in_order(story):
        if isinstance(event, Paid) and event.time_ms <= clock_ms:
            first.setdefault(event.invoice_id, event)
    paid: Counter[tuple[int, Cut, int]] = Counter()
    for event in first.values():
        for cut in ((), ("plan", event.plan or "unknown")):
            paid[event.currency, cut, event.time_ms] += event.amount
    stated: Counter[tuple[int, Cut, int]] = Counter()
    for slot, cut, time_ms, value in facts.rows:
        if BY_NUMBER[slot // SLOTS_PER_MEASURE] is registry.INVOICES_PAID:
            stated[slot % SLOTS_PER_MEASURE, cut, time_ms] += value
    assert {key: n for key, n in stated.items() if n} == {key: n for key, n in paid.items() if n}
