"""Changes of several measures that always come together: one fact states them all, and no pane holds it.

A fact costs the fold that states it more than it costs numpy to make several of it (windows.sums).
"""

from __future__ import annotations

from typing import NamedTuple

from stream_kpi.measures import registry
from stream_kpi.measures.registry import CLOCK_EPOCH_MS, RUNNING, SLOTS_PER_MEASURE, Measure

FIRST_NUMBER = 128
"""Compounds are numbered from here, above all measures: their numbers are in no record, and may change."""


class Part(NamedTuple):
    """One of the changes: the fact's value times ``each``, and times ``each_ms`` for every millisecond from
    :data:`CLOCK_EPOCH_MS` to ``after_ms`` after the fact. The component of the slot is the fact's."""

    measure: Measure
    each: int = 0
    each_ms: int = 0
    after_ms: int = 0

    def amount(self, time_ms: int, value: int) -> int:
        """What a fact adds to the measure."""
        return value * (self.each + self.each_ms * (time_ms + self.after_ms - CLOCK_EPOCH_MS))


class Compound(NamedTuple):
    """What a fact of this number stands for."""

    number: int
    parts: tuple[Part, ...]

    @property
    def slot(self) -> int:
        """The slot of component 0."""
        return self.number * SLOTS_PER_MEASURE


def _runs(level: Measure) -> Compound:
    starts = registry.BY_NUMBER[level.starts or 0]
    return Compound(FIRST_NUMBER + level.number, (Part(level, 1), Part(starts, each_ms=1)))


def _movement(number: int, of_class: Measure, sign: int) -> Compound:
    return Compound(number, (Part(registry.MRR, sign), Part(of_class, 1)))


RUNS = {level.number: _runs(level) for level in RUNNING}
"""By number of a level whose time is measured: something more runs (sign +1), or less (-1), from the fact's time on."""

# A ticket's clocks; the fact of an end is of the last millisecond in which they ran.
CLOCKS_STARTED = RUNS[registry.CLOCKS_RUNNING.number]
_START = CLOCKS_STARTED.parts
_END = (Part(registry.CLOCKS_RUNNING, -1), Part(registry.CLOCK_STARTS_LESS_STOPS, each_ms=-1, after_ms=1))
CLOCKS_STARTED_FIRST = Compound(FIRST_NUMBER + 64, (*_START, Part(registry.CLOCKS_FIRST_RUN_MONTH, 1)))
"""For the first time in the ticket's life."""
CLOCKS_ENDED = Compound(FIRST_NUMBER + 65, _END)
CLOCKS_ALL_ENDED = Compound(FIRST_NUMBER + 66, (*_END, Part(registry.CLOCKS_STOPPED, 1)))
"""None of them runs on."""

CHAT_QUEUED = Compound(
    FIRST_NUMBER + 67,
    (Part(registry.CHATS_QUEUED, 1), Part(registry.QUEUE_LENGTH, 1), Part(registry.WAITING_CHATS, CLOCK_EPOCH_MS, 1)),
)
"""Waits from the time of the fact on."""
CHAT_ANSWERED_IN_TARGET = Compound(
    FIRST_NUMBER + 68,
    (Part(registry.CHAT_OUTCOMES, 1), Part(registry.SERVICE_LEVEL_MET, 1), Part(registry.SERVICE_LEVEL_OFFERED, 1)),
)
CHAT_TAKEN_IN_TARGET = Compound(
    FIRST_NUMBER + registry.SERVICE_LEVEL_MET.number,
    (*CHAT_ANSWERED_IN_TARGET.parts, Part(registry.QUEUE_LENGTH, -1)),
)
"""Answered in time, in the queue in which it has waited, and from then on not in there."""

# How the MRR of a customer or a plan moves, by currency; the value is the amount of the class.
NEW_MRR = _movement(FIRST_NUMBER + 69, registry.MRR_NEW, 1)
REACTIVATED_MRR = _movement(FIRST_NUMBER + 70, registry.MRR_REACTIVATION, 1)
EXPANDED_MRR = _movement(FIRST_NUMBER + 71, registry.MRR_EXPANSION, 1)
CONTRACTED_MRR = _movement(FIRST_NUMBER + 72, registry.MRR_CONTRACTION, -1)
CHURNED_MRR = _movement(FIRST_NUMBER + 73, registry.MRR_CHURNED, -1)


def _of_age_0(ages: Measure) -> Part:
    """Something enters a set that ages at the instant from which its age counts: the amount is the fact's time."""
    return Part(ages, each=CLOCK_EPOCH_MS, each_ms=1)


# Of a ticket
TICKET_OPENED = Compound(
    FIRST_NUMBER + registry.TICKETS_CREATED.number,
    (
        Part(registry.TICKETS_CREATED, 1),
        Part(registry.BACKLOG, 1),
        Part(registry.BACKLOG_UNASSIGNED, 1),
        Part(registry.BACKLOG_UNATTENDED, 1),
        _of_age_0(registry.OPEN_TICKETS),
        _of_age_0(registry.UNANSWERED_TICKETS),
    ),
)
"""A customer has created it, and it is in the backlog: all but the breakdown of that."""
FIRST_RESOLUTION = Compound(
    FIRST_NUMBER + registry.RESOLUTION_FIRST.number,
    (Part(registry.RESOLUTION_FIRST, 1), Part(registry.RESOLUTION_FULL, 1)),
)
FIRST_SOLVE = Compound(
    FIRST_NUMBER + registry.FIRST_SOLVES.number, (Part(registry.FIRST_SOLVES, 1), Part(registry.SOLVED_IN_24H, 1))
)
"""Among the trailing 24 hours' from the time of the fact on; the next two as well."""
FIRST_SOLVE_BY_HUMAN = Compound(
    FIRST_NUMBER + registry.FCR_SOLVES.number, (*FIRST_SOLVE.parts, Part(registry.FCR_SOLVES, 1))
)
FIRST_CONTACT_SOLVE = Compound(
    FIRST_NUMBER + registry.FCR_FIRST_CONTACT.number,
    (*FIRST_SOLVE_BY_HUMAN.parts, Part(registry.FCR_FIRST_CONTACT, 1)),
)

_OF_CLOCKS = (CLOCKS_STARTED_FIRST, CLOCKS_ENDED, CLOCKS_ALL_ENDED)
_OF_TICKETS = (TICKET_OPENED, FIRST_RESOLUTION, FIRST_SOLVE, FIRST_SOLVE_BY_HUMAN, FIRST_CONTACT_SOLVE)
_OF_CHATS = (CHAT_QUEUED, CHAT_ANSWERED_IN_TARGET, CHAT_TAKEN_IN_TARGET)
_OF_MRR = (NEW_MRR, REACTIVATED_MRR, EXPANDED_MRR, CONTRACTED_MRR, CHURNED_MRR)
COMPOUNDS = (*RUNS.values(), *_OF_CLOCKS, *_OF_TICKETS, *_OF_CHATS, *_OF_MRR)
BY_NUMBER = {compound.number: compound for compound in COMPOUNDS}
