"""Laws of the chat's facts that hold for every story."""

from __future__ import annotations

from collections import Counter
from functools import partial

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stream_kpi.lifecycles.chat.events import ChatEvent, Ended, SurveySent
from stream_kpi.lifecycles.chat.fold import ChatFold
from stream_kpi.lifecycles.entity import Entity, facts_of
from stream_kpi.lifecycles.facts import TOTAL, CutSets, Fact, net, spelled_out
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures import registry
from stream_kpi.measures.registry import BY_NUMBER, SLOTS_PER_MEASURE, Kind, Measure
from tests.strategies.chats import START_MS, chat_stories, times_ms

END_MS = START_MS + 20 * 86_400_000
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[ChatEvent]).decode


def in_order(story: list[ChatEvent]) -> list[ChatEvent]:
    return sorted(story, key=lambda event: event.order)


def facts_at(story: list[ChatEvent], cut_sets: CutSets, clock_ms: int = END_MS) -> list[Fact]:
    return facts_of(partial(ChatFold, cut_sets, Options()), in_order(story), clock_ms)[1]


@given(chat_stories())
@settings(max_examples=100, deadline=None)
def test_packing_and_unpacking_a_chats_history_is_the_identity(story: list[ChatEvent]) -> None:
    assert _unpack(_pack(story)) == story


@given(chat_stories(), st.data())
@settings(max_examples=150, deadline=None)
def test_a_chats_facts_do_not_depend_on_arrival_duplicates_or_how_the_clock_ran(
    story: list[ChatEvent], data: st.DataObject
) -> None:
    arrivals = (
        data.draw(st.permutations(story + data.draw(st.lists(st.sampled_from(story), max_size=2)))) if story else []
    )
    cut_sets = CutSets()
    entity = Entity(partial(ChatFold, cut_sets, Options()))
    passed_on: list[Fact] = []
    clock_ms = START_MS - 1_000
    seen: list[ChatEvent] = []
    for event in arrivals:
        clock_ms = max(clock_ms, event.time_ms, data.draw(times_ms))
        is_new = event not in seen
        facts = entity.apply(event, clock_ms)
        assert (facts is not None) is is_new
        passed_on += [*(facts or []), *entity.advance(clock_ms)]
        seen += [event] if is_new else []
        assert net(passed_on) == net(facts_at(seen, cut_sets, clock_ms))
    passed_on += entity.advance(END_MS)
    assert net(passed_on) == net(facts_at(story, cut_sets))


@given(chat_stories())
@settings(max_examples=100, deadline=None)
def test_a_chat_that_is_over_stands_in_no_level_and_in_no_set_that_ages(story: list[ChatEvent]) -> None:
    standing: Counter[tuple[int, int, int]] = Counter()
    ended = Ended(END_MS - 1, "z", "agent", 0)
    for slot, _, cuts, value, sign in spelled_out(facts_at([*story, ended], CutSets())):
        kind = BY_NUMBER[slot // SLOTS_PER_MEASURE].kind
        if kind is Kind.LEVEL:
            standing[slot, cuts, 0] += sign * value
        elif kind is Kind.AGE:
            standing[slot, cuts, value] += sign
    assert not any(standing.values())


@given(chat_stories())
@settings(max_examples=150, deadline=None)
def test_what_a_chat_does_it_does_once_and_parts_never_exceed_their_whole(story: list[ChatEvent]) -> None:
    cut_sets = CutSets()
    facts = spelled_out(facts_at(story, cut_sets))
    assume(facts)
    count: Counter[int] = Counter()
    for slot, _, cuts, _, sign in facts:
        assert TOTAL in cut_sets.cuts_of(cuts)
        count[slot] += sign

    def n(measure: Measure) -> int:
        return count[measure.slot]

    sent = {(event.kind, event.survey_id) for event in story if isinstance(event, SurveySent)}
    assert len(sent) == n(registry.COHORT_SURVEYS_SENT) >= n(registry.COHORT_SURVEYS_ANSWERED) >= 0
    assert n(registry.CHATS_QUEUED) == 1
    assert 1 >= n(registry.CHAT_OUTCOMES) >= n(registry.CHAT_ABANDONS) == n(registry.ABANDON_TIME) >= 0
    assert n(registry.CHAT_OUTCOMES) >= n(registry.ANSWER_TIME) >= n(registry.HANDLE_TIME) >= 0
    assert 1 >= n(registry.SERVICE_LEVEL_OFFERED) >= n(registry.SERVICE_LEVEL_MET) >= 0
    assert n(registry.ANSWER_TIME) >= n(registry.SERVICE_LEVEL_MET)
    assert n(registry.SERVICE_LEVEL_OFFERED) >= n(registry.ANSWER_TIME) + n(registry.CHAT_ABANDONS)
    assert n(registry.SERVICE_LEVEL_MET) + n(registry.CHATS_ANSWERED_LATE) == n(registry.ANSWER_TIME)
    abandoned = n(registry.CHATS_ABANDONED_IN_TARGET) + n(registry.CHATS_ABANDONED_LATE)
    flowed_out = n(registry.CHATS_FLOWED_OUT_IN_TARGET) + n(registry.CHATS_FLOWED_OUT_LATE)
    assert abandoned - n(registry.CHATS_ABANDONED_SHORT) == n(registry.CHAT_ABANDONS)
    assert n(registry.CHAT_OUTCOMES) == n(registry.ANSWER_TIME) + n(registry.CHAT_ABANDONS) + flowed_out
    assert n(registry.ANSWER_TIME) + abandoned + flowed_out <= 1
    assert n(registry.ANSWER_TIME) >= n(registry.CHATS_DROPPED) >= 0
    assert 1 >= n(registry.CHAT_DURATION) >= n(registry.HANDLE_TIME)


@given(chat_stories())
@settings(max_examples=150, deadline=None)
def test_a_chat_waits_in_one_queue_at_a_time(story: list[ChatEvent]) -> None:
    cut_sets = CutSets()
    facts = [fact for fact in spelled_out(facts_at(story, cut_sets)) if fact[0] == registry.QUEUE_LENGTH.slot]
    for now_ms in {fact[1] for fact in facts}:
        standing: Counter[int] = Counter()
        for _, time_ms, cuts, value, sign in facts:
            if time_ms <= now_ms:
                standing[cuts] += sign * value
        assert set(standing.values()) <= {0, 1}
        assert sum(standing.values()) <= 1


@given(chat_stories(), times_ms)
@settings(max_examples=100, deadline=None)
def test_the_waiting_hold_a_chat_as_its_facts_say(story: list[ChatEvent], clock_ms: int) -> None:
    fold, facts = facts_of(partial(ChatFold, CutSets(), Options()), in_order(story), clock_ms)
    members: Counter[tuple[int, int, int]] = Counter()
    for slot, _, cuts, start_ms, sign in spelled_out(facts):
        if BY_NUMBER[slot // SLOTS_PER_MEASURE].kind is Kind.AGE:
            members[slot, cuts, start_ms] += sign
    stated = Counter((slot, cuts, start_ms) for slot, _, cuts, start_ms, _ in fold.memberships())
    assert stated == Counter({member: n for member, n in members.items() if n})
