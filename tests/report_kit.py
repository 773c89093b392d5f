"""What the tests of reports share: a story of two days, and reports made from it without a file."""

from __future__ import annotations

from collections.abc import Sequence

from stream_kpi.compute import Computation
from stream_kpi.events.times import event_time_ms
from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.lifecycles.options import Options
from stream_kpi.reports.build import build, coverage_notes
from stream_kpi.reports.content import Line, Report
from stream_kpi.reports.period import PeriodKind, period_at, reported_ms
from stream_kpi.reports.readings import TIERS, read, totals
from tests.shard_kit import MINUTE_MS, created, event, reply


def at(text: str) -> int:
    """Epoch milliseconds of ``03-02 10:00``, UTC, in 2026."""
    return event_time_ms(f"2026-{text.replace(' ', 'T')}:00Z")


def solved(subject: str, time_ms: int, agent: str = "ann") -> bytes:
    """A solve by a known agent."""
    return event("ticket.status", subject, time_ms, f"{subject}/solved", status="solved", actor_id=agent)


def rated(subject: str, time_ms: int, score: int) -> bytes:
    """A customer's answer on the scale from 1 to 5."""
    scale = {"survey_id": "v", "kind": "csat", "scale_min": 1, "scale_max": 5}
    return event("ticket.survey_answered", subject, time_ms, f"{subject}/rated", score=score, **scale)


MONDAY = [
    created("A", at("03-02 09:00"), category="billing"),
    reply("A", at("03-02 15:00"), "ann"),
    solved("A", at("03-02 16:00")),
    rated("A", at("03-02 17:00"), 2),
    event("chat.queued", "Q", at("03-02 10:00"), "1", queue="sales"),
    event("chat.accepted", "Q", at("03-02 10:00") + 10_000, "2", agent_id="bob"),
]
"""One ticket, answered after 6 h, solved after 7 h, rated 2; one chat."""
TUESDAY = [
    created("B", at("03-03 09:00"), category="billing"),
    reply("B", at("03-03 09:00") + 30 * MINUTE_MS, "ann"),
    solved("B", at("03-03 10:00")),
    rated("B", at("03-03 11:00"), 5),
    created("C", at("03-03 09:30"), category="<script>alert(1)</script>", channel="web"),
    reply("C", at("03-03 11:00"), "bob"),
]
"""Two tickets, answered after 30 and 90 min; one solved after 1 h and rated 5, one open, of a category with a tag."""
STORY = [*MONDAY, *TUESDAY]


def reported(
    kind: PeriodKind, moment: str | None, lines: Sequence[bytes] = tuple(STORY), options: Options | None = None
) -> Report:
    """The report that the command makes of the lines."""
    chosen = options or Options()
    zone, rows = chosen.zone_info, catalogue(chosen)
    at_ms = None if moment is None else reported_ms(at(moment), zone)
    computation = _computation(lines, chosen, at_ms)
    period, first_ms = period_at(kind, computation.at_ms, zone), computation.first_ms
    before = totals(_computation(lines, chosen, period.before.at_ms), rows, period.before)
    readings = read(computation, rows, period, before if first_ms and first_ms <= period.before.at_ms else ())
    notes = coverage_notes(period, first_ms)
    return build(period, rows, readings, business=chosen.schedules is not None, notes=notes)


def line_of(report: Report, kpi: str, title: str | None = None) -> Line:
    """The line of a KPI."""
    return next(line for line in report.lines if line.row.id == kpi and title in {None, line.title})


def _computation(lines: Sequence[bytes], options: Options, at_ms: int | None) -> Computation:
    computation = Computation(options, None, at_ms, TIERS)
    for line in lines:
        assert computation.take(line) is None
    return computation
