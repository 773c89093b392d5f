from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from stream_kpi.cli.main import main
from stream_kpi.errors import CHECK_FAILED, OK, WRONG_USAGE

HEAVY = ("aiokafka", "faust", "kafka", "numpy", "pydantic", "redis")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["stream-kpi", *arguments])
    return main()


def program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stream_kpi", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=60
    )


def test_help_lists_every_command_and_the_exit_statuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--help") == OK
    shown = capsys.readouterr().out
    for command in ("worker", "compute", "produce", "topics", "doctor", "catalogue"):
        assert f" {command} " in shown
    assert "Exit status: 0 done; 1 a check failed" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("command", "files"), [("compute", "{EVENTS}..."), ("report", "[EVENTS]..."), ("produce", "{FILE}...")]
)
def test_a_usage_line_says_once_that_there_may_be_several_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, files: str
) -> None:
    assert run(monkeypatch, command, "--help") == OK
    assert f"{command} [OPTIONS] {files} " in " ".join(capsys.readouterr().out.split())


def test_help_starts_without_what_only_commands_need() -> None:
    code = (
        "import sys; sys.argv = ['stream-kpi', '--help']; from stream_kpi.cli.main import main; main(); "
        f"sys.stderr.write(' '.join(name for name in {HEAVY} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (OK, "")


def test_the_program_says_its_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--version") == OK
    assert capsys.readouterr().out == "stream-kpi 0.1.0\n"


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["doctor", "--nonsense"], ["topics", "create", "--partitions", "0"]]
)
def test_wrong_usage_ends_with_2_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(monkeypatch, *arguments) == WRONG_USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert "Error" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "option", [("--broker", "embedded"), ("--format", "table"), ("--only", "core"), ("--profile",)], ids=lambda o: o[0]
)
def test_an_option_of_bench_before_its_command_is_refused_as_the_command_would_not_see_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: tuple[str, ...]
) -> None:
    assert run(monkeypatch, "bench", *option, "sla") == WRONG_USAGE
    line = f"{option[0]} before sla: the options of sla come after it; `stream-kpi bench sla --help` lists them\n"
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize("command", [["worker"], ["doctor"], ["topics", "describe"], ["topics", "create"]])
def test_a_wrong_setting_is_one_line_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("lateness_s = -1\n")
    assert run(monkeypatch, *command, "--config", str(file)) == WRONG_USAGE
    assert capsys.readouterr() == ("", "lateness_s = -1: must be greater than or equal to 0\n")


def test_a_taken_port_is_named_with_the_flag_that_chooses_another(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(monkeypatch, "worker", "--web-port", str(port)) == WRONG_USAGE
    assert capsys.readouterr().err == (
        f"Port {port} of 127.0.0.1 is taken; choose another with --web-port, or STREAM_KPI_WEB__PORT.\n"
    )


def test_an_address_of_another_machine_cannot_be_listened_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "worker", "--web-host", "192.0.2.1") == WRONG_USAGE
    err = capsys.readouterr().err
    assert err.startswith("Port 6066 of 192.0.2.1 cannot be listened on")
    assert "--web-host" in err


def test_the_catalogue_is_a_list_of_objects_that_say_all_about_a_kpi(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "catalogue", "--format", "json") == OK
    rows = json.loads(capsys.readouterr().out)
    needed = {"id", "title", "unit", "kind", "direction", "cuts", "windows", "formula", "advice"}
    assert all(needed <= set(row) for row in rows)
    assert {"ticket_volume", "first_response_time", "csat", "mrr", "churn_rate"} <= {row["id"] for row in rows}


def test_off_a_terminal_nothing_is_coloured_or_cut() -> None:
    shown = program("catalogue", FORCE_COLOR="", COLUMNS="40").stdout
    assert "\x1b[" not in shown
    assert "first_response_time" in shown


def test_no_color_is_heeded() -> None:
    shown = program("--help", NO_COLOR="1", FORCE_COLOR="1").stdout
    assert "\x1b[3" not in shown


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    command = f"{sys.executable} -m stream_kpi catalogue --format json | head -c 1"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("[", "")


@pytest.mark.parametrize("command", [["catalogue"], ["catalogue", "--format", "json"], ["--version"]])
def test_a_full_disk_is_one_line_on_standard_error(command: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "stream_kpi", *command],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == CHECK_FAILED
    assert done.stderr == "the output cannot be written: No space left on device\n"
