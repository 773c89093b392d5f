"""Formulas and records: ratios of sums, nulls and zeros, money, churn, windows, keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
import pytest

from stream_kpi.calendars.schedule import ALWAYS
from stream_kpi.kpis.catalogue import catalogue, live_rows
from stream_kpi.kpis.formulas import wilson_interval
from stream_kpi.kpis.record import (
    KpiRecord,
    class_of,
    cut_of,
    cut_text,
    evaluate,
    histograms,
    record_key,
    timestamp,
)
from stream_kpi.kpis.view import AgeSummary, Trailing, Window
from stream_kpi.lifecycles.facts import TOTAL, Cut
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Measure
from stream_kpi.measures.vector import Vector, add_into
from tests.catalogue_kit import kpi_by_id
from tests.histogram_kit import bin_of, duration_slots
from tests.strategies.schedules import ALWAYS_OPEN

EUR, JPY, KWD = 978, 392, 414
EMAIL: Cut = ("channel", "email")
HOUR = Window("rolling:1h", 0, 3_600_000, final=True)
CLASSES = ("very_positive", "positive", "neutral", "poor", "very_poor")
INSTANT = Window("instant", None, 3_600_000, final=True)


@dataclass
class FakeView:
    """A view made by hand."""

    window: Window = HOUR
    inside_by_cut: dict[Cut, Vector] = field(default_factory=dict)
    cohort_by_cut: dict[Cut, Vector] = field(default_factory=dict)
    start_by_cut: dict[Cut, Vector] = field(default_factory=dict)
    end_by_cut: dict[Cut, Vector] = field(default_factory=dict)
    ages_by_cut: dict[tuple[Cut, str], AgeSummary] = field(default_factory=dict)

    def cuts(self) -> Iterable[Cut]:
        return sorted({TOTAL, *self.inside_by_cut, *self.cohort_by_cut, *self.start_by_cut, *self.end_by_cut})

    def inside(self, cut: Cut) -> Mapping[int, int]:
        return self.inside_by_cut.get(cut, {})

    def cohort(self, cut: Cut) -> Mapping[int, int]:
        return self.cohort_by_cut.get(cut, {})

    def at_start(self, cut: Cut) -> Mapping[int, int]:
        return self.start_by_cut.get(cut, {})

    def at_end(self, cut: Cut) -> Mapping[int, int]:
        return self.end_by_cut.get(cut, {})

    def trailing(self, _: Cut) -> Trailing | None:
        return None

    def ages(self, cut: Cut, measure: Measure) -> AgeSummary | None:
        return self.ages_by_cut.get((cut, measure.name))


def records(view: FakeView, kpi_id: str) -> list[KpiRecord]:
    return list(evaluate([kpi_by_id(kpi_id)], view))


def only(view: FakeView, kpi_id: str, cut: dict[str, str] | None = None) -> KpiRecord:
    (record,) = [r for r in records(view, kpi_id) if r.cut == (cut or {})]
    return record


def durations(measure: Measure, *values_ms: int) -> Vector:
    vector: Vector = {}
    for value in values_ms:
        sum_slot, bin_slot = duration_slots(measure, value)
        add_into(vector, {sum_slot: value})
        add_into(vector, {bin_slot: 1})
    return vector


def ages(*ages_ms: int) -> AgeSummary:
    bins: dict[int, int] = {}
    for age in ages_ms:
        bins[bin_of(age)] = bins.get(bin_of(age), 0) + 1
    return AgeSummary(len(ages_ms), sum(ages_ms), max(ages_ms), bins)


SUMS = {"count", "level", "money", "time"}


NOT_PARAMETRIZED = {"arpu", "clv", "cac", "cost_per_ticket", "csat_distribution", "social_sentiment", "agents_required"}
"""Money without a currency, and more than one record: each has a test of its own."""


@pytest.mark.parametrize("kpi", [k for k in catalogue() if k.id not in NOT_PARAMETRIZED], ids=lambda k: k.id)
def test_where_nothing_happened_counts_levels_times_and_money_are_0_and_all_else_is_null(kpi: object) -> None:
    row = kpi_by_id(kpi.id)  # type: ignore[attr-defined]
    record = only(FakeView(), row.id)
    if row.kind.value in SUMS:
        assert record.value == 0
    else:
        assert record.value is None
        assert record.samples == 0
    assert record.stats is None


def test_a_distribution_of_nothing_has_every_class_and_no_value() -> None:
    found = records(FakeView(), "csat_distribution")
    assert [(r.cut, r.value, r.samples) for r in found] == [({"class": name}, None, 0) for name in CLASSES]


def test_a_distributions_classes_are_shares_of_one_count_with_an_interval_each() -> None:
    vector = {
        registry.CSAT_ANSWERS.slot: 10,
        registry.CSAT_CLASS_VERY_POSITIVE.slot: 6,
        registry.CSAT_CLASS_NEUTRAL.slot: 3,
        registry.CSAT_CLASS_VERY_POOR.slot: 1,
    }
    found = records(FakeView(inside_by_cut={TOTAL: vector, EMAIL: vector}), "csat_distribution")
    assert [r.value for r in found] == [0.6, 0.0, 0.3, 0.0, 0.1] * 2
    assert [(r.numerator, r.denominator, r.samples, r.interval) for r in found[:5]] == [
        (n, 10, 10, wilson_interval(n, 10)) for n in (6, 0, 3, 0, 1)
    ]
    assert [r.cut for r in found[5:]] == [{"channel": "email", "class": name} for name in CLASSES]


def test_the_class_of_a_distribution_is_in_the_key_and_in_no_cut() -> None:
    vector = {registry.CSAT_ANSWERS.slot: 1, registry.CSAT_CLASS_POOR.slot: 1}
    group: Cut = ("group", "g")
    found = records(FakeView(inside_by_cut={TOTAL: vector, group: vector}), "csat_distribution")
    keys = [record_key(r) for r in found]
    assert keys[3] == b"csat_distribution|rolling:1h|class=poor|||"
    assert keys[8] == b"csat_distribution|rolling:1h|class=poor&group=g|||"
    assert len(set(keys)) == 10
    assert [cut_of(r) for r in found] == [TOTAL] * 5 + [group] * 5
    decoded = [msgspec.json.decode(msgspec.json.encode(r), type=KpiRecord) for r in found]
    assert [(cut_of(r), class_of(r)) for r in decoded] == [(cut, name) for cut in (TOTAL, group) for name in CLASSES]
    assert [cut_text(r) for r in (found[0], found[9])] == ["class=very_positive", "group=g class=very_poor"]


@pytest.mark.parametrize("kpi_id", ["arpu", "clv", "cac", "cost_per_ticket"])
def test_an_average_of_money_without_customers_is_null(kpi_id: str) -> None:
    record = only(FakeView(), kpi_id)
    assert (record.value, record.samples, record.currency, record.unit) == (None, 0, None, "money")


def test_a_ratio_is_the_ratio_of_the_sums_with_its_parts_and_interval() -> None:
    view = FakeView(inside_by_cut={TOTAL: {registry.CSAT_POSITIVE.slot: 8, registry.CSAT_ANSWERS.slot: 10}})
    record = only(view, "csat")
    assert (record.value, record.numerator, record.denominator, record.samples) == (0.8, 8, 10, 10)
    assert record.interval == pytest.approx((0.4901625, 0.9433178), abs=1e-7)


def test_a_ratio_of_nothing_to_something_is_0_not_null() -> None:
    record = only(FakeView(inside_by_cut={TOTAL: {registry.CSAT_ANSWERS.slot: 10}}), "csat")
    assert (record.value, record.samples) == (0, 10)


def test_something_to_nothing_is_null_and_keeps_its_numerator() -> None:
    record = only(FakeView(inside_by_cut={TOTAL: {registry.FIRST_SOLVES.slot: 3}}), "resolution_rate_flow")
    assert (record.value, record.numerator, record.denominator, record.samples) == (None, 3, 0, 0)


def test_solved_per_created_may_exceed_1_and_has_no_interval() -> None:
    view = FakeView(inside_by_cut={TOTAL: {registry.FIRST_SOLVES.slot: 3, registry.TICKETS_CREATED.slot: 2}})
    record = only(view, "resolution_rate_flow")
    assert record.value == 1.5
    assert b"interval" not in msgspec.json.encode(record)


def test_wilson_interval_at_its_ends_touches_0_and_1() -> None:
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.2775328), abs=1e-7)
    assert wilson_interval(10, 10) == pytest.approx((0.7224672, 1.0), abs=1e-7)
    assert (wilson_interval(0, 7)[0], wilson_interval(7, 7)[1]) == (0.0, 1.0)


def test_compliance_counts_the_samples_of_the_first_response_time() -> None:
    inside = durations(registry.FIRST_RESPONSE, 0, 10, 20, 30)
    view = FakeView(inside_by_cut={TOTAL: inside | {registry.FIRST_RESPONSE_IN_TARGET.slot: 3}})
    record = only(view, "response_time_compliance")
    assert (record.value, record.numerator, record.denominator) == (0.75, 3, 4)


def test_a_share_compares_the_cut_with_the_total_and_the_total_with_itself() -> None:
    view = FakeView(
        inside_by_cut={
            TOTAL: {registry.TICKETS_CREATED.slot: 6, registry.CHATS_QUEUED.slot: 2},
            EMAIL: {registry.TICKETS_CREATED.slot: 5},
            ("channel", "chat"): {registry.TICKETS_CREATED.slot: 1, registry.CHATS_QUEUED.slot: 2},
        }
    )
    assert only(view, "preferred_channel_share", {"channel": "email"}).value == 5 / 8
    chat = only(view, "preferred_channel_share", {"channel": "chat"})
    assert (chat.numerator, chat.denominator) == (3, 8)
    assert only(view, "preferred_channel_share").value == 1


def test_a_duration_has_its_mean_as_value_and_stats_in_seconds() -> None:
    record = only(
        FakeView(inside_by_cut={TOTAL: durations(registry.FIRST_RESPONSE, 94_000, 6_000)}), "first_response_time"
    )
    assert (record.value, record.samples, record.unit, record.clock) == (50.0, 2, "seconds", "calendar")
    assert record.stats is not None
    assert record.stats.max == pytest.approx(94, rel=0.01)


def test_a_level_is_what_stands_at_the_end_under_the_window_instant() -> None:
    record = only(FakeView(end_by_cut={TOTAL: {registry.BACKLOG.slot: 4}}), "ticket_backlog")
    assert (record.value, record.samples) == (4, 4)
    assert msgspec.to_builtins(record.window) == {"kind": "instant", "start": None, "end": "1970-01-01T01:00:00.000Z"}


@pytest.mark.parametrize("kind", ["tumbling:1h", "month"])
def test_a_level_keeps_the_window_where_windows_follow_each_other(kind: str) -> None:
    view = FakeView(Window(kind, 0, 3_600_000, final=False), end_by_cut={TOTAL: {registry.BACKLOG.slot: 4}})
    record = only(view, "ticket_backlog")
    assert (record.value, record.window.kind, record.window.start, record.final) == (4, kind, timestamp(0), False)


def test_an_age_is_the_oldest_exactly_and_its_stats_describe_all() -> None:
    view = FakeView(ages_by_cut={(TOTAL, "unanswered_tickets"): ages(1_000, 12_345_678)})
    record = only(view, "open_first_response_age")
    assert (record.value, record.samples) == (12_345.678, 2)
    assert record.stats is not None
    assert (record.stats.max, record.stats.sum) == (12_345.678, 12_346.678)
    assert record.stats.p99 is not None
    assert record.stats.p99 <= 12_345.678


def test_a_cohort_ratio_reads_the_cohort_and_nothing_else() -> None:
    cohort = {registry.COHORT_SOLVES.slot: 4_569, registry.COHORT_REOPENS.slot: 119}
    view = FakeView(inside_by_cut={TOTAL: {registry.COHORT_SOLVES.slot: 7}}, cohort_by_cut={TOTAL: cohort})
    record = only(view, "reopen_rate")
    assert (record.numerator, record.denominator, record.value) == (119, 4_569, 119 / 4_569)


def test_money_is_one_record_a_currency_in_major_units() -> None:
    inside = {
        registry.MRR_NEW.currency_slot(EUR): 12_345,
        registry.MRR_NEW.currency_slot(JPY): 500,
        registry.MRR_CHURNED.currency_slot(KWD): 1_234,
    }
    found = records(FakeView(inside_by_cut={TOTAL: inside}), "mrr_new")
    assert [(r.currency, r.unit, r.value) for r in found] == [
        ("EUR", "EUR", 123.45),
        ("JPY", "JPY", 500),
        ("KWD", "KWD", 0),
    ]


def test_money_of_no_currency_at_all_is_one_zero_of_the_total() -> None:
    view = FakeView(inside_by_cut={("plan", "pro"): {registry.CUSTOMERS.slot: 1}})
    found = records(view, "mrr_new")
    assert [(r.cut, r.currency, r.unit, r.value) for r in found] == [({}, None, "money", 0)]


def test_arpu_is_mrr_by_customers_of_the_currency() -> None:
    end = {registry.MRR.currency_slot(EUR): 10_001, registry.CUSTOMERS_BY_CURRENCY.currency_slot(EUR): 3}
    record = only(FakeView(end_by_cut={TOTAL: end}), "arpu")
    assert (record.value, record.numerator, record.denominator, record.samples) == (100.01 / 3, 100.01, 3, 3)


@pytest.mark.parametrize(
    ("kind", "measure"),
    [
        ("tumbling:5m", registry.CUSTOMERS_LOST_5M),
        ("tumbling:1h", registry.CUSTOMERS_LOST_1H),
        ("tumbling:1d", registry.CUSTOMERS_LOST_1D),
        ("today", registry.CUSTOMERS_LOST_1D),
        ("month", registry.CUSTOMERS_LOST_MONTH),
    ],
)
def test_churn_of_fixed_windows_counts_their_own_losses(kind: str, measure: Measure) -> None:
    view = FakeView(
        Window(kind, 0, 3_600_000, final=True),
        inside_by_cut={TOTAL: {measure.slot: 2}},
        start_by_cut={TOTAL: {registry.CUSTOMERS.slot: 8}},
    )
    record = only(view, "churn_rate")
    assert (record.value, record.numerator, record.denominator) == (0.25, 2, 8)


def test_churn_of_a_rolling_window_counts_who_of_the_start_does_not_pay_now() -> None:
    start = {registry.CUSTOMERS.slot: 8, registry.PAST_OF_ACTIVE.slot: 5}
    record = only(FakeView(start_by_cut={TOTAL: start}), "churn_rate")
    assert (record.value, record.numerator, record.denominator) == (0.375, 3, 8)


def test_churn_has_no_value_under_total() -> None:
    view = FakeView(Window("total", 0, 3_600_000, final=True), start_by_cut={TOTAL: {registry.CUSTOMERS.slot: 8}})
    record = only(view, "churn_rate")
    assert (record.value, record.samples) == (None, 0)


def customers(start: int, end: int, lost: int) -> FakeView:
    return FakeView(
        Window("month", 0, 31 * 86_400_000, final=True),
        inside_by_cut={TOTAL: {registry.CUSTOMERS_LOST_MONTH.slot: lost}},
        start_by_cut={TOTAL: {registry.CUSTOMERS.slot: start}},
        end_by_cut={TOTAL: {registry.CUSTOMERS.slot: end}},
    )


def test_retention_is_the_articles_formula() -> None:
    view = customers(start=150, end=158, lost=24)
    assert (only(view, "customers_new").value, only(view, "customers_lost").value) == (32, 24)
    record = only(view, "retention_rate")
    assert (record.value, record.numerator, record.denominator) == (0.84, 126, 150)
    assert record.interval is not msgspec.UNSET


def test_the_net_change_of_customers_is_below_0_where_they_have_become_more() -> None:
    fewer = only(customers(start=150, end=136, lost=20), "net_customer_change")
    assert fewer.value == pytest.approx(0.0933, abs=1e-4)
    assert only(customers(start=100, end=110, lost=5), "net_customer_change").value == -0.1


def test_new_and_lost_customers_balance_those_of_both_ends_in_a_rolling_window_too() -> None:
    view = FakeView(
        Window("rolling:30d", 0, 30 * 86_400_000, final=True),
        start_by_cut={TOTAL: {registry.CUSTOMERS.slot: 8, registry.PAST_OF_ACTIVE.slot: 5}},
        end_by_cut={TOTAL: {registry.CUSTOMERS.slot: 11}},
    )
    assert (only(view, "customers_lost").value, only(view, "customers_new").value) == (3, 6)


def test_retention_and_net_change_have_no_value_under_total() -> None:
    view = FakeView(Window("total", 0, 1, final=True), end_by_cut={TOTAL: {registry.CUSTOMERS.slot: 8}})
    for kpi_id in ("retention_rate", "net_customer_change"):
        assert (only(view, kpi_id).value, only(view, kpi_id).samples) == (None, 0)
    assert (only(view, "customers_new").value, only(view, "customers_lost").value) == (8, 0)


def test_the_quick_ratio_is_gains_by_losses_of_each_currency() -> None:
    inside = {
        registry.MRR_NEW.currency_slot(EUR): 300,
        registry.MRR_EXPANSION.currency_slot(EUR): 50,
        registry.MRR_REACTIVATION.currency_slot(EUR): 50,
        registry.MRR_CHURNED.currency_slot(EUR): 60,
        registry.MRR_CONTRACTION.currency_slot(EUR): 40,
        registry.MRR_NEW.currency_slot(JPY): 7,
    }
    found = {r.currency: r for r in records(FakeView(inside_by_cut={TOTAL: inside}), "quick_ratio")}
    assert (found["EUR"].value, found["EUR"].numerator, found["EUR"].denominator) == (4.0, 4.0, 1.0)
    assert found["EUR"].unit == "ratio"
    assert (found["JPY"].value, found["JPY"].denominator) == (None, 0.0)


def test_arr_is_twelve_times_mrr() -> None:
    end = {registry.MRR.currency_slot(EUR): 1_050, registry.CUSTOMERS_BY_CURRENCY.currency_slot(EUR): 2}
    record = only(FakeView(end_by_cut={TOTAL: end}), "arr")
    assert (record.value, record.samples, record.unit) == (126.0, 2, "EUR")


def test_a_cut_has_records_only_of_what_it_knows_and_then_of_the_whole_area() -> None:
    view = FakeView(
        inside_by_cut={
            TOTAL: {registry.TICKETS_CREATED.slot: 1},
            EMAIL: {registry.TICKETS_CREATED.slot: 1},
            ("plan", "pro"): {registry.MRR_NEW.currency_slot(EUR): 1},
        }
    )
    by_cut: dict[str, set[str]] = {}
    for record in evaluate(catalogue(), view):
        by_cut.setdefault(json.dumps(record.cut), set()).add(record.kpi)
    email = by_cut['{"channel": "email"}']
    assert {"ticket_volume", "first_response_time", "preferred_channel_share"} <= email
    assert not email & {"chat_volume", "csat", "mrr", "ticket_category_share"}
    assert "mrr" in by_cut['{"plan": "pro"}']
    assert {kpi.id for kpi in catalogue() if not kpi.formula.by_class} == by_cut["{}"]
    by_class = {kpi for of_class in ("poor", "negative", "present") for kpi in by_cut[json.dumps({"class": of_class})]}
    assert by_class == {kpi.id for kpi in catalogue() if kpi.formula.by_class}


def test_what_a_cut_knows_does_not_depend_on_the_rows_that_are_asked_for() -> None:
    view = FakeView(inside_by_cut={EMAIL: {registry.TICKETS_CREATED.slot: 1}})
    assert only(view, "first_response_time", {"channel": "email"}).samples == 0


def test_only_the_cuts_passed_are_evaluated() -> None:
    view = FakeView(
        inside_by_cut={TOTAL: {registry.TICKETS_CREATED.slot: 2}, EMAIL: {registry.TICKETS_CREATED.slot: 1}}
    )
    found = list(evaluate([kpi_by_id("preferred_channel_share")], view, [EMAIL]))
    assert [(r.cut, r.value) for r in found] == [({"channel": "email"}, 0.5)]


def test_an_instant_has_only_what_stands() -> None:
    found = {record.kpi for record in evaluate(catalogue(), FakeView(INSTANT))}
    assert found == {kpi.id for kpi in live_rows("instant")}


def test_the_json_has_the_fields_of_the_design_in_their_order() -> None:
    record = only(FakeView(inside_by_cut={TOTAL: durations(registry.FIRST_RESPONSE, 5)}), "first_response_time")
    decoded = json.loads(msgspec.json.encode(record))
    assert list(decoded) == [
        *("kpi", "unit", "window", "cut", "value", "stats", "numerator", "denominator"),
        *("samples", "clock", "currency", "variant", "as_of", "revision", "final"),
    ]
    assert list(decoded["stats"]) == ["count", "sum", "mean", "min", "max", "p50", "p90", "p95", "p99"]
    assert list(decoded["window"]) == ["kind", "start", "end"]
    assert (decoded["as_of"], decoded["revision"], decoded["variant"]) == ("1970-01-01T01:00:00.000Z", 0, {})


def test_times_are_rfc_3339_in_utc_with_milliseconds() -> None:
    assert timestamp(1_772_445_731_250) == "2026-03-02T10:02:11.250Z"
    assert timestamp(-1) == "1969-12-31T23:59:59.999Z"


def test_a_key_has_the_start_only_where_windows_follow_each_other() -> None:
    rolling = only(FakeView(inside_by_cut={TOTAL: durations(registry.FIRST_RESPONSE, 5)}), "first_response_time")
    assert record_key(rolling) == b"first_response_time|rolling:1h||calendar||"
    tumbling = FakeView(Window("tumbling:1h", 0, 3_600_000, final=True))
    assert record_key(only(tumbling, "csat")) == b"csat|tumbling:1h@1970-01-01T00:00:00.000Z||||"
    money = FakeView(inside_by_cut={TOTAL: {registry.MRR_NEW.currency_slot(EUR): 5}})
    assert record_key(only(money, "mrr_new")) == b"mrr_new|rolling:1h|||EUR|"


def test_no_value_of_a_cut_can_break_a_key() -> None:
    record = only(FakeView(inside_by_cut={TOTAL: {}}), "csat")
    nasty = ["a|b", "a", "a&x=b", "a%7Cb", "a=b", "", "\u00fc", " "]
    keys = [record_key(msgspec.structs.replace(record, cut={"category": value})) for value in nasty]
    assert len(set(keys)) == len(nasty)
    assert all(key.count(b"|") == 5 for key in keys)


def test_a_histogram_holds_every_duration_of_the_window() -> None:
    view = FakeView(inside_by_cut={TOTAL: durations(registry.ANSWER_TIME, 1_000, 1_001, 60_000)})
    found = {item.kpi: item for item in histograms(catalogue(), view)}
    assert set(found) == {kpi.id for kpi in catalogue() if kpi.kind.value == "duration"}
    buckets = dict(found["answer_time"].buckets)
    assert (buckets[1.0], buckets[45.0], buckets[60.0], buckets[float("inf")]) == (1, 2, 3, 3)
    assert found["answer_time"].sum_s == 62.001


def test_what_runs_on_a_schedule_that_the_settings_select_no_more_is_left_out() -> None:
    runs = registry.BUSINESS_RUNS.slot + registry.REQUESTER_WAIT
    gone = runs + registry.CLOCKS_OF_SCHEDULE * 7
    starts = {
        registry.BUSINESS_STARTS_LESS_STOPS.slot + registry.REQUESTER_WAIT: ALWAYS.reading_ms(HOUR.end_ms - 60_000)
    }
    view = FakeView(inside_by_cut={TOTAL: starts}, end_by_cut={TOTAL: {runs: 1, gone: 5}})
    row = kpi_by_id("requester_wait_time").on_business_clock
    assert row is not None
    (record,) = evaluate([row], view, [TOTAL], options=Options(schedules=ALWAYS_OPEN))
    assert (record.value, record.samples) == (60, 1)
