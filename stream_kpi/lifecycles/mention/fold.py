"""The lifecycle of a mention: its sentiment, and the first reply (kpis.md, Engagement)."""

from __future__ import annotations

from typing import Final

import msgspec

from stream_kpi.lifecycles.facts import CutSets
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.mention.events import Mentioned, MentionEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures import registry

MENTIONS_SLOT: Final = registry.MENTIONS.slot
RESPONSE_SLOT: Final = registry.SOCIAL_RESPONSE.slot


class MentionFold(Fold):
    """One mention. A reply is counted in the cuts of the mention, whatever network the reply names."""

    __slots__ = ("_cuts", "_mentioned_ms", "_replied")

    history_decoder = msgspec.msgpack.Decoder(list[MentionEvent])

    def __init__(self, cut_sets: CutSets, options: Options) -> None:  # noqa: ARG002 every fold is made like this
        super().__init__(cut_sets)
        self._mentioned_ms = 0
        self._cuts = 0
        self._replied = False

    @property
    def closed(self) -> bool:
        """Replied to: all others may yet be."""
        return self._replied

    def on_event(self, event: HistoryEvent) -> None:
        """Apply the next event. A reply without its mention is held: the engine folds it again when that comes."""
        if isinstance(event, Mentioned):
            self._on_mention(event)
        elif not self.voided and not self._replied:
            self._replied = True
            waited_ms = self.duration_ms(self._mentioned_ms, event.time_ms)
            self.emit(RESPONSE_SLOT, event.time_ms, self._cuts, waited_ms)

    def _on_mention(self, event: Mentioned) -> None:
        if not self.voided:
            self.note_problem("second_mention")
            return
        self.voided = False
        cut_sets = self.cut_sets
        time_ms = self._mentioned_ms = event.time_ms
        cuts = self._cuts = cut_sets.pair(cut_sets.total, cut_sets.only("network", event.network))
        self.emit(MENTIONS_SLOT, time_ms, cuts)
        if event.sentiment is not None:
            self.emit(registry.MENTIONS.part_slot(event.sentiment), time_ms, cuts)
