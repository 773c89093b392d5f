"""What agents' presence and the chats in their hands come to, from the wire to the rows."""

from __future__ import annotations

from typing import Any

import pytest

from stream_kpi import entities as entities_module
from stream_kpi.compute import Computation
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.registry import (
    AGENTS_BUSY,
    AGENTS_PRESENT,
    AGENTS_PRESENT_STARTS,
    CHATS_IN_HAND,
    CHATS_IN_HAND_STARTS,
)
from stream_kpi.windows.kinds import parse
from tests.catalogue_kit import kpi_by_id
from tests.shard_kit import (
    CHATS,
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    T0_MS,
    Topics,
    event,
    new_shard,
    records,
    restored_shard,
)


def presence(agent: str, minute: float, state: str, uid: str | None = None, **data: Any) -> bytes:
    time_ms = T0_MS + round(minute * MINUTE_MS)
    return event("agent.presence", agent, time_ms, uid or f"{agent}@{minute}", state=state, **data)


def chat(name: str, agent: str, queue: str, accepted: float, ended: float) -> list[bytes]:
    times_ms = [T0_MS + round(minute * MINUTE_MS) for minute in (accepted, accepted, ended)]
    kinds = ("chat.queued", "chat.accepted", "chat.ended")
    data: tuple[dict[str, str], ...] = ({"queue": queue}, {"agent_id": agent}, {"by": "agent"})
    return [
        event(kind, name, time_ms, f"{name}/{kind}", **fields)
        for kind, time_ms, fields in zip(kinds, times_ms, data, strict=True)
    ]


def computed(lines: list[bytes], kpi: str, window: str, at: float) -> dict[tuple[str, tuple[str, ...]], KpiRecord]:
    """The records of a KPI by the start of the window (minutes after T0) and the cut."""
    computation = Computation(Options(), parse(window), T0_MS + round(at * MINUTE_MS))
    for line in lines:
        assert computation.take(line) is None
    rows = [kpi_by_id(kpi)]
    return {
        ((record.window.start or "")[11:16], tuple(f"{k}={v}" for k, v in record.cut.items())): record
        for record in computation.records(rows, ["group", "agent"])
    }


SHIFT = [
    presence("ann", 0, "available", group="web", queues=["sales"]),
    presence("bob", 30, "available", group="web"),
    presence("ann", 45, "busy", group="web", queues=["sales"]),
    presence("ann", 75, "available", group="web", queues=["sales"]),
    presence("bob", 80, "away", group="web"),
    presence("ann", 90, "offline"),
]


def test_occupancy_is_busy_time_by_busy_and_available_time() -> None:
    record = computed(SHIFT, "agent_occupancy", "total", 120)["10:00", ()]
    assert (record.numerator, record.denominator) == (30 * 60, (90 + 50) * 60)
    assert record.value == 30 / 140
    assert record.samples == 140 * 60


def test_each_hour_has_the_part_of_the_time_that_lies_in_it() -> None:
    records = computed(SHIFT, "agent_occupancy", "tumbling:1h", 150)
    minutes = {start: (r.numerator or 0, r.denominator) for (start, cut), r in records.items() if not cut}
    assert minutes == {"10:00": (15 * 60, 90 * 60), "11:00": (15 * 60, 50 * 60), "12:00": (0, 0)}
    assert records["12:00", ()].value is None
    assert records["12:00", ()].samples == 0


def test_the_state_that_lasts_counts_up_to_now() -> None:
    story = [presence("ann", 0, "available"), presence("ann", 10, "busy")]
    assert computed(story, "agent_occupancy", "today", 30)["00:00", ()].value == 20 / 30
    assert computed(story, "agent_occupancy", "today", 40)["00:00", ()].value == 30 / 40
    five_minutes = computed(story, "agent_occupancy", "tumbling:5m", 33)
    assert five_minutes["10:30", ()].denominator == 3 * 60
    assert five_minutes["10:05", ()].value == 0
    assert five_minutes["10:20", ()].value == 1


def test_an_agent_counts_in_its_group_and_in_each_queue_that_it_serves() -> None:
    records = computed(SHIFT, "agent_occupancy", "total", 120)
    assert records["10:00", ("group=sales",)].value == 30 / 90
    assert records["10:00", ("group=web",)].value == 30 / 140
    assert records["10:00", ("agent=ann",)].value == 30 / 90
    assert records["10:00", ("agent=bob",)].value == 0
    assert ("10:00", ("group=unknown",)) not in records, "who is offline is in no group"


def test_a_presence_that_comes_late_splits_the_time_before_it() -> None:
    late = presence("ann", 60, "away")
    record = computed([*SHIFT, late], "agent_occupancy", "total", 120)["10:00", ("agent=ann",)]
    assert (record.numerator, record.denominator) == (15 * 60, (60 + 15) * 60)


def test_the_same_presence_told_again_changes_nothing() -> None:
    again = presence("ann", 50, "busy", group="web", queues=["sales"])
    once, twice = (computed(lines, "agent_occupancy", "total", 120) for lines in (SHIFT, [*SHIFT, again, again]))
    assert once == twice


def test_without_presence_there_is_no_occupancy_and_no_concurrency() -> None:
    story = chat("C", "ann", "sales", 0, 10)
    for kpi in ("agent_occupancy", "agent_concurrency"):
        record = computed(story, kpi, "total", 120)["10:00", ()]
        assert (record.value, record.samples) == (None, 0)


def test_concurrency_is_the_time_of_chats_in_hand_by_the_time_of_the_agents() -> None:
    story = [
        presence("ann", 0, "available", queues=["sales", "billing"]),
        *chat("C1", "ann", "sales", 10, 40),
        *chat("C2", "ann", "sales", 20, 50),
        *chat("C3", "ann", "billing", 30, 45),
        presence("ann", 60, "offline"),
    ]
    records = computed(story, "agent_concurrency", "total", 60)
    assert records["10:00", ()].value == records["10:00", ("agent=ann",)].value == 75 / 60
    assert records["10:00", ("group=sales",)].value == 1
    assert records["10:00", ("group=billing",)].value == 15 / 60
    five_minutes = computed(story, "agent_concurrency", "tumbling:5m", 60)
    assert five_minutes["10:30", ()].value == 3
    assert five_minutes["10:05", ()].value == 0


def test_a_chat_still_in_hand_counts_up_to_now() -> None:
    story = [presence("ann", 0, "available"), *chat("C", "ann", "sales", 10, 50)[:2]]
    assert computed(story, "agent_concurrency", "today", 30)["00:00", ()].value == 20 / 30
    ended_late = [*story, chat("C", "ann", "sales", 10, 15)[2]]
    assert computed(ended_late, "agent_concurrency", "today", 30)["00:00", ()].value == 5 / 30


def level(topics: Topics, slot: int, cut: tuple[str, ...] = ()) -> int:
    return sum(vector.get(slot, 0) for key, vector in topics.vectors().items() if key.tier == 4 and key.cut == cut)


def test_agents_present_stand_by_queue() -> None:
    shard, topics = new_shard(), Topics()
    shard.apply(CHATS, 0, records(*SHIFT[:3]), T0_MS + DAY_MS)
    topics.write(shard.flush(caught_up=True))
    present = {cut: level(topics, AGENTS_PRESENT.slot, cut) for cut in [(), ("group", "web"), ("group", "sales")]}
    assert present == {(): 2, ("group", "web"): 2, ("group", "sales"): 1}
    assert level(topics, AGENTS_BUSY.slot) == 1


def test_an_agent_who_is_offline_leaves_after_eight_days_and_what_it_did_stays() -> None:
    shard, topics = new_shard(), Topics()
    shard.apply(CHATS, 0, records(*SHIFT), T0_MS + DAY_MS)
    shard.advance(T0_MS + 8 * DAY_MS + 91 * MINUTE_MS)
    topics.write(shard.flush(caught_up=True))
    assert topics.entities() == {b"a:bob"}
    assert level(topics, AGENTS_PRESENT_STARTS.slot) == -140 * MINUTE_MS


def test_an_agent_never_heard_of_again_stops_being_present_when_it_is_forgotten() -> None:
    shard, topics = new_shard(), Topics()
    shard.apply(CHATS, 0, records(presence("ann", 0, "busy")), T0_MS)
    shard.advance(T0_MS + 401 * DAY_MS)
    topics.write(shard.flush(caught_up=True))
    assert topics.entities() == set()
    assert level(topics, AGENTS_PRESENT.slot) == 0
    assert level(topics, AGENTS_PRESENT_STARTS.slot) == -400 * DAY_MS


def test_a_chat_never_heard_of_again_is_in_hand_until_it_is_forgotten() -> None:
    shard, topics = new_shard(), Topics()
    shard.apply(CHATS, 0, records(*chat("C", "ann", "sales", 0, 10)[:2]), T0_MS)
    shard.advance(T0_MS + 401 * DAY_MS)
    topics.write(shard.flush(caught_up=True))
    assert level(topics, CHATS_IN_HAND.slot) == 0
    assert level(topics, CHATS_IN_HAND_STARTS.slot, ("agent", "ann")) == -400 * DAY_MS


def test_an_agent_forgets_its_earliest_presence_rather_than_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entities_module, "LATER_EVENTS", 3)
    states = ("busy", "available")
    story = [presence("ann", minute, states[minute % 2]) for minute in range(20)]
    shard, topics = new_shard(), Topics()
    for place, value in enumerate(story):
        shard.apply(CHATS, 0, records(value, first=place), T0_MS + HOUR_MS)
        topics.write(shard.flush(caught_up=True))
        assert len(shard.entities["agent"].find("ann").uids) <= 6
        if place == 11:
            shard = restored_shard(topics)
    assert level(topics, AGENTS_PRESENT.slot) == 1
    expected = new_shard(), Topics()
    expected[0].apply(CHATS, 0, records(presence("ann", 0, "available")), T0_MS + HOUR_MS)
    expected[1].write(expected[0].flush(caught_up=True))
    assert level(topics, AGENTS_PRESENT_STARTS.slot) == level(expected[1], AGENTS_PRESENT_STARTS.slot)
    assert topics.outgoing == []
    early = presence("ann", 0.5, "offline")
    shard.apply(CHATS, 0, records(early, first=20), T0_MS + HOUR_MS)
    topics.write(shard.flush(caught_up=True))
    assert [letter.topic for letter in topics.outgoing] == [f"{CHATS}.dlq"], "what came before is forgotten"


def test_presence_reaches_the_agents_shard_from_any_partition() -> None:
    shard, topics = new_shard(0, 2), Topics()
    agents = [f"a{n}" for n in range(8)]
    shard.apply(CHATS, 0, records(*(presence(agent, 0, "busy") for agent in agents)), T0_MS)
    topics.write(shard.flush(caught_up=True))
    sent_on = {(sent.key or b"").decode() for sent in topics.outgoing}
    assert 0 < len(sent_on) < len(agents)
    assert topics.entities() == {b"a:" + agent.encode() for agent in agents if agent not in sent_on}
