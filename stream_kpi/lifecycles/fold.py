"""What a lifecycle is: a fold over an entity's events in their order, with moments that come without an event."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from mypy_extensions import mypyc_attr

from stream_kpi.lifecycles.history import NEVER_MS, HistoryEvent

if TYPE_CHECKING:
    from stream_kpi.lifecycles.contribution import Contribution
    from stream_kpi.lifecycles.facts import CutSets, Fact
    from stream_kpi.lifecycles.sla.promise import Promise
    from stream_kpi.lifecycles.sla.transition import Transition


@mypyc_attr(allow_interpreted_subclasses=True)  # tests have folds of their own
class Fold(ABC):
    """Running state of one entity while its events are folded in order.

    A subclass has a :attr:`history_decoder`, implements :meth:`on_event` and, when it calls :meth:`schedule`,
    :meth:`on_due`; both state facts with :meth:`emit`, :meth:`take_back`, :meth:`join` and :meth:`leave`. Facts in
    advance: ``schedule(due_ms, kind)`` asks for ``on_due(kind, due_ms)`` when that moment has come without an event of
    this entity *at or before* it that cancelled it - an event at the very instant wins. Rescheduling a kind moves it.
    The fold never asks the time: the engine passes it.
    """

    history_decoder: ClassVar[msgspec.msgpack.Decoder[Any]]
    """For a packed list of the lifecycle's events."""

    __slots__ = (
        "_later",
        "_soonest_kind",
        "contribution_changed",
        "cut_sets",
        "facts",
        "last_due_ms",
        "problems",
        "soonest_ms",
        "spent",
        "transitions",
        "voided",
    )

    def __init__(self, cut_sets: CutSets) -> None:
        self.cut_sets = cut_sets
        self.voided = True
        """True while the entity leaves every count (spam, deleted, merged away, or its creation not seen yet). Only
        an event changes it, never a due moment. A plain field, as the engine asks for it at every event."""
        self.facts: list[Fact]
        """Where facts go: the engine sets it before it calls."""
        self.soonest_ms = NEVER_MS
        """The first scheduled moment, ``NEVER_MS`` without one."""
        self._soonest_kind = -1
        self._later: dict[int, int] | None = None
        """``{kind: due_ms}`` of the others; None where there never was more than one at once, as nearly always: a
        dictionary an entity costs more than the rest of scheduling."""
        self.last_due_ms = -NEVER_MS
        """The latest moment that has fired: an event at or before it arrives out of order."""
        self.problems: tuple[str, ...] = ()
        """Data problems met (``negative_duration``, ``second_created``...), for the counters; see
        :meth:`Entity.take_problems`."""
        self.spent: tuple[str, ...] = ()
        """Uids of events that no fact needs any more, whatever comes: the engine drops them from the history. One
        that is delivered again is taken in as if it were new, and changes nothing."""
        self.contribution_changed = False
        """Whether :meth:`contribution` may have become another one. It is asked for before each flush, of each entity
        that has had an event; most events change nothing in it. Whoever asks sets this back."""
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

    def promises(self) -> list[Promise]:
        """The service levels whose clocks run, in time or missed. Only for folds to which something is promised."""
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

    @property
    def due(self) -> dict[int, int]:
        """All scheduled moments, ``{kind: due_ms}``."""
        soonest = {} if self.soonest_ms == NEVER_MS else {self._soonest_kind: self.soonest_ms}
        return soonest | (self._later or {})

    def is_scheduled(self, kind: int) -> bool:
        """Whether a moment of the kind is asked for."""
        return kind == self._soonest_kind or (self._later is not None and kind in self._later)

    def schedule(self, due_ms: int, kind: int) -> None:
        """Ask for ``on_due(kind, due_ms)``."""
        later = self._later
        if kind != self._soonest_kind:
            if self.soonest_ms == NEVER_MS:
                self._soonest_kind, self.soonest_ms = kind, due_ms
                return
            if later is None:
                later = self._later = {}
            if (due_ms, kind) > (self.soonest_ms, self._soonest_kind):
                later[kind] = due_ms
                return
            later.pop(kind, None)
            later[self._soonest_kind] = self.soonest_ms
            self._soonest_kind = kind
        elif due_ms > self.soonest_ms and later:
            later[kind] = due_ms
            self._promote(later)
            return
        self.soonest_ms = due_ms

    def cancel(self, kind: int) -> None:
        """Forget a scheduled moment, if there is one."""
        later = self._later
        if kind != self._soonest_kind:
            if later:
                later.pop(kind, None)
        elif later:
            self._promote(later)
        else:
            self._soonest_kind, self.soonest_ms = -1, NEVER_MS

    def _promote(self, later: dict[int, int]) -> None:
        """Make the first of the later moments the soonest one: by time, then kind."""
        due_ms, kind = min([(due_ms, kind) for kind, due_ms in later.items()])
        del later[kind]
        self._soonest_kind, self.soonest_ms = kind, due_ms

    def next_due_ms(self) -> int:
        """The next scheduled moment, ``NEVER_MS`` without one."""
        return self.soonest_ms

    def fire_until(self, clock_ms: int, *, inclusive: bool) -> None:
        """Let the moments up to ``clock_ms`` come, in order of time, then kind."""
        while self.soonest_ms < clock_ms or (inclusive and self.soonest_ms == clock_ms):
            due_ms, kind = self.soonest_ms, self._soonest_kind
            self.cancel(kind)
            if due_ms > self.last_due_ms:  # noqa: PLR1730 - max() takes three times as long
                self.last_due_ms = due_ms
            self.on_due(kind, due_ms)
