"""MRR at risk: that of a customer, for as long as any of its tickets has a missed service level that is still owed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Final

from stream_kpi.lifecycles.customer.events import BreachedTicket
from stream_kpi.lifecycles.facts import Fact, spelled_out
from stream_kpi.lifecycles.history import NEVER_MS
from stream_kpi.measures import registry
from stream_kpi.measures.registry import SLOTS_PER_MEASURE

_AT_RISK_OF: Final = {
    registry.MRR.number: registry.MRR_AT_RISK.slot,
    registry.CUSTOMERS_BY_CURRENCY.number: registry.CUSTOMERS_AT_RISK.slot,
}
"""The levels of which a part is at risk, and the slots of those parts."""


class RevenueAtRisk:
    """The part of a customer's levels that is at risk, from the facts of these levels alone: what joins the level is at
    risk from then on, but not before there is something owed, and until there is nothing any more."""

    __slots__ = ("_spans", "_tickets")

    def __init__(self) -> None:
        self._tickets: dict[str, BreachedTicket] = {}
        """The latest word of each, by uid."""
        self._spans: list[tuple[int, int]] | None = None
        """From when until when any of them owes something, ascending; None: to be found again."""

    def on_word(self, word: BreachedTicket) -> None:
        """What a ticket says of itself now. It concerns the facts that follow."""
        self._tickets[word.uid] = word
        self._spans = None

    def follow(self, facts: list[Fact], since: int) -> None:
        """State what follows from the facts from the index ``since`` on."""
        if self._spans is None:
            self._spans = _united(self._tickets.values())
        for slot, time_ms, cuts, value, sign in spelled_out(facts[since:]):
            number, currency = divmod(slot, SLOTS_PER_MEASURE)
            at_risk_slot = _AT_RISK_OF.get(number)
            if at_risk_slot is None:
                continue
            for start_ms, end_ms in self._spans:
                if time_ms < end_ms:
                    facts.append((at_risk_slot + currency, max(time_ms, start_ms), cuts, value, sign))
                    if end_ms < NEVER_MS:
                        facts.append((at_risk_slot + currency, end_ms, cuts, value, -sign))

    @property
    def settled(self) -> bool:
        """Whether no ticket owes anything, nor ever will."""
        return all(word.final or not word.breaches for word in self._tickets.values())

    def forget(self) -> tuple[str, ...]:
        """Let go of the tickets that will say nothing more: their uids. The last one stays: it says when the customer
        was last heard of. What late subscriptions change of a level that was left long ago is not stated then; only
        `compute` reads the past of levels, and there no ticket is ever forgotten."""
        gone = tuple(
            uid for uid in tuple(self._tickets)[:-1] if self._tickets[uid].final or not self._tickets[uid].breaches
        )
        for uid in gone:
            del self._tickets[uid]
        self._spans = None
        return gone


def _united(words: Iterable[BreachedTicket]) -> list[tuple[int, int]]:
    """The time in which any of them owes something."""
    spans = sorted(
        span
        for word in words
        for span in zip_longest(word.breaches[::2], word.breaches[1::2], fillvalue=NEVER_MS)
        if span[0] < span[1]
    )
    united: list[tuple[int, int]] = []
    for start_ms, end_ms in spans:
        if united and start_ms <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], end_ms))
        else:
            united.append((start_ms, end_ms))
    return united
