"""The ticket lifecycle over four years of a help desk: the figures of ../shared/data/README.md, from facts alone."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from stream_kpi.events.tickets import TicketWire
from stream_kpi.events.times import event_time_ms
from stream_kpi.lifecycles.entity import Entity
from stream_kpi.lifecycles.facts import TOTAL, CutSets, Fact, spelled_out
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.ticket.events import Status
from stream_kpi.lifecycles.ticket.fold import TicketFold
from stream_kpi.lifecycles.ticket.from_wire import from_wire
from stream_kpi.measures.registry import (
    BACKLOG,
    COHORT_REOPENS,
    COHORT_SOLVES,
    FIRST_RESPONSE,
    OPEN_TICKETS,
    RESOLUTION_FIRST,
    RESOLUTION_FULL,
    TICKETS_CREATED,
    Measure,
)
from tests import call_centre, helpdesk

HOUR_MS = 3_600_000
DECIDED_MS = event_time_ms("2015-01-01T00:00:00Z")
"""A year after the log's end: every cohort is decided."""


class Folded(NamedTuple):
    """A log, folded: the facts of the total, and the tickets."""

    facts: list[Fact]
    tickets: dict[str, Entity]
    duplicates: int

    def count(self, measure: Measure) -> int:
        return sum(sign for slot, _, _, _, sign in self.facts if slot == measure.slot)

    def mean_h(self, measure: Measure) -> float:
        total_ms = sum(sign * value for slot, _, _, value, sign in self.facts if slot == measure.slot)
        return total_ms / self.count(measure) / HOUR_MS

    def backlog_at(self, time: str) -> int:
        end_ms = event_time_ms(time)
        return sum(
            sign * value for slot, time_ms, _, value, sign in self.facts if slot == BACKLOG.slot and time_ms <= end_ms
        )


def fold_log(path: Path, options: Options) -> Folded:
    cut_sets = CutSets()
    new_fold = partial(TicketFold, cut_sets, options)
    facts: list[Fact] = []
    tickets: dict[str, Entity] = {}
    duplicates = 0
    for document in helpdesk.read(path):
        wire = msgspec.convert(document, TicketWire)
        time_ms = event_time_ms(wire.time)
        event = from_wire(wire, time_ms)
        assert event is not None
        ticket = tickets.setdefault(wire.subject, Entity(new_fold))
        new = ticket.apply(event, time_ms)
        if new is None:
            duplicates += 1
        else:
            facts += new
    for ticket in tickets.values():
        facts += ticket.advance(DECIDED_MS)
    of_total = [fact for fact in spelled_out(facts) if TOTAL in cut_sets.cuts_of(fact[2])]
    return Folded(of_total, tickets, duplicates)


@pytest.fixture(scope="module")
def log(shared_data: Path) -> Folded:
    return fold_log(shared_data / "helpdesk.csv.gz", Options())


def test_volume_response_and_resolution_are_those_of_the_published_figures(log: Folded) -> None:
    assert log.duplicates == 127
    assert log.count(TICKETS_CREATED) == 4_580
    assert log.count(FIRST_RESPONSE) == 4_285
    assert log.mean_h(FIRST_RESPONSE) == pytest.approx(97.5941, abs=5e-5)
    assert log.count(RESOLUTION_FIRST) == 4_569
    assert log.mean_h(RESOLUTION_FIRST) == pytest.approx(266.9404, abs=5e-5)
    assert log.count(RESOLUTION_FULL) == 4_568
    assert log.mean_h(RESOLUTION_FULL) == pytest.approx(276.8866, abs=5e-5)


def test_119_of_4_569_first_solves_were_reopened_within_seven_days(log: Folded) -> None:
    assert log.count(COHORT_SOLVES) == 4_569
    assert log.count(COHORT_REOPENS) == 119


def test_154_tickets_were_reopened_163_times_in_all(log: Folded) -> None:
    reopens: dict[str, int] = {}
    for key, ticket in log.tickets.items():
        resolved = False
        for event in ticket.history:
            if isinstance(event, Status):
                if resolved and event.status in {"open", "pending"}:
                    reopens[key] = reopens.get(key, 0) + 1
                resolved = event.status in {"solved", "closed"}
    assert (len(reopens), sum(reopens.values())) == (154, 163)


@pytest.mark.parametrize(
    ("time", "tickets"),
    [
        ("2010-06-30T23:59:59.999Z", 20),
        ("2011-03-15T23:59:59.999Z", 38),
        ("2012-01-31T23:59:59.999Z", 31),
        ("2012-09-28T23:59:59.999Z", 29),
        ("2014-12-31T00:00:00Z", 12),
    ],
)
def test_the_backlog_stands_at_the_published_figure(log: Folded, time: str, tickets: int) -> None:
    assert log.backlog_at(time) == tickets


def test_the_open_tickets_that_age_are_those_of_the_backlog(log: Folded) -> None:
    assert log.count(OPEN_TICKETS) == 12


def test_with_closed_alone_as_terminal_the_backlog_is_the_source_systems_own(shared_data: Path) -> None:
    log = fold_log(shared_data / "helpdesk.csv.gz", Options(terminal_statuses=frozenset({"closed"})))
    ends = ("2010-06-30", "2011-03-15", "2012-01-31", "2012-08-03", "2012-09-28")
    assert [log.backlog_at(f"{day}T23:59:59.999Z") for day in ends] == [83, 195, 259, 282, 45]
    assert log.count(RESOLUTION_FIRST) == 4_569


def test_the_converters_write_the_same_file_every_time(shared_data: Path, tmp_path: Path) -> None:
    for converter, source in ((helpdesk, "helpdesk.csv.gz"), (call_centre, "call_centre.csv")):
        digests = set()
        for run in ("first", "second"):
            target = tmp_path / run
            converter.main(str(shared_data / source), str(target))
            digests.add(hashlib.sha256(target.read_bytes()).hexdigest())
        assert len(digests) == 1


def test_a_call_becomes_its_chat_events(shared_data: Path) -> None:
    events = list(call_centre.read(shared_data / "call_centre.csv"))
    count: dict[str, int] = {}
    for event in events:
        count[event["type"]] = count.get(event["type"], 0) + 1
    assert count["chat.queued"] == 5_000
    assert count["chat.left"] == 946
    assert count["chat.accepted"] == count["chat.ended"] == 4_054
    assert sum(event["data"].get("resolved", False) for event in events) == 3_646
    assert json.dumps(events[1]).endswith('"time": "2021-01-01T09:14:47.000+00:00", "data": {"agent_id": "Diane"}}')
