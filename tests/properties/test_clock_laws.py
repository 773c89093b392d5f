"""Tickets' clocks against a walk over the story: in every window, cut and kind of clock the same time and tickets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stream_kpi.calendars.schedule import ALWAYS, Schedule
from stream_kpi.calendars.selection import Selection
from stream_kpi.kpis.catalogue import on_clocks
from stream_kpi.kpis.scope import Scope
from stream_kpi.kpis.view import AgeSummary, Trailing, Window
from stream_kpi.lifecycles.entity import facts_of
from stream_kpi.lifecycles.facts import TOTAL, Cut, CutSets, Fact, spelled_out
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.ticket.events import Assigned, Created, Merged, Message, Status, TicketEvent, Updated
from stream_kpi.lifecycles.ticket.fold import TicketFold
from stream_kpi.measures.registry import BY_NUMBER, SLOTS_PER_MEASURE, Kind, Measure
from stream_kpi.measures.vector import Vector, add_into
from stream_kpi.windows.kinds import TODAY, TUMBLING
from tests.catalogue_kit import kpi_by_id
from tests.strategies.schedules import ALWAYS_OPEN, BY_DIMENSION, OFFICE, every_day
from tests.strategies.tickets import DAY_MS, HOUR_MS, START_MS, ticket_stories, times_ms

UTC = ZoneInfo("UTC")
STATUSES = {
    "requester_wait_time": {"new", "open", "on_hold"},
    "agent_work_time": {"new", "open"},
    "on_hold_time": {"on_hold"},
}
OTHER_TABLE = {
    "requester_wait_time": {"new", "pending"},
    "agent_work_time": {"open"},
    "on_hold_time": {"on_hold", "pending"},
}
CLOCKS = (*STATUSES, "illegitimate_pause_time")
DIMENSIONS = ("channel", "priority", "category", "group", "brand")
OPENED_ONCE = Schedule("once", "UTC", ((),) * 7, {date(2023, 11, 14): ((0, 1_380),)}, number=5)
AT_EDGES = Selection(
    every_day(3, "edges", "UTC", (0, 60), (1_335, 1_380)),
    by_group={"x": every_day(4, "others", "UTC", (60, 1_335))},
    by_channel={"x": OPENED_ONCE},
    by_brand={"x": ALWAYS, "y": OFFICE},
)
"""Opening and closing at instants of the stories. No day after the first opens the third schedule again."""


class FactsView:
    """A window over bare facts, with nothing in between."""

    def __init__(self, window: Window, facts: Iterable[Fact], cut_sets: CutSets) -> None:
        self.window = window
        self._facts = [fact for fact in spelled_out(facts) if fact[1] <= window.now_ms]
        self._cut_sets = cut_sets
        rolls = window.kind.startswith("rolling:") or window.kind == "total"
        self._end_ms = window.end_ms + 1 if rolls else window.end_ms

    def cuts(self) -> Iterable[Cut]:
        return {cut for fact in self._facts for cut in self._cut_sets.cuts_of(fact[2])}

    def inside(self, cut: Cut) -> Mapping[int, int]:
        return self._sum(cut, self.window.start_ms or 0, self._end_ms)

    def cohort(self, cut: Cut) -> Mapping[int, int]:
        return self.inside(cut)

    def at_start(self, cut: Cut) -> Mapping[int, int]:
        return self._levels(cut, self.window.start_ms or 0)

    def at_end(self, cut: Cut) -> Mapping[int, int]:
        return self._levels(cut, self._end_ms)

    def trailing(self, _: Cut) -> Trailing | None:
        return None

    def ages(self, cut: Cut, measure: Measure) -> AgeSummary | None:  # noqa: ARG002 as the views'
        return None

    def _levels(self, cut: Cut, before_ms: int) -> Vector:
        sums = self._sum(cut, 0, before_ms)
        return {slot: n for slot, n in sums.items() if BY_NUMBER[slot // SLOTS_PER_MEASURE].kind is Kind.LEVEL}

    def _sum(self, cut: Cut, start_ms: int, end_ms: int) -> Vector:
        vector: Vector = {}
        for slot, time_ms, cuts, value, sign in self._facts:
            if start_ms <= time_ms < end_ms and cut in self._cut_sets.cuts_of(cuts):
                add_into(vector, {slot: sign * value})
        return vector


class Segment(NamedTuple):
    """What ran between two instants, and in which cuts."""

    start_ms: int
    end_ms: int
    clocks: frozenset[str]
    cuts: frozenset[Cut]
    schedule: Schedule


def segments(
    story: list[TicketEvent], table: Mapping[str, set[str]], now_ms: int, schedules: Selection
) -> list[Segment]:
    """The walk: the ticket's state after each of its events, until the next one or now."""
    state: dict[str, str | None] = {"status": "new"}
    overrun = merged = False
    created_ms: int | None = None
    points: list[tuple[int, frozenset[str], frozenset[Cut], Schedule]] = []
    for event in sorted(story, key=lambda e: e.order):
        if merged or isinstance(event, Created) == (created_ms is not None):
            continue
        match event:
            case Created():
                created_ms = event.time_ms
                state.update({name: getattr(event, name) for name in DIMENSIONS})
            case Updated():
                state.update(event.changes)
            case Merged():
                merged = True
            case Assigned():
                state["agent"] = event.agent_id
                state["group"] = event.group or state["group"]
            case Message(author="customer"):
                overrun = overrun or state["status"] == "pending"
            case Message(author="agent", public=True):
                overrun = False
            case Status():
                state["status"] = event.status
                overrun = overrun and event.status == "pending"
            case _:
                pass
        assert created_ms is not None
        running = {clock for clock, statuses in table.items() if state["status"] in statuses}
        running |= {"illegitimate_pause_time"} if overrun else set()
        cuts = {TOTAL, *((name, state.get(name) or "unknown") for name in (*DIMENSIONS, "agent"))}
        schedule = schedules.schedule_of(state["group"], state["channel"], state["brand"])
        points.append((max(event.time_ms, created_ms), frozenset(running), frozenset(cuts), schedule))
    if merged or state["status"] in {"spam", "deleted"} or not points:
        return []
    points.append((now_ms, frozenset(), frozenset(), ALWAYS))
    return [Segment(one[0], other[0], *one[1:]) for one, other in pairwise(points)]


def windows(now_ms: int, first_ms: int) -> list[Window]:
    """The windows that end now, and of each kind with fixed bounds a few that touch the story."""
    found = [Window("total", first_ms, now_ms, final=True)]
    starts_ms = (now_ms - 300_000, now_ms - HOUR_MS, now_ms - 7 * DAY_MS, first_ms, min(first_ms + 1, now_ms))
    found += [Window("rolling:1h", start_ms, now_ms, final=True) for start_ms in starts_ms]
    for kind in (*TUMBLING, TODAY):
        for at_ms in {first_ms, START_MS, START_MS + 100_000, START_MS + 6_400_000, START_MS + 7 * DAY_MS, now_ms}:
            start_ms = kind.start_of(at_ms, UTC)
            if start_ms <= now_ms:
                found.append(Window(kind.name, start_ms, kind.end_of(start_ms, UTC), final=False, now_ms=now_ms))
    return found


@given(
    ticket_stories(max_events=14),
    times_ms,
    st.sampled_from([STATUSES, OTHER_TABLE]),
    st.sampled_from([ALWAYS_OPEN, BY_DIMENSION, AT_EDGES]),
)
@settings(max_examples=60, deadline=None)
def test_in_every_window_the_time_and_the_tickets_of_a_clock_are_those_of_a_walk_over_the_story(
    story: list[TicketEvent], now_ms: int, table: dict[str, set[str]], schedules: Selection
) -> None:
    story = [event for event in story if event.time_ms <= now_ms]
    assume(story)
    options = Options(
        requester_wait_statuses=frozenset(table["requester_wait_time"]),
        agent_work_statuses=frozenset(table["agent_work_time"]),
        on_hold_statuses=frozenset(table["on_hold_time"]),
        schedules=schedules,
    )
    cut_sets = CutSets()
    in_order = sorted(story, key=lambda event: event.order)
    facts = facts_of(partial(TicketFold, cut_sets, options), in_order, now_ms)[1]
    walk = segments(story, table, now_ms, schedules)
    cuts = {TOTAL, ("channel", "email"), ("agent", "unknown")} | {cut for segment in walk for cut in segment.cuts}
    for window in windows(now_ms, min(event.time_ms for event in story)):
        view = FactsView(window, facts, cut_sets)
        holds_now = window.end_ms > now_ms or window.kind in {"total", "rolling:1h"}
        for cut in cuts:
            for row in on_clocks(map(kpi_by_id, CLOCKS), business=True):
                ran = [s for s in walk if row.id in s.clocks and cut in s.cuts]
                hours = [ALWAYS if row.clock == "calendar" else s.schedule for s in ran]
                start_ms = window.start_ms or 0
                time_ms = sum(
                    schedule.elapsed_ms(max(s.start_ms, start_ms), min(s.end_ms, window.reached_ms))
                    for s, schedule in zip(ran, hours, strict=True)
                )
                runs_now = bool(walk) and walk[-1] in ran and holds_now and hours[-1].elapsed_ms(now_ms, now_ms + 1)
                samples = int(time_ms > 0 or runs_now)
                (result,) = row.formula.results(Scope(view, cut, options=options))
                assert (result.value, result.samples) == (time_ms / 1_000, samples), (window, cut, row.id, row.clock)
