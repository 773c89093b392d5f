"""What an alert is: its rule, the input under which its tests run, and what its runbook says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

JOB: Final = "stream-kpi"
"""The scrape job of everything that serves the metrics."""
WORKERS: Final = {"job": JOB, "instance": "worker-1:6066"}
"""What Prometheus adds to every series of a worker."""

Team = Literal["support", "success", "platform"]
"""Who is told: who answers customers, who keeps them, who runs the pipeline."""
Severity = Literal["critical", "warning", "info"]
"""critical wakes somebody; warning is looked at within the working day; info is there to be found."""
Scope = Literal["kpi", "pipeline"]
"""kpi: what the values say, worth nothing while they are stale. pipeline: whether they are right."""

Series = Mapping[str, str]
"""``{series: its values}`` in promtool's notation, one a minute."""


class Trial(NamedTuple):
    """The input of an alert's unit tests, and what comes of it."""

    fires: Series
    """Under this it fires, ``for_s`` after ``holds_at_s``."""
    silent: Mapping[str, Series]
    """Under each of these it never does: what is put in place of the same series of ``fires``, by what it shows."""
    labels: Mapping[str, str]
    """The firing alert's, beside those of the rule."""
    value: str = ""
    """The firing alert's value as its description shows it."""
    holds_at_s: int = 0
    """From when on the expression holds."""


class Alert(NamedTuple):
    """One row of the tables."""

    name: str
    team: Team
    severity: Severity
    scope: Scope
    for_s: int
    expr: str
    summary: str
    """One sentence that is always the same."""
    description: str
    """What is the matter now: a template with ``$labels``, and at most one ``$value``."""
    means: str
    """The runbook: what has been observed, and why it matters."""
    checks: tuple[str, ...]
    """What to look at, in this order."""
    remedy: str
    """What to do about it."""
    trial: Trial
    kpis: tuple[str, ...] = ()
    """Ids of the catalogue's rows that it is about."""
    fires_on_nothing: bool = False
    """It is the absence of all data that it tells of."""


class Recording(NamedTuple):
    """A series that Prometheus keeps, because alerts and dashboards ask for it again and again."""

    record: str
    expr: str
    labels: Mapping[str, str]


class Group(NamedTuple):
    """Rules that are evaluated together, in this order."""

    name: str
    recordings: tuple[Recording, ...]
    alerts: tuple[Alert, ...]


def series(name: str, **labels: str) -> str:
    """A series of a worker."""
    every = sorted({**labels, **WORKERS}.items())
    matchers = ",".join(f'{label}="{text}"' for label, text in every)
    return f"{name}{{{matchers}}}"


def steady(value: float, minutes: int = 240) -> str:
    """The same value every minute."""
    return f"{value:g}x{minutes}"


def growing(per_minute: float, minutes: int = 240, start: float = 0) -> str:
    """A counter that goes up evenly."""
    return f"{start:g}+{per_minute:g}x{minutes}"


def duration(seconds: int) -> str:
    """As rules write it: ``90s``, ``5m``, ``1h``."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
