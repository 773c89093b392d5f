"""What a lifecycle is: a fold over an entity's events in their order, with moments that come without an event."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from mypy_extensions import mypyc_attr

from stream_kpi.lifecycles.history import NEVER_MS, HistoryEvent

if TYPE_CHECKING:
    from stream_kpi.lifecycles.contribution import Contribution
    from stream_kpi.lifecycles.facts import CutSets, Fact
    from stream_kpi.lifecycles.sla.transition import Transition


@mypyc_attr(allow_interpreted_subclasses=True)  # tests have folds of their own
class Fold(ABC):
    """Running state of one entity while its events are folded in order.

    A subclass implements :meth:`on_event` and, when it calls :meth:`schedule`, :meth:`on_due`; both state facts with
    :meth:`emit`, :meth:`take_back`, :meth:`join` and :meth:`leave`. Facts in advance: ``schedule(due_ms, kind)`` asks
    for ``on_due(kind, due_ms)`` when that moment has come without an event of this entity *at or before* it that
    cancelled it - an event at the very instant wins. Rescheduling a kind moves it.
    The fold never asks the time: the engine passes it.
    """

    __slots__ = ("cut_sets", "due", "facts", "last_due_ms", "problems", "soonest_ms", "spent", "transitions", "voided")

    def __init__(self, cut_sets: CutSets) -> None:
        self.cut_sets = cut_sets
        self.voided = True
        """True while the entity leaves every count (spam, deleted, merged away, or its creation not seen yet). Only
        an event changes it, never a due moment. A plain field, as the engine asks for it at every event."""
        self.facts: list[Fact]
        """Where facts go: the engine sets it before it calls."""
        self.due: dict[int, int] = {}
        """``{kind: due_ms}``; a handful at most."""
        self.soonest_ms = NEVER_MS
        """The least of ``due``, ``NEVER_MS`` without one."""
        self.last_due_ms = -NEVER_MS
        """The latest moment that has fired: an event at or before it arrives out of order."""
        self.problems: tuple[str, ...] = ()
        """Data problems met (``negative_duration``, ``second_created``...), for the counters; see
        :meth:`Entity.take_problems`."""
        self.spent: tuple[str, ...] = ()
        """Uids of events that no fact needs any more, whatever comes: the engine drops them from the history. One
        that is delivered again is taken in as if it were new, and changes nothing."""
        self.transitions: tuple[Transition, ...] = ()
        """What has happened to the entity's service levels and has not been told; see
        :meth:`Entity.take_transitions`."""

    @property
    @abstractmethod
    def closed(self) -> bool:
        """True when nothing more is expected: it leaves memory 8 d after its last event, else after 400 d."""

    @abstractmethod
    def on_event(self, event: HistoryEvent) -> None:
        """Apply the next event in order."""

    def replace(self, known: HistoryEvent, event: HistoryEvent) -> bool:  # noqa: ARG002 for folds that can
        """Go on with an event in place of one that has been applied, where nothing that has come after that one would
        have been otherwise. False: it might; all is to be folded again."""
        return False

    def on_due(self, kind: int, due_ms: int) -> None:
        """A scheduled moment has come; ``kind`` is no longer scheduled. Only for folds that schedule."""
        raise AssertionError(f"{type(self).__name__} scheduled kind {kind} at {due_ms} and does not handle it")

    def replay(self) -> None:  # noqa: B027 for folds that need it
        """A whole history comes now, in order, up to :meth:`replayed`. Only for folds whose steps take back what
        earlier ones have stated, over and over: they may put that off."""

    def replayed(self, clock_ms: int) -> None:  # noqa: B027 for folds that need it
        """The history is at its end, and ``clock_ms`` has come: what was put off is to be stated."""

    def forgotten(self, at_ms: int) -> list[Fact]:  # noqa: ARG002 for folds that need it
        """The facts to state when the entity leaves memory at a moment after all that it knows. That it leaves the
        levels and sets is seen to; only for folds of which more is to be counted."""
        return []

    def contribution(self) -> Contribution | None:
        """What the entity says of itself to its customer; None: nothing. A function of history and clock, and of no
        option that may change in an app's life: what was said before a restart is found by folding again. Only for
        folds that have something to say."""
        return None

    def memberships(self) -> list[Fact]:
        """The facts by which the entity stands in sets that age now: what it has joined and not left. Recovery builds
        the sets from these. Only for folds that join such sets."""
        return []

    def emit(self, slot: int, time_ms: int, cuts: int, value: int = 1) -> None:
        """State a fact."""
        self.facts.append((slot, time_ms, cuts, value, 1))

    def take_back(self, slot: int, time_ms: int, cuts: int, value: int = 1) -> None:
        """Take an earlier fact back: the arguments are those it was emitted with."""
        self.facts.append((slot, time_ms, cuts, value, -1))

    def join(self, slot: int, time_ms: int, cuts: int, value: int = 1) -> None:
        """Enter a level (value: by how much) or a set that ages (value: the start, epoch milliseconds)."""
        self.facts.append((slot, time_ms, cuts, value, 1))

    def leave(self, slot: int, time_ms: int, cuts: int, value: int = 1) -> None:
        """Leave what was joined with this value and these cuts. Nothing is taken back: ``time_ms`` is the time of
        leaving, and until then the entity stays in."""
        self.facts.append((slot, time_ms, cuts, value, -1))

    def note_problem(self, name: str) -> None:
        """Count a data problem."""
        self.problems += (name,)

    def duration_ms(self, start_ms: int, end_ms: int) -> int:
        """The time from start to end; a negative one counts as 0 and is a problem."""
        if end_ms < start_ms:
            self.note_problem("negative_duration")
            return 0
        return end_ms - start_ms

    def schedule(self, due_ms: int, kind: int) -> None:
        """Ask for ``on_due(kind, due_ms)``."""
        due = self.due
        moved = kind in due
        due[kind] = due_ms
        if due_ms <= self.soonest_ms:
            self.soonest_ms = due_ms
        elif moved:
            self.soonest_ms = min(due.values())

    def cancel(self, kind: int) -> None:
        """Forget a scheduled moment, if there is one."""
        due = self.due
        if due and due.pop(kind, None) is not None:
            self.soonest_ms = min(due.values()) if due else NEVER_MS

    def next_due_ms(self) -> int:
        """The next scheduled moment, ``NEVER_MS`` without one."""
        return self.soonest_ms

    def fire_until(self, clock_ms: int, *, inclusive: bool) -> None:
        """Let the moments up to ``clock_ms`` come, in order of time, then kind."""
        while self.soonest_ms < clock_ms or (inclusive and self.soonest_ms == clock_ms):
            due_ms = self.soonest_ms
            kind = min([kind for kind, kind_due_ms in self.due.items() if kind_due_ms == due_ms])
            self.cancel(kind)
            self.last_due_ms = max(self.last_due_ms, due_ms)
            self.on_due(kind, due_ms)
