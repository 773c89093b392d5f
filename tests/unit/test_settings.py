from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from stream_kpi.errors import WRONG_USAGE, UserError
from stream_kpi.lifecycles.options import Options
from stream_kpi.settings import Settings, load_settings, setting_keys
from stream_kpi.settings_definitions import COHORT_DAYS
from stream_kpi.settings_page import page
from stream_kpi.windows.kinds import ROLLING


def toml(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text)
    return file


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(UserError) as caught:
        load_settings(toml(folder, text))
    assert caught.value.exit_status == WRONG_USAGE
    return str(caught.value)


def test_without_a_file_everything_has_its_default_and_the_lifecycles_get_those_of_the_definitions() -> None:
    assert load_settings().options() == Options()


def test_the_command_line_wins_over_variables_and_variables_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = toml(tmp_path, 'zone = "Europe/Berlin"\n[web]\nport = 7001\nhost = "127.0.0.2"\n[broker]\naddress = "a:1"\n')
    monkeypatch.setenv("STREAM_KPI_WEB__PORT", "7002")
    monkeypatch.setenv("STREAM_KPI_BROKER__ADDRESS", "b:2")
    settings = load_settings(file, {"broker": {"address": "c:3"}})
    assert (settings.zone, settings.web.host) == ("Europe/Berlin", "127.0.0.2")
    assert settings.web.port == 7002
    assert settings.broker.address == "c:3"


def test_the_variable_names_the_file_where_the_command_line_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAM_KPI_CONFIG", str(toml(tmp_path, "lateness_s = 5")))
    assert load_settings().lateness_s == 5


def test_seconds_and_days_reach_the_lifecycles_as_milliseconds(tmp_path: Path) -> None:
    text = "[definitions]\nshort_abandon_s = 0.5\nreopen_window_days = 2\nresponse_targets_s = { email = 1.5 }\n"
    options = load_settings(toml(tmp_path, text)).options()
    assert (options.short_abandon_ms, options.reopen_window_ms) == (500, 2 * 86_400_000)
    assert options.response_targets_ms == {"email": 1500}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('zone = "Mars/Base"', "zone = Mars/Base: must be an IANA time zone, such as Europe/Berlin"),
        ('zone = "../etc/passwd"', "zone = ../etc/passwd: must be an IANA time zone, such as Europe/Berlin"),
        ('clock = "moon"', "clock = moon: must be 'wall' or 'event'"),
        ("zone = 3", "zone = 3: must be a text, in quotes"),
        ('[web]\nhost = ""', "web.host = : must be a text of at least one character"),
        ("broker = 3", "broker = 3: must be a table"),
        ("sla = [3]", "sla.0 = 3: must be a table"),
        ('[sla]\nname = "p"', "sla: must be tables, each headed [[sla]]"),
        ('[schedule]\nname = "p"', "schedule: must be tables, each headed [[schedule]]"),
        ('[kpi]\nid = "p"', "kpi: must be tables, each headed [[kpi]]"),
        (
            "[definitions]\nterminal_statuses = []",
            "definitions.terminal_statuses = []: must have at least one value",
        ),
        (
            '[definitions]\nterminal_statuses = "solved"',
            "definitions.terminal_statuses = solved: must be a list of texts, in brackets",
        ),
        ('app_id = ""', "app_id = : must be a name of letters a to z, digits, dots, _ and -"),
        ('[topics]\nsla = "a b"', "topics.sla = a b: must be a name of letters a to z, digits, dots, _ and -"),
        ('[web]\nusername = "a:b"', "web.username = a:b: must be a text without a colon"),
        ('flush_interval_s = "fast"', "flush_interval_s = fast: must be a number"),
        ("[web]\nport = 80.5", "web.port = 80.5: must be a whole number"),
        ('[redis]\ntls = "perhaps"', "redis.tls = perhaps: must be true or false"),
        ("lateness_s = -3", "lateness_s = -3: must be greater than or equal to 0"),
        ('clok = "wall"', "clok = wall: there is no such setting; did you mean clock?"),
        ('[broker]\nadress = "a:1"', "broker.adress = a:1: there is no such setting; did you mean broker.address?"),
        ('[broker]\naddress = "a"', "broker.address = a: must be HOST:PORT, or several with commas between them"),
        (
            "[broker]\nsession_timeout_s = 6",
            "broker.heartbeat_interval_s = 3: must be at most a third of broker.session_timeout_s (6)",
        ),
        (
            "[definitions]\nreopen_window_days = 8",
            (
                "definitions.reopen_window_days = 8: must be at most 7: "
                "what the trailing 30 days look back on is not kept for longer"
            ),
        ),
        ("[web]\nport = 70000", "web.port = 70000: must be less than or equal to 65535"),
        (
            "[definitions.response_targets_s]\nemail = 0",
            "definitions.response_targets_s.email = 0: must be greater than 0",
        ),
        (
            '[topics]\nchats = "support.tickets.v1"',
            "topics: the seven topics must have seven names",
        ),
    ],
)
def test_a_wrong_setting_is_refused_with_its_key_its_value_and_what_is_allowed(
    tmp_path: Path, text: str, line: str
) -> None:
    # The default heartbeat of 3 s does not fit a session of 6 s, so that a default can be what is named.
    assert refusal(tmp_path, text) == line


OFFICE = '[[schedule]]\nname = "office"\nzone = "UTC"\nmonday = ["09:00-17:00"]\n'
NIGHT = '[[schedule]]\nname = "night"\nzone = "UTC"\nmonday = ["22:00-24:00"]\n'


def test_schedules_reach_the_lifecycles_by_the_dimensions_that_select_them(tmp_path: Path) -> None:
    selected = '[schedules]\ndefault = "office"\nbrand = { acme = "night" }\n'
    schedules = load_settings(toml(tmp_path, OFFICE + NIGHT + selected)).options().schedules
    assert schedules is not None
    assert schedules.default.name == "office"
    assert {brand: schedule.name for brand, schedule in schedules.by_brand.items()} == {"acme": "night"}
    assert (schedules.by_group, schedules.by_channel) == ({}, {})


def test_schedules_that_nothing_selects_are_none(tmp_path: Path) -> None:
    assert load_settings(toml(tmp_path, OFFICE)).options().schedules is None


def test_schedules_can_be_given_in_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAM_KPI_SCHEDULE", '[{"name": "office", "zone": "UTC", "monday": ["09:00-17:00"]}]')
    monkeypatch.setenv("STREAM_KPI_SCHEDULES__DEFAULT", "office")
    schedules = load_settings().options().schedules
    assert schedules is not None
    assert schedules.default.name == "office"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            '[schedules]\ndefault = "office"\n',
            ["schedules.default = office: must be the name of a [[schedule]], and there is none"],
        ),
        (
            f'{OFFICE}{NIGHT}[schedules]\ndefault = "ofice"\ngroup = {{ late = "evening" }}\n',
            [
                "schedules.default = ofice: must be the name of a [[schedule]], one of office, night",
                "schedules.group.late = evening: must be the name of a [[schedule]], one of office, night",
            ],
        ),
        (
            'zone = "x"\n[[schedule]]\nname = "office"\nzone = "y"\nmonday = []\n[schedules]\ndefault = "o"\n',
            [
                "zone = x: must be an IANA time zone, such as Europe/Berlin",
                "schedule.office.zone = y: must be an IANA time zone, such as Europe/Berlin",
            ],
        ),
        (
            f'{OFFICE}[schedules]\npriority = {{ high = "office" }}\n',
            ["schedules.priority: there is no such setting; did you mean schedules.group?"],
        ),
    ],
)
def test_wrong_schedules_are_refused_line_by_line_and_names_only_where_the_schedules_are_right(
    tmp_path: Path, text: str, lines: list[str]
) -> None:
    assert refusal(tmp_path, text).splitlines() == lines


def test_the_example_of_the_page_about_business_time_can_be_read(repository: Path, tmp_path: Path) -> None:
    text = (repository / "docs" / "business-time.md").read_text(encoding="utf-8")
    example = "\n".join(line for line in text.splitlines() if line.startswith("    "))
    schedules = load_settings(toml(tmp_path, dedent(example))).options().schedules
    assert schedules is not None
    assert schedules.schedule_of("second level", "email", None).name == "night"
    assert schedules.schedule_of("first level", "email", None).name == "office"


def test_all_wrong_settings_are_told_at_once_one_a_line(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, 'zone = "x"\nlateness_s = -1\n[web]\nport = 0').splitlines()) == 3


def test_a_file_that_is_missing_or_no_toml_is_named(tmp_path: Path) -> None:
    assert "settings.toml: is not TOML" in refusal(tmp_path, "zone = ")
    with pytest.raises(UserError, match=r"absent\.toml: cannot be read \(No such file or directory\)"):
        load_settings(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("STREAM_KPI_ZON", "UTC", "STREAM_KPI_ZON = UTC: there is no such setting; did you mean STREAM_KPI_ZONE?"),
        ("STREAM_KPI_WEB__PROT", "1", "web.prot = 1: there is no such setting; did you mean web.port?"),
    ],
)
def test_a_variable_that_is_no_setting_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, line: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UserError) as caught:
        load_settings()
    assert str(caught.value) == line


def test_a_variable_for_a_table_takes_json_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAM_KPI_DEFINITIONS__RESPONSE_TARGETS_S", '{"email": 60}')
    assert load_settings().options().response_targets_ms == {"email": 60_000}


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("STREAM_KPI_SLA", "premium", "STREAM_KPI_SLA = premium: must be JSON"),
        ("STREAM_KPI_WEB", "{", "STREAM_KPI_WEB = {: must be JSON, or set its keys one by one with __"),
        (
            "STREAM_KPI_DEFINITIONS__TERMINAL_STATUSES",
            "solved",
            "STREAM_KPI_DEFINITIONS__TERMINAL_STATUSES = solved: must be JSON",
        ),
    ],
)
def test_a_variable_that_has_to_be_json_and_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, line: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UserError) as caught:
        load_settings()
    assert str(caught.value) == line


def test_every_setting_says_what_it_is() -> None:
    described = [key for key in setting_keys() if f"`{key}`" in page()]
    assert described == setting_keys()
    assert "|  |" not in page()


def test_the_page_of_settings_is_up_to_date(repository: Path) -> None:
    command = [sys.executable, "-m", "stream_kpi.settings_page", "--check"]
    checked = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_gross_margin_is_a_share_and_not_set_by_default(tmp_path: Path) -> None:
    assert load_settings().options().gross_margin is None
    assert load_settings(toml(tmp_path, "[definitions]\ngross_margin = 0.8\n")).options().gross_margin == 0.8
    assert "gross_margin = 80" in refusal(tmp_path, "[definitions]\ngross_margin = 80\n")
    assert "| not set | 0 to 1 |" in page()


def test_a_default_of_the_page_is_what_the_file_would_say(tmp_path: Path) -> None:
    rows = [row.split(" | ") for row in page().splitlines() if row.startswith("| `")]
    text = [f"{row[0].split('`')[1]} = {row[1].strip('`')}" for row in rows if row[1] != "not set"]
    assert load_settings(toml(tmp_path, "\n".join(text))).model_dump() == Settings().model_dump()


def test_the_choices_of_the_service_level_and_of_staffing_reach_the_options(tmp_path: Path) -> None:
    text = '[definitions]\nservice_level = "amazon"\nstaffing_target = 0.9\nabandon_after_s = 60\n'
    options = load_settings(toml(tmp_path, text)).options()
    assert (options.service_level, options.staffing_target, options.abandon_after_ms) == ("amazon", 0.9, 60_000)
    assert options.staffing_patience_ms is None
    options = load_settings(toml(tmp_path, text + "staffing_patience_s = 90")).options()
    assert options.staffing_patience_ms == 90_000
    assert "definitions.service_level = avaya: must be" in refusal(tmp_path, '[definitions]\nservice_level = "avaya"')


def test_the_choices_of_first_response_and_first_contact_reach_the_options(tmp_path: Path) -> None:
    chosen = {
        "first_response_start": "bot_handoff_or_reopen",
        "first_response_count_bot": True,
        "first_response_count_notes": True,
        "first_response_agent_created": "second_comment",
        "fcr_rule": "one_reply",
    }
    text = "[definitions]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in chosen.items())
    options = load_settings(toml(tmp_path, text)).options()
    assert {key: getattr(options, key) for key in chosen} == chosen
    allowed = "must be 'one_contact', 'one_agent', 'one_reply' or 'zero_customer_followups'"
    wrong = refusal(tmp_path, '[definitions]\nfcr_rule = "one_touch"')
    assert wrong == f"definitions.fcr_rule = one_touch: {allowed}"


def test_the_longest_cohort_is_within_the_panes_that_its_trailing_30_days_are_read_from() -> None:
    month = next(kind for kind in ROLLING if kind.name == "rolling:30d")
    retention_ms = month.tier.retention_ms
    assert retention_ms is not None
    reads_back_ms = month.length_ms + COHORT_DAYS * 86_400_000 + (month.tier.grain_ms or 0)
    assert reads_back_ms + Settings().lateness_s * 1_000 <= retention_ms
