"""Rows about promised service levels: what was kept, what was missed, what is about to be (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stream_kpi.kpis import rows
from stream_kpi.kpis.formulas import Count, Formula, MeanDuration, RatioOfSums, Result
from stream_kpi.kpis.rows import Area, Kpi, KpiKind
from stream_kpi.kpis.scope import Scope
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Measure

CUTS: Final = (rows.TOTAL_CUT, "policy", "metric", *rows.AGENT_CUTS[1:])


@dataclass(frozen=True, slots=True)
class AtRisk(Formula):
    """How many stand within a horizon at the window's end; without one: within any of their policy."""

    measure: Measure
    horizon_minutes: int = 0

    @property
    def text(self) -> str:
        """As in the catalogue."""
        within = f" within {self.horizon_minutes} min" if self.horizon_minutes else ""
        return f"level({self.measure.name}){within} at the window's end"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The level; its samples are itself."""
        level = scope.at_end.get(self.measure.slot + self.horizon_minutes, 0)
        yield Result(level, level)


@dataclass(frozen=True, slots=True)
class TimeLeft(Formula):
    """Seconds from the window's end to the first of the moments in a set."""

    measure: Measure
    running: Measure
    """The level of its members: a cut in which one stands has something to say."""

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"min(time to {self.measure.name}) at the window's end"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The time, 0 where it is over; its samples are the members."""
        summary = scope.view.ages(scope.cut, self.measure)
        if summary is None:
            yield Result(None, 0)
        else:
            yield Result(summary.least_left_ms / 1_000, summary.count)


ROWS: Final = (
    Kpi(
        id="sla_achievement",
        title="Service levels kept",
        area=Area.SLA,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.95,
        cuts=CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=RatioOfSums((registry.SLA_MET,), (registry.SLA_MET, registry.SLA_BREACHED)),
        definition="Instances that were fulfilled in time, of those that were decided in the window: fulfilled in time "
        "or breached. Those that still run, and those that were cancelled unbreached, are in neither.",
        advice="Look at the cut by metric, then by policy and group, for the promise that is missed most. If it is a "
        "reply, put the tickets with the least time left first in the queue; if it is a resolution, look for where "
        "tickets wait between teams.",
    ),
    Kpi(
        id="sla_breaches",
        title="Service levels missed",
        area=Area.SLA,
        unit="count",
        kind=KpiKind.COUNT,
        direction="down",
        target=None,
        cuts=CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=Count(registry.SLA_BREACHED),
        definition="Instances whose target was reached on their clock before they were fulfilled, at the deadline. "
        "What a retarget finds to be past its deadline is breached at the retarget. Missed once stays missed, unless a "
        "late event shows that it was not.",
        advice="Answer what is still open of them today, largest customers first. Then look at the hours in which "
        "deadlines pass: breaches before the shift begins want another schedule or clock, breaches at its end more "
        "agents.",
    ),
    Kpi(
        id="sla_breach_size",
        title="How late missed service levels were fulfilled",
        area=Area.SLA,
        unit="seconds",
        kind=KpiKind.DURATION,
        direction="down",
        target=None,
        cuts=CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=MeanDuration(registry.SLA_BREACH_SIZE),
        definition="By how much the target had been exceeded, on the policy's clock, when a breached instance was "
        "fulfilled; in the window of the breach.",
        advice="A few seconds or minutes late is a matter of the queue's order: sort it by deadline. Days late are "
        "tickets that nobody owns: find them by group, and give each an agent and a next step.",
    ),
    Kpi(
        id="sla_at_risk",
        title="Service levels about to be missed",
        area=Area.SLA,
        unit="count",
        kind=KpiKind.LEVEL,
        direction="down",
        target=None,
        cuts=CUTS,
        windows=rows.INSTANT,
        formula=AtRisk(registry.SLA_AT_RISK),
        definition="Running instances with less time to their deadline than the longest horizon of their policy, in "
        "calendar time, now. For each horizon there is a record of its own, whose variant says which.",
        advice="Let someone work through these now, the least time left first: a short honest answer keeps a promise "
        "that a perfect one an hour later does not. If they pile up every day at one hour, move a shift there.",
    ),
    Kpi(
        id="sla_next_breach_in",
        title="Time to the next missed service level",
        area=Area.SLA,
        unit="seconds",
        kind=KpiKind.LEFT,
        direction="up",
        target=None,
        cuts=CUTS,
        windows=rows.INSTANT,
        formula=TimeLeft(registry.SLA_DEADLINES, registry.SLA_RUNNING),
        definition="The least calendar time that a running instance has left to its deadline, now.",
        advice="Take the ticket or chat behind it next, whatever else is in the queue. If it is always near zero the "
        "team works at the edge of its promises, and the next absence breaks one.",
    ),
)


def horizon_text(minutes: int) -> str:
    """``1h``, ``15m``, ``1h30m``."""
    hours, rest = divmod(minutes, 60)
    return f"{f'{hours}h' if hours else ''}{f'{rest}m' if rest else ''}"
