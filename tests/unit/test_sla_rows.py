"""The rows of service levels, from events to records. Times are minutes after T0."""

from __future__ import annotations

import pytest

from stream_kpi.lifecycles.options import Options
from tests.row_kit import assigned, at, merged, only, rows, solved
from tests.shard_kit import created, event, reply
from tests.sla_kit import options_of

OPTIONS = options_of(
    """
[[sla]]
name = "mail"
channel = "email"
at_risk = ["1h", "15m"]
first_response = { high = "1h", other = "2h" }
resolution = { other = "8h" }

[[sla]]
name = "chats"
at_risk = ["90m"]
answer = { other = "1m" }
"""
)
# A misses its hour by ten minutes, B is answered in time, C waits.
STORY = [
    created("A", at(0), priority="high"),
    assigned("A", 5, "bob"),
    created("B", at(0)),
    reply("A", at(70), "ann"),
    reply("B", at(100), "ann"),
    created("C", at(0)),
]
WITHOUT_SAMPLES = ["sla_achievement", "sla_breach_size", "sla_next_breach_in"]


def test_sla_achievement_is_the_part_in_time_of_those_that_are_decided() -> None:
    record = only("sla_achievement", STORY, minute=110, options=OPTIONS)
    assert (record.numerator, record.denominator, record.value) == (1, 2, 0.5)
    assert record.interval is not None
    for cut, value in ({"metric": "resolution"}, None), ({"policy": "mail"}, 0.5), ({"agent": "bob"}, 0):
        assert only("sla_achievement", STORY, minute=110, options=OPTIONS, **cut).value == value
    assert only("sla_achievement", STORY, minute=121, options=OPTIONS).value == pytest.approx(1 / 3)


def test_sla_breaches_count_at_the_deadline_even_when_nothing_arrives() -> None:
    assert only("sla_breaches", STORY, minute=119, options=OPTIONS).value == 1
    assert only("sla_breaches", STORY, minute=120, options=OPTIONS).value == 2
    by_hour = [
        (record.window.start, record.value)
        for record in rows("sla_breaches", STORY, "tumbling:1h", 130, OPTIONS)
        if not record.cut
    ]
    assert [value for _, value in by_hour] == [0, 1, 1]
    assert by_hour[1][0] == "2026-03-02T11:00:00.000Z"  # the reply at 11:10 is late by ten minutes


def test_sla_breach_size_is_in_the_window_of_the_breach() -> None:
    record = only("sla_breach_size", STORY, minute=110, options=OPTIONS)
    assert (record.value, record.samples) == (600, 1)
    assert only("sla_breach_size", STORY, minute=110, options=OPTIONS, agent="bob").value == 600


def test_a_late_event_takes_a_breach_back_and_what_leaves_every_count_leaves_these() -> None:
    late = [*STORY, reply("A", at(50), "eve")]
    assert only("sla_breaches", late, minute=110, options=OPTIONS).value == 0
    assert only("sla_achievement", late, minute=110, options=OPTIONS).value == 1
    spam = [*STORY, merged("A", 105)]
    assert only("sla_breaches", spam, minute=110, options=OPTIONS).value == 0
    assert only("sla_breach_size", spam, minute=110, options=OPTIONS).samples == 0


def test_sla_at_risk_has_a_record_for_each_horizon_after_that_of_the_longest_of_each_policy() -> None:
    found = [(r.variant, r.value) for r in rows("sla_at_risk", STORY, minute=102, options=OPTIONS) if r.cut == {}]
    assert found == [({}, 1), ({"horizon": "1h30m"}, 0), ({"horizon": "1h"}, 1), ({"horizon": "15m"}, 0)]
    assert [r.value for r in rows("sla_at_risk", STORY, minute=110, options=OPTIONS) if not r.cut] == [1, 0, 1, 1]
    assert [r.value for r in rows("sla_at_risk", STORY, minute=120, options=OPTIONS) if not r.cut] == [0, 0, 0, 0]


def test_sla_next_breach_in_is_the_least_time_left() -> None:
    assert only("sla_next_breach_in", STORY, minute=110, options=OPTIONS).value == 600
    answered = [*STORY, reply("C", at(109))]
    record = only("sla_next_breach_in", answered, minute=110, options=OPTIONS)
    assert (record.value, record.samples) == ((8 * 60 - 110) * 60, 3)
    gone = [*answered, *(solved(ticket, 110) for ticket in "ABC")]
    assert only("sla_next_breach_in", gone, minute=111, options=OPTIONS).value is None


def test_a_chat_counts_under_its_metric() -> None:
    story = [
        event("chat.queued", "Q", at(0), "q", queue="sales"),
        event("chat.accepted", "Q", at(2), "a", agent_id="x"),
    ]
    assert only("sla_breach_size", story, options=OPTIONS, metric="answer").value == 60
    assert only("sla_breaches", story, options=OPTIONS, group="sales").value == 1


@pytest.mark.parametrize("kpi", [*WITHOUT_SAMPLES, "sla_breaches", "sla_at_risk"])
def test_without_policies_nothing_is_promised(kpi: str) -> None:
    record = only(kpi, STORY, minute=600, options=Options())
    assert (record.value, record.samples) == (None if kpi in WITHOUT_SAMPLES else 0, 0)
