"""Groups of cuts that have seen the same of one ticket, each with what it has seen: its lane. No cut is in two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from stream_kpi.lifecycles.facts import GROUP_BITS

if TYPE_CHECKING:
    from stream_kpi.lifecycles.facts import CutSets

GROUP: Final = (1 << GROUP_BITS) - 1
"""The first group of an id of cuts: the standard ones, where the second is the agent's."""

Lane = TypeVar("Lane")


def present_lanes(
    lanes: dict[int, Lane], cuts: int, before: tuple[int, ...], cuts_before: int, new: Lane, cut_sets: CutSets
) -> tuple[int, ...]:
    """The groups of all lanes that these cuts are in, the agent's last; cuts that are in none begin one. ``before`` are
    those of the cuts that the ticket was in before, if it was in any."""
    agent = cuts >> GROUP_BITS
    if agent not in lanes:
        lanes[agent] = new
    if before and (cuts ^ cuts_before) & GROUP == 0:
        return (*before[:-1], agent)
    return (*_parted(lanes, cuts & GROUP, new, cut_sets), agent)


def _parted(lanes: dict[int, Lane], standard: int, new: Lane, cut_sets: CutSets) -> list[int]:
    """Part lanes of which only some cuts are those of a group; begin one for the cuts that are in none. The groups of
    all whose cuts are."""
    groups = cut_sets.groups
    wanted = groups[standard]
    left = set(wanted)
    present: list[int] = []
    for group in tuple(lanes):
        cuts = groups[group]
        inside = tuple([cut for cut in cuts if cut in left])
        if not inside:
            continue
        left.difference_update(inside)
        if len(inside) < len(cuts):
            outside = tuple([cut for cut in cuts if cut not in inside])
            lane = lanes.pop(group)
            group = cut_sets.id_of(inside)  # noqa: PLW2901 - the lane's new one
            lanes[group] = lanes[cut_sets.id_of(outside)] = lane
        present.append(group)
    if left:
        group = cut_sets.id_of(tuple([cut for cut in wanted if cut in left]))
        lanes[group] = new
        present.append(group)
    return present
