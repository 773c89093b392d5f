"""The engine that makes arrival order irrelevant, on the smallest lifecycle that has everything: a lamp."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from stream_kpi.lifecycles.entity import Entity
from stream_kpi.lifecycles.facts import CutSets, Fact
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import NEVER_MS, HistoryEvent

CLICKS, LIT, BURNT = 1, 2, 3
BURNS_FOR_MS = 100
BURN_DUE, LATER_DUE = 0, 1


class Installed(HistoryEvent, frozen=True, gc=False, tag=0):
    opens: ClassVar[bool] = True


class Switched(HistoryEvent, frozen=True, gc=False, tag=1):
    on: bool

    rank: ClassVar[int] = 4


class Broken(HistoryEvent, frozen=True, gc=False, tag=2):
    broken: bool

    rank: ClassVar[int] = 5


class Lamp(Fold):
    """Counts clicks, is lit while on, and reports having burnt for 100 ms without a click."""

    history_decoder = msgspec.msgpack.Decoder(list[Installed | Switched | Broken])

    __slots__ = ("installed", "is_broken", "lit")

    def __init__(self) -> None:
        super().__init__(CutSets())
        self.installed = self.is_broken = self.lit = False

    @property
    def closed(self) -> bool:
        return self.is_broken

    def on_event(self, event: HistoryEvent) -> None:
        if isinstance(event, Installed):
            if self.installed:
                self.note_problem("installed_twice")
            self.installed = True
            self.voided = self.is_broken
        elif isinstance(event, Broken):
            self.is_broken = event.broken
            self.voided = self.is_broken or not self.installed
        elif isinstance(event, Switched):
            self.emit(CLICKS, event.time_ms, 0)
            if event.on and not self.lit:
                self.join(LIT, event.time_ms, 0)
                self.schedule(event.time_ms + BURNS_FOR_MS, BURN_DUE)
            elif self.lit and not event.on:
                self.leave(LIT, event.time_ms, 0)
                self.cancel(BURN_DUE)
            self.lit = event.on

    def on_due(self, kind: int, due_ms: int) -> None:
        self.emit(BURNT, due_ms, 0)
        if kind == BURN_DUE:
            self.schedule(due_ms + BURNS_FOR_MS, LATER_DUE)


def lamp() -> Entity:
    entity = Entity(Lamp)
    entity.apply(Installed(0, "i"), 0)
    return entity


def plus(slot: int, time_ms: int) -> Fact:
    return (slot, time_ms, 0, 1, 1)


def minus(slot: int, time_ms: int) -> Fact:
    return (slot, time_ms, 0, 1, -1)


def test_an_event_in_order_passes_its_facts_on() -> None:
    assert lamp().apply(Switched(10, "a", on=True), 10) == [plus(CLICKS, 10), plus(LIT, 10)]


def test_the_same_event_again_is_none_and_changes_nothing() -> None:
    entity = lamp()
    entity.apply(Switched(10, "a", on=True), 10)
    assert entity.apply(Switched(10, "a", on=True), 10) is None
    assert entity.apply(Switched(20, "a", on=True), 20) is None
    assert len(entity.history) == 2


def test_a_moment_that_comes_with_the_clock_passes_its_fact_on_and_may_ask_for_the_next() -> None:
    entity = lamp()
    entity.apply(Switched(10, "a", on=True), 10)
    assert entity.fold.next_due_ms() == 110
    assert entity.advance(109) == []
    assert entity.advance(110) == [plus(BURNT, 110)]
    assert entity.fold.next_due_ms() == 210
    assert entity.advance(500) == [plus(BURNT, 210)]
    assert entity.fold.next_due_ms() == NEVER_MS


def test_a_clock_that_goes_back_does_not_undo_a_moment() -> None:
    entity = lamp()
    entity.apply(Switched(10, "a", on=True), 200)
    assert entity.advance(50) == []
    assert entity.clock_ms == 200


def test_an_event_at_the_very_instant_of_a_moment_wins_even_after_the_moment_has_come() -> None:
    entity = lamp()
    entity.apply(Switched(10, "a", on=True), 10)
    entity.advance(110)
    facts = entity.apply(Switched(110, "b", on=False), 110)
    assert sorted(facts or []) == sorted([plus(CLICKS, 110), minus(LIT, 110), minus(BURNT, 110)])
    assert entity.fold.next_due_ms() == NEVER_MS


def test_an_event_that_comes_late_passes_on_the_difference_it_makes() -> None:
    entity = lamp()
    entity.apply(Switched(10, "a", on=True), 10)
    entity.apply(Switched(50, "c", on=False), 50)
    facts = entity.apply(Switched(30, "b", on=False), 60)
    assert sorted(facts or []) == sorted([plus(CLICKS, 30), minus(LIT, 30), plus(LIT, 50)])
    assert [event.uid for event in entity.history] == ["i", "a", "b", "c"]


def test_events_of_one_instant_take_the_order_of_their_ranks_then_their_ids() -> None:
    entity = lamp()
    for event in (
        Broken(5, "z", broken=False),
        Switched(5, "y", on=True),
        Switched(5, "x", on=True),
        Installed(9, "j"),
    ):
        entity.apply(event, 9)
    assert [event.uid for event in entity.history] == ["i", "j", "x", "y", "z"]


def test_what_opens_comes_first_whatever_its_time() -> None:
    entity = Entity(Lamp)
    assert entity.apply(Switched(10, "a", on=True), 10) == []
    assert sorted(entity.apply(Installed(50, "i"), 50) or []) == sorted([plus(CLICKS, 10), plus(LIT, 10)])


def test_a_later_opening_event_lets_no_moment_come_before_the_events_in_between() -> None:
    entity = lamp()
    entity.apply(Switched(10, "a", on=True), 10)
    entity.apply(Switched(50, "b", on=False), 50)
    assert entity.apply(Installed(900, "j"), 900) == []


def test_voiding_takes_back_all_that_was_passed_on_and_the_opposite_brings_it_again() -> None:
    entity = lamp()
    entity.apply(Switched(10, "a", on=True), 10)
    assert sorted(entity.apply(Broken(20, "b", broken=True), 20) or []) == sorted([minus(CLICKS, 10), minus(LIT, 10)])
    assert entity.apply(Switched(30, "c", on=True), 30) == []
    assert entity.advance(50) == []
    back = entity.apply(Broken(60, "d", broken=False), 60)
    assert sorted(back or []) == sorted([plus(CLICKS, 10), plus(LIT, 10), plus(CLICKS, 30)])


def test_a_moment_that_comes_while_voided_is_passed_on_when_that_ends() -> None:
    entity = lamp()
    entity.apply(Switched(10, "a", on=True), 10)
    entity.apply(Broken(20, "b", broken=True), 20)
    assert entity.advance(150) == []
    assert plus(BURNT, 110) in (entity.apply(Broken(160, "d", broken=False), 160) or [])


def test_each_problem_is_reported_once_also_when_the_history_is_folded_again() -> None:
    entity = lamp()
    entity.apply(Installed(5, "j"), 5)
    assert entity.take_problems() == ["installed_twice"]
    entity.apply(Switched(10, "a", on=True), 10)
    entity.apply(Switched(7, "b", on=True), 10)
    assert entity.take_problems() == []
    entity.apply(Installed(6, "k"), 10)
    assert entity.take_problems() == ["installed_twice"]


def test_a_history_taken_over_is_neither_passed_on_nor_reported_again() -> None:
    entity = lamp()
    entity.apply(Installed(5, "j"), 5)
    entity.apply(Switched(10, "a", on=True), 10)
    entity.advance(120)
    unpacked = Entity(Lamp, list(entity.history), entity.clock_ms)
    assert unpacked.take_problems() == []
    assert unpacked.apply(Switched(10, "a", on=True), 130) is None
    assert unpacked.advance(300) == entity.advance(300) == [plus(BURNT, 210)]


def test_moving_a_moment_replaces_it_and_the_soonest_is_always_known() -> None:
    fold = Lamp()
    fold.schedule(50, BURN_DUE)
    fold.schedule(40, LATER_DUE)
    assert fold.next_due_ms() == 40
    fold.schedule(70, LATER_DUE)
    assert fold.next_due_ms() == 50
    fold.cancel(BURN_DUE)
    fold.cancel(BURN_DUE)
    assert fold.next_due_ms() == 70


def test_a_negative_duration_counts_as_zero_and_is_a_problem() -> None:
    fold = Lamp()
    assert (fold.duration_ms(10, 30), fold.duration_ms(30, 30), fold.duration_ms(30, 10)) == (20, 0, 0)
    assert fold.problems == ("negative_duration",)
