"""Ages at the ends of past windows."""

from __future__ import annotations

from stream_kpi.compute import Computation
from stream_kpi.lifecycles.options import Options
from stream_kpi.simulator.simulation import Simulation
from stream_kpi.windows.kinds import parse
from tests.catalogue_kit import kpi_by_id

START_MS = 1_772_409_600_000  # 2026-03-02T00:00:00Z
HOUR_MS = 3_600_000
RESTATES = (b"ticket.merged", b'"spam"', b'"deleted"')
"""What takes a ticket out of the past too: seen from later, it was never there."""
ROWS = [kpi_by_id("backlog_oldest_age"), kpi_by_id("longest_wait"), kpi_by_id("open_first_response_age")]


def computed(lines: list[bytes], window: str, at_ms: int | None) -> Computation:
    computation = Computation(Options(), parse(window), at_ms)
    for line in lines:
        computation.take(line)
    return computation


def test_the_age_at_a_past_windows_end_is_the_one_that_was_seen_then() -> None:
    lines = [
        event.value
        for event in Simulation(3, START_MS).events_until(START_MS + 12 * HOUR_MS)
        if not any(later in event.value for later in RESTATES)
    ]
    hours = list(computed(lines, "tumbling:1h", None).records(ROWS, {"channel"}))
    assert {record.window.kind for record in hours} == {"tumbling:1h"}
    for hour in (4, 9):
        end_ms = START_MS + hour * HOUR_MS
        seen = computed(lines, "total", end_ms - 1).records(ROWS, {"channel"})
        then = {(r.kpi, str(r.cut)): r for r in seen if r.samples}
        past = {(r.kpi, str(r.cut)): r for r in hours if r.window.end.endswith(f"T{hour:02}:00:00.000Z") and r.samples}
        assert past.keys() == then.keys()
        assert len(past) > 5
        for key, record in past.items():
            value, samples = then[key].value, then[key].samples
            assert value is not None
            assert (record.value, record.samples) == (round(value + 0.001, 3), samples), key


def test_records_can_be_asked_for_again() -> None:
    lines = [event.value for event in Simulation(3, START_MS).events_until(START_MS + 3 * HOUR_MS)]
    computation = computed(lines, "tumbling:1h", None)
    assert list(computation.records(ROWS, set())) == list(computation.records(ROWS, set()))
