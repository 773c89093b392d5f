"""When a service level is missed: the golden vectors, and pauses, retargets and schedules in whole minutes."""

from __future__ import annotations

import pytest

from stream_kpi.events.times import event_time_ms
from stream_kpi.lifecycles.sla.instance import Instance
from stream_kpi.lifecycles.sla.policy import Policy, Targets
from stream_kpi.lifecycles.ticket.events import Created
from stream_kpi.measures.registry import SLA_AT_RISK, SLA_BREACH_SIZE, SLA_BREACHED, SLA_DEADLINES, SLA_MET, SLA_RUNNING
from tests.sla_kit import T, Told, at, brief, minute_of, options_of
from tests.strategies.schedules import OFFICE

WEEK = "\n".join(f'{day} = ["09:00-17:00"]' for day in ("monday", "tuesday", "wednesday", "thursday", "friday"))
DAILY = "\n".join(
    f'{day} = ["09:00-21:00"]' for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
)


@pytest.mark.parametrize(
    ("hours", "target", "created", "breached"),
    [
        # 2026-03-06 is a Friday, 2026-03-04 a Wednesday.
        (WEEK, "1h", "2026-03-06T16:30:00Z", "2026-03-09T09:30:00Z"),
        (WEEK, "2h", "2026-03-04T10:00:00Z", "2026-03-04T12:00:00Z"),
        (WEEK, "2h", "2026-03-04T07:00:00Z", "2026-03-04T11:00:00Z"),
        (f'{DAILY}\nholidays = ["2026-11-11", "2026-11-13"]', "48h", "2026-11-09T23:00:00Z", "2026-11-15T21:00:00Z"),
    ],
    ids=["over the weekend", "within the day", "before the day", "over holidays"],
)
@pytest.mark.parametrize("clock", ["office", "business"])
def test_a_target_in_business_hours_is_missed_at_the_instant_the_golden_vectors_say(
    hours: str, target: str, created: str, breached: str, clock: str
) -> None:
    text = f"""
        [[schedule]]
        name = "office"
        zone = "UTC"
        {hours}
        [[sla]]
        name = "p"
        clock = "{clock}"
        first_response = {{ other = "{target}" }}
        """
    ticket = Told(options_of(text, default="office"))
    (started,) = ticket.take(
        Created(event_time_ms(created), "c", "email", None, None, None, None, "customer"),
    )
    assert started.deadline_ms == event_time_ms(breached)
    ticket.facts += ticket.entity.advance(event_time_ms(breached) - 1)
    assert ticket.entity.take_transitions() == ()
    ticket.facts += ticket.entity.advance(event_time_ms(breached))
    (miss,) = ticket.entity.take_transitions()
    assert (miss.name, miss.time_ms) == ("breached", event_time_ms(breached))
    assert [fact[1] for fact in ticket.facts if fact[0] == SLA_BREACHED.slot] == [event_time_ms(breached)]


RESOLUTION = """
[[sla]]
name = "p"
at_risk = ["15m", "5m"]
resolution = { high = "30m", other = "60m" }
agent_work = { other = "100h" }
"""


def test_resolution_pauses_in_pending_and_its_deadline_moves_by_as_much() -> None:
    ticket = Told(options_of(RESOLUTION))
    ticket.created()
    ticket.status(20, "pending")
    assert brief(ticket.advance(300)) == []
    assert [(t.metric, minute_of(t.deadline_ms)) for t in ticket.status(300, "open")] == [
        ("resolution", 340),
        ("agent_work", 6000 + 280),
    ]
    assert brief(ticket.advance(340)) == [(325, "at_risk"), (335, "at_risk"), (340, "breached")]


def test_on_hold_pauses_agent_work_but_not_resolution() -> None:
    ticket = Told(options_of(RESOLUTION))
    ticket.created()
    assert [(t.name, t.metric) for t in ticket.status(20, "on_hold")] == [("paused", "agent_work")]
    assert brief(ticket.advance(60), "resolution")[-1] == (60, "breached")


def test_a_higher_priority_brings_a_new_target_from_the_original_start() -> None:
    ticket = Told(options_of(RESOLUTION))
    ticket.created()
    told = ticket.updated(10, priority="high")
    assert [(t.name, t.metric, minute_of(t.deadline_ms)) for t in told] == [("retargeted", "resolution", 30)]
    assert brief(ticket.advance(30), "resolution") == [(15, "at_risk"), (25, "at_risk"), (30, "breached")]


def test_a_new_target_that_has_passed_already_is_missed_at_the_change_and_keeps_its_deadline() -> None:
    ticket = Told(options_of(RESOLUTION))
    ticket.created()
    told = ticket.updated(50, priority="high")
    assert brief(told, "resolution") == [(45, "at_risk"), (50, "retargeted"), (50, "breached")]
    assert minute_of(told[-1].deadline_ms) == 30
    assert [minute_of(fact[1]) for fact in ticket.facts if fact[0] == SLA_BREACHED.slot] == [50]
    ticket.status(70, "solved")
    assert ticket.count(SLA_BREACH_SIZE) == 40 * 60_000


def test_a_target_that_has_passed_in_an_earlier_run_of_the_clock_is_found_there() -> None:
    ticket = Told(options_of(RESOLUTION))
    ticket.created()
    ticket.status(40, "pending")
    told = ticket.updated(50, priority="high")
    assert brief(told, "resolution") == [(50, "retargeted"), (50, "breached")]
    assert minute_of(told[-1].deadline_ms) == 30


def test_missed_once_stays_missed_whatever_target_or_pause_comes_after() -> None:
    ticket = Told(options_of(RESOLUTION))
    ticket.created(priority="high")
    ticket.advance(30)
    ticket.updated(31, priority="low")
    ticket.status(32, "pending")
    ticket.status(50, "open")
    told = ticket.status(60, "solved")
    assert [(t.name, t.late_by_ms) for t in told if t.metric == "resolution"] == [("fulfilled", 12 * 60_000)]
    assert (ticket.count(SLA_BREACHED), ticket.count(SLA_BREACH_SIZE)) == (1, 12 * 60_000)
    assert ticket.count(SLA_MET, cut=("metric", "resolution")) == 0


def test_an_event_at_the_deadlines_very_instant_wins() -> None:
    ticket = Told(options_of(RESOLUTION))
    ticket.created()
    ticket.status(60, "solved")
    ticket.advance(1_000)
    assert (ticket.count(SLA_BREACHED), ticket.count(SLA_MET, cut=("metric", "resolution"))) == (0, 1)


def test_a_pause_at_the_deadlines_very_instant_puts_the_miss_off_until_the_clock_runs_again() -> None:
    ticket = Told(options_of(RESOLUTION))
    ticket.created()
    ticket.status(60, "pending")
    assert "breached" not in [t.name for t in ticket.advance(99)]
    assert brief(ticket.status(100, "open"), "resolution") == [(100, "resumed"), (100, "breached")]


def test_what_is_at_risk_is_so_until_it_pauses_is_put_off_is_missed_or_is_done() -> None:
    ticket = Told(options_of(RESOLUTION))
    ticket.created()

    def levels() -> tuple[int, int, int, int]:
        within = (SLA_AT_RISK, 0), (SLA_AT_RISK, 15), (SLA_AT_RISK, 5), (SLA_RUNNING, 0)
        a, b, c, d = (ticket.count(m, component, ("metric", "resolution")) for m, component in within)
        return a, b, c, d

    assert levels() == (0, 0, 0, 1)
    ticket.advance(45)
    assert levels() == (1, 1, 0, 1)
    ticket.status(46, "pending")
    assert levels() == (0, 0, 0, 0)
    assert brief(ticket.status(50, "open"), "resolution") == [(50, "resumed")]
    assert levels() == (1, 1, 0, 1)
    ticket.advance(60)
    assert levels() == (1, 1, 1, 1)
    assert ticket.count(SLA_DEADLINES, cut=("metric", "resolution")) == at(64)
    ticket.advance(64)
    assert levels() == (0, 0, 0, 0)
    assert ticket.count(SLA_DEADLINES, cut=("metric", "resolution")) == 0


def test_where_the_group_decides_the_schedule_each_counts_over_the_time_that_it_applied() -> None:
    text = """
        [[schedule]]
        name = "day"
        zone = "UTC"
        monday = ["09:00-17:00"]
        tuesday = ["09:00-17:00"]
        [[schedule]]
        name = "late"
        zone = "UTC"
        monday = ["16:00-22:00"]
        [[sla]]
        name = "p"
        clock = "business"
        resolution = { other = "8h" }
        """
    ticket = Told(options_of(text, {"night": "late"}, "day"))
    ticket.created()  # Monday 10:00: 7 h of the day's are left
    (told,) = ticket.assigned(60, None, "night")  # 1 h is spent, 6 h from 16:00 on: 7 h never come on a Monday
    assert told.name == "retargeted"
    assert told.deadline_ms == event_time_ms("2026-03-09T17:00:00Z")
    (told,) = ticket.assigned(60 * 7, None, "day")  # 17:00: 1 h of the late ones is spent, 6 h from Tuesday 09:00 on
    assert told.deadline_ms == event_time_ms("2026-03-03T15:00:00Z")


def test_a_policy_on_another_clock_counts_all_the_time_from_the_start_anew() -> None:
    instance = Instance(T, 0)
    of_calendar = Policy("a", {"resolution": Targets({}, 1)})
    of_office = Policy("b", {"resolution": Targets({}, 1)}, schedule=OFFICE)
    assert of_calendar.schedule is not None
    instance.promise(of_calendar, 10 * 3_600_000, of_calendar.schedule)
    instance.stop(T + 5 * 3_600_000, of_calendar.schedule)  # Monday 11:00 to 16:00 in Berlin, an hour of it is lunch
    instance.promise(of_office, 10 * 3_600_000, OFFICE)
    assert instance.spent_ms == 4 * 3_600_000


def test_a_schedule_that_is_never_open_long_enough_has_no_deadline() -> None:
    text = """
        [[schedule]]
        name = "once"
        zone = "UTC"
        holidays = ["2026-03-03 09:00-10:00"]
        [[sla]]
        name = "p"
        clock = "once"
        resolution = { other = "2h" }
        """
    ticket = Told(options_of(text))
    (told,) = ticket.created()
    assert told.deadline_ms is None
    assert brief(ticket.advance(1e8)) == []
    ticket.status(1e8, "solved")
    assert ticket.count(SLA_MET) == 1
