"""The ticket's rules, one story each, with facts worked out by hand. Times are minutes after the creation."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from stream_kpi.lifecycles.entity import Entity
from stream_kpi.lifecycles.facts import CutSets, net, spelled_out
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.ticket.events import (
    Assigned,
    Created,
    Merged,
    Message,
    Status,
    SurveyAnswered,
    TicketEvent,
    Updated,
)
from stream_kpi.lifecycles.ticket.fold import TicketFold
from stream_kpi.measures.registry import (
    BACKLOG,
    BACKLOG_UNASSIGNED,
    BACKLOG_UNATTENDED,
    COHORT_REOPENS,
    COHORT_SOLVES,
    CSAT_ANSWERS,
    CSAT_POSITIVE,
    CSAT_SCORE,
    FCR_FIRST_CONTACT,
    FCR_SOLVES,
    FIRST_RESPONSE,
    FIRST_RESPONSE_IN_TARGET,
    FIRST_SOLVES,
    NEXT_REPLY,
    OPEN_TICKETS,
    RESOLUTION_FIRST,
    RESOLUTION_FULL,
    TICKETS_CREATED,
    UNANSWERED_TICKETS,
    Measure,
)

T0_MS = 1_700_000_000_000
MINUTE_MS = 60_000
HOUR = 60
DAY = 24 * HOUR


class Story:
    """A ticket and its events, told in any order: ``facts`` are those at the end, times and durations in minutes."""

    def __init__(self, options: Options | None = None) -> None:
        self.cut_sets = CutSets()
        self.entity = Entity(partial(TicketFold, self.cut_sets, options or Options()))
        self.passed_on: list[Any] = []
        self.problems: list[str] = []
        self.clock_ms = 0

    def tell(self, event: TicketEvent) -> Story:
        self.clock_ms = max(self.clock_ms, event.time_ms)
        self.passed_on += self.entity.apply(event, self.clock_ms) or []
        self.problems += self.entity.take_problems()
        return self

    def until(self, minute: float) -> Story:
        self.clock_ms = max(self.clock_ms, at(minute))
        self.passed_on += self.entity.advance(self.clock_ms)
        return self

    def created(self, minute: float = 0, by: str = "customer", **dimensions: str) -> Story:
        values = {"channel": "email", "category": "billing", "priority": "high", "group": "g1", "brand": "b1"}
        return self.tell(Created(at(minute), self._uid(), **{**values, **dimensions}, created_by=by))

    def wrote(
        self, minute: float, author: str, who: str | None = None, *, public: bool = True, session: str | None = None
    ) -> Story:
        return self.tell(Message(at(minute), self._uid(), author, who, public, session))

    def assigned(self, minute: float, agent: str | None, group: str | None = None) -> Story:
        return self.tell(Assigned(at(minute), self._uid(), agent, group))

    def status(self, minute: float, status: str, actor: str = "agent", who: str | None = None) -> Story:
        return self.tell(Status(at(minute), self._uid(), status, actor, who))

    def updated(self, minute: float, **changes: str | None) -> Story:
        return self.tell(Updated(at(minute), self._uid(), tuple(changes.items())))

    def merged(self, minute: float) -> Story:
        return self.tell(Merged(at(minute), self._uid()))

    def rated(self, minute: float, score: float, survey: str = "s1", scale: tuple[float, float] = (1, 5)) -> Story:
        return self.tell(SurveyAnswered(at(minute), self._uid(), survey, "csat", score, *scale))

    def _uid(self) -> str:
        return f"e{len(self.entity.history):03d}"

    def facts(self, measure: Measure, dimension: str | None = None) -> list[tuple[float, str, float]]:
        """(minute, value of the dimension, minutes or amount) of a measure's standing facts; without a dimension, of
        those that carry the total. A level's or age's leaving has its amount negative, or none: see ``moves``."""
        return [(minute, cut, value) for minute, cut, value, n in self._rows(measure, dimension) for _ in range(n)]

    def moves(self, measure: Measure, dimension: str | None = None) -> list[tuple[float, str, int]]:
        """(minute, value of the dimension, +1 or -1) of a level's or age's joins and leaves."""
        return [(minute, cut, n) for minute, cut, _, n in self._rows(measure, dimension)]

    def minutes(self, measure: Measure) -> list[tuple[float, float]]:
        """(minute of the bucket event, duration in minutes) of a duration's facts."""
        return [(minute, value / MINUTE_MS) for minute, _, value in self.facts(measure)]

    def agents(self, measure: Measure) -> list[str]:
        return [agent for _, agent, _ in self.facts(measure, "agent")]

    def count(self, measure: Measure) -> int:
        return len(self.facts(measure))

    def _rows(self, measure: Measure, dimension: str | None) -> list[tuple[float, str, int, int]]:
        return sorted(
            ((time_ms - T0_MS) / MINUTE_MS, cut[1] if cut else "", value, n)
            for (slot, time_ms, cuts, value), n in net(spelled_out(self.passed_on)).items()
            for cut in self.cut_sets.cuts_of(cuts)
            if slot == measure.slot and (cut[0] if cut else None) == dimension
        )


def at(minute: float) -> int:
    return T0_MS + round(minute * MINUTE_MS)


# Volume and dimensions


def test_a_creation_counts_once_in_its_dimensions_as_created() -> None:
    story = Story().created(category="").updated(5, category="sales")
    assert story.facts(TICKETS_CREATED, "category") == [(0, "unknown", 1)]
    assert story.facts(TICKETS_CREATED, "brand") == [(0, "b1", 1)]
    assert story.facts(TICKETS_CREATED, "agent") == []


@pytest.mark.parametrize(("counted", "n"), [(True, 1), (False, 0)])
def test_a_ticket_that_an_agent_created_counts_as_the_option_says_and_is_in_the_backlog_either_way(
    counted: bool, n: int
) -> None:
    story = Story(Options(include_agent_created=counted)).created(by="agent")
    assert story.count(TICKETS_CREATED) == n
    assert story.moves(BACKLOG) == [(0, "", 1)]


def test_a_second_creation_is_ignored_and_reported() -> None:
    story = Story().created().created(5)
    assert story.facts(TICKETS_CREATED) == [(0, "", 1)]
    assert story.problems == ["second_created"]


def test_of_two_creations_the_earlier_one_holds_even_if_it_arrives_later() -> None:
    assert Story().created(5).created().facts(TICKETS_CREATED) == [(0, "", 1)]


def test_a_second_creation_lets_no_moment_come_before_the_events_in_between() -> None:
    story = Story().created().status(30, "solved").created(2 * HOUR)
    assert story.moves(BACKLOG, "age_band") == [(0, "0-1h", 1), (30, "0-1h", -1)]


def test_without_its_creation_a_ticket_states_nothing_and_all_of_it_when_the_creation_comes() -> None:
    story = Story().wrote(10, "agent", "ann").status(20, "solved", who="ann")
    assert story.passed_on == []
    story.created()
    assert story.minutes(FIRST_RESPONSE) == [(10, 10)]
    assert story.minutes(RESOLUTION_FIRST) == [(20, 20)]


def test_a_fact_has_the_dimensions_of_just_after_its_event_and_a_later_update_does_not_restate_it() -> None:
    story = Story().created(priority="low").updated(5, priority="high").wrote(10, "agent", "ann")
    story.updated(15, priority=None)
    assert story.facts(FIRST_RESPONSE, "priority") == [(10, "high", 10 * MINUTE_MS)]


def test_at_one_instant_an_update_comes_before_a_reply_whichever_arrives_first() -> None:
    story = Story().created().wrote(10, "agent", "ann").updated(10, priority="urgent")
    assert story.facts(FIRST_RESPONSE, "priority") == [(10, "urgent", 10 * MINUTE_MS)]


# Backlog


def test_an_open_ticket_joins_the_backlog_at_its_creation_and_leaves_it_when_it_is_solved() -> None:
    story = Story().created().status(30, "solved")
    assert story.moves(BACKLOG) == [(0, "", 1), (30, "", -1)]
    assert story.moves(OPEN_TICKETS) == [(0, "", 1), (30, "", -1)]
    assert {value for _, _, value in story.facts(OPEN_TICKETS)} == {T0_MS}
    assert story.entity.fold.closed


def test_a_reopen_joins_the_backlog_again_and_the_age_still_counts_from_the_creation() -> None:
    story = Story().created().status(30, "solved").status(40, "open")
    assert story.moves(BACKLOG) == [(0, "", 1), (30, "", -1), (40, "", 1)]
    assert {value for _, _, value in story.facts(OPEN_TICKETS)} == {T0_MS}
    assert not story.entity.fold.closed


def test_an_update_moves_the_levels_and_ages_at_its_time() -> None:
    story = Story().created(group="g1").updated(10, group="g2")
    for measure in (BACKLOG, BACKLOG_UNASSIGNED, BACKLOG_UNATTENDED, OPEN_TICKETS, UNANSWERED_TICKETS):
        assert story.moves(measure, "group") == [(0, "g1", 1), (10, "g1", -1), (10, "g2", 1)]


def test_the_backlog_by_status_is_new_until_the_first_status_and_carries_no_total() -> None:
    story = Story().created().status(10, "pending").status(20, "solved")
    assert story.moves(BACKLOG, "status") == [(0, "new", 1), (10, "new", -1), (10, "pending", 1), (20, "pending", -1)]
    assert len(story.moves(BACKLOG)) == 2


def test_an_open_ticket_grows_through_the_age_bands_at_their_very_ends() -> None:
    story = Story().created().until(400 * DAY)
    ends = [("0-1h", 1), ("1-4h", 4), ("4-24h", 24), ("1-3d", 72), ("3-7d", 168)]
    expected = [(0.0, "0-1h", 1)]
    for (band, end), (following, _) in zip(ends, [*ends[1:], (">7d", 0)], strict=True):
        expected += [(end * HOUR, band, -1), (end * HOUR, following, 1)]
    assert story.moves(BACKLOG, "age_band") == sorted(expected)
    assert story.entity.fold.next_due_ms() > story.clock_ms


def test_a_solved_ticket_leaves_its_age_band_and_a_reopened_one_joins_that_of_its_age() -> None:
    story = Story().created().status(30, "solved").status(5 * HOUR, "open")
    assert story.moves(BACKLOG, "age_band") == [(0, "0-1h", 1), (30, "0-1h", -1), (5 * HOUR, "4-24h", 1)]


def test_with_closed_alone_as_terminal_a_solved_ticket_stays_in_the_backlog_and_is_solved_all_the_same() -> None:
    story = Story(Options(terminal_statuses=frozenset({"closed"}))).created().status(30, "solved").status(90, "closed")
    assert story.moves(BACKLOG) == [(0, "", 1), (90, "", -1)]
    assert story.minutes(RESOLUTION_FIRST) == [(30, 30)]
    assert story.minutes(RESOLUTION_FULL) == [(30, 30)]
    assert story.moves(UNANSWERED_TICKETS) == [(0, "", 1), (30, "", -1)]


def test_a_ticket_is_unassigned_while_no_agent_has_it() -> None:
    story = Story().created().assigned(10, "ann").assigned(20, None, "g2").assigned(30, "bob")
    assert story.moves(BACKLOG_UNASSIGNED) == [(0, "", 1), (10, "", -1), (20, "", 1), (30, "", -1)]
    assert story.moves(BACKLOG_UNASSIGNED, "group")[-1] == (30, "g2", -1)


def test_a_ticket_is_unattended_from_a_customers_creation_until_a_public_human_reply() -> None:
    story = Story().created().wrote(5, "bot").wrote(6, "agent", "ann", public=False).wrote(10, "agent", "ann")
    assert story.moves(BACKLOG_UNATTENDED) == [(0, "", 1), (10, "", -1)]


def test_solving_ends_unattended_and_only_a_new_message_begins_it_after_a_reopen() -> None:
    story = Story().created().status(10, "solved").status(20, "open").wrote(30, "customer")
    assert story.moves(BACKLOG_UNATTENDED) == [(0, "", 1), (10, "", -1), (30, "", 1)]


def test_a_message_to_a_solved_ticket_is_unattended_once_the_ticket_is_open_again() -> None:
    story = Story().created().wrote(5, "agent").status(10, "solved").wrote(20, "customer").status(20, "open")
    assert story.moves(BACKLOG_UNATTENDED) == [(0, "", 1), (5, "", -1), (20, "", 1)]


@pytest.mark.parametrize("creator", ["agent", "bot", "system"])
def test_a_ticket_that_no_customer_created_is_attended_until_the_customer_writes(creator: str) -> None:
    story = Story().created(by=creator).wrote(10, "customer")
    assert story.moves(BACKLOG_UNATTENDED) == [(10, "", 1)]


# First response


def test_the_first_response_is_the_first_public_message_of_a_human_agent() -> None:
    story = Story().created()
    for minute, author in enumerate(("bot", "automation", "campaign", "system", "customer"), start=1):
        story.wrote(minute, author)
    story.wrote(6, "agent", "ann", public=False).wrote(10, "agent", "bob").wrote(20, "agent", "ann")
    assert story.minutes(FIRST_RESPONSE) == [(10, 10)]
    assert story.agents(FIRST_RESPONSE) == ["bob"]
    assert story.moves(UNANSWERED_TICKETS) == [(0, "", 1), (10, "", -1)]


def test_a_first_response_of_an_unknown_sender_is_credited_to_unknown() -> None:
    assert Story().created().assigned(1, "ann").wrote(10, "agent").agents(FIRST_RESPONSE) == ["unknown"]


def test_a_late_earlier_reply_takes_the_first_response_back() -> None:
    story = Story().created().wrote(20, "agent", "ann").wrote(10, "agent", "bob")
    assert story.minutes(FIRST_RESPONSE) == [(10, 10)]
    assert story.agents(FIRST_RESPONSE) == ["bob"]


def test_where_no_customer_created_it_the_wait_begins_with_the_first_customer_message() -> None:
    story = Story().created(by="bot").wrote(5, "customer").wrote(8, "customer").wrote(15, "agent", "ann")
    assert story.minutes(FIRST_RESPONSE) == [(15, 10)]
    assert story.moves(UNANSWERED_TICKETS) == [(5, "", 1), (15, "", -1)]
    assert {value for _, _, value in story.facts(UNANSWERED_TICKETS)} == {at(5)}


def test_where_no_customer_ever_wrote_the_first_response_counts_from_the_creation() -> None:
    story = Story().created(by="system").wrote(15, "agent", "ann")
    assert story.minutes(FIRST_RESPONSE) == [(15, 15)]
    assert story.moves(UNANSWERED_TICKETS) == []


def test_a_ticket_that_an_agent_created_has_no_first_response_and_waits_for_none() -> None:
    story = Story().created(by="agent").wrote(5, "customer").wrote(15, "agent", "ann")
    assert story.minutes(FIRST_RESPONSE) == []
    assert story.moves(UNANSWERED_TICKETS) == []


def test_a_reply_before_the_creation_counts_as_zero_and_is_reported() -> None:
    story = Story().wrote(-5, "agent", "ann").created()
    assert story.minutes(FIRST_RESPONSE) == [(-5, 0)]
    assert story.problems == ["negative_duration"]
    assert story.moves(BACKLOG_UNATTENDED) == []


@pytest.mark.parametrize(("channel", "seconds"), [("chat", 60), ("voice", 20), ("social", 3_600), ("email", 86_400)])
def test_a_first_response_is_in_target_up_to_its_channels_last_second(channel: str, seconds: int) -> None:
    minutes = seconds / 60
    in_time = Story().created(channel=channel).wrote(minutes, "agent", "ann")
    late = Story().created(channel=channel).wrote(minutes + 0.001, "agent", "ann")
    assert in_time.facts(FIRST_RESPONSE_IN_TARGET, "agent") == [(minutes, "ann", 1)]
    assert late.count(FIRST_RESPONSE_IN_TARGET) == 0
    assert late.count(FIRST_RESPONSE) == 1


# Next replies


def test_each_customer_turn_after_the_first_response_counts_from_its_oldest_message() -> None:
    story = Story().created().wrote(5, "agent", "ann").wrote(10, "customer").wrote(12, "customer").wrote(13, "bot")
    story.wrote(20, "agent", "bob").wrote(21, "agent", "bob").wrote(30, "customer").wrote(33, "agent", "ann")
    assert story.minutes(NEXT_REPLY) == [(20, 10), (33, 3)]
    assert story.agents(NEXT_REPLY) == ["bob", "ann"]


def test_solving_ends_a_turn_without_a_sample() -> None:
    story = Story().created().wrote(5, "agent", "ann").wrote(10, "customer").status(15, "solved").status(20, "open")
    story.wrote(25, "agent", "ann")
    assert story.minutes(NEXT_REPLY) == []


def test_all_agent_messages_of_one_session_are_one_reply() -> None:
    story = Story().created().wrote(5, "agent", "ann", session="s1").wrote(6, "customer", session="s1")
    story.wrote(8, "agent", "ann", session="s1").wrote(20, "customer", session="s2")
    story.wrote(24, "agent", "ann", session="s2").wrote(25, "customer", session="s2")
    story.wrote(29, "agent", "ann", session="s2")
    assert story.minutes(NEXT_REPLY) == [(24, 4)]
    assert story.moves(BACKLOG_UNATTENDED)[-1] == (29, "", -1)


# Resolution


def test_a_reopen_takes_the_full_resolution_back_and_leaves_the_first() -> None:
    story = Story().created().status(30, "solved", who="ann").status(40, "open")
    assert story.minutes(RESOLUTION_FIRST) == [(30, 30)]
    assert story.minutes(RESOLUTION_FULL) == []
    story.status(70, "solved", who="bob")
    assert story.minutes(RESOLUTION_FIRST) == [(30, 30)]
    assert story.minutes(RESOLUTION_FULL) == [(70, 70)]
    assert story.agents(RESOLUTION_FULL) == ["bob"]
    assert story.facts(FIRST_SOLVES, "agent") == [(30, "ann", 1)]


def test_a_close_without_a_solve_is_the_solve_and_closing_a_solved_ticket_changes_nothing() -> None:
    closed = Story().created().status(30, "closed", who="ann")
    assert closed.minutes(RESOLUTION_FULL) == [(30, 30)]
    both = Story().created().status(30, "solved", who="ann").status(90, "closed").status(95, "solved")
    assert both.minutes(RESOLUTION_FULL) == [(30, 30)]
    assert both.moves(BACKLOG) == [(0, "", 1), (30, "", -1)]


@pytest.mark.parametrize("status", ["new", "open", "pending", "on_hold"])
def test_solved_to_any_status_that_is_not_terminal_is_a_reopen(status: str) -> None:
    story = Story().created().status(30, "closed").status(40, status).until(30 * DAY)
    assert story.count(RESOLUTION_FULL) == 0
    assert story.count(COHORT_REOPENS) == 1


def test_the_solver_is_the_actor_else_the_assignee_else_unknown() -> None:
    assert Story().created().assigned(1, "ann").status(9, "solved", who="bob").agents(RESOLUTION_FIRST) == ["bob"]
    assert Story().created().assigned(1, "ann").status(9, "solved").agents(RESOLUTION_FIRST) == ["ann"]
    assert Story().created().status(9, "solved").agents(RESOLUTION_FIRST) == ["unknown"]
    by_customer = Story().created().assigned(1, "ann").status(9, "solved", "customer", "customer-7")
    assert by_customer.agents(RESOLUTION_FIRST) == ["ann"]


def test_where_automatic_solves_do_not_count_the_resolution_times_are_those_of_the_first_other_solve() -> None:
    story = Story(Options(auto_resolve_counts=False)).created().status(30, "solved", "automation")
    assert story.minutes(RESOLUTION_FIRST) == story.minutes(RESOLUTION_FULL) == []
    assert story.count(FIRST_SOLVES) == 1
    story.status(40, "open").status(50, "solved", who="ann")
    assert story.minutes(RESOLUTION_FIRST) == story.minutes(RESOLUTION_FULL) == [(50, 50)]
    assert story.count(FIRST_SOLVES) == 1


def test_automatic_solves_count_by_default() -> None:
    assert Story().created().status(30, "solved", "automation").minutes(RESOLUTION_FIRST) == [(30, 30)]


# The reopen cohort


def test_a_first_solve_joins_its_cohort_when_the_window_has_passed_in_the_pane_of_the_solve() -> None:
    story = Story().created().status(30, "solved", who="ann").until(7 * DAY + 29.99)
    assert story.count(COHORT_SOLVES) == 0
    story.until(7 * DAY + 30)
    assert story.facts(COHORT_SOLVES, "agent") == [(30, "ann", 1)]
    assert story.count(COHORT_REOPENS) == 0


@pytest.mark.parametrize(("late_ms", "reopens"), [(-1, 1), (0, 1), (1, 0)])
@pytest.mark.parametrize("moment_first", [True, False])
def test_a_reopen_at_the_windows_very_end_counts_as_within_and_a_millisecond_later_does_not(
    late_ms: int, reopens: int, moment_first: bool
) -> None:
    story = Story().created().status(30, "solved")
    if moment_first:
        story.until(7 * DAY + 30)
    story.status(7 * DAY + 30 + late_ms / MINUTE_MS, "open").until(30 * DAY)
    assert (story.count(COHORT_SOLVES), story.count(COHORT_REOPENS)) == (1, reopens)


def test_however_often_it_is_reopened_a_ticket_is_once_in_the_cohort_of_its_first_solve() -> None:
    story = Story().created()
    for minute in (30, 50, 70):
        story.status(minute, "solved").status(minute + 10, "open")
    story.until(30 * DAY)
    assert story.facts(COHORT_SOLVES) == story.facts(COHORT_REOPENS) == [(30, "", 1)]


# First contact resolution


def fcr(story: Story) -> tuple[int, int]:
    return story.count(FCR_SOLVES), story.count(FCR_FIRST_CONTACT)


def test_one_reply_by_the_agent_who_solves_is_first_contact() -> None:
    story = Story().created().wrote(3, "customer").assigned(4, "ann").wrote(5, "agent", "ann")
    assert fcr(story.status(30, "solved", who="ann")) == (1, 1)
    assert story.facts(FCR_FIRST_CONTACT, "agent") == [(30, "ann", 1)]


def test_a_customer_message_after_the_first_reply_is_no_first_contact() -> None:
    story = Story().created().wrote(5, "agent", "ann").wrote(8, "customer").wrote(9, "agent", "ann")
    assert fcr(story.status(30, "solved", who="ann")) == (1, 0)


def test_a_second_handling_agent_is_no_first_contact() -> None:
    two_senders = Story().created().wrote(5, "agent", "ann").wrote(6, "agent", "bob").status(30, "solved", who="ann")
    other_solver = Story().created().wrote(5, "agent", "ann").status(30, "solved", who="bob")
    private_help = Story().created().wrote(5, "agent", "bob", public=False).wrote(6, "agent", "ann")
    assert fcr(two_senders) == fcr(other_solver) == (1, 0)
    assert fcr(private_help.status(30, "solved", who="ann")) == (1, 1)


def test_a_transfer_to_another_agent_is_no_first_contact_and_an_assignment_to_the_same_one_is_no_transfer() -> None:
    transferred = Story().created().assigned(1, "ann").assigned(2, None).assigned(3, "bob").wrote(5, "agent", "bob")
    again = Story().created().assigned(1, "bob").assigned(2, None).assigned(3, "bob").wrote(5, "agent", "bob")
    assert fcr(transferred.status(30, "solved", who="bob")) == (1, 0)
    assert fcr(again.status(30, "solved", who="bob")) == (1, 1)


@pytest.mark.parametrize("actor", ["bot", "automation", "system"])
def test_a_first_solve_that_is_not_a_humans_is_not_asked_for_first_contact(actor: str) -> None:
    story = Story().created().status(30, "solved", actor).status(40, "open").status(50, "solved", who="ann")
    assert fcr(story) == (0, 0)


# Spam, deleted, merged


@pytest.mark.parametrize("status", ["spam", "deleted"])
def test_spam_and_deleted_tickets_leave_every_count_and_another_status_brings_them_back(status: str) -> None:
    story = Story().created().wrote(10, "agent", "ann").status(20, status)
    assert not net(story.passed_on)
    assert story.entity.fold.closed
    story.status(40, "open")
    assert story.facts(TICKETS_CREATED) == [(0, "", 1)]
    assert story.minutes(FIRST_RESPONSE) == [(10, 10)]
    assert story.moves(BACKLOG) == [(0, "", 1), (20, "", -1), (40, "", 1)]


def test_a_solved_ticket_that_comes_back_from_spam_as_open_is_reopened() -> None:
    story = Story().created().status(10, "solved").status(20, "spam").status(30, "open")
    assert story.count(RESOLUTION_FULL) == 0
    assert story.minutes(RESOLUTION_FIRST) == [(10, 10)]


def test_a_merged_ticket_leaves_every_count_for_good() -> None:
    story = Story().created().wrote(10, "agent", "ann").status(20, "solved").merged(30).status(40, "open").until(DAY)
    assert not net(story.passed_on)
    assert story.entity.fold.closed
    assert story.entity.fold.due == {}


# Surveys


def test_a_rating_counts_on_one_to_five_for_the_solver() -> None:
    story = Story().created().assigned(1, "ann").status(10, "solved", who="bob").rated(20, 4)
    assert story.facts(CSAT_ANSWERS, "agent") == story.facts(CSAT_POSITIVE, "agent") == [(20, "bob", 1)]
    assert story.facts(CSAT_SCORE) == [(20, "", 4_000_000)]


def test_a_rating_before_any_solve_is_the_assignees_and_without_one_unknowns() -> None:
    assert Story().created().assigned(1, "ann").rated(20, 5).agents(CSAT_ANSWERS) == ["ann"]
    assert Story().created().rated(20, 5).agents(CSAT_ANSWERS) == ["unknown"]


def test_a_re_rating_replaces_in_the_window_and_cuts_of_the_first_answer() -> None:
    story = Story().created().status(10, "solved", who="bob").rated(20, 5).assigned(25, "ann").rated(90, 2)
    assert story.facts(CSAT_ANSWERS, "agent") == [(20, "bob", 1)]
    assert story.facts(CSAT_SCORE, "agent") == [(20, "bob", 2_000_000)]
    assert story.count(CSAT_POSITIVE) == 0
    story.rated(95, 4)
    assert story.facts(CSAT_POSITIVE, "agent") == [(20, "bob", 1)]


def test_two_surveys_of_a_ticket_are_two_answers() -> None:
    story = Story().created().rated(20, 5).rated(90, 2, survey="s2")
    assert [value for _, _, value in story.facts(CSAT_SCORE)] == [5_000_000, 2_000_000]
