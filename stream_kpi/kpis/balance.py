"""The balance that every window of revenue keeps: start + new + reactivation + expansion - contraction - churn = end
(pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stream_kpi.lifecycles.facts import Cut
from stream_kpi.measures import registry
from stream_kpi.measures.registry import SLOTS_PER_MEASURE

_SIGNS: Final = {
    registry.MRR.number: 1,
    registry.MRR_NEW.number: -1,
    registry.MRR_REACTIVATION.number: -1,
    registry.MRR_EXPANSION.number: -1,
    registry.MRR_CONTRACTION.number: 1,
    registry.MRR_CHURNED.number: 1,
}
_FIRST_SLOT: Final = min(_SIGNS) * SLOTS_PER_MEASURE
_END_SLOT: Final = (max(_SIGNS) + 1) * SLOTS_PER_MEASURE


def is_balanced(cut: Cut, inside: Mapping[int, int]) -> bool:
    """Whether the movements inside a window are what the MRR has changed by, to the minor unit, in every currency.
    Cuts other than the total, plans and channels hold no MRR: of them it is not asked."""
    if cut and cut[0] not in {"plan", "channel"}:
        return True
    unexplained: dict[int, int] = {}
    for slot in inside:
        if _FIRST_SLOT <= slot < _END_SLOT:
            measure, currency = divmod(slot, SLOTS_PER_MEASURE)
            unexplained[currency] = unexplained.get(currency, 0) + _SIGNS[measure] * inside[slot]
    return not any(unexplained.values())
