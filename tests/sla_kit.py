"""What the tests of service levels share: a ticket or chat, what is told of it, and policies as settings say them."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

from stream_kpi.calendars.config import read_schedules
from stream_kpi.calendars.selection import select_schedules
from stream_kpi.events.times import event_time_ms
from stream_kpi.lifecycles.chat.fold import ChatFold
from stream_kpi.lifecycles.entity import Entity
from stream_kpi.lifecycles.facts import TOTAL, CutSets, Fact
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.sla.config import read_policies
from stream_kpi.lifecycles.sla.transition import Transition
from stream_kpi.lifecycles.ticket.events import Assigned, Created, Message, Status, Updated
from stream_kpi.lifecycles.ticket.promised import new_ticket_fold
from stream_kpi.measures.registry import Measure

MINUTE_MS = 60_000
T = event_time_ms("2026-03-02T10:00:00Z")


def options_of(text: str, group: dict[str, str] | None = None, default: str = "") -> Options:
    """The options of a TOML text with ``[[sla]]`` and ``[[schedule]]`` tables."""
    tables = tomllib.loads(text)
    schedules = read_schedules(tables.get("schedule", []))
    selection = select_schedules(schedules, default, {"group": group or {}})
    return Options(schedules=selection, sla=read_policies(tables.get("sla", []), schedules))


class Told:
    """One entity. Times are minutes after T; what is told is (minute, what), in the order of telling."""

    def __init__(self, options: Options, new_fold: Callable[[CutSets, Options], Fold] = new_ticket_fold) -> None:
        self.cut_sets = CutSets()
        self.entity = Entity(partial(new_fold, self.cut_sets, options))
        self.facts: list[Fact] = []
        self.transitions: list[Transition] = []
        self._count = 0

    def take(self, event: HistoryEvent, clock_ms: int = 0) -> list[Transition]:
        self.facts += self.entity.apply(event, max(event.time_ms, clock_ms)) or []
        return self._take_told()

    def advance(self, minute: float) -> list[Transition]:
        self.facts += self.entity.advance(at(minute))
        return self._take_told()

    def created(self, minute: float = 0, priority: str | None = "normal", by: str = "customer") -> list[Transition]:
        return self.take(Created(at(minute), "created", "email", None, priority, None, None, by))

    def wrote(self, minute: float, author: str = "customer", author_id: str | None = None) -> list[Transition]:
        return self.take(Message(at(minute), self._uid(), author, author_id, public=True, session_id=None))

    def replied(self, minute: float, agent: str = "ann") -> list[Transition]:
        return self.wrote(minute, "agent", agent)

    def status(self, minute: float, status: str, agent: str | None = "ann") -> list[Transition]:
        return self.take(Status(at(minute), self._uid(), status, "agent", agent))

    def updated(self, minute: float, **changes: str | None) -> list[Transition]:
        return self.take(Updated(at(minute), self._uid(), tuple(changes.items())))

    def assigned(self, minute: float, agent: str | None, group: str | None = None) -> list[Transition]:
        return self.take(Assigned(at(minute), self._uid(), agent, group))

    def count(self, measure: Measure, component: int = 0, cut: tuple[str, ...] = TOTAL) -> int:
        """The sum of a measure at a cut over all that was stated."""
        return sum(
            value * sign
            for slot, _, cuts, value, sign in self.facts
            if slot == measure.slot + component and cut in self.cut_sets.cuts_of(cuts)
        )

    def _uid(self) -> str:
        self._count += 1
        return f"e{self._count:03d}"

    def _take_told(self) -> list[Transition]:
        told = self.entity.take_transitions()
        self.transitions += told
        return list(told)


def at(minute: float) -> int:
    """Epoch milliseconds."""
    return T + round(minute * MINUTE_MS)


def minute_of(time_ms: int | None) -> float | None:
    """The inverse; None stays None."""
    return None if time_ms is None else (time_ms - T) / MINUTE_MS


def brief(transitions: Iterable[Transition], metric: str | None = None) -> list[tuple[float | None, str]]:
    """When, and what: ``(30, "breached")``; of one metric."""
    return [
        (minute_of(t.time_ms), f"{'not ' if t.retracted else ''}{t.name}")
        for t in transitions
        if metric is None or t.metric == metric
    ]


def net_told(transitions: Iterable[Transition]) -> Counter[Transition]:
    """What stands of all that was told."""
    standing: Counter[Transition] = Counter()
    for transition in transitions:
        standing[transition._replace(retracted=False)] += -1 if transition.retracted else 1
    return Counter({transition: n for transition, n in standing.items() if n})


def chat(options: Options) -> Told:
    """A chat in place of a ticket."""
    return Told(options, ChatFold)


OFFICE = """
[[schedule]]
name = "office"
zone = "UTC"
monday = ["09:00-17:00"]
tuesday = ["09:00-17:00"]
wednesday = ["09:00-17:00"]
thursday = ["09:00-17:00"]
friday = ["09:00-17:00"]
holidays = ["2026-03-04"]
"""
"""Monday to Friday from 9 to 17, but for Wednesday, 2026-03-04."""
