"""What an entity tells others of its cuts: their ids are of one shard's process only."""

from __future__ import annotations

from stream_kpi.lifecycles.facts import CutSets


def dimensions_of(cut_sets: CutSets, cuts: int) -> tuple[str, ...]:
    """The dimension values that standard cuts, and perhaps an agent, were made of; absent ones are ``unknown``."""
    return tuple([cut[1] for cut in cut_sets.cuts_of(cuts) if cut])


def cuts_from(cut_sets: CutSets, dimensions: tuple[str, ...]) -> int:
    """The inverse of :func:`dimensions_of`."""
    channel, priority, category, group, brand, *agent = dimensions
    cuts = cut_sets.standard(channel, priority, category, group, brand)
    return cut_sets.credited(cuts, agent[0]) if agent else cuts
