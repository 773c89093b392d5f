"""Policies as the settings' TOML file describes them.

[[sla]]
name = "premium"
brand = "acme"                          # channel, group, brand, category: a value, or a list; left out: any
clock = "business"                      # the ticket's own schedule; "calendar" (default); or a schedule's name
at_risk = ["1h", "15m", "5m"]           # how long before the deadline
first_response = { urgent = "30m", high = "1h", other = "4h" }   # other: any other priority, or none
resolution = { other = "48h" }
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from stream_kpi.calendars.config import BUSINESS, CALENDAR
from stream_kpi.calendars.schedule import ALWAYS, Schedule
from stream_kpi.errors import UserError
from stream_kpi.lifecycles.sla.policy import METRICS, MINUTE_MS, MOST_HORIZON_MINUTES, Policies, Policy, Targets
from stream_kpi.tables import Table

OTHER: Final = "other"
"""In place of a priority: all that have no target of their own."""
_SELECTORS: Final = ("channel", "group", "brand", "category")
_KEYS: Final = ("name", *_SELECTORS, "clock", "at_risk", *METRICS)
_DURATION: Final = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_UNITS_MS: Final = (3_600_000, 60_000, 1_000)
_DURATIONS: Final = "hours, minutes, seconds of the policy's clock, such as 48h, 1h30m, 45s"
_MOST_HOURS: Final = 9_999


def read_policies(tables: Sequence[Mapping[str, object]], schedules: Mapping[str, Schedule]) -> Policies | None:
    """Return the policies that the ``[[sla]]`` tables describe, in their order; None when there is none.

    Raises UserError: one line for each wrong key, ``sla.<name>.<key> = value: what is allowed``; a policy without a
    name goes by its position, from 0.
    """
    policies: dict[str, Policy] = {}
    complaints: list[str] = []
    for position, content in enumerate(tables):
        table = Table(content, f"sla.{content.get('name') or position}")
        policy = _policy(table, schedules)
        if policy is not None and policy.name in policies:
            table.refuse("name", policy.name, "another policy has this name")
        elif policy is not None:
            policies[policy.name] = policy
        complaints += table.complaints
    if complaints:
        raise UserError("\n".join(complaints))
    return Policies(tuple(policies.values())) if policies else None


def _policy(table: Table, schedules: Mapping[str, Schedule]) -> Policy | None:
    """The policy of a table; None if anything in it is refused."""
    unknown = [key for key in table.content if key not in _KEYS]
    for key in unknown:
        table.refuse(key, table.content[key], f"there is no such key; must be one of {', '.join(_KEYS)}")
    name = table.required("name", _name)
    channels, groups, brands, categories = (_values(table, key) for key in _SELECTORS)
    clock = table.optional("clock", lambda text: _clock(text, schedules))
    horizons = table.items("at_risk", _horizon_minutes)
    targets = {metric: _targets(table, metric) for metric in METRICS if metric in table.content}
    if not targets and not unknown:  # one of these may be a metric, misspelt
        table.refuse("first_response", "nothing", f"a policy has a target of at least one of {', '.join(METRICS)}")
    if name is None or table.complaints:
        return None
    return Policy(
        name=name,
        targets=targets,
        channels=channels,
        groups=groups,
        brands=brands,
        categories=categories,
        schedule=ALWAYS if clock is None else clock[0],
        horizon_minutes=tuple(sorted(set(horizons), reverse=True)),
    )


def _values(table: Table, key: str) -> frozenset[str] | None:
    value = table.content.get(key)
    if value is None:
        return None
    if value == []:
        table.refuse(key, value, "must be a text, or a list of at least one")
        return None
    if isinstance(value, list):
        return frozenset(table.items(key, _name))
    one = table.read(key, value, _name)
    return None if one is None else frozenset({one})


def _targets(table: Table, metric: str) -> Targets:
    content = table.content[metric]
    if not isinstance(content, dict) or not content:
        table.refuse(metric, content, 'must be a table of priority = target, such as { urgent = "30m", other = "4h" }')
        return Targets({})
    read = {priority: table.read(f"{metric}.{priority}", text, _target_ms) or 0 for priority, text in content.items()}
    other_ms = read.pop(OTHER, None)
    return Targets(read, other_ms)


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError("must be a name")
    return text


def _clock(text: str, schedules: Mapping[str, Schedule]) -> tuple[Schedule | None]:
    """In a tuple, as None is a clock too."""
    if text in (CALENDAR, BUSINESS):
        return (ALWAYS if text == CALENDAR else None,)
    if text not in schedules:
        allowed = ", ".join((CALENDAR, f"{BUSINESS} (the schedule that applies to the ticket)", *schedules))
        raise ValueError(f"must be one of {allowed}")
    return (schedules[text],)


def _duration_ms(text: str) -> int:
    match = _DURATION.fullmatch(text)
    figures = [int(figure or 0) for figure in match.groups()] if match else []
    duration_ms = sum(figure * unit_ms for figure, unit_ms in zip(figures, _UNITS_MS, strict=False))
    if not duration_ms:
        raise ValueError(f"must be {_DURATIONS}")
    return duration_ms


def _target_ms(text: str) -> int:
    target_ms = _duration_ms(text)
    if target_ms > _MOST_HOURS * _UNITS_MS[0]:
        raise ValueError(f"must be {_DURATIONS}, at most {_MOST_HOURS}h")
    return target_ms


def _horizon_minutes(text: str) -> int:
    minutes, rest_ms = divmod(_duration_ms(text), MINUTE_MS)
    if rest_ms or minutes > MOST_HORIZON_MINUTES:
        raise ValueError(f"must be whole minutes, at most {MOST_HORIZON_MINUTES // 60}h, such as 1h, 15m")
    return minutes
