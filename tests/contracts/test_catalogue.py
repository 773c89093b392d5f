"""The catalogue's promises: its rows, their names, their JSON, and the pages that are generated from it."""

from __future__ import annotations

import ast
import itertools
import json
import re
from pathlib import Path

import pytest

from stream_kpi.kpis.catalogue import catalogue, live_rows, on_clocks
from stream_kpi.kpis.distinct import DistinctRatio
from stream_kpi.kpis.families import distribution_metric, samples_metric
from stream_kpi.kpis.formulas import Ratio, Share
from stream_kpi.kpis.rows import TOTAL_CUT, Kpi, KpiKind
from stream_kpi.publish import docs
from stream_kpi.publish.custom_docs import custom_kpis_page

IDS = [
    "ticket_volume",
    "ticket_category_share",
    "preferred_channel_share",
    "ticket_backlog",
    "backlog_oldest_age",
    "backlog_unassigned",
    "backlog_unattended",
    "first_response_time",
    "open_first_response_age",
    "next_reply_time",
    "resolution_time_first",
    "resolution_time_full",
    "reopen_rate",
    "fcr_provisional",
    "resolution_rate_flow",
    "response_time_compliance",
    "backlog_net_flow",
    "backlog_days_to_clear",
    "requester_wait_time",
    "agent_work_time",
    "on_hold_time",
    "illegitimate_pause_time",
    "resolution_rate_cohort",
    "transfers",
    "touches",
    "sla_achievement",
    "sla_breaches",
    "sla_breach_size",
    "sla_at_risk",
    "sla_next_breach_in",
    "fcr_confirmed",
    "chat_fcr",
    "nps",
    "chat_volume",
    "queue_length",
    "longest_wait",
    "chat_abandonment_rate",
    "chat_missed",
    "chat_dropped",
    "answer_time",
    "abandon_time",
    "service_level",
    "handle_time",
    "chat_duration",
    "agents_required",
    "agent_occupancy",
    "agent_concurrency",
    "csat",
    "csat_score",
    "csat_distribution",
    "survey_response_rate",
    "ces_score",
    "ces_share",
    "mrr",
    "mrr_new",
    "expansion_revenue",
    "revenue_contraction",
    "mrr_churned",
    "mrr_at_risk",
    "mrr_reactivation",
    "customers",
    "churn_rate",
    "arpu",
    "arr",
    "customers_new",
    "customers_lost",
    "retention_rate",
    "net_customer_change",
    "quick_ratio",
    "recurring_revenue",
    "grr",
    "nrr",
    "clv",
    "cost_per_ticket",
    "cac",
    "support_cost_ratio",
    "cac_payback",
    "conversion_rate",
    "bounce_rate",
    "activation_rate",
    "dau",
    "wau",
    "mau",
    "stickiness",
    "social_mentions",
    "social_sentiment",
    "social_response_time",
]
EVERY_ROW = pytest.mark.parametrize("kpi", catalogue(), ids=lambda kpi: kpi.id)


def test_the_catalogue_has_exactly_these_rows() -> None:
    assert sorted(kpi.id for kpi in catalogue()) == sorted(IDS)


@EVERY_ROW
def test_a_row_as_json_has_the_promised_fields(kpi: Kpi) -> None:
    row = json.loads(json.dumps(kpi.as_json()))
    promised = [
        "id",
        "title",
        "unit",
        "kind",
        "direction",
        "cuts",
        "windows",
        "formula",
        "advice",
        "definition",
        "target",
        "metric",
    ]
    assert set(promised) <= set(row)
    assert row["direction"] in {"up", "down", "none"}
    assert row["cuts"][0] == TOTAL_CUT
    assert len(set(row["windows"])) == len(row["windows"]) > 0
    assert all(row[name] for name in promised if name != "target")


@EVERY_ROW
def test_a_row_says_in_whole_sentences_what_it_is_and_what_to_do(kpi: Kpi) -> None:
    assert kpi.advice.endswith(".")
    assert kpi.definition.endswith(".")
    assert len(kpi.advice.split()) >= 12


def test_no_two_rows_give_the_same_advice_or_the_same_formula() -> None:
    for one, other in itertools.combinations(catalogue(), 2):
        assert one.advice != other.advice
        assert one.formula != other.formula


@EVERY_ROW
def test_a_target_is_possible(kpi: Kpi) -> None:
    if kpi.target is not None:
        assert kpi.direction != "none"
        assert kpi.target > 0
        assert kpi.kind is not KpiKind.RATIO or kpi.target <= 1 or kpi.formula.by_currency


@EVERY_ROW
def test_a_row_that_stands_is_never_published_for_rolling_windows(kpi: Kpi) -> None:
    if "instant" in kpi.windows:
        assert kpi.stands
        assert not [kind for kind in kpi.windows if kind.startswith("rolling:") or kind == "total"]


def test_shares_are_cut_by_their_dimension_only_and_say_that_they_read_the_total() -> None:
    shares = [kpi for kpi in catalogue() if isinstance(kpi.formula, Share)]
    assert [kpi.cuts for kpi in shares] == [(TOTAL_CUT, "category"), (TOTAL_CUT, "channel")]
    assert all(kpi.formula.reads_total == isinstance(kpi.formula, Share | DistinctRatio) for kpi in catalogue())


def test_the_parts_of_a_share_have_the_total_as_their_denominator_and_of_conversions_only_the_goals() -> None:
    shared = {(kpi.id, cut) for kpi in catalogue() for cut in kpi.cuts if kpi.formula.same_denominator(cut)}
    assert shared - {(kpi_id, cut) for kpi_id, cut in shared if cut == TOTAL_CUT} == {
        ("ticket_category_share", "category"),
        ("preferred_channel_share", "channel"),
        ("conversion_rate", "goal"),
    }


def test_no_ratio_divides_a_measure_by_itself() -> None:
    ratios = [kpi.formula for kpi in catalogue() if isinstance(kpi.formula, Ratio)]
    assert len(ratios) > 5
    assert all(ratio.numerator != ratio.denominator for ratio in ratios)


def test_live_rows_are_those_whose_windows_name_the_kind() -> None:
    assert "ticket_volume" in {kpi.id for kpi in live_rows("rolling:5m")}
    assert "mrr" not in {kpi.id for kpi in live_rows("rolling:5m")}
    assert live_rows("rolling:13m") == ()
    assert {kpi.id for kpi in live_rows("month")} >= {"csat", "churn_rate", "reopen_rate"}


def test_exactly_these_rows_have_a_business_clock() -> None:
    assert {kpi.id for kpi in catalogue() if kpi.on_business_clock is not None} == {
        *("first_response_time", "next_reply_time", "resolution_time_first", "resolution_time_full"),
        *("requester_wait_time", "agent_work_time", "on_hold_time"),
    }


def test_no_two_families_share_a_name_and_none_ends_in_a_reserved_suffix() -> None:
    names = []
    for kpi in on_clocks(catalogue(), business=True):
        for cut in kpi.cuts:
            dimension = "" if cut == TOTAL_CUT else cut
            names += [kpi.cut_metric(cut) if dimension else kpi.metric, samples_metric(kpi, dimension)]
        if kpi.kind is KpiKind.DURATION:
            names.append(distribution_metric(kpi))
    assert len(names) == len(set(names))
    for name in names:
        assert re.fullmatch(r"kpi_[a-z0-9_]+", name)
        assert not name.endswith(("_total", "_count", "_sum", "_bucket", "_info", "_created"))


def test_the_generated_pages_are_up_to_date(repository: Path) -> None:
    assert (repository / "docs" / "kpis.md").read_text(encoding="utf-8") == docs.kpis_page()
    assert (repository / "docs" / "metrics.md").read_text(encoding="utf-8") == docs.metrics_page()
    assert (repository / "docs" / "custom-kpis.md").read_text(encoding="utf-8") == custom_kpis_page()


def test_check_tells_which_page_is_out_of_date_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    monkeypatch.setattr(docs, "_DOCS", folder)
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    (folder / "kpis.md").write_text("old", encoding="utf-8")
    assert docs.main(["--check"]) == 1
    assert "docs/kpis.md" in capsys.readouterr().err
    assert (folder / "kpis.md").read_text(encoding="utf-8") == "old"


def test_the_kpis_and_measures_import_no_client_of_anything(repository: Path) -> None:
    forbidden = {"prometheus_client", "aiohttp", "asyncio", "time", "faust", "aiokafka", "kafka", "redis", "socket"}
    sources = [path for folder in ("kpis", "measures") for path in (repository / "stream_kpi" / folder).glob("*.py")]
    assert len(sources) > 10
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not forbidden & {alias.name.split(".")[0] for alias in node.names}, path
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in forbidden, path
