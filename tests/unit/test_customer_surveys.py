"""Surveys on the signals topic, from their events to the records: of a customer, of no ticket or chat."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stream_kpi.entities import Entities
from stream_kpi.events.decode import decode
from stream_kpi.events.topics import TopicKind
from stream_kpi.lifecycles.facts import CutSets
from stream_kpi.lifecycles.options import Options
from stream_kpi.pipeline import ENTITY_KINDS, ROUTES, destinations
from tests.shard_kit import DAY_MS, HOUR_MS, LIVE, MINUTE_MS, T0_MS, created, event
from tests.unit.test_surveys import WEEK_MS, fractions, records
from tests.unit.test_surveys import answered as ticket_answered
from tests.unit.test_surveys import sent as ticket_sent


def sent(time_ms: int, survey: str = "v", kind: str = "csat", customer: str = "c1", **more: str) -> bytes:
    data = {"survey_id": survey, "kind": kind, "customer_id": customer, **more}
    return event("survey.sent", customer, time_ms, f"{customer}/{survey}/{kind}/sent/{time_ms}", **data)


def answered(
    time_ms: int,
    score: float,
    survey: str = "v",
    kind: str = "csat",
    scale: tuple[float, float] = (1, 5),
    customer: str = "c1",
    **more: str,
) -> bytes:
    data = {"survey_id": survey, "kind": kind, "customer_id": customer, **more}
    rating = {"score": score, "scale_min": scale[0], "scale_max": scale[1]}
    return event("survey.answered", customer, time_ms, f"{customer}/{survey}/{kind}/{time_ms}", **data, **rating)


def test_satisfaction_of_customers_is_counted_with_that_of_tickets_by_channel_and_category() -> None:
    lines = [
        created("A", T0_MS, category="bug"),
        ticket_answered("A", T0_MS + MINUTE_MS, 5),
        answered(T0_MS + MINUTE_MS, 2, "v1", channel="app", category="bug"),
        answered(T0_MS + MINUTE_MS, 4, "v2"),
    ]
    at_ms = T0_MS + HOUR_MS
    assert fractions(records("csat", lines, at_ms, by="channel")) == {
        "": (2, 3),
        "app": (0, 1),
        "email": (1, 1),
        "unknown": (1, 1),
    }
    assert fractions(records("csat", lines, at_ms, by="category")) == {"": (2, 3), "bug": (1, 2), "unknown": (1, 1)}
    (score,) = records("csat_score", lines, at_ms)
    assert (score.value, score.samples) == ((5 + 2 + 4) / 3, 3)
    classes = {name: counted for name, (counted, _) in fractions(records("csat_distribution", lines, at_ms)).items()}
    assert classes == {"very_positive": 1, "positive": 1, "neutral": 0, "poor": 1, "very_poor": 0}


@pytest.mark.parametrize("dimension", ["priority", "group", "brand"])
def test_the_dimensions_that_a_survey_cannot_name_are_unknown(dimension: str) -> None:
    lines = [answered(T0_MS, 5, channel="app")]
    assert fractions(records("csat", lines, T0_MS, by=dimension)) == {"": (1, 1), "unknown": (1, 1)}


def test_a_customers_survey_is_credited_to_no_agent() -> None:
    lines = [sent(T0_MS), answered(T0_MS, 5)]
    assert fractions(records("csat", lines, T0_MS + 8 * DAY_MS, by="agent")) == {"": (1, 1)}
    assert fractions(records("survey_response_rate", lines, T0_MS + 8 * DAY_MS, by="agent")) == {"": (1, 1)}


def test_a_re_rating_replaces_in_the_window_and_the_cuts_of_the_first_answer() -> None:
    lines = [
        answered(T0_MS, 5, channel="app"),
        answered(T0_MS + HOUR_MS, 1, channel="web"),
        answered(T0_MS + HOUR_MS, 1, channel="web"),
    ]
    for order in (lines, lines[::-1]):
        hours = records("csat", order, T0_MS + HOUR_MS, window="tumbling:1h", by="channel")
        assert [(r.cut, r.numerator, r.denominator) for r in hours if r.samples] == [
            ({}, 0, 1),
            ({"channel": "app"}, 0, 1),
        ]
        assert {r.window.start for r in hours if r.samples} == {"2026-03-02T10:00:00.000Z"}


def test_effort_of_customers_is_counted_by_channel_and_category() -> None:
    lines = [
        answered(T0_MS, 6, "v1", "ces", (1, 7), channel="app", category="bug"),
        answered(T0_MS, 2, "v2", "ces", (1, 7), channel="app"),
        answered(T0_MS + MINUTE_MS, 5, "v2", "ces", (1, 7)),
    ]
    (score,) = records("ces_score", lines, T0_MS + HOUR_MS)
    assert (score.value, score.samples) == (5.5, 2)
    assert fractions(records("ces_share", lines, T0_MS + HOUR_MS, by="channel")) == {"": (2, 2), "app": (2, 2)}
    by_category = fractions(records("ces_share", lines, T0_MS + HOUR_MS, by="category"))
    assert by_category == {"": (2, 2), "bug": (1, 1), "unknown": (1, 1)}


def test_of_surveys_sent_to_customers_those_answered_within_a_week_are_a_response_rate_of_all_kinds() -> None:
    lines = [
        created("A", T0_MS),
        ticket_sent("A", T0_MS),
        *(sent(T0_MS, f"v-{kind}", kind, channel="app") for kind in ("csat", "ces", "nps")),
        answered(T0_MS + WEEK_MS, 5, "v-csat", channel="app"),
        answered(T0_MS + WEEK_MS + 1, 5, "v-ces", "ces", (1, 7), channel="app"),
        answered(T0_MS + DAY_MS, 9, "v-nps", "nps", (0, 10), channel="app"),
    ]
    for order in (lines, lines[::-1]):
        at_ms = T0_MS + WEEK_MS + HOUR_MS
        by_kind = fractions(records("survey_response_rate", order, at_ms, by="kind"))
        assert by_kind == {"": (2, 4), "ces": (0, 1), "csat": (1, 2), "nps": (1, 1)}
        by_channel = fractions(records("survey_response_rate", order, at_ms, by="channel"))
        assert by_channel == {"": (2, 4), "app": (2, 3), "email": (0, 1)}
        (young,) = records("survey_response_rate", order, T0_MS + WEEK_MS - 1)
        assert (young.value, young.samples) == (None, 0)


def test_an_nps_answer_still_counts_by_customer_and_is_no_satisfaction() -> None:
    lines = [
        answered(T0_MS, 9, "v1", "nps", (0, 10)),
        answered(T0_MS + MINUTE_MS, 3, "v2", "nps", (0, 10)),
        answered(T0_MS, 10, "v1", "nps", (0, 10), customer="c2"),
    ]
    (nps,) = records("nps", lines, T0_MS + HOUR_MS)
    assert (nps.value, nps.samples) == (0, 2)  # the last of c1 is a detractor, c2 a promoter
    for kpi in ("csat", "csat_score", "ces_score", "ces_share"):
        assert [r.samples for r in records(kpi, lines, T0_MS + HOUR_MS)] == [0]


def test_a_survey_id_that_many_customers_were_sent_is_a_survey_of_each() -> None:
    customers = ("c1", "c2", "c3")
    lines = [
        *(sent(T0_MS, "spring", customer=customer) for customer in customers),
        *(answered(T0_MS + MINUTE_MS, 5, "spring", customer=customer) for customer in customers[1:]),
    ]
    at_ms = T0_MS + 8 * DAY_MS
    assert fractions(records("csat", lines, at_ms)) == {"": (2, 2)}
    assert fractions(records("survey_response_rate", lines, at_ms)) == {"": (2, 3)}


def test_a_form_that_asks_two_questions_is_two_surveys() -> None:
    lines = [
        *(sent(T0_MS, kind=kind) for kind in ("csat", "ces")),
        answered(T0_MS + MINUTE_MS, 2),
        answered(T0_MS + MINUTE_MS, 6, kind="ces", scale=(1, 7)),
    ]
    at_ms = T0_MS + 8 * DAY_MS
    assert fractions(records("survey_response_rate", lines, at_ms)) == {"": (2, 2)}
    assert [r.value for kpi in ("csat_score", "ces_score") for r in records(kpi, lines, at_ms)] == [2.0, 6.0]


def test_a_reminder_is_no_other_survey_and_does_not_give_more_time() -> None:
    lines = [sent(T0_MS), sent(T0_MS + 5 * DAY_MS), answered(T0_MS + 8 * DAY_MS, 5)]
    (record,) = records("survey_response_rate", lines, T0_MS + 20 * DAY_MS)
    assert (record.numerator, record.denominator) == (0, 1)


def _applied(entities: Entities, line: bytes) -> Iterator[tuple[int, ...]]:
    decoded, time_ms = decode(TopicKind.SIGNAL, line, (), -1)
    for kind, key, compact in destinations(ROUTES[type(decoded)], decoded, time_ms):
        if kind == "survey":
            yield from entities.apply(entities.find(key), compact, time_ms) or []


def test_a_rating_that_is_replaced_a_month_later_is_taken_back_where_others_have_long_left() -> None:
    entities = Entities(ENTITY_KINDS["survey"], CutSets(), Options(), LIVE)
    first = list(_applied(entities, answered(T0_MS, 5)))
    entities.advance(T0_MS + 30 * DAY_MS)
    entities.flush()
    again = list(_applied(entities, answered(T0_MS + 30 * DAY_MS, 5)))
    taken_back = [fact[:4] for fact in again if fact[4] < 0]
    assert taken_back
    assert taken_back == [fact[:4] for fact in again if fact[4] > 0]
    assert set(taken_back) < {fact[:4] for fact in first}  # the answer itself stays where it was
    entities.advance(T0_MS + 430 * DAY_MS)
    assert not len(entities)
