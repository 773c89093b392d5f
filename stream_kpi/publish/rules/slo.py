"""Service level objectives: how fast the error budget of 30 days burns, by the catalogue's targets.

Two windows each, as in the SRE workbook: the long one says that it matters, the short one that it still goes on. The
recording rules bear the names that sloth gives them. Windows that the KPIs have (5m, 1h, 24h) are taken from them,
late corrections included; the others are added up from windows of 5 minutes.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from stream_kpi.kpis.families import samples_metric
from stream_kpi.publish.rules.alert import Alert, Group, Recording, Series, Severity, Team, Trial, series, steady
from stream_kpi.publish.rules.kpi_alerts import row, target

_KPI_WINDOWS: Final = {"5m": "5m", "1h": "1h", "1d": "24h"}
"""Window of the objective -> the KPI's."""
_SUMMED_WINDOWS: Final = ("30m", "2h", "6h", "3d")


class Burn(NamedTuple):
    """The budget is used up so many times too fast, over both windows."""

    factor: float
    long: str
    short: str


class Speed(NamedTuple):
    """How fast a budget may burn until somebody is told, and how loudly."""

    name: str
    burns: tuple[Burn, ...]
    severity: Severity
    for_s: int
    fewest: int
    """Decisions in the long window, below which one miss would be a burn."""


FAST: Final = Speed("Fast", (Burn(14.4, "1h", "5m"), Burn(6, "6h", "30m")), "critical", 120, 20)
SLOW: Final = Speed("Slow", (Burn(3, "1d", "2h"), Burn(1, "3d", "6h")), "warning", 900, 100)


class Objective(NamedTuple):
    """A ratio of the catalogue whose target is promised over 30 days."""

    slo: str
    """Value of the label ``slo``."""
    alert: str
    kpi: str
    by: str
    """The cut, each value of which has a budget of its own; "" for the total."""
    example: str
    """A value of that cut."""
    team: Team
    noun: str
    """What is good or bad, in the plural."""

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return round(1 - target(self.kpi), 6)


OBJECTIVES: Final = (
    Objective("sla", "StreamKpiSlaBudgetBurn", "sla_achievement", "metric", "first_response", "support", "promises"),
    Objective("answer", "StreamKpiAnswerBudgetBurn", "service_level", "", "", "support", "chats and calls"),
)


def possible(objective: Objective, speed: Speed) -> tuple[Burn, ...]:
    """The burns that can be: more than everything cannot be bad."""
    return tuple(burn for burn in speed.burns if burn.factor * objective.budget < 1)


def _recordings(objective: Objective) -> tuple[Recording, ...]:
    kpi = row(objective.kpi)
    good = kpi.cut_metric(objective.by) if objective.by else kpi.metric
    samples = samples_metric(kpi, objective.by)
    by = f" by ({objective.by}) " if objective.by else ""
    of, labels = f'{{slo="{objective.slo}"}}', {"slo": objective.slo}
    made = []
    for window, shown in _KPI_WINDOWS.items():
        matcher = f'{{window="{shown}"}}'
        made.append(Recording(f"slo:sli_error:ratio_rate{window}", f"1 - min{by}({good}{matcher})", labels))
        made.append(Recording(f"slo:sli_total:count{window}", f"max{by}({samples}{matcher})", labels))
    made.append(
        Recording("slo:sli_error:count5m", f"slo:sli_error:ratio_rate5m{of} * slo:sli_total:count5m{of}", labels)
    )
    for window in _SUMMED_WINDOWS:
        total = f"sum_over_time(slo:sli_total:count5m{of}[{window}:5m])"
        errors = f"sum_over_time(slo:sli_error:count5m{of}[{window}:5m])"
        made.append(Recording(f"slo:sli_total:count{window}", total, labels))
        # Nothing decided is no error ratio, not one of 0.
        known = f"(slo:sli_total:count{window}{of} > 0)"
        made.append(Recording(f"slo:sli_error:ratio_rate{window}", f"{errors} / {known}", labels))
    return tuple(made)


def _burn_expr(objective: Objective, burn: Burn, fewest: int) -> str:
    of, most = f'{{slo="{objective.slo}"}}', round(burn.factor * objective.budget, 6)
    return (
        f"(slo:sli_error:ratio_rate{burn.long}{of} > {most:g}\n"
        f" and slo:sli_error:ratio_rate{burn.short}{of} > {most:g}\n"
        f" and slo:sli_total:count{burn.long}{of} >= {fewest})"
    )


def _inputs(objective: Objective, bad: float, decided: int) -> Series:
    """Series of the KPI in which so much is bad, and so many are decided in each window."""
    kpi = row(objective.kpi)
    cut = {objective.by: objective.example} if objective.by else {}
    good = kpi.cut_metric(objective.by) if objective.by else kpi.metric
    made: dict[str, str] = {}
    for window in _KPI_WINDOWS.values():
        made[series(good, window=window, **cut)] = steady(1 - bad)
        made[series(samples_metric(kpi, objective.by), window=window, **cut)] = steady(decided)
    return made


def _alert(objective: Objective, speed: Speed) -> Alert:
    burns = possible(objective, speed)
    first = burns[0]
    edge = round(min(burn.factor for burn in burns) * objective.budget, 6)
    bad = round(first.factor * objective.budget + 0.05, 6)
    fires = _inputs(objective, bad, speed.fewest)
    return Alert(
        name=f"{objective.alert}{speed.name}",
        team=objective.team,
        severity=speed.severity,
        scope="kpi",
        for_s=speed.for_s,
        expr="\nor\n".join(_burn_expr(objective, burn, speed.fewest) for burn in burns),
        summary=f"The month's budget of missed {objective.noun} is used up too fast.",
        description="{{ $value | humanizePercentage }}"
        + (f" of the {objective.noun} of {{{{ $labels.{objective.by} }}}}" if objective.by else f" of {objective.noun}")
        + f" are missed, where {objective.budget:.0%} may be over 30 days.",
        means=f"{target(objective.kpi):.0%} of the {objective.noun} are to be kept over 30 days. At "
        + ", or ".join(f"{burn.factor:g} times what that allows over {burn.long} and {burn.short}" for burn in burns)
        + ", this fires: the month's budget would not last.",
        checks=(
            f'`slo:sli_error:ratio_rate1h{{slo="{objective.slo}"}}` and `...ratio_rate1d`: sudden, or for days?',
            "The other alerts of this hour: the reason may be one of them.",
            "The KPI's cuts by group and channel: is it one of them?",
        ),
        remedy="Sudden: treat it as an incident, with one person who decides. For days: too few agents for what comes "
        "in, or a promise that cannot be kept; change one of them.",
        trial=Trial(
            fires=fires,
            silent={
                "at the threshold": {name: _inputs(objective, edge - 0.001, speed.fewest)[name] for name in fires},
                "at low volume": {
                    # Windows of 5 minutes add up to those of hours and days.
                    name: "0x240" if 'window="5m"' in name and "samples" in name else values
                    for name, values in _inputs(objective, bad, speed.fewest - 1).items()
                },
            },
            labels={"slo": objective.slo, **({objective.by: objective.example} if objective.by else {})},
            value=f"{100 * bad:.4g}%",
        ),
        kpis=(objective.kpi,),
    )


def slo_group() -> Group:
    """Recordings and alerts of every objective; a speed at which no burn is possible has no alert."""
    return Group(
        "stream-kpi-slo",
        tuple(recording for objective in OBJECTIVES for recording in _recordings(objective)),
        tuple(
            _alert(objective, speed) for objective in OBJECTIVES for speed in (FAST, SLOW) if possible(objective, speed)
        ),
    )
