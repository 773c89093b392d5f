from __future__ import annotations

from collections import Counter
from functools import partial

from stream_kpi.lifecycles.entity import Entity
from stream_kpi.lifecycles.facts import CutSets, Fact
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.user.events import Performed, SignedUp, UserEvent
from stream_kpi.lifecycles.user.fold import UserFold
from stream_kpi.measures.registry import (
    COHORT_ACTIVATED,
    COHORT_SIGNUPS,
    DAILY_ACTIVE_USERS,
    MONTHLY_ACTIVE_USERS,
    WEEKLY_ACTIVE_USERS,
    Measure,
)

T = 1_700_000_000_000
HOUR, DAY = 3_600_000, 86_400_000
PRO, TEAM = ("plan", "pro"), ("plan", "team")


class User:
    """A user under test; an ``invite`` activates."""

    def __init__(self, options: Options | None = None) -> None:
        self.cut_sets = CutSets()
        options = options or Options(activation_action="invite")
        self.entity = Entity(partial(UserFold, self.cut_sets, options))
        self.facts: list[Fact] = []
        self.problems: list[str] = []

    def add(self, event: UserEvent) -> None:
        self.facts += self.entity.apply(event, max(event.time_ms, self.entity.clock_ms)) or []
        self.problems += self.entity.take_problems()

    def act(self, after_ms: int, action: str = "login", plan: str | None = "pro") -> None:
        self.add(Performed(T + after_ms, f"a{after_ms}{action}", action, plan))

    def sign_up(self, after_ms: int) -> None:
        self.add(SignedUp(T + after_ms, f"s{after_ms}", "ads", "pro"))

    def advance(self, after_ms: int) -> None:
        self.facts += self.entity.advance(T + after_ms)

    def changes(self, measure: Measure, cut: tuple[str, ...] = ()) -> list[tuple[int, int]]:
        """Net changes of a cut: milliseconds after T, by how much."""
        sums: Counter[int] = Counter()
        for slot, time_ms, cuts, value, sign in self.facts:
            if slot == measure.slot and cut in self.cut_sets.cuts_of(cuts):
                sums[time_ms - T] += value * sign
        return [(time_ms, n) for time_ms, n in sorted(sums.items()) if n]


def test_a_user_is_active_for_a_day_a_week_and_a_month_after_the_last_activity() -> None:
    user = User()
    user.act(0)
    user.act(HOUR)
    user.advance(40 * DAY)
    for cut in ((), PRO):
        assert user.changes(DAILY_ACTIVE_USERS, cut) == [(0, 1), (HOUR + DAY, -1)]
        assert user.changes(WEEKLY_ACTIVE_USERS, cut) == [(0, 1), (HOUR + 7 * DAY, -1)]
        assert user.changes(MONTHLY_ACTIVE_USERS, cut) == [(0, 1), (HOUR + 30 * DAY, -1)]


def test_who_comes_back_at_the_very_end_of_the_day_has_never_left() -> None:
    user = User()
    user.act(0)
    user.advance(DAY)
    assert user.changes(DAILY_ACTIVE_USERS) == [(0, 1), (DAY, -1)]
    user.act(DAY)
    assert user.changes(DAILY_ACTIVE_USERS) == [(0, 1)]
    user.act(3 * DAY)
    assert user.changes(DAILY_ACTIVE_USERS) == [(0, 1), (2 * DAY, -1), (3 * DAY, 1)]
    assert user.changes(WEEKLY_ACTIVE_USERS) == [(0, 1)]


def test_an_activity_that_comes_late_joins_two_stays_into_one() -> None:
    user = User()
    user.act(0)
    user.act(2 * DAY - HOUR)
    user.advance(10 * DAY)
    assert len(user.changes(DAILY_ACTIVE_USERS)) == 4
    user.act(DAY - HOUR)
    assert user.changes(DAILY_ACTIVE_USERS) == [(0, 1), (3 * DAY - HOUR, -1)]


def test_by_plan_a_user_counts_under_each_plan_that_was_used() -> None:
    user = User()
    user.act(0, plan="pro")
    user.act(HOUR, plan="team")
    user.act(2 * HOUR, plan=None)
    user.advance(2 * DAY)
    assert user.changes(DAILY_ACTIVE_USERS, PRO) == [(0, 1), (DAY, -1)]
    assert user.changes(DAILY_ACTIVE_USERS, TEAM) == [(HOUR, 1), (DAY + HOUR, -1)]
    assert user.changes(DAILY_ACTIVE_USERS, ("plan", "unknown")) == [(2 * HOUR, 1), (DAY + 2 * HOUR, -1)]
    assert user.changes(DAILY_ACTIVE_USERS) == [(0, 1), (DAY + 2 * HOUR, -1)]


def test_a_sign_up_is_decided_after_a_week_and_counts_when_it_was() -> None:
    in_time, too_late, never = User(), User(), User()
    for user in (in_time, too_late, never):
        user.sign_up(0)
        user.act(HOUR, "login")
        user.advance(7 * DAY - 1)
        assert user.changes(COHORT_SIGNUPS) == []
    in_time.act(7 * DAY, "invite")
    too_late.act(7 * DAY + 1, "invite")
    for user, activated in ((in_time, [(0, 1)]), (too_late, []), (never, [])):
        user.advance(8 * DAY)
        for cut in ((), ("channel", "ads"), PRO):
            assert user.changes(COHORT_SIGNUPS, cut) == [(0, 1)]
            assert user.changes(COHORT_ACTIVATED, cut) == activated


def test_what_was_done_before_the_sign_up_does_not_activate_until_a_late_sign_up_shows_that_it_was_after() -> None:
    user = User()
    user.act(HOUR, "invite")
    user.sign_up(2 * HOUR)
    user.advance(8 * DAY)
    assert user.changes(COHORT_ACTIVATED) == []
    user.sign_up(0)
    assert user.changes(COHORT_SIGNUPS) == user.changes(COHORT_ACTIVATED) == [(0, 1)]
    assert user.problems == ["second_signup"]


def test_without_an_activation_action_no_sign_up_is_counted() -> None:
    user = User(Options())
    user.sign_up(0)
    user.act(HOUR, "invite")
    user.advance(60 * DAY)
    assert user.changes(COHORT_SIGNUPS) == user.changes(COHORT_ACTIVATED) == []


def test_of_years_of_activity_only_what_can_matter_is_kept() -> None:
    user = User()
    for hour in range(2 * 24 * 365):
        user.act(hour * HOUR, "invite" if hour % 100 == 0 else "login")
    assert len(user.entity.history) < 2_200
    user.sign_up(1_000 * HOUR + 1)
    user.act(1_003 * HOUR)  # delivered again
    user.advance(3 * 365 * DAY)
    assert user.changes(DAILY_ACTIVE_USERS) == [(0, 1), ((2 * 24 * 365 - 1) * HOUR + DAY, -1)]
    assert user.changes(COHORT_ACTIVATED) == [(1_000 * HOUR + 1, 1)]
    assert user.entity.fold.closed
    assert user.entity.fold.next_due_ms() > T + 3 * 365 * DAY
