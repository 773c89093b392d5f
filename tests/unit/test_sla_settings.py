"""[[sla]] tables: what they say, and how wrong ones are refused."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from stream_kpi.errors import UserError
from stream_kpi.lifecycles.sla.policy import METRICS, Policies
from stream_kpi.settings import load_settings

OFFICE = '[[schedule]]\nname = "office"\nzone = "UTC"\nmonday = ["09:00-17:00"]\n'
POLICY = """
[[sla]]
name = "p"
first_response = { other = "1h" }
"""


def policies(folder: Path, text: str) -> Policies | None:
    path = folder / "stream-kpi.toml"
    path.write_text(text)
    return load_settings(path).options().sla


def test_without_tables_nothing_is_promised(tmp_path: Path) -> None:
    assert policies(tmp_path, "") is None


def test_targets_horizons_selectors_and_clocks_reach_the_lifecycles(tmp_path: Path) -> None:
    text = f"""
        {OFFICE.replace(chr(10), chr(10) + "        ")}
        [[sla]]
        name = "premium"
        brand = "acme"
        channel = ["email", "web"]
        clock = "office"
        at_risk = ["5m", "1h30m"]
        first_response = {{ urgent = "45s", other = "1h" }}
        resolution = {{ urgent = "1h30m" }}

        [[sla]]
        name = "rest"
        clock = "business"
        answer = {{ other = "90s" }}
        """
    found = policies(tmp_path, dedent(text))
    assert found is not None
    premium, rest = found.all
    assert [premium.target_ms("first_response", p) for p in ("urgent", "low", None)] == [45_000, 3_600_000, 3_600_000]
    assert [premium.target_ms("resolution", p) for p in ("urgent", "low")] == [5_400_000, None]
    assert premium.target_ms("next_reply", "urgent") is None
    assert (premium.schedule and premium.schedule.name, rest.schedule) == ("office", None)
    assert found.horizon_minutes == (90, 5)
    assert found.metrics == {"first_response", "resolution", "answer"}
    assert found.of_ticket(None, "web", None, "acme", None) is premium
    assert found.of_ticket(None, "phone", None, "acme", None) is None, "the rest promises nothing to tickets"
    assert found.of_ticket("premium", "phone", None, None, None) is premium
    assert found.of_chat("chat", "sales", None, None) is rest


DURATION = "must be hours, minutes, seconds of the policy's clock, such as 48h, 1h30m, 45s"
KEYS = f"name, channel, group, brand, category, clock, at_risk, {', '.join(METRICS)}"
TARGETS = 'must be a table of priority = target, such as { urgent = "30m", other = "4h" }'


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        (
            "",
            [
                "sla.0.name = : must be a name",
                f"sla.0.first_response = nothing: a policy has a target of at least one of {', '.join(METRICS)}",
            ],
        ),
        (
            'name = "p"\nresolution = { other = "2 days" }\nat_risk = ["90s", "soon"]',
            [
                "sla.p.at_risk[0] = 90s: must be whole minutes, at most 168h, such as 1h, 15m",
                f"sla.p.at_risk[1] = soon: {DURATION}",
                f"sla.p.resolution.other = 2 days: {DURATION}",
            ],
        ),
        (
            'name = "p"\nclock = "x"\nresolution = "2h"\nagent_work = { other = 5 }\npriority = "high"',
            [
                f"sla.p.priority = high: there is no such key; must be one of {KEYS}",
                "sla.p.clock = x: must be one of calendar, business (the schedule that applies to the ticket), office",
                f"sla.p.resolution = 2h: {TARGETS}",
                "sla.p.agent_work.other = 5: must be a text, in quotes",
            ],
        ),
        ('name = "p"\nanswer = { other = "0s" }', [f"sla.p.answer.other = 0s: {DURATION}"]),
        (
            'name = "p"\nat_risk = ["99999h"]\nanswer = { other = "99999h", high = "9999h" }',
            [
                "sla.p.at_risk[0] = 99999h: must be whole minutes, at most 168h, such as 1h, 15m",
                f"sla.p.answer.other = 99999h: {DURATION}, at most 9999h",
            ],
        ),
        (
            'name = "p"\nchannel = []\ngroup = 3\nanswer = { other = "1s" }',
            [
                "sla.p.channel = []: must be a text, or a list of at least one",
                "sla.p.group = 3: must be a text, in quotes",
            ],
        ),
        (
            'name = "p"\nanswers = { other = "1s" }',
            [f"sla.p.answers = {{'other': '1s'}}: there is no such key; must be one of {KEYS}"],
        ),
        (f'name = "p"\nanswer = {{ other = "1s" }}\n{POLICY}', ["sla.p.name = p: another policy has this name"]),
    ],
    ids=["empty", "durations", "keys", "zero", "long", "selectors", "misspelt", "twice"],
)
def test_a_wrong_table_is_refused_line_by_line_with_key_value_and_what_is_allowed(
    tmp_path: Path, table: str, lines: list[str]
) -> None:
    with pytest.raises(UserError) as refused:
        policies(tmp_path, f"{OFFICE}[[sla]]\n{table}")
    assert str(refused.value).splitlines() == lines


def test_wrong_schedules_are_refused_before_the_policies_that_name_them(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        policies(tmp_path, f'[[schedule]]\nname = "office"\nzone = "x"\nmonday = []\n{POLICY}clock = "office"')
    assert str(refused.value) == "schedule.office.zone = x: must be an IANA time zone, such as Europe/Berlin"


def test_a_wrong_schedule_hides_nothing_that_is_wrong_with_a_policy_but_the_name_of_its_clock(tmp_path: Path) -> None:
    wrong = '[[sla]]\nname = "p"\nclock = "office"\nat_risk = ["soon"]\nanswer = { other = "1 minute" }'
    with pytest.raises(UserError) as refused:
        policies(tmp_path, f'[[schedule]]\nname = "office"\nzone = "x"\nmonday = []\n{wrong}')
    assert str(refused.value).splitlines() == [
        "schedule.office.zone = x: must be an IANA time zone, such as Europe/Berlin",
        f"sla.p.at_risk[0] = soon: {DURATION}",
        f"sla.p.answer.other = 1 minute: {DURATION}",
    ]


def test_the_example_of_the_documentation_is_read(tmp_path: Path) -> None:
    page = Path("docs/sla.md").read_text()
    example = dedent("\n".join(line for line in page.splitlines() if line.startswith("    ")))
    found = policies(tmp_path, example)
    assert found is not None
    assert [policy.name for policy in found.all] == ["premium", "standard"]
