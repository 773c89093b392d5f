"""A history that is fed to two of a kind: one that takes words in at rest, and one that always folds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stream_kpi.entities import Entities
from stream_kpi.lifecycles.facts import CutSets, Fact, net
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.packing import head_of, history_of

OPTIONS = Options()


def both_come_to_the_same(
    resting: Entities,
    unpacked: Entities,
    fed: Iterable[tuple[HistoryEvent, int]],
    is_word: Callable[[HistoryEvent], bool],
    chance: Callable[[], bool],
    end_ms: int,
) -> None:
    """Feed events, each with its clock, to key ``C`` of both: facts and states are the same at every step. ``chance``
    decides whether clocks are advanced, and states flushed."""
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
            assert states(resting) == states(unpacked)
            resting.hot.clear()
    facts_at_rest += resting.advance(end_ms)[0]
    facts_unpacked += unpacked.advance(end_ms)[0]
    assert net(facts_at_rest) == net(facts_unpacked)
    assert states(resting) == states(unpacked)


def states(entities: Entities) -> dict[str, tuple[bool, list[HistoryEvent]]]:
    """What has been stated after a flush: by key, whether it is in a set that ages, and the history. The clock is left
    out: one at rest may be woken earlier than need be, for nothing."""
    entities.flush()
    fold = entities.lifecycle.new_fold(CutSets(), OPTIONS)
    return {key: (head_of(packed)[2], history_of(fold, packed)) for key, packed in entities.cold.items()}
