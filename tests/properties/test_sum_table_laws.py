"""Sums in arrays are what dictionaries of vectors would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream_kpi.measures.registry import BACKLOG, MEASURES, TICKETS_CREATED, Kind
from stream_kpi.measures.vector import Vector, add_into
from stream_kpi.windows.sum_table import (
    Sums,
    SumTable,
    added,
    measure_flags,
    packed_vectors,
    ranked,
    sums_of,
    unpacked_vectors,
)

SLOTS = st.sampled_from([0, 1, TICKETS_CREATED.slot, BACKLOG.slot, BACKLOG.slot + 8_191, (1 << 20) - 1])
AMOUNTS = st.integers(-(10**17), 10**17)
BY_CUT = st.dictionaries(st.integers(0, 4), st.dictionaries(SLOTS, AMOUNTS, max_size=4), max_size=4)


def content(sums: Sums) -> dict[int, Vector]:
    return {number: sums.vector(number) for number in sums.cuts().tolist()}


def total(parts: Sequence[Mapping[int, Vector]]) -> dict[int, Vector]:
    result: dict[int, Vector] = {}
    for part in parts:
        for number, vector in part.items():
            add_into(result.setdefault(number, {}), vector)
    return {number: vector for number, vector in result.items() if vector}


@given(parts=st.lists(BY_CUT, max_size=5))
def test_a_table_to_which_sums_are_added_one_by_one_holds_what_dictionaries_hold(
    parts: list[dict[int, Vector]],
) -> None:
    table = SumTable()
    for part in parts:
        before = table.sums
        kept = content(before)
        table.add(sums_of(part))
        assert content(before) == kept, "who holds the sums of before does not see them change"
    assert content(table.sums) == total(parts) == content(added([sums_of(part) for part in parts]))
    assert bool(table) == bool(total(parts))


@given(part=BY_CUT, amount=AMOUNTS)
def test_a_table_many_times_as_long_as_what_is_added_to_it_holds_what_dictionaries_hold(
    part: dict[int, Vector], amount: int
) -> None:
    long = {number: dict.fromkeys(range(100), amount) for number in range(2, 8)}
    table = SumTable(sums_of(long))
    table.add(sums_of(part))
    assert content(table.sums) == total([long, part])
    table.add(sums_of(long).negated())
    assert content(table.sums) == total([part])


@given(values=st.lists(st.one_of(st.integers(-9, 9), st.integers(-(1 << 62), 1 << 62)), max_size=20))
def test_values_are_ranked_as_sorting_ranks_them_near_or_far(values: list[int]) -> None:
    distinct, places = ranked(np.array(values, dtype=np.int64))
    assert distinct.tolist() == sorted(set(values))
    assert [sorted(set(values))[place] for place in places.tolist()] == values


@given(part=BY_CUT, other=BY_CUT)
def test_what_is_added_and_taken_back_leaves_what_was(part: dict[int, Vector], other: dict[int, Vector]) -> None:
    table = SumTable(sums_of(part))
    table.add(sums_of(other))
    table.add(sums_of(other).negated())
    assert content(table.sums) == total([part])


@given(part=BY_CUT, numbers=st.sets(st.integers(0, 6)))
def test_vectors_are_packed_without_loss_and_a_cut_without_any_is_empty(
    part: dict[int, Vector], numbers: set[int]
) -> None:
    known = total([part])
    cuts = sorted(numbers)
    packed = dict(zip(cuts, packed_vectors(sums_of(part), np.array(cuts, dtype=np.int64)), strict=True))
    assert {number for number, vector in packed.items() if vector} == numbers & known.keys()
    assert content(unpacked_vectors(packed)) == {number: known[number] for number in numbers & known.keys()}


@given(part=BY_CUT, numbers=st.sets(st.integers(0, 6)))
def test_sums_of_some_cuts_or_measures_are_those_and_no_others(part: dict[int, Vector], numbers: set[int]) -> None:
    known, sums = total([part]), sums_of(part)
    assert content(sums.of_cuts(np.array(sorted(numbers), dtype=np.int64))) == {
        number: vector for number, vector in known.items() if number in numbers
    }
    levels = {slot for m in MEASURES if m.kind is Kind.LEVEL for slot in range(m.slot, m.slot + 8_192)}
    expected = {n: {slot: amount for slot, amount in v.items() if slot in levels} for n, v in known.items()}
    found = sums.of_measures(measure_flags(m for m in MEASURES if m.kind is Kind.LEVEL))
    assert content(found) == {number: vector for number, vector in expected.items() if vector}
