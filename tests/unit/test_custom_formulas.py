"""KPIs that the settings define: what formulas say, and how they are refused."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stream_kpi.compute import Computation
from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.custom import custom_row, shared_cuts
from stream_kpi.kpis.expressions import parse
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.kpis.rows import KpiKind
from stream_kpi.kpis.vocabulary import OFFERED
from stream_kpi.lifecycles.options import CustomKpi, Options
from stream_kpi.measures.registry import MEASURES, SLOTS_PER_MEASURE
from stream_kpi.simulator.simulation import Simulation
from stream_kpi.windows.kinds import parse as parse_window
from stream_kpi.windows.views import total_view
from tests.row_kit import at, solved
from tests.shard_kit import created, event, reply

HOUR_MS = 3_600_000


def custom(formula: str, unit: str = "things", *cuts: str) -> CustomKpi:
    return CustomKpi(id="own", title="Own", unit=unit, formula=formula, cuts=cuts)


def records(kpi: CustomKpi, lines: list[bytes], window: str = "total", minute: float = 60) -> list[KpiRecord]:
    options = Options(custom_kpis=(kpi,))
    computation = Computation(options, parse_window(window), at(minute))
    for line in lines:
        assert computation.take(line) is None
    return list(computation.records([catalogue(options)[-1]], set(kpi.cuts)))


def only(formula: str, lines: list[bytes], unit: str = "things", **more: Any) -> KpiRecord:
    (record,) = records(custom(formula, unit), lines, **more)
    return record


# Three tickets at minutes 0, 1 and 2, answered after 60, 120 and 300 s; the first is solved at minute 10.
STORY = [
    *(created(f"T{n}", at(n), channel=channel) for n, channel in enumerate(("email", "email", "web"))),
    *(reply(f"T{n}", at(n + minutes)) for n, minutes in enumerate((1, 2, 5))),
    solved("T0", 10),
]
PAID = [
    event("invoice.paid", "s", at(n), f"i{n}", customer_id="c", invoice_id=f"i{n}", amount=amount, currency=currency)
    for n, (amount, currency) in enumerate([(10_000, "EUR"), (5_050, "EUR"), (900, "USD")])
]


def test_a_sum_of_counts_is_a_whole_number_whose_samples_are_all_that_was_counted() -> None:
    record = only("count(tickets_created) + count(first_solves)", STORY)
    assert (record.value, record.samples, record.numerator) == (4, 4, None)  # 3 + 1
    assert isinstance(record.value, int)


def test_a_quotient_is_a_ratio_of_sums_with_numerator_denominator_and_samples_but_no_interval() -> None:
    record = only("count(first_solves) / count(tickets_created)", STORY, "ratio")
    assert (record.value, record.numerator, record.denominator, record.samples) == (1 / 3, 1, 3, 3)
    assert not isinstance(record.interval, tuple)


def test_one_less_a_ratio_is_a_ratio_of_sums_too() -> None:
    record = only("1 - count(first_solves) / count(tickets_created)", STORY, "ratio")
    assert (record.value, record.numerator, record.denominator) == (2 / 3, 2, 3)


@pytest.mark.parametrize(
    ("formula", "value", "samples"),
    [
        ("sum(first_response)", 480, 3),  # 60 + 120 + 300
        ("mean(first_response)", 160, 3),  # 480 / 3
        ("mean(first_response) / 60", 160 / 60, 3),
        ("2 * 30 * count(first_response) / 6", 30, 3),
        ("mean(first_response) - mean(resolution_first)", -440, 1),  # 160 - 600, of 3 and of 1
        ("level(backlog) / count(tickets_created)", 2 / 3, 3),
        ("(count(tickets_created) - count(first_solves)) / (count(tickets_created) - count(first_solves))", 1, 2),
        ("quantile(first_response, 1) / mean(first_response)", pytest.approx(300 / 160, rel=0.011), 3),
    ],
)
def test_formulas_by_hand(formula: str, value: float, samples: int) -> None:
    record = only(formula, STORY)
    assert (record.value, record.samples) == (value, samples)


def test_a_quantile_interpolates_between_the_neighbouring_ranks() -> None:
    # Of 60, 120, 300 at rank 0.75 x 2 = 1.5: halfway from 120 to 300.
    assert only("quantile(first_response, 0.75)", STORY, "seconds").value == pytest.approx(210, rel=0.011)


@pytest.mark.parametrize(
    "formula",
    [
        "mean(first_response)",
        "quantile(first_response, 0.5)",
        "count(first_solves) / count(tickets_created)",
        "1 - count(first_solves) / count(tickets_created)",
        "sum(first_response) / (count(tickets_created) - count(first_solves))",
        "mean(first_response) / mean(next_reply)",
    ],
)
def test_without_samples_there_is_no_value(formula: str) -> None:
    record = only(formula, [])
    assert (record.value, record.samples) == (None, 0)


def test_what_is_below_a_line_and_below_zero_gives_no_value() -> None:
    record = only("count(tickets_created) / (count(first_solves) - count(tickets_created))", STORY)
    assert (record.value, record.denominator, record.samples) == (None, -2, 0)


def test_what_is_too_large_for_a_number_has_no_value() -> None:
    assert only(f"count(tickets_created) * {' * '.join(['1e9'] * 40)}", STORY).value is None


def test_money_has_a_value_for_each_currency_in_major_units() -> None:
    found = records(custom("sum(invoices_paid)", "money"), PAID)
    assert [(record.value, record.unit, record.currency, record.samples) for record in found] == [
        (150.5, "EUR", "EUR", None),
        (9, "USD", "USD", None),
    ]
    (none,) = records(custom("sum(invoices_paid)", "money"), [])
    assert (none.value, none.currency, none.unit) == (0, None, "money")


def test_money_by_a_count_has_the_counts_samples_and_money_by_money_none() -> None:
    eur, usd = records(custom("sum(invoices_paid) / count(tickets_created)", "money"), [*PAID, *STORY])
    assert (eur.value, eur.samples, usd.value) == (150.5 / 3, 3, 3)
    eur, _ = records(custom("sum(mrr_new) / sum(invoices_paid)", "ratio"), PAID)
    assert (eur.value, eur.samples, eur.denominator) == (0, None, 150.5)


def test_a_correction_corrects_a_custom_kpi_too() -> None:
    late = event("ticket.status", "T0", at(20), "reopened", status="open", actor="agent")
    assert only("level(backlog)", STORY).value == 2
    assert only("level(backlog)", [late, *STORY]).value == 3
    merged = event("ticket.merged", "T2", at(30), "merged", into="T1")
    assert only("quantile(first_response, 1)", [merged, *STORY]).value == pytest.approx(120, rel=0.011)


def test_a_cut_that_any_area_of_the_formula_knows_has_a_record() -> None:
    queued = event("chat.queued", "C", at(3), "q", channel="chat", queue="sales")
    kpi = custom("count(tickets_created) + count(chats_queued)", "contacts", "channel")
    found = {record.cut.get("channel"): record.value for record in records(kpi, [*STORY, queued])}
    assert found == {None: 4, "email": 2, "web": 1, "chat": 1}


def test_what_reads_levels_only_stands_at_an_instant_and_all_else_is_of_windows() -> None:
    assert custom_row(custom("level(backlog) / level(agents_present)")).stands
    (record,) = records(custom("level(backlog)"), STORY, window="rolling:5m")
    assert record.window.kind == "instant"
    assert not custom_row(custom("level(backlog) / count(first_solves)")).stands


@pytest.mark.parametrize(
    ("formula", "unit", "kind", "metric"),
    [
        ("count(reopens)", "tickets", KpiKind.COUNT, "kpi_own"),
        ("level(backlog)", "tickets", KpiKind.LEVEL, "kpi_own"),
        ("mean(handle_time)", "seconds", KpiKind.TIME, "kpi_own_seconds"),
        ("mean(handle_time) / 60", "minutes", KpiKind.QUOTIENT, "kpi_own"),
        ("count(reopens) / count(first_solves)", "ratio", KpiKind.RATIO, "kpi_own_ratio"),
        ("level(mrr) * 12", "money", KpiKind.MONEY, "kpi_own"),
        ("mean(csat_score)", "score", KpiKind.QUOTIENT, "kpi_own"),
    ],
)
def test_kind_and_metric_follow_from_formula_and_unit(formula: str, unit: str, kind: KpiKind, metric: str) -> None:
    row = custom_row(custom(formula, unit))
    assert (row.kind, row.metric) == (kind, metric)


@pytest.mark.parametrize(
    ("formula", "allowed"),
    [
        ("count(first_respons)", "there is no measure first_respons; the nearest is first_response"),
        ("count(cohort_solves)", "there is no measure cohort_solves"),
        (
            "quantile(tickets_created, 0.9)",
            "quantile(tickets_created) has no meaning; of tickets_created there",
        ),
        ("count(mrr_new)", "of mrr_new there is sum"),
        ("count(backlog)", "of backlog there is level"),
        ("max(first_response)", "there is no function max; must be one of count, sum, mean, quantile, level"),
        ("quantile(first_response, 90)", "a quantile must be a number from 0 to 1, not 90"),
        ("quantile(first_response)", "must be written as quantile(first_response, 0.9)"),
        ("count(tickets_created, 2)", "must be written as count(NAME)"),
        ("count(tickets_created) + sum(first_response)", "cannot add plain numbers and seconds"),
        ("sum(first_response) - 5", "cannot subtract seconds and plain numbers"),
        ("sum(invoices_paid) + mean(handle_time)", "cannot add money and seconds"),
        ("tickets_created", "must say what of tickets_created, such as count(tickets_created)"),
        ("count(tickets_created) / 0", "cannot divide by 0"),
        ("count(tickets_created) / (1 - 1)", "cannot divide by 0"),
        ("count(tickets_created) ** 2", "is not allowed; only numbers, + - * /"),
        ("__import__('os').system('ls')", "there is no function __import__('os').system"),
        ("count(tickets_created) if 1 else 2", "is not allowed"),
        ("count(tickets_created) +", "is no formula: see character"),
        ("1 + 1", "must read a measure, such as count(tickets_created)"),
        ("", "is no formula"),
        ("True * count(reopens)", "True is not allowed; a number must be from 0 to 1,000,000,000"),
        ("count(reopens) * 1e400", "is not allowed"),
        ("count(réopens)", "must be made of printable ASCII characters"),
        ("count(reopens) # all\n+ 1", "without comments"),
        ("\0", "must be made of printable ASCII characters"),
        ("-" * 490 + "1", "nested too deeply"),
        ("(" * 501, "must have at most 500 characters"),
        ("(" * 300, "is no formula"),
    ],
)
def test_a_wrong_formula_is_refused_with_what_is_allowed(formula: str, allowed: str) -> None:
    with pytest.raises(ValueError, match=re.escape(allowed)):
        parse(formula)


@pytest.mark.parametrize(
    ("formula", "unit"),
    [
        ("mean(first_response)", "money"),
        ("count(reopens)", "seconds"),
        ("sum(invoices_paid)", "EUR"),
        ("count(reopens)", "ratio"),
        ("sum(invoices_paid) / count(reopens)", "ratio"),
    ],
)
def test_a_unit_that_the_formula_does_not_give_is_refused(formula: str, unit: str) -> None:
    with pytest.raises(ValueError, match=r"^must (say|be) "):
        custom_row(custom(formula, unit))


def test_a_formula_may_have_the_cuts_that_all_its_measures_have() -> None:
    assert "agent" in shared_cuts("mean(first_response)")
    assert "agent" not in shared_cuts("count(first_solves) / count(tickets_created)")
    assert shared_cuts("sum(mrr_churned) / level(mrr)") == ("plan",)
    assert shared_cuts("sum(support_cost)") == ("channel",)


def test_facts_carry_the_cuts_that_the_vocabulary_promises() -> None:
    start_ms = 1_772_409_600_000
    computation = Computation(Options(), None, None)
    for item in Simulation(5, start_ms).events_until(start_ms + 40 * HOUR_MS):
        computation.take(item.value)
    view = total_view(computation._panes, start_ms, computation.at_ms)
    found: dict[str, set[str]] = {}
    for cut in view.cuts():
        for part in (view.inside(cut), view.at_end(cut)):
            for slot in part:
                name = next(m.name for m in MEASURES if m.number == slot // SLOTS_PER_MEASURE)
                found.setdefault(name, set()).add(cut[0] if cut else "total")
    seen = [name for name in OFFERED if name in found]
    assert len(seen) > 50
    for name in seen:
        assert set(OFFERED[name].cuts) <= found[name], name
