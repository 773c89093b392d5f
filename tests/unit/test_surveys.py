"""Surveys as a user sees them: satisfaction by class, response rate, effort; worked out by hand from small stories."""

from __future__ import annotations

import pytest

from stream_kpi.compute import Computation
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.options import SURVEY_WINDOW_MS, Options
from stream_kpi.lifecycles.survey import rating_facts
from stream_kpi.measures import registry
from stream_kpi.windows.kinds import parse
from tests.catalogue_kit import kpi_by_id
from tests.shard_kit import DAY_MS, HOUR_MS, MINUTE_MS, T0_MS, created, event, status

WEEK_MS = SURVEY_WINDOW_MS
CLASSES = {
    "very_positive": registry.CSAT_CLASS_VERY_POSITIVE,
    "positive": registry.CSAT_CLASS_POSITIVE,
    "neutral": registry.CSAT_CLASS_NEUTRAL,
    "poor": registry.CSAT_CLASS_POOR,
    "very_poor": registry.CSAT_CLASS_VERY_POOR,
}


def sent(subject: str, time_ms: int, survey: str = "v", kind: str = "csat", prefix: str = "ticket") -> bytes:
    uid = f"{subject}/{survey}/{kind}/sent/{time_ms}"
    return event(f"{prefix}.survey_sent", subject, time_ms, uid, survey_id=survey, kind=kind)


def answered(
    subject: str,
    time_ms: int,
    score: float = 5,
    survey: str = "v",
    kind: str = "csat",
    scale: tuple[float, float] = (1, 5),
    prefix: str = "ticket",
) -> bytes:
    data = {"survey_id": survey, "kind": kind, "score": score, "scale_min": scale[0], "scale_max": scale[1]}
    return event(f"{prefix}.survey_answered", subject, time_ms, f"{subject}/{survey}/{kind}/{time_ms}", **data)


def records(
    kpi: str,
    lines: list[bytes],
    at_ms: int,
    *,
    window: str = "total",
    by: str = "",
    options: Options | None = None,
) -> list[KpiRecord]:
    computation = Computation(options or Options(), parse(window), at_ms)
    for line in lines:
        assert computation.take(line) is None
    return list(computation.records([kpi_by_id(kpi)], [by] if by else []))


def fractions(found: list[KpiRecord]) -> dict[str, tuple[float | None, float | None]]:
    """Numerator and denominator by the values of the cut."""
    return {" ".join(record.cut.values()): (record.numerator, record.denominator) for record in found}


# How an answer rates


@pytest.mark.parametrize(
    ("score", "scale", "millionths", "positive"),
    [
        (1, (1, 5), 1_000_000, False),
        (5, (1, 5), 5_000_000, True),
        (4, (1, 5), 4_000_000, True),
        (3.9999999, (1, 5), 4_000_000, False),
        (0.3, (0, 0.4), 4_000_000, True),
        (8, (0, 10), 4_200_000, True),
        (7, (0, 10), 3_800_000, False),
        (1, (0, 3), 2_333_333, False),
        (2, (0, 3), 3_666_667, False),
        (1, (0, 1), 5_000_000, True),
        (1, (0, 8_000_000), 1_000_000, False),
        (3, (0, 8_000_000), 1_000_002, False),
    ],
)
def test_a_rating_is_placed_exactly_on_one_to_five_rounded_half_to_even(
    score: float, scale: tuple[float, float], millionths: int, positive: bool
) -> None:
    facts = dict(rating_facts("csat", score, *scale))
    assert facts[registry.CSAT_SCORE.slot] == millionths
    assert (registry.CSAT_POSITIVE.slot in facts) is positive


@pytest.mark.parametrize(
    ("score", "scale", "name"),
    [
        (5, (1, 5), "very_positive"),
        (4, (1, 5), "positive"),
        (3, (1, 5), "neutral"),
        (2, (1, 5), "poor"),
        (1, (1, 5), "very_poor"),
        # a boundary goes up
        (4.5, (1, 5), "very_positive"),
        (3.5, (1, 5), "positive"),
        (2.5, (1, 5), "neutral"),
        (1.5, (1, 5), "poor"),
        (8.75, (0, 10), "very_positive"),
        # 0.7 / 0.8 is less than 0.875 in binary, and 0.3 / 0.8 more than 0.375
        (0.7, (0, 0.8), "very_positive"),
        (0.3, (0, 0.8), "neutral"),
        (-0.1, (-0.8, 0), "very_positive"),
        # the score below is rounded to the boundary, the class is not
        (8.7499999, (0, 10), "positive"),
        (6.2499999, (0, 10), "neutral"),
        (3.7499999, (0, 10), "poor"),
        (1.2499999, (0, 10), "very_poor"),
    ],
)
def test_the_class_of_a_rating_follows_from_the_score_itself(
    score: float, scale: tuple[float, float], name: str
) -> None:
    facts = dict(rating_facts("csat", score, *scale))
    assert [one for one, measure in CLASSES.items() if measure.slot in facts] == [name]


def test_a_score_just_below_a_boundary_counts_in_the_mean_as_the_boundary() -> None:
    assert dict(rating_facts("csat", 8.7499999, 0, 10))[registry.CSAT_SCORE.slot] == 4_500_000


@pytest.mark.parametrize(
    ("score", "scale", "millionths", "easy"),
    [
        (1, (1, 7), 1_000_000, False),
        (5, (1, 7), 5_000_000, True),
        (7, (1, 7), 7_000_000, True),
        (4.9999999, (1, 7), 5_000_000, False),
        (4, (1, 5), 5_500_000, True),
        (3, (1, 5), 4_000_000, False),
        (0.4, (0, 0.6), 5_000_000, True),
        (0, (0, 10), 1_000_000, False),
    ],
)
def test_an_effort_answer_is_placed_exactly_on_one_to_seven_and_is_easy_from_five(
    score: float, scale: tuple[float, float], millionths: int, easy: bool
) -> None:
    facts = dict(rating_facts("ces", score, *scale))
    assert facts.pop(registry.CES_SCORE.slot) == millionths
    assert facts == ({registry.CES_EASY.slot: 1} if easy else {})


def test_a_score_keeps_its_decimals_on_the_way_from_the_wire() -> None:
    lines = [created("A", T0_MS), answered("A", T0_MS, 0.7, scale=(0, 0.8))]
    assert fractions(records("csat_distribution", lines, T0_MS))["very_positive"] == (1, 1)


# csat_distribution


def test_six_ratings_are_shared_among_the_five_classes() -> None:
    ratings = [answered("A", T0_MS + n, score, f"v{n}") for n, score in enumerate((5, 5, 4, 3, 2, 1))]
    found = records("csat_distribution", [created("A", T0_MS), *ratings], T0_MS + HOUR_MS)
    assert [r.cut for r in found] == [{"class": name} for name in CLASSES]
    assert [r.numerator for r in found] == [2, 1, 1, 1, 1]
    assert [r.value for r in found] == [2 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6]
    assert {(r.denominator, r.samples, r.unit) for r in found} == {(6, 6, "ratio")}


def test_a_re_rating_moves_to_another_class_in_the_window_and_cuts_of_the_first_answer() -> None:
    lines = [
        created("A", T0_MS),
        status("A", T0_MS + MINUTE_MS, "solved"),
        answered("A", T0_MS + 2 * MINUTE_MS, 5),
        event("ticket.updated", "A", T0_MS + 3 * MINUTE_MS, "u", channel="phone"),
        answered("A", T0_MS + 2 * HOUR_MS, 2),
    ]
    for order in (lines, lines[::-1]):
        found = records("csat_distribution", order, T0_MS + 3 * HOUR_MS, window="tumbling:1h", by="channel")
        first, _, last = (
            fractions([r for r in found if r.window.start == f"2026-03-02T{hour}:00:00.000Z"]) for hour in (10, 11, 12)
        )
        moved = {"very_positive": (0, 1), "positive": (0, 1), "neutral": (0, 1), "poor": (1, 1), "very_poor": (0, 1)}
        assert first == {**moved, **{f"email {name}": counted for name, counted in moved.items()}}
        assert set(last.values()) == {(0, 0)}
        assert not any(record.cut.get("channel") == "phone" for record in found)


def test_spam_takes_its_rating_out_of_the_distribution_which_keeps_all_classes() -> None:
    lines = [created("A", T0_MS), answered("A", T0_MS + 1, 5), status("A", T0_MS + 2, "spam")]
    found = records("csat_distribution", lines, T0_MS + HOUR_MS, by="channel")
    assert [(r.cut["class"], r.value, r.samples) for r in found] == [(name, None, 0) for name in CLASSES]


# survey_response_rate


def test_of_three_surveys_one_is_answered_at_the_last_instant_one_too_late_and_one_never() -> None:
    lines = [
        *(created(name, T0_MS) for name in "ABC"),
        *(sent(name, T0_MS) for name in "ABC"),
        answered("A", T0_MS + WEEK_MS),
        answered("B", T0_MS + WEEK_MS + 1),
    ]
    for order in (lines, lines[::-1]):
        (record,) = records("survey_response_rate", order, T0_MS + WEEK_MS + HOUR_MS)
        assert (record.value, record.numerator, record.denominator, record.samples) == (1 / 3, 1, 3, 3)
        assert record.interval is not None


def test_a_survey_is_counted_when_its_week_is_over_even_if_it_was_answered_at_once() -> None:
    lines = [created("A", T0_MS), sent("A", T0_MS), answered("A", T0_MS + MINUTE_MS)]
    (young,) = records("survey_response_rate", lines, T0_MS + WEEK_MS - 1)
    assert (young.value, young.samples) == (None, 0)
    (decided,) = records("survey_response_rate", lines, T0_MS + WEEK_MS)
    assert (decided.value, decided.samples) == (1.0, 1)


def test_surveys_of_one_ticket_are_decided_each_in_its_time() -> None:
    lines = [
        created("A", T0_MS),
        *(sent("A", T0_MS + n * DAY_MS, f"v{n}") for n in range(3)),
        answered("A", T0_MS + 3 * DAY_MS, 5, "v1"),
    ]
    for days, counted in ((6, (0, 0)), (7, (0, 1)), (8, (1, 2)), (9, (1, 3))):
        (record,) = records("survey_response_rate", lines, T0_MS + days * DAY_MS)
        assert (record.numerator, record.denominator) == counted


def test_a_survey_counts_in_the_window_it_was_sent_in_for_the_agent_of_that_moment_and_by_its_kind() -> None:
    assigned = [
        event("ticket.assigned", "A", T0_MS + n * HOUR_MS, f"as{n}", agent_id=agent)
        for n, agent in ((0, "ann"), (2, "bob"))
    ]
    lines = [
        created("A", T0_MS, brand="b1"),
        *assigned,
        sent("A", T0_MS + HOUR_MS),
        sent("A", T0_MS + HOUR_MS, "w", "nps"),
        answered("A", T0_MS + 3 * HOUR_MS),
    ]
    at_ms = T0_MS + 8 * DAY_MS
    assert fractions(records("survey_response_rate", lines, at_ms, by="agent")) == {
        "": (1, 2),
        "ann": (1, 2),
        "bob": (0, 0),  # who got the rating
    }
    assert fractions(records("survey_response_rate", lines, at_ms, by="brand")) == {"": (1, 2), "b1": (1, 2)}
    by_kind = fractions(records("survey_response_rate", lines, at_ms, by="kind"))
    assert by_kind == {"": (1, 2), "csat": (1, 1), "nps": (0, 1)}
    hours = records("survey_response_rate", lines, at_ms, window="tumbling:1h")
    assert [r.window.start for r in hours if r.samples] == ["2026-03-02T11:00:00.000Z"]


def test_a_reminder_is_no_other_survey_and_does_not_give_more_time() -> None:
    lines = [
        created("A", T0_MS),
        sent("A", T0_MS),
        sent("A", T0_MS + 5 * DAY_MS),
        answered("A", T0_MS + 8 * DAY_MS),
    ]
    (record,) = records("survey_response_rate", lines, T0_MS + 20 * DAY_MS)
    assert (record.numerator, record.denominator) == (0, 1)


def test_an_answer_that_was_sent_no_survey_is_in_no_response_rate_and_one_before_it_was_sent_is_an_answer() -> None:
    lines = [created("A", T0_MS), answered("A", T0_MS, 5, "unsent"), answered("A", T0_MS + 1), sent("A", T0_MS + 2)]
    (record,) = records("survey_response_rate", lines, T0_MS + 20 * DAY_MS)
    assert (record.numerator, record.denominator) == (1, 1)


def test_a_form_that_asks_two_questions_is_two_surveys() -> None:
    lines = [
        created("A", T0_MS),
        sent("A", T0_MS),
        sent("A", T0_MS, kind="ces"),
        answered("A", T0_MS + MINUTE_MS, 2),
        answered("A", T0_MS + MINUTE_MS, 6, kind="ces", scale=(1, 7)),
    ]
    at_ms = T0_MS + 20 * DAY_MS
    assert fractions(records("survey_response_rate", lines, at_ms)) == {"": (2, 2)}
    assert [r.value for kpi in ("csat_score", "ces_score") for r in records(kpi, lines, at_ms)] == [2.0, 6.0]


def test_spam_and_a_merge_take_decided_surveys_back() -> None:
    for gone in (status("A", T0_MS + 9 * DAY_MS, "spam"), event("ticket.merged", "A", T0_MS + DAY_MS, "m", into="B")):
        lines = [created("A", T0_MS), sent("A", T0_MS), answered("A", T0_MS + 1), gone]
        (record,) = records("survey_response_rate", lines, T0_MS + 10 * DAY_MS)
        assert (record.value, record.samples) == (None, 0)


def test_surveys_about_chats_count_too() -> None:
    lines = [
        event("chat.queued", "C", T0_MS, "q", queue="sales", channel="voice"),
        event("chat.accepted", "C", T0_MS + 1, "a", agent_id="ann"),
        event("chat.ended", "C", T0_MS + 2, "e", by="agent"),
        sent("C", T0_MS + 3, prefix="chat"),
        answered("C", T0_MS + WEEK_MS, prefix="chat"),
    ]
    found = records("survey_response_rate", lines, T0_MS + 8 * DAY_MS, by="agent")
    assert fractions(found) == {"": (1, 1), "ann": (1, 1)}


@pytest.mark.parametrize("reopen_days", [2, 7])
def test_a_rolling_window_shows_the_surveys_of_the_window_that_ended_a_week_ago(reopen_days: int) -> None:
    options = Options(reopen_window_ms=reopen_days * DAY_MS)
    lines = [
        line
        for day in (0, 10, 32)
        for line in (created(f"T{day}", T0_MS + day * DAY_MS), sent(f"T{day}", T0_MS + day * DAY_MS))
    ]
    lines += [answered("T10", T0_MS + 11 * DAY_MS), status("T10", T0_MS + 10 * DAY_MS, "solved")]
    # 38 days after T0 the window is that of days 1 to 31.
    for kpi, counted in (("survey_response_rate", (1, 1)), ("reopen_rate", (0, 1))):
        (record,) = records(kpi, lines, T0_MS + 38 * DAY_MS, window="rolling:30d", options=options)
        assert (record.numerator, record.denominator) == counted


def test_a_file_is_looked_back_on_for_a_week_in_a_window_of_hours_too() -> None:
    lines = [created("T", T0_MS), status("T", T0_MS + 2 * HOUR_MS, "solved")]
    decided_ms = T0_MS + 7 * DAY_MS
    for hours, counted in ((1, (0, 0)), (3, (0, 1)), (7, (0, 0))):
        (record,) = records("reopen_rate", lines, decided_ms + hours * HOUR_MS, window="rolling:4h")
        assert (record.numerator, record.denominator) == counted


# ces_score, ces_share


def test_effort_is_the_mean_on_one_to_seven_and_the_share_that_is_at_least_five() -> None:
    answers = [(7, (1, 7)), (5, (1, 7)), (2, (1, 7)), (0, (0, 10))]
    lines = [created("A", T0_MS, category="bug")]
    lines += [answered("A", T0_MS + n, s, f"v{n}", "ces", scale) for n, (s, scale) in enumerate(answers)]
    (score,) = records("ces_score", lines, T0_MS + HOUR_MS, window="month")
    assert (score.value, score.samples) == ((7 + 5 + 2 + 1) / 4, 4)
    assert score.stats is not None
    assert (score.stats.min, score.stats.p50, score.stats.max) == (1.0, 3.5, 7.0)
    (share,) = records("ces_share", lines, T0_MS + HOUR_MS, window="rolling:30d")
    assert (share.value, share.numerator, share.denominator) == (0.5, 2, 4)
    for by, value in (("channel", "email"), ("category", "bug")):
        assert fractions(records("ces_share", lines, T0_MS + HOUR_MS, by=by)) == {"": (2, 4), value: (2, 4)}


def test_an_effort_answer_given_again_replaces_in_the_month_of_the_first() -> None:
    month_end_ms = T0_MS + 30 * DAY_MS
    lines = [
        created("A", T0_MS),
        answered("A", month_end_ms - DAY_MS, 2, kind="ces", scale=(1, 7)),
        answered("A", month_end_ms + DAY_MS, 6, kind="ces", scale=(1, 7)),
    ]
    for order in (lines, lines[::-1]):
        march, april = records("ces_score", order, month_end_ms + 2 * DAY_MS, window="month")
        assert (march.value, march.samples) == (6.0, 1)
        assert (april.value, april.samples) == (None, 0)
        assert [r.value for r in records("ces_share", order, month_end_ms + 2 * DAY_MS, window="month")] == [1.0, None]


def test_without_effort_answers_there_is_no_value_and_other_surveys_are_none() -> None:
    lines = [created("A", T0_MS), answered("A", T0_MS, 5), answered("A", T0_MS, 9, "n", "nps", (0, 10))]
    for kpi in ("ces_score", "ces_share"):
        (record,) = records(kpi, lines, T0_MS + HOUR_MS)
        assert (record.value, record.samples, record.stats) == (None, 0, None)


def test_an_effort_answer_is_no_business_of_the_agents_and_of_no_other_survey() -> None:
    lines = [
        created("A", T0_MS),
        event("ticket.assigned", "A", T0_MS, "as", agent_id="ann"),
        answered("A", T0_MS, 6, kind="ces", scale=(1, 7)),
    ]
    assert [(r.cut, r.samples) for r in records("csat", lines, T0_MS + HOUR_MS, by="agent")] == [({}, 0)]
