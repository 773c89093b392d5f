"""The lifecycle of a cost: each day's share as the day begins (kpis.md, Customers and revenue)."""

from __future__ import annotations

from typing import Final

import msgspec

from stream_kpi.lifecycles.cost.events import CostEvent, Recorded
from stream_kpi.lifecycles.cost.spread import daily_shares
from stream_kpi.lifecycles.facts import CutSets
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures import registry

DAY_DUE: Final = 0
"""Due moment: a day begins that has a share."""
MEASURES: Final = {"support": registry.SUPPORT_COST, "acquisition": registry.ACQUISITION_COST}


class CostFold(Fold):
    """One cost. What is recorded again under its id adds to it; a negative amount corrects it."""

    __slots__ = ("_ahead", "_zone")

    history_decoder = msgspec.msgpack.Decoder(list[CostEvent])

    def __init__(self, cut_sets: CutSets, options: Options) -> None:
        super().__init__(cut_sets)
        self.voided = False
        self._zone = options.zone_info
        self._ahead: list[tuple[int, int, int, int]] = []
        """Start, slot, cuts and amount of the shares whose days have not begun, descending."""

    @property
    def closed(self) -> bool:
        """Always: it stays for the days that are to come."""
        return True

    def on_event(self, event: HistoryEvent) -> None:
        """Spread what is recorded, and state what of it has begun.

        Raises:
            TypeError: an event of another lifecycle.
        """
        if not isinstance(event, Recorded):
            raise TypeError(f"{type(event).__name__} is no event of a cost")
        slot = MEASURES[event.kind].currency_slot(event.currency)
        cuts = self.cut_sets.with_total("channel", event.channel)
        shares = daily_shares(event.amount, event.start_ms, event.end_ms, self._zone)
        self._ahead += [(start_ms, slot, cuts, share) for start_ms, share in shares if share]
        self._ahead.sort(reverse=True)
        self._state(event.time_ms)

    def on_due(self, kind: int, due_ms: int) -> None:  # noqa: ARG002 it schedules one kind only
        """A day begins."""
        self._state(due_ms)

    def _state(self, now_ms: int) -> None:
        ahead = self._ahead
        while ahead and ahead[-1][0] <= now_ms:
            start_ms, slot, cuts, share = ahead.pop()
            self.emit(slot, start_ms, cuts, share)
        if ahead:
            self.schedule(ahead[-1][0], DAY_DUE)
