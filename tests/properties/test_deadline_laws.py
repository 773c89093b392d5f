"""The nearest deadlines of several shards are those of all, in whatever order and parts they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream_kpi.deadlines import MOST_AHEAD, MOST_MISSED, Deadline, nearest, pack_deadlines, unpack_deadlines

NOW_MS = 50


def deadline(number: int, deadline_ms: int) -> Deadline:
    return Deadline("ticket", f"T-{number:03}", "resolution", "p", None, 1, deadline_ms, "c", "g", "k")


@st.composite
def of_shards(draw: st.DrawFn) -> list[list[Deadline]]:
    """Up to 300 deadlines on four shards, about half of them missed."""
    moments = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100)), max_size=300))
    shards: list[list[Deadline]] = [[], [], [], []]
    for number, (shard, deadline_ms) in enumerate(moments):
        shards[shard].append(deadline(number, deadline_ms))
    return shards


def model(deadlines: list[Deadline]) -> tuple[Deadline, ...]:
    """Slow and obvious."""
    by_time = sorted(deadlines, key=lambda one: (one.deadline_ms, one.subject))
    latest = sorted(deadlines, key=lambda one: (-one.deadline_ms, one.subject))
    ahead = [one for one in by_time if one.deadline_ms > NOW_MS]
    missed = [one for one in latest if one.deadline_ms <= NOW_MS]
    return (*ahead[:MOST_AHEAD], *missed[:MOST_MISSED])


@given(of_shards(), st.randoms(use_true_random=False))
def test_the_nearest_of_all_shards_are_those_of_their_nearest_in_any_order(
    shards: list[list[Deadline]], random: object
) -> None:
    every = [one for shard in shards for one in shard]
    stated = [unpack_deadlines(pack_deadlines(nearest(shard, NOW_MS))) for shard in shards]
    together = [one for shard in stated for one in shard]
    random.shuffle(together)  # type: ignore[attr-defined]
    assert nearest(together, NOW_MS) == model(every) == nearest(every, NOW_MS)
