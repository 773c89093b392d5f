"""A history that is fed to two of a kind: one that takes words in at rest, and one that always folds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stream_kpi.entities import Entities
from stream_kpi.lifecycles.facts import Fact, net
from stream_kpi.lifecycles.history import HistoryEvent


def both_come_to_the_same(
    resting: Entities,
    unpacked: Entities,
    fed: Iterable[tuple[HistoryEvent, int]],
    is_word: Callable[[HistoryEvent], bool],
    chance: Callable[[], bool],
    end_ms: int,
) -> None:
    """Feed events, each with its clock, to key ``C`` of both: facts and state records are the same at every step.
    ``chance`` decides whether clocks are advanced, and states flushed."""
    facts_at_rest, facts_unpacked = list[Fact](), list[Fact]()
    for event, clock_ms in fed:
        if not (is_word(event) and resting.take_at_rest("C", event, clock_ms)):
            facts_at_rest += resting.apply(resting.find("C"), event, clock_ms) or []
        facts_unpacked += unpacked.apply(unpacked.find("C"), event, clock_ms) or []
        if chance():
            facts_at_rest += resting.advance(clock_ms)[0]
            facts_unpacked += unpacked.advance(clock_ms)[0]
        assert net(facts_at_rest) == net(facts_unpacked)
        if chance():
            assert resting.flush() == unpacked.flush()
            resting.hot.clear()
    facts_at_rest += resting.advance(end_ms)[0]
    facts_unpacked += unpacked.advance(end_ms)[0]
    assert net(facts_at_rest) == net(facts_unpacked)
    assert resting.flush() == unpacked.flush()
