from __future__ import annotations

from functools import partial

from stream_kpi.lifecycles.entity import Entity
from stream_kpi.lifecycles.facts import CutSets, Fact, net
from stream_kpi.lifecycles.mention.events import Mentioned, MentionEvent, Replied
from stream_kpi.lifecycles.mention.fold import MentionFold
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.registry import MENTIONS, SOCIAL_RESPONSE

T = 1_700_000_000_000
MINUTE = 60_000


class Mention:
    """A mention under test."""

    def __init__(self) -> None:
        self.cut_sets = CutSets()
        self.entity = Entity(partial(MentionFold, self.cut_sets, Options()))
        self.facts: list[Fact] = []
        self.problems: list[str] = []

    def add(self, event: MentionEvent) -> None:
        self.facts += self.entity.apply(event, max(event.time_ms, self.entity.clock_ms)) or []
        self.problems += self.entity.take_problems()

    def stated(self, slot: int, cut: tuple[str, ...] = ()) -> list[tuple[int, int]]:
        """The facts of a cut that stand: milliseconds after T, value."""
        return [
            (time_ms - T, value * n)
            for (of, time_ms, cuts, value), n in net(self.facts).items()
            if of == slot and cut in self.cut_sets.cuts_of(cuts)
        ]


def test_a_mention_counts_by_network_and_sentiment_and_its_first_reply_ends_the_wait() -> None:
    mention = Mention()
    mention.add(Mentioned(T, "m", "x", "negative"))
    assert not mention.entity.fold.closed
    mention.add(Replied(T + 20 * MINUTE, "r"))
    mention.add(Replied(T + 30 * MINUTE, "r2"))
    for cut in ((), ("network", "x")):
        assert mention.stated(MENTIONS.slot, cut) == [(0, 1)]
        assert mention.stated(MENTIONS.part_slot("negative"), cut) == [(0, 1)]
        assert mention.stated(MENTIONS.part_slot("positive"), cut) == []
        assert mention.stated(SOCIAL_RESPONSE.slot, cut) == [(20 * MINUTE, 20 * MINUTE)]
    assert mention.entity.fold.closed


def test_a_reply_waits_for_its_mention_and_an_earlier_one_that_comes_late_replaces_it() -> None:
    mention = Mention()
    mention.add(Replied(T + 20 * MINUTE, "r"))
    assert mention.facts == []
    mention.add(Mentioned(T, "m", "x", None))
    assert mention.stated(SOCIAL_RESPONSE.slot) == [(20 * MINUTE, 20 * MINUTE)]
    mention.add(Replied(T + 5 * MINUTE, "r2"))
    assert mention.stated(SOCIAL_RESPONSE.slot) == [(5 * MINUTE, 5 * MINUTE)]
    assert [mention.stated(slot) for slot in MENTIONS.part_slots] == [[(0, 1)], [], [], []]


def test_a_reply_before_the_mention_took_no_time_and_a_second_mention_changes_nothing() -> None:
    mention = Mention()
    mention.add(Mentioned(T, "m", "x", None))
    mention.add(Replied(T - MINUTE, "r"))
    mention.add(Mentioned(T + MINUTE, "m2", "reddit", "positive"))
    assert mention.stated(SOCIAL_RESPONSE.slot) == [(-MINUTE, 0)]
    assert mention.stated(MENTIONS.slot) == [(0, 1)]
    assert set(mention.problems) == {"negative_duration", "second_mention"}
