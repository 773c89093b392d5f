"""Windows that reach further back than a worker keeps their panes: a file is all there."""

from __future__ import annotations

import json

import pytest

from stream_kpi.compute import Computation
from stream_kpi.events.times import event_time_ms
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.options import Options
from stream_kpi.windows.kinds import parse
from tests.catalogue_kit import kpi_by_id

CREATED = {"customer_id": "c1", "channel": "email", "priority": "normal"}
EVENTS = [
    ("ticket.created", "2026-03-02T08:00:00Z", CREATED),
    ("ticket.status", "2026-03-02T10:00:00Z", {"status": "solved", "actor": "agent", "actor_id": "a"}),
]


def only(kpi: str, window: str, at: str) -> KpiRecord:
    computation = Computation(Options(), parse(window), event_time_ms(at))
    for number, (kind, time, data) in enumerate(EVENTS):
        envelope = {
            "specversion": "1.0",
            "id": str(number),
            "source": "/desk",
            "type": kind,
            "subject": "T",
            "time": time,
        }
        assert computation.take(json.dumps({**envelope, "data": data}).encode()) is None
    (record,) = computation.records([kpi_by_id(kpi)], set())
    return record


@pytest.mark.parametrize(
    ("window", "at", "volume"),
    [
        ("rolling:60d", "2026-04-30T07:59:59Z", 1),
        ("rolling:60d", "2026-05-02T08:00:00Z", 0),
        ("rolling:365d", "2027-03-01T00:00:00Z", 1),
    ],
)
def test_a_window_of_many_days_holds_all_of_them(window: str, at: str, volume: int) -> None:
    assert only("ticket_volume", window, at).value == volume


@pytest.mark.parametrize(("hour", "decided"), [("09:00", 0), ("11:00", 1), ("13:59", 1), ("14:06", 0)])
def test_a_cohorts_window_of_hours_is_the_one_that_ended_a_week_ago(hour: str, decided: int) -> None:
    record = only("reopen_rate", "rolling:4h", f"2026-03-09T{hour}:00Z")
    assert (record.numerator, record.denominator) == (0, decided)
