"""``stream-kpi compute`` as its user meets it: files, options, output, mistakes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stream_kpi.cli.main import main
from stream_kpi.errors import CHECK_FAILED, OK, WRONG_USAGE
from tests.shard_kit import DAY_MS, HOUR_MS, MINUTE_MS, T0_MS, created, event, reply, status

FIELDS = ["kpi", "unit", "window", "cut", "value", "stats", "numerator", "denominator", "samples", "clock", "currency",
          "variant", "as_of", "revision", "final"]  # fmt: skip
PLAN = {"plan": "team", "unit_amount": 4900, "quantity": 1, "interval": "month"}
CLASSES = ["very_positive", "positive", "neutral", "poor", "very_poor"]
LOG = [
    created("A", T0_MS),
    reply("A", T0_MS + 10 * MINUTE_MS, "ann"),
    status("A", T0_MS + HOUR_MS, "solved"),
    created("B", T0_MS + DAY_MS, channel="web"),
    event("chat.queued", "C", T0_MS + 2 * DAY_MS, "1", queue="sales"),
]


class Outcome:
    """What a run printed."""

    def __init__(self, exit_status: int, out: str, err: str) -> None:
        self.exit_status = exit_status
        self.out = out
        self.err = err

    @property
    def records(self) -> list[dict[str, Any]]:
        """The lines of JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Outcome]


@pytest.fixture
def compute(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Run:
    """Runs the command, by default over LOG and to JSON."""

    def run(*options: str, lines: list[bytes] | None = None, files: list[Path] | None = None) -> Outcome:
        if files is None:
            files = [tmp_path / "events.jsonl"]
            files[0].write_bytes(b"\n".join(LOG if lines is None else lines) + b"\n")
        output = () if "--format" in options else ("--format", "json")
        monkeypatch.setattr("sys.argv", ["stream-kpi", "compute", *map(str, files), *output, *options])
        exit_status = main()
        sys.stdout.flush()
        printed = capfdbinary.readouterr()
        return Outcome(exit_status, printed.out.decode(), printed.err.decode())

    return run


def test_without_options_the_totals_of_every_kpi_are_printed(compute: Run) -> None:
    done = compute()
    assert (done.exit_status, done.err) == (OK, "")
    assert {record["kpi"] for record in done.records} >= {"ticket_volume", "service_level", "csat", "churn_rate"}
    assert {name for record in done.records for name in record["cut"]} == {"class"}
    classes = [record["cut"] for record in done.records if record["kpi"] == "csat_distribution"]
    assert classes == [{"class": name} for name in CLASSES]
    assert {record["window"]["kind"] for record in done.records} == {"total", "instant"}


def test_a_record_has_exactly_the_fields_of_the_values_topic(compute: Run) -> None:
    for record in compute("--by", "channel").records:
        assert list(record) == FIELDS or list(record) == [*FIELDS, "interval"]
        assert "interval" not in record or 0 <= record["numerator"] <= record["denominator"]
        assert list(record["window"]) == ["kind", "start", "end"]
        if record["stats"] is not None:
            assert list(record["stats"]) == ["count", "sum", "mean", "min", "max", "p50", "p90", "p95", "p99"]


def test_one_kpi_is_printed_as_the_design_shows_it(compute: Run) -> None:
    (record,) = compute("--kpi", "first_response_time").records
    stats = record.pop("stats")
    assert (stats["count"], stats["sum"], stats["mean"]) == (1, 600.0, 600.0)
    assert stats["p50"] == pytest.approx(600, rel=0.011)
    end = "2026-03-04T10:00:00.000Z"
    assert record == {
        "kpi": "first_response_time", "unit": "seconds",
        "window": {"kind": "total", "start": "2026-03-02T10:00:00.000Z", "end": end}, "cut": {},
        "value": 600.0, "numerator": None, "denominator": None, "samples": 1, "clock": "calendar", "currency": None,
        "variant": {}, "as_of": end, "revision": 0, "final": True,
    }  # fmt: skip


def test_the_table_tells_the_ratios_of_two_currencies_apart_and_says_moneys_currency_once(compute: Run) -> None:
    customers = [
        event(
            "subscription.changed", f"C-{code}", T0_MS, code, subscription_id="s", status="active", items=[PLAN],
            currency=code,
        )
        for code in ("EUR", "USD")
    ]  # fmt: skip
    table = compute("--kpi", "mrr_new", "--kpi", "quick_ratio", "--format", "table", lines=customers).out
    begins = [" ".join(line.split()[:2]) for line in table.splitlines()[1:]]
    assert begins == ["mrr_new total", "mrr_new total", "quick_ratio EUR", "quick_ratio USD"]


def test_what_never_happened_is_null_for_ratios_and_means_and_zero_for_counts_and_levels(compute: Run) -> None:
    records = {record["kpi"]: record for record in compute().records}
    for kpi in ("csat", "csat_score", "answer_time", "chat_abandonment_rate", "next_reply_time", "churn_rate"):
        assert (records[kpi]["value"], records[kpi]["samples"], records[kpi]["stats"]) == (None, 0, None)
    for kpi in ("customers", "backlog_unassigned"):
        assert records[kpi]["value"] == records[kpi]["samples"]
    assert records["customers"]["value"] == 0


def test_kpis_are_printed_in_the_order_asked_for_and_once(compute: Run) -> None:
    done = compute("--kpi", "csat", "--kpi", "ticket_volume", "--kpi", "csat")
    assert [record["kpi"] for record in done.records] == ["csat", "ticket_volume"]


def test_a_dimension_adds_its_cuts_to_the_total(compute: Run) -> None:
    done = compute("--kpi", "ticket_volume", "--by", "channel", "--by", "brand")
    found = {tuple(record["cut"].items()): record["value"] for record in done.records}
    assert found == {
        (): 2,
        (("channel", "email"),): 1,
        (("channel", "web"),): 1,
        (("brand", "unknown"),): 2,
    }


@pytest.mark.parametrize("options", [("--by", "channel"), ("--by", "channel", "--by", "class")])
def test_a_distribution_has_all_its_classes_in_the_total_and_in_every_cut(
    compute: Run, options: tuple[str, ...]
) -> None:
    scale = {"survey_id": "v", "kind": "csat", "scale_min": 1, "scale_max": 5}
    rated = event("ticket.survey_answered", "B", T0_MS + DAY_MS, "2", score=5, **scale)
    done = compute("--kpi", "csat_distribution", *options, lines=[*LOG, rated])
    assert [(list(record["cut"].items()), record["value"]) for record in done.records] == [
        *(([("class", name)], float(name == "very_positive")) for name in CLASSES),
        *(([("channel", "web"), ("class", name)], float(name == "very_positive")) for name in CLASSES),
    ]
    assert {record["samples"] for record in done.records} == {1}
    table = compute("--kpi", "csat_distribution", *options, "--format", "csv", lines=[*LOG, rated])
    cuts = [row["cut"] for row in csv.DictReader(io.StringIO(table.out))]
    assert cuts == [*(f"class={name}" for name in CLASSES), *(f"channel=web class={name}" for name in CLASSES)]
    for_people = compute("--kpi", "csat_distribution", *options, "--format", "table", lines=[*LOG, rated])
    assert [line.split()[4:6] for line in for_people.out.splitlines()[-5:]] == [
        ["channel=web", f"class={name}"] for name in CLASSES
    ]


def test_agents_are_a_dimension_of_what_they_did(compute: Run) -> None:
    done = compute("--kpi", "first_response_time", "--by", "agent")
    # The ticket was solved by nobody known: that agent has tickets, and no first response.
    assert [(record["cut"], record["samples"]) for record in done.records] == [
        ({}, 1),
        ({"agent": "ann"}, 1),
        ({"agent": "unknown"}, 0),
    ]


def test_as_of_a_moment_later_events_are_ignored(compute: Run) -> None:
    for at, volume, backlog in (
        ("2026-03-02T10:00:00Z", 1, 1),
        ("2026-03-02T12:30:00+01:00", 1, 0),
        ("2026-03-03T10:00:00Z", 2, 1),
        ("2026-03-02T09:59:59.999Z", 0, 0),
    ):
        done = compute("--at", at, "--kpi", "ticket_volume", "--kpi", "ticket_backlog")
        assert {record["kpi"]: record["value"] for record in done.records} == {
            "ticket_volume": volume,
            "ticket_backlog": backlog,
        }


def test_a_moment_after_the_last_event_lets_what_is_due_come(compute: Run) -> None:
    (record,) = compute("--at", "2026-04-01T00:00:00Z", "--kpi", "service_level").records
    assert (record["numerator"], record["denominator"]) == (0, 1), "still waiting, past its target"
    (record,) = compute("--at", "2026-04-01T00:00:00Z", "--kpi", "backlog_oldest_age").records
    assert record["value"] == 28 * 86_400 + 14 * 3_600


def test_tumbling_prints_every_window_from_the_first_event_the_last_not_final(compute: Run) -> None:
    done = compute("--window", "tumbling:1d", "--kpi", "ticket_volume", "--kpi", "ticket_backlog")
    volume = [record for record in done.records if record["kpi"] == "ticket_volume"]
    assert [record["window"]["start"][:10] for record in volume] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert [record["window"]["end"][:10] for record in volume] == ["2026-03-03", "2026-03-04", "2026-03-05"]
    assert [record["value"] for record in volume] == [1, 1, 0]
    assert [record["final"] for record in volume] == [True, True, False]
    backlog = [record for record in done.records if record["kpi"] == "ticket_backlog"]
    assert [record["value"] for record in backlog] == [0, 1, 1]
    assert {record["window"]["kind"] for record in backlog} == {"tumbling:1d"}, "the value at each window's end"


def test_a_tumbling_window_that_ends_at_the_moment_does_not_hold_it(compute: Run) -> None:
    done = compute("--window", "tumbling:1d", "--kpi", "ticket_volume", "--at", "2026-03-03T00:00:00Z")
    assert [(record["window"]["start"][:10], record["final"]) for record in done.records] == [
        ("2026-03-02", True),
        ("2026-03-03", False),
    ]


@pytest.mark.parametrize(
    ("window", "at", "start", "volume"),
    [
        ("rolling:1h", "2026-03-02T11:00:11Z", "2026-03-02T10:00:00.000Z", 1),
        ("rolling:1h", "2026-03-02T11:00:15Z", "2026-03-02T10:00:15.000Z", 0),
        ("rolling:24h", "2026-03-03T10:04:59Z", "2026-03-02T10:00:00.000Z", 2),
        ("rolling:24h", "2026-03-03T10:05:00Z", "2026-03-02T10:05:00.000Z", 1),
        ("today", "2026-03-03T12:00:00Z", "2026-03-03T00:00:00.000Z", 1),
        ("month", "2026-03-03T12:00:00Z", "2026-03-01T00:00:00.000Z", 2),
    ],
)  # fmt: skip
def test_a_window_starts_where_the_record_says(compute: Run, window: str, at: str, start: str, volume: int) -> None:
    (record,) = compute("--window", window, "--at", at, "--kpi", "ticket_volume").records
    assert (record["window"]["kind"], record["window"]["start"], record["value"]) == (window, start, volume)


def test_a_level_under_a_rolling_window_stands_at_the_instant(compute: Run) -> None:
    (record,) = compute("--window", "rolling:1h", "--kpi", "ticket_backlog").records
    assert record["window"] == {"kind": "instant", "start": None, "end": "2026-03-04T10:00:00.000Z"}
    assert record["value"] == 1


def test_the_order_of_lines_and_files_does_not_matter(compute: Run, tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two.gz"]
    files[0].write_bytes(b"\n".join([*LOG[3:], LOG[0]]))
    files[1].write_bytes(gzip.compress(b"\n".join([LOG[2], LOG[1], LOG[1]])))
    assert (
        compute(
            files=files,
        ).out
        == compute().out
    )


def test_rejected_lines_are_counted_by_reason_and_the_first_is_named(compute: Run, tmp_path: Path) -> None:
    bad = [LOG[0], b"nonsense", b'{"type": "ticket.created"}', LOG[3], b"{", event("no.such", "A", T0_MS, "x")]
    done = compute("--kpi", "ticket_volume", lines=bad)
    assert done.exit_status == OK
    assert done.records[0]["value"] == 2
    notes = " ".join(done.err.split())
    assert "1 line of unknown types skipped." in notes
    assert "3 lines rejected: invalid_json 2, invalid_envelope 1." in notes
    assert f"The first: {tmp_path / 'events.jsonl'}, line 2: " in notes


def test_strict_ends_with_1_when_a_line_was_rejected_and_with_0_when_none_was(compute: Run) -> None:
    assert compute("--strict", lines=[LOG[0], b"nonsense"]).exit_status == CHECK_FAILED
    assert compute("--strict").exit_status == OK


def test_csv_has_a_header_and_a_row_a_record(compute: Run) -> None:
    done = compute("--format", "csv", "--by", "channel", "--kpi", "ticket_volume", "--kpi", "first_response_time")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(row["kpi"], row["cut"], row["value"], row["samples"]) for row in rows[:2]] == [
        ("ticket_volume", "", "2", "2"),
        ("first_response_time", "", "600.0", "1"),
    ]
    assert {row["cut"] for row in rows} == {"", "channel=email", "channel=web"}
    assert rows[1]["mean"] == "600.0"
    assert rows[0]["mean"] == ""


def test_presets_print_side_by_side_after_the_record_without_a_variant(compute: Run) -> None:
    options = ("--kpi", "service_level", "--preset", "vonage", "--preset", "amazon", "--preset", "vonage")
    lines = [
        event("chat.queued", "C", T0_MS, "1", queue="sales"),
        event("chat.left", "C", T0_MS + 9_000, "2", reason="callback"),
    ]
    variants = [(record["variant"], record["value"]) for record in compute(*options, lines=lines).records]
    assert variants == [({}, None), ({"preset": "vonage"}, 0), ({"preset": "amazon"}, 1)]
    rows = csv.DictReader(io.StringIO(compute(*options, "--format", "csv", lines=lines).out))
    assert [row["variant"] for row in rows] == ["", "preset=vonage", "preset=amazon"]
    table = compute(*options, "--format", "table", lines=lines).out.splitlines()
    assert [line.split()[:2] for line in table[1:]] == [
        ["service_level", "total"],
        ["service_level", "preset=vonage"],
        ["service_level", "preset=amazon"],
    ]


def test_the_table_is_for_people(compute: Run) -> None:
    done = compute("--format", "table", "--kpi", "ticket_volume", "--kpi", "csat")
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0][:4] == ["KPI", "window", "cut", "value"]
    assert lines[1] == ["ticket_volume", "total", "2026-03-02", "10:00", "2", "tickets", "2"]
    assert lines[2][-4:] == ["10:00", "-", "ratio", "0"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--preset", "avaya"), "--preset avaya: must be one of amazon, asterisk2, default, genesys, "),
        (("--kpi", "nps2"), "--kpi nps2: there is no such KPI; `stream-kpi catalogue` lists them"),
        (("--by", "colour"), "--by colour: must be one of age_band, agent, "),
        (("--window", "rolling:5s"), "--window = 'rolling:5s': allowed are total, today, rolling:<n>m|h|d, "),
        (("--at", "yesterday"), "--at yesterday: must be RFC 3339 with an offset"),
        (("--at", "2026-03-02T10:00:00"), "--at 2026-03-02T10:00:00: must be RFC 3339 with an offset"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_allowed(compute: Run, options: tuple[str, ...], message: str) -> None:
    done = compute(*options)
    assert (done.exit_status, done.out) == (WRONG_USAGE, "")
    assert done.err.startswith(message)
    assert done.err.count("\n") == 1


def test_a_wrong_file_is_named_with_the_reason(compute: Run, tmp_path: Path) -> None:
    missing, empty, short = tmp_path / "missing", tmp_path / "empty", tmp_path / "short.gz"
    empty.touch()
    short.write_bytes(gzip.compress(b"\n".join(LOG))[:-20])
    for file, reason in (
        (missing, f"{missing}: No such file or directory"),
        (empty, f"{empty}: the file is empty"),
        (short, "the gzip file is cut short"),
    ):
        done = compute(files=[file])
        assert (done.exit_status, done.out) == (WRONG_USAGE, "")
        assert reason in done.err
        assert "Traceback" not in done.err
        assert done.err.startswith(str(file))


def test_a_file_that_is_not_json_gives_no_figures_but_why(compute: Run, tmp_path: Path) -> None:
    done = compute("--strict", "--kpi", "ticket_volume", lines=[b"a,b,c", b"1,2,3"])
    assert done.exit_status == CHECK_FAILED
    assert f"The first: {tmp_path / 'events.jsonl'}, line 1: " in " ".join(done.err.split())
    assert "2 lines rejected: " in done.err
    assert all(record["value"] == 0 for record in done.records)


def test_settings_decide_the_zone_and_the_definitions(compute: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('zone = "Asia/Kolkata"\n')
    done = compute("--config", str(config), "--window", "tumbling:1d", "--kpi", "ticket_volume")
    assert [record["window"]["start"] for record in done.records][:1] == ["2026-03-01T18:30:00.000Z"]
