"""`compute` over four years of a help desk and three months of a call centre: every figure that is known of them.

The figures are those of ../shared/data/README.md: two independent computations agree on them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stream_kpi.compute import Computation
from stream_kpi.events.times import event_time_ms
from stream_kpi.kpis.record import KpiRecord, timestamp
from stream_kpi.lifecycles.options import Options
from stream_kpi.windows.kinds import parse
from tests import call_centre, helpdesk
from tests.catalogue_kit import kpi_by_id

HOUR_S = 3_600
WITHIN = 0.011
"""Of quantiles and extremes."""
CLOSED_ONLY = Options(terminal_statuses=frozenset({"closed"}))
NO_SHORT_ABANDON = Options(short_abandon_ms=0)


def computation(
    lines: list[bytes], options: Options | None = None, *, window: str = "total", at: str | None = None
) -> Computation:
    """A file's lines, taken in."""
    computed = Computation(options or Options(), parse(window), None if at is None else event_time_ms(at))
    for line in lines:
        assert computed.take(line) is None
    return computed


def totals(computed: Computation, *kpis: str) -> Iterator[KpiRecord]:
    """The records of the totals."""
    return computed.records([kpi_by_id(kpi) for kpi in kpis], [])


def total(computed: Computation, kpi: str) -> KpiRecord:
    """The one record of a KPI's total."""
    (record,) = totals(computed, kpi)
    return record


def lines_of(events: Iterator[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(event).encode() for event in events]


@pytest.fixture(scope="module")
def helpdesk_lines(shared_data: Path) -> list[bytes]:
    return lines_of(helpdesk.read(shared_data / "helpdesk.csv.gz"))


@pytest.fixture(scope="module")
def desk(helpdesk_lines: list[bytes]) -> Computation:
    return computation(helpdesk_lines)


@pytest.fixture(scope="module")
def days(helpdesk_lines: list[bytes]) -> Computation:
    return computation(helpdesk_lines, window="tumbling:1d")


@pytest.fixture(scope="module")
def calls_lines(shared_data: Path) -> list[bytes]:
    return lines_of(call_centre.read(shared_data / "call_centre.csv"))


@pytest.fixture(scope="module")
def calls(calls_lines: list[bytes]) -> Computation:
    return computation(calls_lines, NO_SHORT_ABANDON)


def test_the_help_desk_had_4_580_tickets(desk: Computation) -> None:
    volume = total(desk, "ticket_volume")
    assert (volume.value, volume.samples) == (4_580, 4_580)


@pytest.mark.parametrize(
    ("kpi", "samples", "mean_h", "p50_h", "p90_h"),
    [
        ("first_response_time", 4_285, 97.5941, 16.3897, 351.7431),
        ("resolution_time_first", 4_569, 266.9404, 143.5933, 716.8712),
        ("resolution_time_full", 4_568, 276.8866, 158.6346, 721.2211),
    ],
)
def test_the_help_desks_durations(
    desk: Computation, kpi: str, samples: int, mean_h: float, p50_h: float, p90_h: float
) -> None:
    record = total(desk, kpi)
    assert record.samples == samples
    assert record.value is not None
    assert record.stats is not None
    assert record.stats.p50 is not None
    assert record.stats.p90 is not None
    assert record.stats.count == samples
    assert record.value == record.stats.mean
    assert record.value / HOUR_S == pytest.approx(mean_h, abs=5e-5)
    assert record.stats.sum / HOUR_S == pytest.approx(mean_h * samples, abs=5e-5 * samples)
    assert record.stats.p50 / HOUR_S == pytest.approx(p50_h, rel=WITHIN)
    assert record.stats.p90 / HOUR_S == pytest.approx(p90_h, rel=WITHIN)


def test_the_help_desks_longest_first_response(desk: Computation) -> None:
    stats = total(desk, "first_response_time").stats
    assert stats is not None
    assert stats.max is not None
    assert stats.max / HOUR_S == pytest.approx(1_156.7447, rel=WITHIN)


def test_119_of_4_569_first_solves_were_reopened_within_seven_days(helpdesk_lines: list[bytes]) -> None:
    reopens = total(computation(helpdesk_lines, at="2014-02-01T00:00:00Z"), "reopen_rate")
    assert (reopens.numerator, reopens.denominator, reopens.samples) == (119, 4_569, 4_569)
    assert reopens.value == 119 / 4_569


def test_the_help_desks_backlog_at_the_end_of_the_log(desk: Computation) -> None:
    backlog = total(desk, "ticket_backlog")
    assert (backlog.value, backlog.window.kind, backlog.window.start) == (12, "instant", None)
    assert total(desk, "backlog_oldest_age").samples == 12


@pytest.mark.parametrize(
    ("day", "tickets"), [("2010-06-30", 20), ("2011-03-15", 38), ("2012-01-31", 31), ("2012-09-28", 29)]
)
def test_the_help_desks_backlog_as_of_a_day(helpdesk_lines: list[bytes], day: str, tickets: int) -> None:
    at = f"{day}T23:59:59.999Z"
    record = total(computation(helpdesk_lines, at=at), "ticket_backlog")
    assert (record.value, record.window.end) == (tickets, at)


def test_the_source_systems_own_backlog_at_the_ends_of_days(helpdesk_lines: list[bytes]) -> None:
    days = {
        (record.window.start or "")[:10]: record
        for record in totals(computation(helpdesk_lines, CLOSED_ONLY, window="tumbling:1d"), "ticket_backlog")
    }
    dates = ("2010-06-30", "2011-03-15", "2012-01-31", "2012-09-28")
    assert [days[date].value for date in dates] == [83, 195, 259, 45]
    peak = max(days.values(), key=lambda record: record.value or 0)
    assert (peak.value, peak.window.start) == (282, "2012-08-03T00:00:00.000Z")


def test_the_backlog_of_a_day_is_the_one_at_its_end(days: Computation) -> None:
    backlog = {record.window.start: record.value for record in totals(days, "ticket_backlog")}
    dates = ("2010-06-30", "2011-03-15", "2012-01-31", "2012-09-28", "2014-01-03")
    assert [backlog[f"{date}T00:00:00.000Z"] for date in dates] == [20, 38, 31, 29, 12]


def test_tumbling_windows_run_from_the_first_event_to_the_last_and_only_the_last_is_not_final(
    days: Computation,
) -> None:
    records = list(totals(days, "ticket_volume"))
    first, last = datetime(2010, 1, 13, tzinfo=UTC), datetime(2014, 1, 3, tzinfo=UTC)
    expected = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    assert [record.window.start for record in records] == [timestamp(int(day.timestamp()) * 1000) for day in expected]
    assert [record.final for record in records] == [True] * (len(expected) - 1) + [False]
    assert sum(record.value or 0 for record in records) == 4_580


def test_the_call_centres_volume_and_abandonment(calls: Computation) -> None:
    assert total(calls, "chat_volume").value == 5_000
    abandonment = total(calls, "chat_abandonment_rate")
    assert (abandonment.numerator, abandonment.denominator) == (946, 5_000)
    assert abandonment.value == 0.1892


def test_the_call_centres_answer_and_handle_time(calls: Computation) -> None:
    answer, handle = total(calls, "answer_time"), total(calls, "handle_time")
    assert (answer.samples, handle.samples) == (4_054, 4_054)
    assert answer.value == pytest.approx(67.5207, abs=5e-5)
    assert handle.value == pytest.approx(224.9228, abs=5e-5)


def test_the_call_centres_satisfaction(calls: Computation) -> None:
    csat, score = total(calls, "csat"), total(calls, "csat_score")
    assert csat.samples == score.samples == 4_054
    assert csat.value is not None
    assert 100 * csat.value == pytest.approx(49.9013, abs=5e-5)
    assert score.value == pytest.approx(3.4036, abs=5e-5)


def test_of_the_calls_that_came_in_january_317_of_1_772_were_abandoned(calls_lines: list[bytes]) -> None:
    # Their last event may lie in February: the month is that of the call, which no window's bucket is.
    january = {json.loads(line)["subject"] for line in calls_lines if b"chat.queued" in line and b"2021-01-" in line}
    came = [line for line in calls_lines if json.loads(line)["subject"] in january]
    computed = computation(came, NO_SHORT_ABANDON)
    abandonment = total(computed, "chat_abandonment_rate")
    assert (abandonment.numerator, abandonment.denominator) == (317, 1_772)
    assert total(computed, "answer_time").value == pytest.approx(67.2199, abs=5e-5)


def test_the_months_of_the_call_centre_are_those_of_its_calls(calls_lines: list[bytes]) -> None:
    computed = computation(calls_lines, NO_SHORT_ABANDON, window="month")
    months = {
        (record.kpi, (record.window.start or "")[:7]): record
        for record in totals(computed, "chat_volume", "chat_abandonment_rate", "answer_time")
    }
    assert months["chat_volume", "2021-01"].value == 1_772
    abandonment = months["chat_abandonment_rate", "2021-01"]
    assert (abandonment.numerator, abandonment.denominator) == (317, 1_772)
    assert months["answer_time", "2021-01"].value == pytest.approx(67.2199, abs=5e-5)
    assert sum(months["chat_volume", f"2021-0{month}"].value or 0 for month in (1, 2, 3)) == 5_000


def service_level_contacts() -> Iterator[dict[str, Any]]:
    """The 100 contacts of research/definitions.md 2.2; X is 20 s."""
    waits_s = [("accepted", 10.0)] * 70 + [("accepted", 30.0)] * 12
    waits_s += [("abandoned", 3.0)] * 3 + [("abandoned", 12.0)] * 5 + [("abandoned", 40.0)] * 8
    waits_s += [("callback", 10.0), ("flowout", 10.0)]
    for number, (how, wait_s) in enumerate(waits_s):
        queued = datetime(2026, 3, 2, 10, tzinfo=UTC) + timedelta(minutes=number)
        left = queued + timedelta(seconds=wait_s)
        call = f"C-{number}"
        yield call_centre._event(call, queued, "chat.queued", {"channel": "voice", "queue": "q"})
        if how == "accepted":
            yield call_centre._event(call, left, "chat.accepted", {"agent_id": "a"})
        else:
            yield call_centre._event(call, left, "chat.left", {"reason": how})


def test_the_service_level_of_the_hundred_contacts_is_73_7_percent_by_default() -> None:
    level = total(computation(lines_of(service_level_contacts())), "service_level")
    assert (level.numerator, level.denominator) == (70, 95)
    assert level.value == pytest.approx(0.737, abs=5e-4)
