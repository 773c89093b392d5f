"""Sets that age, against a list of the members' starts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from stream_kpi.lifecycles.facts import Cut, CutSets
from stream_kpi.measures.histogram import bins_stats
from stream_kpi.measures.registry import OPEN_TICKETS, WAITING_CHATS
from stream_kpi.windows.ages import AgeSets, AgeState, ShardAges, pack_ages, summary, unpack_ages
from stream_kpi.windows.cut_table import CutTable

NOW_MS = 1_772_445_600_000
OPEN, WAITING = OPEN_TICKETS.number, WAITING_CHATS.number
CUT_SETS: tuple[tuple[Cut, ...], ...] = (
    (),
    ((),),
    ((), ("channel", "email")),
    ((), ("channel", "chat"), ("brand", "x")),
)
Member = tuple[int, tuple[Cut, ...], int]
MEMBERS = st.lists(
    st.tuples(
        st.sampled_from([OPEN, WAITING]),
        st.sampled_from(CUT_SETS),
        st.integers(0, 300 * 86_400_000).map(lambda age_ms: NOW_MS - age_ms),
    ),
    max_size=30,
)


class Sets:
    """The sets of one shard."""

    def __init__(self) -> None:
        self.cut_sets = CutSets()
        self.ages = AgeSets(CutTable(self.cut_sets))

    def add(self, member: Member, sign: int = 1) -> None:
        number, cuts, start_ms = member
        self.ages.take([(0, number, self.cut_sets.id_of(cuts), start_ms, sign)])

    def state(self) -> ShardAges:
        return unpack_ages(pack_ages(self.ages.state_at(NOW_MS)))


def sets_of(members: Sequence[Member]) -> Sets:
    sets = Sets()
    for member in members:
        sets.add(member)
    return sets


def starts_of(members: Sequence[Member], number: int, cut: Cut) -> list[int]:
    return sorted(start_ms for kind, cuts, start_ms in members if kind == number and cut in cuts)


def quantile(ascending: Sequence[float], q: float) -> float:
    """Linear interpolation, as pandas and DuckDB do."""
    rank = q * (len(ascending) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (ascending[above] - ascending[below]) * (rank - below)


def assert_exact(states: list[AgeState], starts_ms: list[int], now_ms: int = NOW_MS) -> None:
    """The summary is that of these members."""
    found = summary(states, now_ms)
    if not starts_ms:
        assert found is None
        return
    assert found is not None
    ages_ms = sorted(now_ms - start_ms for start_ms in starts_ms)
    assert (found.count, found.age_sum_ms, found.oldest_ms) == (len(ages_ms), sum(ages_ms), ages_ms[-1])
    if now_ms == NOW_MS:
        stats = bins_stats(found.bins, found.age_sum_ms)
        assert stats is not None
        for q, value in ((0.5, stats.p50), (0.9, stats.p90), (0.95, stats.p95), (0.99, stats.p99)):
            exact_s = quantile(ages_ms, q) / 1000
            assert math.isclose(value, exact_s, rel_tol=0.011, abs_tol=1e-9)


@given(members=MEMBERS)
def test_count_mean_and_oldest_are_exact_and_quantiles_within_1_1_percent(members: list[Member]) -> None:
    state = sets_of(members).state()
    for number in (OPEN, WAITING):
        for cut in {cut for cuts in CUT_SETS for cut in cuts}:
            states = [by_cut[cut] for by_cut in [state.get(number, {})] if cut in by_cut]
            assert_exact(states, starts_of(members, number, cut))


@given(members=MEMBERS, shards=st.lists(st.integers(0, 2), min_size=30, max_size=30))
def test_the_sets_of_any_split_over_shards_are_those_of_one(members: list[Member], shards: list[int]) -> None:
    apart = [sets_of([m for m, shard in zip(members, shards, strict=False) if shard == n]).state() for n in range(3)]
    for cut in {cut for cuts in CUT_SETS for cut in cuts}:
        states = [state[OPEN][cut] for state in apart if cut in state.get(OPEN, {})]
        assert_exact(states, starts_of(members, OPEN, cut))


@given(members=MEMBERS, gone=st.integers(0, 30))
def test_who_has_left_is_as_if_never_there_whichever_is_heard_of_first(members: list[Member], gone: int) -> None:
    sets = Sets()
    for member in members[:gone]:
        sets.add(member, -1)
    for member in members:
        sets.add(member)
    assert sets.state() == sets_of(members[gone:]).state()
    assert bool(sets.ages) == bool(members[gone:])


@given(members=MEMBERS, later_ms=st.integers(0, 86_400_000))
def test_members_grow_older_by_the_clock_alone(members: list[Member], later_ms: int) -> None:
    state = sets_of(members).state().get(OPEN, {})
    states = [state[()]] if () in state else []
    assert_exact(states, starts_of(members, OPEN, ()), NOW_MS + later_ms)


def test_empty_sets_have_no_state_and_no_summary() -> None:
    assert Sets().state() == {}
    assert not Sets().ages
    assert summary([], NOW_MS) is None


def test_a_start_after_now_is_an_age_of_zero() -> None:
    found = summary([sets_of([(OPEN, ((),), NOW_MS + 5)]).state()[OPEN][()]], NOW_MS)
    assert found is not None
    assert (found.age_sum_ms, found.oldest_ms, found.bins) == (0, 0, {0: 1})
