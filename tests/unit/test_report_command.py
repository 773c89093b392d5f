"""``stream-kpi report`` as its user meets it: files, options, mistakes."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stream_kpi.cli.main import main
from stream_kpi.errors import NO_BROKER, OK, WRONG_USAGE
from tests.report_kit import STORY
from tests.shard_kit import event

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs the command: exit status, output, errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["stream-kpi", "report", *map(str, arguments)])
        exit_status = main()
        sys.stdout.flush()
        printed = capfdbinary.readouterr()
        return exit_status, printed.out.decode(), printed.err.decode()

    return run


@pytest.fixture
def story(tmp_path: Path) -> Path:
    file = tmp_path / "story.jsonl"
    file.write_bytes(b"\n".join(STORY))
    return file


def test_a_page_is_written_unless_told_otherwise_of_the_period_of_the_last_event(report: Run, story: Path) -> None:
    exit_status, out, err = report("--period", "day", story)
    assert (exit_status, err) == (OK, "")
    assert out.startswith("<!DOCTYPE html>")
    assert "<title>Service report: Tuesday 3 March 2026</title>" in out
    assert "reported up to 2026-03-03 11:00" in out


def test_at_names_the_period_and_midnight_the_one_that_ends(report: Run, story: Path) -> None:
    for moment, heading in (
        ("2026-03-02T12:00:00Z", "# Service report: Monday 2 March 2026\n"),
        ("2026-03-03T00:00:00Z", "# Service report: Monday 2 March 2026\n"),
        ("2026-03-03T01:00:00+01:00", "# Service report: Monday 2 March 2026\n"),
        ("2020-01-01T12:00:00Z", "# Service report: Wednesday 1 January 2020\n"),
    ):
        exit_status, out, _ = report("--period", "day", "--at", moment, "--format", "md", story)
        assert (exit_status, out.splitlines(keepends=True)[0]) == (OK, heading)


def test_days_follow_the_zone_of_the_settings(report: Run, story: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAM_KPI_ZONE", "Asia/Kolkata")
    _, out, _ = report("--period", "day", "--at", "2026-03-03T18:30:00Z", "--format", "csv", story)
    row = next(row for row in csv.DictReader(io.StringIO(out)) if row["kpi"] == "ticket_volume")
    assert (row["start"], row["end"], row["value"], row["before"]) == (
        "2026-03-02T18:30:00.000Z", "2026-03-03T18:30:00.000Z", "2", "1",
    )  # fmt: skip


def test_with_schedules_response_times_stand_on_both_clocks(report: Run, story: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(
        '[[schedule]]\nname = "office"\nzone = "UTC"\nmonday = ["10:00-12:00"]\n[schedules]\ndefault = "office"\n'
    )
    options = ("--period", "day", "--at", "2026-03-03T00:00:00Z", "--format", "csv", "--config", settings)
    _, out, _ = report(*options, story)
    rows = [row for row in csv.DictReader(io.StringIO(out)) if row["kpi"] == "first_response_time" and not row["cut"]]
    assert [(row["title"], row["clock"], row["value"]) for row in rows] == [
        ("First response time", "calendar", "21600.0"),
        ("First response time, business hours", "business", "7200.0"),
    ]


def test_a_week_may_be_divided_over_files_in_any_order(report: Run, tmp_path: Path, story: Path) -> None:
    files = [tmp_path / "b", tmp_path / "a"]
    files[0].write_bytes(b"\n".join(reversed(STORY[4:])))
    files[1].write_bytes(b"\n".join([*STORY[:5], STORY[0]]))
    options = ("--period", "week", "--format", "csv")
    assert report(*options, *files)[1] == report(*options, story)[1]


def test_what_is_rejected_is_said_once_on_standard_error(report: Run, story: Path) -> None:
    story.write_bytes(b"\n".join([*STORY, b"nonsense", event("no.such", "A", 0, "x")]))
    exit_status, _, err = report("--period", "month", story)
    assert exit_status == OK
    assert err.count("1 line rejected: invalid_json 1.") == 1
    assert err.count("1 line of unknown types skipped.") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "report: needs either files of events or --live"),
        (("{story}", "--live"), "report: needs either files of events or --live"),
        (("--live", "--at", "2026-03-02T12:00:00Z"), "--at: --live reports on now"),
        (("{story}", "--at", "monday"), "--at monday: must be RFC 3339 with an offset"),
        (("{missing}",), "{missing}: No such file or directory"),
        (("{empty}",), "{empty}: the file is empty"),
    ],
)
def test_a_mistake_is_named_in_one_line(
    report: Run, story: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    paths = {"story": story, "missing": tmp_path / "missing", "empty": tmp_path / "empty"}
    paths["empty"].touch()
    exit_status, out, err = report("--period", "day", *(one.format(**paths) for one in arguments))
    assert (exit_status, out) == (WRONG_USAGE, "")
    assert err.startswith(message.format(**paths))
    assert err.count("\n") == 1


@pytest.mark.parametrize("options", [("--period", "year"), ("--period", "day", "--format", "pdf"), ()])
def test_a_period_or_format_that_there_is_not_is_refused(report: Run, story: Path, options: tuple[str, ...]) -> None:
    exit_status, out, err = report(*options, story)
    assert (exit_status, out) == (WRONG_USAGE, "")
    assert "--period" in err or "--format" in err


def test_without_an_event_the_period_has_to_be_named(report: Run, tmp_path: Path) -> None:
    file = tmp_path / "none.jsonl"
    file.write_bytes(b"nonsense\n")
    exit_status, out, err = report("--period", "day", file)
    assert (exit_status, out) == (WRONG_USAGE, "")
    assert f"{file}: no event in it, so that --at has to name the period" in err
    exit_status, out, _ = report("--period", "day", "--at", "2026-03-02T12:00:00Z", file)
    assert exit_status == OK
    assert "There are no events up to the end of this period." in out


def test_live_without_a_broker_ends_with_3_and_one_line(report: Run) -> None:
    exit_status, out, err = report("--period", "day", "--live", "--broker", "127.0.0.1:1")
    assert (exit_status, out) == (NO_BROKER, "")
    assert err.startswith("No Kafka broker answers at 127.0.0.1:1")
    assert err.count("\n") == 1
