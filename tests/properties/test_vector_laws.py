"""Vectors are a commutative group: the laws that merging, taking back and re-ordering rest on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream_kpi.measures.vector import Vector, add_into, subtract

VECTORS = st.dictionaries(st.integers(0, 12), st.integers(-3, 3).filter(bool), max_size=8)


def added(*vectors: Vector) -> Vector:
    total: Vector = {}
    for vector in vectors:
        add_into(total, vector)
    return total


@given(VECTORS, VECTORS)
def test_the_order_of_adding_does_not_matter(a: Vector, b: Vector) -> None:
    assert added(a, b) == added(b, a)


@given(VECTORS, VECTORS, VECTORS)
def test_the_grouping_of_adding_does_not_matter(a: Vector, b: Vector, c: Vector) -> None:
    assert added(added(a, b), c) == added(a, added(b, c))


@given(VECTORS)
def test_nothing_changes_nothing(a: Vector) -> None:
    assert added(a, {}) == a == added({}, a)


@given(VECTORS)
def test_everything_can_be_taken_back(a: Vector) -> None:
    assert added(a, subtract({}, a)) == {}


@given(VECTORS, VECTORS)
def test_what_must_be_added_leads_there(before: Vector, after: Vector) -> None:
    assert added(before, subtract(after, before)) == after


@given(VECTORS, VECTORS)
def test_a_vector_never_holds_a_zero(a: Vector, b: Vector) -> None:
    assert 0 not in added(a, b).values()
    assert 0 not in subtract(a, b).values()


@given(VECTORS, VECTORS)
def test_only_the_target_is_changed(a: Vector, b: Vector) -> None:
    before = dict(b)
    add_into(dict(a), b)
    subtract(a, b)
    assert b == before
