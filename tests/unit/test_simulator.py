"""The simulated support team."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, get_args

import msgspec
import pytest

from stream_kpi.bench.contenders.core import MemoryRecord
from stream_kpi.events.decode import WIRE, decode
from stream_kpi.events.topics import TopicKind
from stream_kpi.lifecycles.options import Options
from stream_kpi.shard import Shard, ShardOptions
from stream_kpi.simulator.simulation import Simulation
from stream_kpi.simulator.team import Team
from stream_kpi.simulator.world import SimulatedEvent

MONDAY_MS = 1_772_409_600_000
"""2026-03-02T00:00:00Z."""
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture(scope="module")
def day() -> list[SimulatedEvent]:
    return list(Simulation(7, MONDAY_MS).events_until(MONDAY_MS + DAY_MS))


def parsed(events: list[SimulatedEvent]) -> Iterator[dict[str, Any]]:
    for event in events:
        yield msgspec.json.decode(event.value) | {"time_ms": event.time_ms}


def test_the_same_seed_gives_the_same_events_and_another_seed_gives_others() -> None:
    def start(seed: int) -> list[SimulatedEvent]:
        return list(Simulation(seed, MONDAY_MS).events_until(MONDAY_MS + HOUR_MS))

    assert start(1) == start(1)
    assert [event.value for event in start(1)] != [event.value for event in start(2)]


def test_events_come_in_order_of_time_and_inside_the_span(day: list[SimulatedEvent]) -> None:
    assert all(earlier.time_ms <= later.time_ms for earlier, later in pairwise(day))
    assert day[0].time_ms >= MONDAY_MS
    assert day[-1].time_ms < MONDAY_MS + DAY_MS


def test_a_simulation_goes_on_where_it_stopped_even_when_its_iterator_was_not_used_up(
    day: list[SimulatedEvent],
) -> None:
    simulation = Simulation(7, MONDAY_MS)
    pieces = [next(simulation.events_until(MONDAY_MS + DAY_MS))]
    for until_ms in (MONDAY_MS + 5, MONDAY_MS + 9 * HOUR_MS, MONDAY_MS + DAY_MS):
        pieces.extend(simulation.events_until(until_ms))
    assert pieces == day


def test_every_event_is_accepted_by_the_decoder_of_its_topic(day: list[SimulatedEvent]) -> None:
    for event in day:
        decoded, time_ms = decode(event.topic, event.value, (), -1)
        assert (decoded.subject.encode(), time_ms) == (event.key, event.time_ms)


def test_event_ids_are_unique(day: list[SimulatedEvent]) -> None:
    assert len({(event["id"], event["source"]) for event in parsed(day)}) == len(day)


@pytest.mark.parametrize("kind", TopicKind)
def test_a_day_has_every_type_of_event_of_the_contract(day: list[SimulatedEvent], kind: TopicKind) -> None:
    contract = {event_type.__struct_config__.tag for event_type in get_args(WIRE[kind])}
    seen = {event["type"] for event, source in zip(parsed(day), day, strict=True) if source.topic is kind}
    assert seen == contract


def test_contacts_are_conserved_each_queued_one_is_accepted_or_left_once_or_still_waits(
    day: list[SimulatedEvent],
) -> None:
    waiting: Counter[str] = Counter()
    for event in parsed(day):
        if event["type"] == "chat.queued" or (event["type"] == "chat.transferred" and "to_queue" in event["data"]):
            waiting[event["subject"]] += 1
        elif event["type"] in ("chat.accepted", "chat.left") or (
            event["type"] == "chat.ended" and waiting[event["subject"]]  # hung up after a transfer
        ):
            waiting[event["subject"]] -= 1
        assert waiting[event["subject"]] in (0, 1), event
    assert sum(waiting.values()) < 100


def test_an_agent_never_has_more_contacts_than_its_capacity(day: list[SimulatedEvent]) -> None:
    capacity: dict[str, int] = {}
    contacts: dict[str, set[str]] = defaultdict(set)
    agent_of: dict[str, str] = {}
    for event in parsed(day):
        data, subject = event["data"], event["subject"]
        match event["type"]:
            case "agent.presence":
                capacity[subject] = data["capacity"]
            case "chat.accepted":
                contacts[data["agent_id"]].add(subject)
                agent_of[subject] = data["agent_id"]
            case "chat.transferred" | "chat.ended":
                contacts[agent_of[subject]].discard(subject)
                if "to_agent" in data:
                    contacts[data["to_agent"]].add(subject)
                    agent_of[subject] = data["to_agent"]
        assert all(len(held) <= capacity[agent_id] for agent_id, held in contacts.items())


def test_a_chat_starts_with_queued_and_nothing_follows_its_leave(day: list[SimulatedEvent]) -> None:
    types: dict[str, list[str]] = defaultdict(list)
    for event in parsed(day):
        if event["type"].startswith("chat."):
            types[event["subject"]].append(event["type"])
    for subject, seen in types.items():
        assert seen[0] == "chat.queued", subject
        if "chat.left" in seen:
            assert set(seen[seen.index("chat.left") + 1 :]) <= {"chat.message"}  # a bot that greets too late


def test_a_ticket_starts_with_created_and_nothing_follows_a_merge(day: list[SimulatedEvent]) -> None:
    types: dict[str, list[str]] = defaultdict(list)
    for event in parsed(day):
        if event["type"].startswith("ticket."):
            types[event["subject"]].append(event["type"])
    assert all(seen[0] == "ticket.created" for seen in types.values())
    merged = [seen for seen in types.values() if "ticket.merged" in seen]
    assert merged
    assert all(seen[-1] == "ticket.merged" for seen in merged)


def test_the_night_is_quiet_and_the_morning_busy(day: list[SimulatedEvent]) -> None:
    created = Counter(
        (event["time_ms"] - MONDAY_MS) // HOUR_MS for event in parsed(day) if event["type"] == "ticket.created"
    )
    assert created[10] > 5 * max(created[2], created[3])


def test_a_team_in_another_zone_is_busy_at_another_hour() -> None:
    def first_hour(offset_hours: int) -> int:
        team = Team(local_offset_ms=offset_hours * HOUR_MS, subscribers=0)
        return sum(1 for _ in Simulation(7, MONDAY_MS, team).events_until(MONDAY_MS + HOUR_MS))

    assert first_hour(10) > 5 * first_hour(2)


def test_slower_agents_make_customers_wait_longer() -> None:
    def mean_first_response_ms(factor: float) -> float:
        simulation = Simulation(7, MONDAY_MS, Team(subscribers=0))
        simulation.slow_down(factor)
        created: dict[str, int] = {}
        waits: dict[str, int] = {}
        for event in parsed(list(simulation.events_until(MONDAY_MS + 14 * HOUR_MS))):
            if event["type"] == "ticket.created":
                created[event["subject"]] = event["time_ms"]
            elif event["type"] == "ticket.message" and event["data"]["author"] == "agent":
                waits.setdefault(event["subject"], event["time_ms"] - created[event["subject"]])
        return sum(waits.values()) / len(waits)

    assert mean_first_response_ms(2.0) > 1.5 * mean_first_response_ms(1.0)


def test_a_factor_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="factor must be > 0, not 0"):
        Simulation(7, MONDAY_MS).slow_down(0)


def test_customers_who_waited_longer_are_less_satisfied(day: list[SimulatedEvent]) -> None:
    queued: dict[str, int] = {}
    waited: dict[str, int] = {}
    scores: dict[bool, list[int]] = {True: [], False: []}
    for event in parsed(day):
        subject = event["subject"]
        match event["type"]:
            case "chat.queued":
                queued[subject] = event["time_ms"]
            case "chat.accepted":
                waited.setdefault(subject, event["time_ms"] - queued[subject])
            case "chat.survey_answered" if event["data"]["kind"] == "csat":
                scores[waited[subject] > 60_000].append(event["data"]["score"])
    long_wait, short_wait = scores[True], scores[False]
    assert sum(long_wait) / len(long_wait) < sum(short_wait) / len(short_wait)


def test_subscriptions_move_in_every_way_and_in_two_currencies() -> None:
    statuses: dict[str, list[str]] = defaultdict(list)
    seats: dict[str, list[int]] = defaultdict(list)
    currencies = set()
    team = Team(tickets_per_day=1, chats_per_day=1, calls_per_day=1, visits_per_day=1)
    for event in parsed(list(Simulation(7, MONDAY_MS, team).events_until(MONDAY_MS + 20 * DAY_MS))):
        if event["type"] == "subscription.changed":
            data = event["data"]
            statuses[data["subscription_id"]].append(data["status"])
            seats[data["subscription_id"]].append(data["items"][0]["quantity"])
            currencies.add(data["currency"])
    moves = {move for seen in statuses.values() for move in pairwise(seen)}
    assert currencies == {"EUR", "USD"}
    assert {
        ("active", "canceled"),
        ("canceled", "active"),
        ("active", "past_due"),
        ("past_due", "unpaid"),
        ("active", "paused"),
        ("paused", "active"),
        ("trialing", "active"),
        ("trialing", "expired"),
    } <= moves
    assert any(before < after for seen in seats.values() for before, after in pairwise(seen))
    assert any(before > after for seen in seats.values() for before, after in pairwise(seen))


def test_a_simulated_day_is_free_of_data_problems(day: list[SimulatedEvent]) -> None:
    shard = Shard(0, 1, ShardOptions(options=Options(), topics={kind.value: kind for kind in TopicKind}))
    offsets: Counter[TopicKind] = Counter()
    for event in day:
        record = MemoryRecord(offsets[event.topic], event.time_ms, event.key, event.value)
        shard.apply(event.topic.value, 0, [record], event.time_ms)
        offsets[event.topic] += 1
    assert {name[0] for name in shard.counts} == {"events"}
