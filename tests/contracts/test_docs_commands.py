"""Every command that the documentation shows is one that there is, with its options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from stream_kpi.cli import pages
from stream_kpi.cli.main import app
from tests.conftest import REPOSITORY
from tests.docs_kit import blocks_of, steps_of
from tests.docs_kit import pages as pages_of

PAGES = pages_of(REPOSITORY)
_INLINE = re.compile(r"`([^`\n]*stream-kpi [^`\n]*)`")


def commands_of(text: str) -> list[list[str]]:
    """The words after ``stream-kpi`` of each command in a block of code or in a line."""
    found = []
    shown = [command for block in blocks_of(text) for step in steps_of(block) for command in step.commands]
    for line in (*shown, *_INLINE.findall(text)):
        words = shlex.split(line.replace("...", " "), comments=True)
        while words and re.match(r"^[A-Z_]+=", words[0]):
            words.pop(0)
        if words[:1] != ["stream-kpi"] or len(words) == 1:
            continue
        ends = [at for at, word in enumerate(words) if word in ("|", ">", "<", "&&", ";")]
        found.append(words[1 : min(ends, default=len(words))])
    return found


def complaint_of(words: list[str]) -> str | None:
    """What is wrong with a command's words: no such command, no such option; None if nothing is."""
    command: Any = get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    if hasattr(command, "commands") and not getattr(command, "invoke_without_command", False):
        return f"{words[:1]} is no command of {command.name}"
    known = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
    unknown = [word for word in words if word.startswith("-") and word.partition("=")[0] not in known]
    if unknown:
        return f"{unknown} is no option of {command.name}"
    if command.params and any(parameter.param_type_name == "argument" for parameter in command.params):
        return None
    takes = {option for one in command.params if not getattr(one, "is_flag", False) for option in one.opts}
    loose = [word for at, word in enumerate(words) if not word.startswith("-") and words[at - 1] not in takes]
    return f"{loose} is not taken by {command.name}" if loose else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_shown_is_one_that_there_is(page: Path) -> None:
    commands = commands_of(page.read_text(encoding="utf-8"))
    assert len(commands) > 5 or page.name not in {"README.md", "operations.md"}
    wrong = [f"stream-kpi {shlex.join(words)}: {complaint}" for words in commands if (complaint := complaint_of(words))]
    assert not wrong


def test_the_pages_of_commands_and_topics_are_those_of_the_program() -> None:
    assert pages.main(["--check"]) == 0
    shown = re.findall(r"^## (stream-kpi .*)$", pages.commands_page(), re.MULTILINE)
    assert {"stream-kpi worker", "stream-kpi dlq replay", "stream-kpi bench sla"} <= set(shown)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["worker"], None),
        (["topics", "create", "--partitions", "4"], None),
        (["bench", "sla"], None),
        (["compute", "day.jsonl", "--by", "channel"], None),
        (["wroker"], "no command"),
        (["topics", "make"], "no command"),
        (["worker", "--port", "1"], "no option"),
        (["worker", "now"], "not taken"),
    ],
)
def test_a_command_that_there_is_not_is_noticed(words: list[str], complaint: str | None) -> None:
    found = complaint_of(words)
    assert found is None if complaint is None else complaint in str(found)


def test_the_page_for_those_who_run_it_names_every_file_that_is_deployed(repository: Path) -> None:
    page = (repository / "docs" / "operations.md").read_text(encoding="utf-8")
    assert "docker compose up" in page
    assert "kubectl apply -k deploy/kubernetes" in page


def test_every_alert_and_exit_status_that_the_page_names_is_one(repository: Path) -> None:
    from stream_kpi import errors
    from stream_kpi.publish.rules.documents import ALERTS

    page = (repository / "docs" / "operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(StreamKpi\w+)`", page))
    assert named
    assert named <= {alert.name for alert in ALERTS}
    statuses = {value for value in vars(errors).values() if isinstance(value, int)}
    assert {int(status) for status in re.findall(r"exit status (\d)", page)} <= statuses


def test_every_setting_and_metric_that_the_page_names_is_one(repository: Path) -> None:
    from stream_kpi.publish.self_metrics import SELF_METRICS
    from stream_kpi.settings import setting_keys

    page = (repository / "docs" / "operations.md").read_text(encoding="utf-8")
    sections = {key.partition(".")[0] for key in setting_keys() if "." in key}
    settings = {word for word in re.findall(r"`(\w+\.\w+)`", page) if word.partition(".")[0] in sections}
    assert settings
    assert settings <= set(setting_keys())
    metrics = set(re.findall(r"`(stream_kpi_\w+)`", page))
    assert metrics
    assert metrics <= {metric.name for metric in SELF_METRICS}
