"""Disorder, and the command that prints simulated events."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from stream_kpi.events.topics import TopicKind
from stream_kpi.simulator.command import simulate, span_argument_ms
from stream_kpi.simulator.disorder import disorder
from stream_kpi.simulator.world import SimulatedEvent

EVENTS = [SimulatedEvent(TopicKind.TICKET, b"T-1", str(number).encode(), number * 1_000) for number in range(2_000)]
LATE_WITHIN_MS = 600_000


def test_disorder_loses_nothing_and_doubles_about_the_share() -> None:
    counts = Counter(disorder(EVENTS, 1, LATE_WITHIN_MS, 0.05))
    assert set(counts) == set(EVENTS)
    assert set(counts.values()) == {1, 2}
    assert 60 < sum(counts.values()) - len(EVENTS) < 140


def test_disorder_is_out_of_order_yet_never_later_than_the_bound() -> None:
    arrived = [event.time_ms for event in disorder(EVENTS, 1, LATE_WITHIN_MS, 0.05)]
    assert arrived != sorted(arrived)
    greatest_ms = 0
    lateness_ms = []
    for time_ms in arrived:
        greatest_ms = max(greatest_ms, time_ms)
        lateness_ms.append(greatest_ms - time_ms)
    assert LATE_WITHIN_MS / 2 < max(lateness_ms) <= LATE_WITHIN_MS


def test_disorder_is_the_same_for_a_seed() -> None:
    assert list(disorder(EVENTS, 3, 9_000, 0.5)) == list(disorder(EVENTS, 3, 9_000, 0.5))


def test_no_disorder_changes_nothing() -> None:
    assert list(disorder(EVENTS, 1, 0, 0.0)) == EVENTS


@pytest.mark.parametrize(("late_within_ms", "share"), [(-1, 0.0), (0, 1.1), (0, -0.1)])
def test_impossible_disorder_is_refused(late_within_ms: int, share: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        disorder(EVENTS, 1, late_within_ms, share)


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(simulate)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_simulate_prints_a_cloud_event_a_line_for_the_span() -> None:
    code, output = run("--from", "2026-03-02T10:00:00Z", "--until", "2026-03-02T10:05:00Z", "--seed", "4")
    events = [msgspec.json.decode(line) for line in output.splitlines()]
    assert code == 0
    assert len(events) > 100
    assert all("2026-03-02T10:00:00" <= event["time"] < "2026-03-02T10:05:00" for event in events)


def test_simulate_disorders_and_doubles_on_request() -> None:
    span = ("--from", "2026-03-02T10:00:00Z", "--until", "2026-03-02T10:05:00Z")
    ordered = run(*span)[1].splitlines()
    disordered = run(*span, "--disorder", "10m", "--duplicates", "0.05")[1].splitlines()
    assert set(disordered) == set(ordered)
    assert len(disordered) > len(ordered)


def test_simulate_slows_agents_down_from_the_given_moment_on_and_not_before() -> None:
    span = ("--from", "2026-03-02T10:00:00Z", "--until", "2026-03-02T12:00:00Z")
    usual, slower = run(*span)[1], run(*span, "--slow-down", "8@2026-03-02T11:00:00Z")[1]
    before = [line for line in usual.splitlines() if '"time":"2026-03-02T10' in line]
    assert slower.splitlines()[: len(before)] == before
    assert slower.count('"author":"agent"') < usual.count('"author":"agent"')
    again = run(*span, "--slow-down", "8@2026-03-02T11:00:00Z", "--slow-down", "1@2026-03-02T11:30:00Z")[1]
    assert again.count('"author":"agent"') > slower.count('"author":"agent"')


@pytest.mark.parametrize("pace", ["8", "0@2026-03-02T11:00:00Z", "-1@2026-03-02T11:00:00Z", "8@noon", "x@"])
def test_simulate_refuses_a_pace_that_is_none(pace: str) -> None:
    span = ("--from", "2026-03-02T10:00:00Z", "--until", "2026-03-02T12:00:00Z")
    assert run(*span, "--slow-down", pace)[0] == 2


def test_simulate_refuses_a_span_that_ends_before_it_starts_and_a_time_that_is_none() -> None:
    assert run("--from", "2026-03-02T10:00:00Z", "--until", "2026-03-02T10:00:00Z")[0] == 2
    assert run("--from", "yesterday", "--until", "2026-03-02T10:00:00Z")[0] == 2


@pytest.mark.parametrize(
    ("text", "span_ms"), [("10m", 600_000), ("1.5h", 5_400_000), ("500ms", 500), ("2d", 172_800_000)]
)
def test_spans_have_a_unit(text: str, span_ms: int) -> None:
    assert span_argument_ms(text) == span_ms
    with pytest.raises(typer.BadParameter, match="is not a span"):
        span_argument_ms(text + "x")
