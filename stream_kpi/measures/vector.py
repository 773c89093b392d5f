"""Sparse integer vectors: the commutative group that every pane, window and total is an element of."""

from __future__ import annotations

from collections.abc import Mapping

Vector = dict[int, int]
"""``{slot: amount}`` without zeros."""


def add_into(target: Vector, delta: Mapping[int, int]) -> None:
    """Add ``delta`` to ``target`` in place; slots that reach zero leave, so equal content means equal dicts."""
    get = target.get
    for slot, amount in delta.items():
        total = get(slot, 0) + amount
        if total:
            target[slot] = total
        else:
            target.pop(slot, None)


def subtract(after: Mapping[int, int], before: Mapping[int, int]) -> Vector:
    """What must be added to ``before`` to get ``after``."""
    delta = dict(after)
    add_into(delta, {slot: -amount for slot, amount in before.items()})
    return delta
