"""Panes are sums of facts: however they are cut into calls, shards, orders, they come to what a dictionary adds up."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from random import Random
from typing import NamedTuple
from unittest.mock import patch
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from stream_kpi.lifecycles.facts import Cut, CutSets
from stream_kpi.measures.compound import (
    CHAT_ANSWERED_IN_TARGET,
    CHAT_QUEUED,
    CLOCKS_ALL_ENDED,
    CLOCKS_STARTED_FIRST,
    CONTRACTED_MRR,
    FIRST_RESOLUTION,
    RUNS,
    TICKET_OPENED,
    Compound,
)
from stream_kpi.measures.histogram import EDGES_MS, score_bin
from stream_kpi.measures.registry import (
    BACKLOG,
    CES_SCORE,
    CHATS_IN_HAND,
    CSAT_SCORE,
    FIRST_RESPONSE,
    MRR,
    NPS_ANSWERS,
    OPEN_TICKETS,
    TICKETS_CREATED,
    Kind,
    Measure,
)
from stream_kpi.measures.vector import Vector
from stream_kpi.steps import all_of
from stream_kpi.windows.ages import AgeSets
from stream_kpi.windows.cut_table import CutTable
from stream_kpi.windows.merged import MergedPanes
from stream_kpi.windows.panes import PaneKey, Panes, unpack_key
from stream_kpi.windows.tiers import ALL_TIME, DAYS, FINE, HOURS, TIERS, Tier
from tests.shard_kit import vector_in

CLOCK_MS = 1_772_445_600_000  # 2026-03-02T10:00:00Z
MINUTE_MS, DAY_MS = 60_000, 86_400_000
CUT_SETS: tuple[tuple[Cut, ...], ...] = (
    ((),),
    ((), ("channel", "email")),
    ((), ("channel", "chat"), ("agent", "a1")),
    (("status", "open"),),
)
MEASURES: dict[Measure | Compound, st.SearchStrategy[int]] = {
    TICKETS_CREATED: st.just(1),
    BACKLOG: st.integers(1, 3),
    NPS_ANSWERS: st.just(1),
    MRR: st.integers(1, 10**12),
    FIRST_RESPONSE: st.integers(0, 400 * DAY_MS),
    CSAT_SCORE: st.integers(1_000_000, 5_000_000),
    CES_SCORE: st.integers(1_000_000, 7_000_000),
    OPEN_TICKETS: st.integers(0, CLOCK_MS),
    RUNS[CHATS_IN_HAND.number]: st.integers(1, 3),
    CLOCKS_STARTED_FIRST: st.just(1),
    CLOCKS_ALL_ENDED: st.just(1),
    CHAT_QUEUED: st.just(1),
    CHAT_ANSWERED_IN_TARGET: st.just(1),
    CONTRACTED_MRR: st.integers(1, 10**12),
    TICKET_OPENED: st.just(1),
    FIRST_RESOLUTION: st.integers(0, 400 * DAY_MS),
}
ZONES = st.sampled_from(["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe"])
TIER_SETS = st.sampled_from(
    [TIERS, (ALL_TIME,), (DAYS, ALL_TIME), (FINE, DAYS, ALL_TIME), (HOURS, ALL_TIME), (FINE, ALL_TIME)]
)
TIMES = st.one_of(
    st.integers(CLOCK_MS - 90 * MINUTE_MS, CLOCK_MS),
    st.integers(CLOCK_MS - 40 * DAY_MS, CLOCK_MS),
    st.integers(CLOCK_MS - 450 * DAY_MS, CLOCK_MS),
    # around the midnights of Kathmandu (18:15 UTC) and Kolkata (18:30 UTC)
    st.builds(
        lambda days, minutes: CLOCK_MS - days * DAY_MS + (500 + minutes) * MINUTE_MS,
        st.integers(1, 3),
        st.integers(-30, 30),
    ),
)


class Stated(NamedTuple):
    """A fact before its cut set has an id."""

    measure: Measure | Compound
    time_ms: int
    cuts: tuple[Cut, ...]
    value: int
    sign: int

    @property
    def slot(self) -> int:
        """Component 0, or that of the euro."""
        measure = self.measure if isinstance(self.measure, Measure) else self.measure.parts[0].measure
        return self.measure.slot + 978 if measure.by_currency else self.measure.slot

    def parts(self) -> list[Stated]:
        """The facts of measures alone that it stands for."""
        if isinstance(self.measure, Measure):
            return [self]
        return [
            self._replace(measure=part.measure, value=part.amount(self.time_ms, self.value))
            for part in self.measure.parts
        ]

    def changes(self) -> Vector:
        """Slots by what the fact, of a measure, adds to them."""
        assert isinstance(self.measure, Measure)
        if self.measure.kind is Kind.DURATION:
            return {self.slot: self.value * self.sign, self.slot + 1 + bisect_left(EDGES_MS, self.value): self.sign}
        if self.measure.kind is Kind.SCORE:
            return {self.slot: self.value * self.sign, self.slot + 1 + score_bin(self.value): self.sign}
        return {self.slot: self.value * self.sign}


def _stated(measure: Measure | Compound) -> st.SearchStrategy[Stated]:
    return st.builds(
        Stated, st.just(measure), TIMES, st.sampled_from(CUT_SETS), MEASURES[measure], st.sampled_from([1, -1])
    )


FACTS = st.lists(st.sampled_from(list(MEASURES)).flatmap(_stated), max_size=25)
Content = dict[PaneKey, Vector]


class Desk:
    """Panes of one shard, and what stands in its topic."""

    def __init__(self, zone: str, tiers: tuple[Tier, ...]) -> None:
        self.cut_sets = CutSets()
        table = CutTable(self.cut_sets)
        self.panes = Panes(table, AgeSets(table), ZoneInfo(zone), tiers)
        self.topic: dict[bytes, bytes | None] = {}
        self.log: list[tuple[bytes, bytes | None]] = []

    def add(self, facts: Iterable[Stated]) -> None:
        self.panes.add([(f.slot, f.time_ms, self.cut_sets.id_of(f.cuts), f.value, f.sign) for f in facts])

    def flush(self, *, fresh: bool = False) -> None:
        all_of(self.panes.keep_fresh() if fresh else self.panes.spread(CLOCK_MS))
        records = all_of(self.panes.flush(CLOCK_MS))
        self.topic.update(records)
        self.log += records

    def content(self) -> Content:
        return {unpack_key(key): vector_in(value) for key, value in self.topic.items() if value is not None}


def content_of(facts: Sequence[Stated], zone: str = "UTC", tiers: tuple[Tier, ...] = TIERS) -> Content:
    """Every pane, of facts in one call."""
    desk = Desk(zone, tiers)
    desk.add(facts)
    desk.flush()
    return desk.content()


def start_of(tier: Tier, time_ms: int, zone: str) -> int:
    """The obvious way to a pane's start."""
    if tier is ALL_TIME:
        return 0
    if tier is DAYS:
        local = datetime.fromtimestamp(time_ms // 1000, ZoneInfo(zone))
        return int(datetime(local.year, local.month, local.day, tzinfo=ZoneInfo(zone)).timestamp()) * 1000
    assert tier.grain_ms is not None
    return time_ms // tier.grain_ms * tier.grain_ms


def oracle(facts: Iterable[Stated], zone: str, tiers: tuple[Tier, ...]) -> Content:
    """One dictionary, one fact, one cut, one tier after the other."""
    sums: dict[PaneKey, Vector] = {}
    for fact in (part for stated in facts for part in stated.parts()):
        if isinstance(fact.measure, Measure) and fact.measure.kind is Kind.AGE:
            continue
        for tier in tiers:
            start_ms = start_of(tier, fact.time_ms, zone)
            if tier.retention_ms is not None and start_ms < CLOCK_MS - tier.retention_ms:
                continue
            if tier.measures is not None and fact.measure.number not in tier.measures:
                continue
            for cut in fact.cuts:
                pane = sums.setdefault(PaneKey(tier.number, start_ms, cut), {})
                for slot, amount in fact.changes().items():
                    pane[slot] = pane.get(slot, 0) + amount
    without_zeros = {key: {slot: amount for slot, amount in pane.items() if amount} for key, pane in sums.items()}
    return {key: pane for key, pane in without_zeros.items() if pane}


@given(facts=FACTS, parts=st.lists(st.integers(0, 25), max_size=4), flushes=st.booleans(), zone=ZONES, tiers=TIER_SETS)
def test_panes_are_what_a_dictionary_adds_up_however_the_facts_are_cut_into_calls(
    facts: list[Stated], parts: list[int], flushes: bool, zone: str, tiers: tuple[Tier, ...]
) -> None:
    desk = Desk(zone, tiers)
    bounds = [0, *sorted(parts), len(facts)]
    for begin, end in pairwise(bounds):
        desk.add(facts[begin:end])
        if flushes:
            desk.flush()
    desk.flush()
    assert desk.content() == oracle(facts, zone, tiers)


@given(facts=FACTS, parts=st.lists(st.integers(0, 25), max_size=4), most=st.integers(1, 30))
def test_more_facts_than_are_summed_at_once_make_the_same_panes(
    facts: list[Stated], parts: list[int], most: int
) -> None:
    desk = Desk("UTC", TIERS)
    for begin, end in pairwise([0, *sorted(parts), len(facts)]):
        desk.add(facts[begin:end])
    with patch("stream_kpi.windows.sums._MOST_ROWS", most):
        desk.flush()
    assert desk.content() == oracle(facts, "UTC", TIERS)


@given(facts=FACTS, order=st.randoms(use_true_random=False))
def test_the_order_of_facts_never_matters(facts: list[Stated], order: Random) -> None:
    shuffled = list(facts)
    order.shuffle(shuffled)
    assert content_of(shuffled) == content_of(facts)


@given(facts=FACTS, flushed=st.booleans())
def test_a_fact_and_its_retraction_leave_nothing(facts: list[Stated], flushed: bool) -> None:
    desk = Desk("UTC", TIERS)
    desk.add(facts)
    if flushed:
        desk.flush()
    desk.add([fact._replace(sign=-fact.sign) for fact in facts])
    desk.flush()
    assert desk.content() == {}
    length = len(desk.log)
    desk.flush()
    assert len(desk.log) == length


@given(
    facts=FACTS,
    shards=st.lists(st.integers(0, 2), min_size=25, max_size=25),
    fresh=st.lists(st.booleans(), min_size=8, max_size=8),
    absorbed=st.booleans(),
    restated=st.booleans(),
)
def test_the_panes_of_any_split_over_shards_merge_to_those_of_one_whether_they_are_fresh_or_in_tiers(
    facts: list[Stated], shards: list[int], fresh: list[bool], absorbed: bool, restated: bool
) -> None:
    desks = [Desk("UTC", TIERS) for _ in range(3)]
    merged = MergedPanes(ZoneInfo("UTC"))
    all_of(merged.expire(CLOCK_MS))
    for place, fact in enumerate(facts):
        desk = desks[shards[place]]
        desk.add([fact])
        if place % 5 == 4:
            desk.flush(fresh=fresh[place // 5])
    for desk, last in zip(desks, fresh[5:], strict=True):
        desk.flush(fresh=last)
    for shard, desk in enumerate(desks):
        for key, value in desk.topic.items() if restated else desk.log:
            merged.apply(shard, unpack_key(key), value)
            if absorbed:
                list(merged.absorb())
    list(merged.absorb())
    found = {
        PaneKey(tier, start_ms, merged.numbers.cuts[number]): table.sums.vector(number)
        for tier, slices in merged.slices.items()
        for start_ms, table in slices.items()
        for number in table.sums.cuts().tolist()
    }
    assert found == oracle(facts, "UTC", TIERS)
    for shard, desk in enumerate(desks):
        written = len(desk.log)
        desk.flush()
        for key, value in desk.log[written:]:
            merged.apply(shard, unpack_key(key), value)
    assert not any(len(change.sums.keys) for change in merged.absorb()), (
        "what goes from fresh to the tiers changes nothing"
    )


@given(facts=FACTS, begin=st.integers(0, 25), fresh=st.lists(st.booleans(), min_size=3, max_size=3))
def test_what_is_restored_from_the_topic_goes_on_as_what_was_flushed(
    facts: list[Stated], begin: int, fresh: list[bool]
) -> None:
    gone_on, restored = Desk("UTC", TIERS), Desk("UTC", TIERS)
    for part, only_fresh in zip((facts[: begin // 2], facts[begin // 2 : begin]), fresh, strict=False):
        gone_on.add(part)
        gone_on.flush(fresh=only_fresh)
    for key, value in gone_on.log:
        restored.panes.restore(unpack_key(key), value)
    all_of(restored.panes.restored())
    restored.topic = dict(gone_on.topic)
    for desk in (gone_on, restored):
        desk.add(facts[begin:])
        desk.flush(fresh=fresh[2])
        desk.flush()
    assert restored.topic == gone_on.topic
