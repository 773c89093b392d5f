"""The visitor lifecycle: visits, conversions and bounces (kpis.md, Engagement)."""

from __future__ import annotations

from typing import Final

import msgspec

from stream_kpi.lifecycles.facts import CutSets
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import BOUNCE_WINDOW_MS, Options
from stream_kpi.lifecycles.thinning import Thinning
from stream_kpi.lifecycles.visitor.distinct import NOT_YET_MS, Starts, both_occurred, occurred, starts_at
from stream_kpi.lifecycles.visitor.events import Converted, Visited, VisitorEvent
from stream_kpi.measures import registry

BOUNCE_DUE: Final = 0
"""Due moment: a visit is old enough to be judged."""

VISITORS_SLOT: Final = registry.VISITORS.slot
CONVERTED_SLOT: Final = registry.CONVERTED_VISITORS.slot
VISITS_SLOT: Final = registry.COHORT_VISITS.slot
BOUNCES_SLOT: Final = registry.COHORT_BOUNCES.slot


class VisitorFold(Fold):
    """One visitor. The channel is that of the visits: who came by two counts under both. A goal's cut has those that
    converted to it; what they are a share of is the total's visitors."""

    __slots__ = (
        "_acted",
        "_channels",
        "_converted_ms",
        "_goals",
        "_last_ms",
        "_lone",
        "_undecided",
        "_visited_ms",
        "_zone",
    )

    history_decoder = msgspec.msgpack.Decoder(list[VisitorEvent])

    def __init__(self, cut_sets: CutSets, options: Options) -> None:
        super().__init__(cut_sets)
        self.voided = False
        self._zone = options.zone_info
        self._visited_ms = NOT_YET_MS
        """The latest visit."""
        self._channels: dict[str | None, int] = {}
        """The latest visit by each channel."""
        self._converted_ms = NOT_YET_MS
        self._goals: dict[str, int] = {}
        """The latest conversion to each goal."""
        self._last_ms = NOT_YET_MS
        """The latest signal of any type."""
        self._lone = True
        """Whether it is the only one of its instant."""
        self._undecided: list[tuple[int, int]] = []
        """Time and cuts of the visits that are not old enough."""
        self._acted: Thinning | None = None
        """None until it acts: most only visit."""

    @property
    def closed(self) -> bool:
        """Never: who comes again must not count as another visitor."""
        return False

    def on_event(self, event: HistoryEvent) -> None:
        """Apply the next event."""
        time_ms = event.time_ms
        self._lone = time_ms != self._last_ms
        self._last_ms = time_ms
        if isinstance(event, Visited):
            self._on_visit(time_ms, event.channel)
        elif isinstance(event, Converted):
            self._on_conversion(time_ms, event.goal)
        else:
            if self._acted is None:
                self._acted = Thinning(BOUNCE_WINDOW_MS)
            self.spent += self._acted.replaced_by(event)

    def on_due(self, kind: int, due_ms: int) -> None:  # noqa: ARG002 it schedules one kind only
        """Judge the visits that are old enough: a bounce is one that no signal followed or went along with."""
        undecided = self._undecided
        while undecided and undecided[0][0] + BOUNCE_WINDOW_MS <= due_ms:
            time_ms, cuts = undecided.pop(0)
            self.emit(VISITS_SLOT, time_ms, cuts)
            if self._last_ms == time_ms and self._lone:
                self.emit(BOUNCES_SLOT, time_ms, cuts)
        if undecided:
            self.schedule(undecided[0][0] + BOUNCE_WINDOW_MS, BOUNCE_DUE)

    def _on_visit(self, time_ms: int, channel: str | None) -> None:
        cut_sets = self.cut_sets
        starts = starts_at(time_ms, self._zone)
        of_channel = cut_sets.only("channel", channel)
        channel_ms = self._channels.get(channel, NOT_YET_MS)
        both = cut_sets.pair(cut_sets.total, of_channel)
        if channel_ms == self._visited_ms:
            self._count_visit(both, channel_ms, time_ms, starts)
        else:
            self._count_visit(cut_sets.total, self._visited_ms, time_ms, starts)
            self._count_visit(of_channel, channel_ms, time_ms, starts)
        for goal, goal_ms in self._goals.items():
            cuts = cut_sets.only("goal", goal)
            both_occurred(self.facts, CONVERTED_SLOT, cuts, self._visited_ms, time_ms, goal_ms, starts)
        self._visited_ms = self._channels[channel] = time_ms
        self._undecided.append((time_ms, both))
        if len(self._undecided) == 1:
            self.schedule(time_ms + BOUNCE_WINDOW_MS, BOUNCE_DUE)

    def _count_visit(self, cuts: int, before_ms: int, time_ms: int, starts: Starts) -> None:
        occurred(self.facts, VISITORS_SLOT, cuts, before_ms, time_ms, starts)
        both_occurred(self.facts, CONVERTED_SLOT, cuts, before_ms, time_ms, self._converted_ms, starts)

    def _on_conversion(self, time_ms: int, goal: str) -> None:
        cut_sets, facts = self.cut_sets, self.facts
        starts = starts_at(time_ms, self._zone)
        before_ms, goal_ms = self._converted_ms, self._goals.get(goal, NOT_YET_MS)
        both_occurred(facts, CONVERTED_SLOT, cut_sets.total, before_ms, time_ms, self._visited_ms, starts)
        for channel, visited_ms in self._channels.items():
            cuts = cut_sets.only("channel", channel)
            both_occurred(facts, CONVERTED_SLOT, cuts, before_ms, time_ms, visited_ms, starts)
        both_occurred(facts, CONVERTED_SLOT, cut_sets.only("goal", goal), goal_ms, time_ms, self._visited_ms, starts)
        self._converted_ms = self._goals[goal] = time_ms
