"""Laws of the agent's facts that hold for every story."""

from __future__ import annotations

from collections import Counter
from functools import partial

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_kpi.lifecycles.agent.events import AgentEvent, Presence
from stream_kpi.lifecycles.agent.fold import AgentFold
from stream_kpi.lifecycles.entity import Entity, facts_of
from stream_kpi.lifecycles.facts import TOTAL, Cut, CutSets, Fact, net, spelled_out
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.registry import (
    AGENTS_BUSY,
    AGENTS_BUSY_STARTS,
    AGENTS_PRESENT,
    AGENTS_PRESENT_STARTS,
    CLOCK_EPOCH_MS,
    Measure,
)
from tests.strategies.agents import START_MS, agent_stories, times_ms

END_MS = START_MS + 86_400_000
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[AgentEvent]).decode


def in_order(story: list[Presence]) -> list[Presence]:
    return sorted(story, key=lambda event: event.order)


def facts_at(story: list[Presence], cut_sets: CutSets) -> list[Fact]:
    return facts_of(partial(AgentFold, cut_sets, Options()), in_order(story), END_MS)[1]


def amount(facts: list[Fact], cut_sets: CutSets, measure: Measure, until_ms: int = END_MS) -> int:
    """What the total's facts of a measure add up to."""
    return sum(
        value * sign
        for slot, time_ms, cuts, value, sign in spelled_out(facts)
        if slot == measure.slot and time_ms <= until_ms and TOTAL in cut_sets.cuts_of(cuts)
    )


@given(agent_stories())
@settings(max_examples=100, deadline=None)
def test_packing_and_unpacking_an_agents_history_is_the_identity(story: list[Presence]) -> None:
    assert _unpack(_pack(story)) == story


@given(agent_stories(), st.data())
@settings(max_examples=150, deadline=None)
def test_an_agents_facts_do_not_depend_on_arrival_or_duplicates(story: list[Presence], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(story), max_size=2)) if story else []
    cut_sets = CutSets()
    entity = Entity(partial(AgentFold, cut_sets, Options()))
    passed_on: list[Fact] = []
    seen: list[Presence] = []
    for event in data.draw(st.permutations(story + again)):
        facts = entity.apply(event, event.time_ms)
        assert (facts is None) is (event in seen)
        seen += [] if event in seen else [event]
        passed_on += facts or []
        assert net(passed_on) == net(facts_at(seen, cut_sets))


@given(agent_stories(), times_ms)
@settings(max_examples=150, deadline=None)
def test_the_levels_are_the_last_state_told_and_the_starts_add_up_to_the_time_in_it(
    story: list[Presence], at_ms: int
) -> None:
    cut_sets = CutSets()
    facts = facts_at(story, cut_sets)
    told = [event for event in in_order(story) if event.time_ms <= at_ms]
    for states, level, starts in (
        ({"available", "busy"}, AGENTS_PRESENT, AGENTS_PRESENT_STARTS),
        ({"busy"}, AGENTS_BUSY, AGENTS_BUSY_STARTS),
    ):
        stands = amount(facts, cut_sets, level, at_ms)
        assert stands == (bool(told) and told[-1].state in states)
        ends_ms = [event.time_ms for event in told[1:]] + [at_ms]
        time_ms = sum(
            end_ms - event.time_ms for event, end_ms in zip(told, ends_ms, strict=False) if event.state in states
        )
        assert stands * (at_ms - CLOCK_EPOCH_MS) - amount(facts, cut_sets, starts, at_ms) == time_ms


@given(agent_stories())
@settings(max_examples=100, deadline=None)
def test_an_agent_is_present_in_its_groups_and_busy_only_where_it_is_present(story: list[Presence]) -> None:
    cut_sets = CutSets()
    standing: Counter[tuple[int, Cut]] = Counter()
    for slot, _, cuts, value, sign in spelled_out(facts_at(story, cut_sets)):
        for cut in cut_sets.cuts_of(cuts):
            standing[slot, cut] += value * sign
    present = {cut for (slot, cut), n in standing.items() if slot == AGENTS_PRESENT.slot and n}
    last = in_order(story)[-1] if story else None
    if last is None or last.state in {"away", "offline"}:
        assert present == set()
    else:
        groups = {last.group or "unknown", *last.queues}
        assert present == {TOTAL, ("agent", "ann"), *(("group", group) for group in groups)}
    assert {cut for (slot, cut), n in standing.items() if slot == AGENTS_BUSY.slot and n} <= present


@given(agent_stories(max_events=14), st.integers(1, 6), st.data())
@settings(max_examples=150, deadline=None)
def test_the_fold_of_an_agents_later_events_goes_on_as_that_of_all(
    story: list[Presence], kept: int, data: st.DataObject
) -> None:
    """What allows an agent to forget."""
    split = data.draw(st.integers(0, len(story)))
    cut_sets = CutSets()
    whole, forgetful = (Entity(partial(AgentFold, cut_sets, Options())) for _ in range(2))
    for event in in_order(story[:split]):
        for entity in (whole, forgetful):
            entity.apply(event, event.time_ms)
    if len(forgetful.uids) > kept:
        forgetful.keep_last(kept)
    again = Entity(partial(AgentFold, cut_sets, Options()), forgetful.history, forgetful.clock_ms)
    for event in story[split:]:
        if again.history and event.order < again.history[0].order:
            continue
        assert net(again.apply(event, event.time_ms) or []) == net(whole.apply(event, event.time_ms) or [])
