"""[[kpi]] tables: what they become, how wrong ones are refused, and that they are everywhere."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from typer.testing import CliRunner

from stream_kpi.cli.main import app
from stream_kpi.compute import Computation
from stream_kpi.errors import WRONG_USAGE, UserError
from stream_kpi.kpis.catalogue import catalogue, live_rows
from stream_kpi.lifecycles.options import CustomKpi, Options
from stream_kpi.merge import Merge
from stream_kpi.publish.custom_docs import EXAMPLE
from stream_kpi.publish.live_store import MemoryStore
from stream_kpi.publish.prometheus import KpiCollector
from stream_kpi.settings import load_settings
from stream_kpi.settings_kpis import line_number
from stream_kpi.steps import all_of
from tests.row_kit import at
from tests.shard_kit import created, new_shard, reply

GOOD = """\
zone = "UTC"

[[kpi]]
id = "own"
title = "Own"
unit = "things"
formula = "count(reopens)"
"""


def toml(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text)
    return file


def refusal(folder: Path, text: str) -> list[str]:
    with pytest.raises(UserError) as caught:
        load_settings(toml(folder, text))
    assert caught.value.exit_status == WRONG_USAGE
    return str(caught.value).splitlines()


def test_a_table_becomes_a_row_after_those_of_the_catalogue(tmp_path: Path) -> None:
    options = load_settings(toml(tmp_path, GOOD)).options()
    assert options.custom_kpis == (CustomKpi(id="own", title="Own", unit="things", formula="count(reopens)"),)
    assert [row.id for row in catalogue(options)] == [*(row.id for row in catalogue()), "own"]


def test_the_example_of_the_docs_is_allowed(tmp_path: Path) -> None:
    kpis = load_settings(toml(tmp_path, EXAMPLE)).options().custom_kpis
    assert [kpi.id for kpi in kpis] == ["late_first_responses", "first_response_p75", "cost_per_conversation"]
    assert (kpis[0].target, kpis[0].direction, kpis[0].cuts) == (0.1, "down", ("channel", "group"))


@pytest.mark.parametrize(
    ("old", "new", "line", "complaint"),
    [
        ('"count(reopens)"', '"count(reopen)"', 7, "kpi.own.formula = count(reopen): there is no measure reopen; the"),
        ('formula = "count(reopens)"', "", 3, "kpi.own.formula = : must be a formula, such as count(tickets_created)"),
        ('id = "own"', 'id = "Own"', 4, "kpi.Own.id = Own: must be a name of at most 60 small letters"),
        ('id = "own"', 'id = "csat"', 4, "kpi.csat.id = csat: another KPI has this id"),
        ('id = "own"', "", 3, "kpi.0.id = : must be a name"),
        ('title = "Own"', "", 3, "kpi.own.title = : must be a line of 1 to 100 characters"),
        ('title = "Own"', "title = 3", 5, "kpi.own.title = 3: must be a text, in quotes"),
        ('unit = "things"', 'unit = "money"', 6, "kpi.own.unit = money: must say what the formula gives"),
        ('title = "Own"', 'titel = "Own"', 5, "kpi.own.titel = Own: there is no such key; must be one of id, title"),
        ('title = "Own"', 'title = "Own"\ncuts = ["plan"]', 6, "kpi.own.cuts[0] = plan: must be one of channel,"),
        ('title = "Own"', 'title = "Own"\ncuts = "group"', 6, "kpi.own.cuts = group: must be a list of texts"),
        (
            'title = "Own"',
            'title = "Own"\ncuts = ["group", "group"]',
            6,
            "kpi.own.cuts[1] = group: must not be given tw",
        ),
        ('title = "Own"', 'title = "Own"\ntarget = 5', 6, "kpi.own.target = 5: needs direction ="),
        ('title = "Own"', 'title = "Own"\ntarget = true', 6, "kpi.own.target = True: must be a number above 0"),
        ('title = "Own"', 'title = "Own"\ndirection = "left"', 6, "kpi.own.direction = left: must be one of up, down"),
        ('id = "own"', 'id = "own_total"', 4, "kpi.own_total.id = own_total: must not end in _total"),
        (
            'id = "own"',
            'id = "channel_ticket_volume"',
            4,
            "its metric kpi_channel_ticket_volume would be one of ticket_v",
        ),
        ('id = "own"', 'id = "csat_samples"', 4, "its metric kpi_csat_samples would be one of csat"),
    ],
)
def test_a_wrong_table_is_refused_with_the_line_the_key_the_value_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, line: int, complaint: str
) -> None:
    assert old in GOOD
    lines = refusal(tmp_path, GOOD.replace(old, new))
    told = [text for text in lines if text.startswith(f"{tmp_path / 'settings.toml'} line {line}: ")]
    assert [text for text in told if complaint in text], lines


def test_every_wrong_table_has_its_own_line(tmp_path: Path) -> None:
    second = '[[kpi]]\nid = "own"\ntitle = "Again"\nunit = "things"\nformula = "count(reopens) + 1 +"\n'
    third = '[[kpi]]\nid = "own"\ntitle = "Again"\nunit = "things"\nformula = "count(transfers)"\n'
    formula, taken = refusal(tmp_path, f"{GOOD}\n{second}\n{third}")
    assert "line 13: kpi.own.formula" in formula
    assert "line 16: kpi.own.id = own: another KPI has this id" in taken


def test_text_that_only_looks_like_a_table_is_not_counted() -> None:
    text = 'note = """\n[[kpi]]\nid = 1\n"""\n[[kpi]]\ncuts = [\n  "id = 2"\n]\nid = 3\n[[ "kpi" ]]\nid = 4\n'
    assert len(tomllib.loads(text)["kpi"]) == 2
    assert [line_number(text, 0, "id"), line_number(text, 1, "id"), line_number(text, 1, "unit")] == [9, 11, 10]


def test_tables_that_are_written_in_another_way_are_named_by_position_without_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        refusal(tmp_path, "kpi = [{}]")[0]
        == "kpi.0.id = : must be a name of at most 60 small letters, digits and _, a letter first"
    )
    monkeypatch.setenv("STREAM_KPI_KPI", '[{"id": "csat", "title": "x", "unit": "x", "formula": "count(reopens)"}]')
    assert refusal(tmp_path, GOOD) == ["kpi.csat.id = csat: another KPI has this id"]


def test_the_merge_compute_and_metrics_show_a_custom_kpi() -> None:
    kpi = CustomKpi(id="own", title="Own", unit="minutes", formula="mean(first_response) / 60", cuts=("channel",))
    options = Options(custom_kpis=(kpi,))
    lines = [created("T", at(0)), reply("T", at(3)), created("U", at(1), channel="web"), reply("U", at(2))]
    shard, merge = new_shard(options=options), Merge(options, grace_ms=0)
    computation = Computation(options, None, at(10))
    from tests.shard_kit import TICKETS, records

    shard.apply(TICKETS, 0, records(*lines), at(10))
    shard.advance(at(10))
    flush = shard.flush(caught_up=True)
    assert flush is not None
    for key, value in flush.panes:
        merge.apply(0, key, value)
    publication = all_of(merge.publish(at(10), at(0)))
    live = {
        (record.window.kind, record.cut.get("channel", "")): record.value
        for record in publication.records.values()
        if record.kpi == "own"
    }
    assert live["rolling:5m", ""] is None
    assert live["rolling:15m", ""] == 2  # (3 + 1) / 2
    assert (live["total", "email"], live["total", "web"]) == (3, 1)
    assert {kind for kind, _ in live} == set(kinds(options))
    for line in lines:
        computation.take(line)
    (own,) = [row for row in catalogue(options) if row.id == "own"]
    assert [record.value for record in computation.records([own], ["channel"])] == [2, 3, 1]

    store, shown = MemoryStore(), CollectorRegistry()
    store.replace(publication.records.values())
    shown.register(KpiCollector(store, rows=catalogue(options), most_label_values=1))
    text = generate_latest(shown).decode()
    assert 'kpi_own{window="total"} 2.0' in text
    assert 'kpi_channel_own{channel="email",window="total"} 3.0' in text
    assert 'kpi_channel_own{channel="other",window="total"} 1.0' in text
    assert 'kpi_own_samples{window="total"} 2.0' in text


def kinds(options: Options) -> list[str]:
    own = catalogue(options)[-1]
    published = ("total", "today", *(f"rolling:{length}" for length in ("5m", "15m", "1h", "4h", "24h", "7d", "30d")))
    every = (*published, "tumbling:5m", "tumbling:1h", "tumbling:1d", "month")
    return [kind for kind in every if own in live_rows(kind, options)]


@pytest.mark.parametrize(("formula", "other"), [("count(reopens)", 3), ("quantile(first_response, 0.5)", None)])
def test_beyond_the_cap_a_sum_is_shown_added_up_and_a_quantile_is_not(formula: str, other: float | None) -> None:
    from stream_kpi.kpis.custom import custom_row
    from stream_kpi.kpis.record import KpiRecord, RecordWindow
    from stream_kpi.publish.labels import summed

    row = custom_row(CustomKpi(id="own", title="Own", unit="things", formula=formula, cuts=("channel",)))
    records = [
        KpiRecord(
            kpi="own", unit="things", window=RecordWindow("total", None, ""), cut={"channel": name}, value=value,
            stats=None, numerator=None, denominator=None, samples=value, clock=None, currency=None, variant={},
            as_of="", revision=0, final=True,
        )
        for name, value in (("email", 1), ("web", 2))
    ]  # fmt: skip
    assert summed(row, records)[:2] == (other, 3)


def test_the_catalogue_command_lists_the_rows_of_the_settings(tmp_path: Path) -> None:
    file = toml(tmp_path, GOOD)
    result = CliRunner().invoke(app, ["catalogue", "--format", "json", "--config", str(file)])
    assert result.exit_code == 0
    last = json.loads(result.stdout)[-1]
    assert (last["id"], last["formula"], last["metric"]) == ("own", "count(reopens)", "kpi_own")
    assert last["definition"].endswith(".")
