"""The logs that the workers read, and what they must end in."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

from stream_kpi.events.decode import decode
from stream_kpi.events.times import event_time_ms
from stream_kpi.pipeline import ROUTES, SUBJECT_ROUTES, destinations
from stream_kpi.simulator.disorder import disorder
from stream_kpi.simulator.simulation import Simulation
from stream_kpi.simulator.team import Team
from stream_kpi.simulator.world import SimulatedEvent
from stream_kpi.topics import kind_of
from tests import helpdesk
from tests.integration.e2e_desk import Desk, Ending, Input, options
from tests.live_values import expected_sla_events, expected_values

DAY_MS = 86_400_000
TEN_MINUTES_MS = 600_000
MONDAY_MS = 1_772_409_600_000  # 2026-03-02T00:00:00Z
SMALL_TEAM = Team(
    tickets_per_day=600,
    chats_per_day=400,
    calls_per_day=150,
    visits_per_day=100,
    desk_agents=11,
    chat_agents=4,
    phone_agents=5,
    subscribers=200,
)


def simulated(seed: int, start_ms: int, length_ms: int, team: Team = SMALL_TEAM) -> list[Input]:
    """A team's events, in order of time."""
    events = Simulation(seed, start_ms, team).events_until(start_ms + length_ms)
    return [Input(e.topic, e.key, e.value, e.time_ms) for e in events]


def helpdesk_and_simulated_day(shared_data: Path, seed: int) -> list[Input]:
    """The help-desk log, and chats, tickets and subscriptions of its last day, in order of time."""
    log = []
    for event in helpdesk.read(shared_data / "helpdesk.csv.gz"):
        kind = kind_of(event["type"])
        assert kind is not None
        value = json.dumps(event).encode()
        log.append(Input(kind, event["subject"].encode(), value, event_time_ms(event["time"])))
    last_day_ms = max(event.time_ms for event in log) // DAY_MS * DAY_MS
    return sorted([*log, *simulated(seed, last_day_ms, DAY_MS)], key=lambda event: event.time_ms)


def ending(lines: Sequence[bytes]) -> Ending:
    """What the topics must say when a worker has replayed these events."""
    chosen = options()
    return Ending(expected_values(lines, chosen), expected_sla_events(lines, chosen))


def owners(event: Input, desk: Desk) -> set[int]:
    """The shards that own what an event is about."""
    outcome, time_ms = decode(event.kind, event.value, (), -1)
    route = SUBJECT_ROUTES.get(event.kind)
    if route is not None and route.from_wire(outcome, time_ms) is not None:
        return {desk.owner(outcome.subject.encode())}
    entities = destinations(ROUTES.get(type(outcome), ()), outcome, time_ms)
    return {desk.owner(key.encode()) for _, key, _ in entities}


def disordered(events: Sequence[Input], seed: int) -> list[Input]:
    """The same within ten minutes of event time, five in a hundred twice."""
    late = disorder((SimulatedEvent(*event) for event in events), seed, TEN_MINUTES_MS, duplicate_share=0.05)
    return [Input(*event) for event in late]


_DEEP = json.loads("[" * 300 + "]" * 300)


def _spoiled(good: bytes, dice: random.Random) -> bytes:
    match dice.randrange(8):
        case 0:
            return dice.randbytes(dice.randrange(1, 400)) + b"\xff"
        case 1:
            return good[: dice.randrange(1, len(good))]
        case 2:
            return _changed(good, dice.choice(["id", "source", "type", "subject", "data"]), drop=True)
        case 3:
            return _changed(good, dice.choice(["id", "subject", "data"]), dice.choice([5, None, [], True]))
        case 4:
            return _changed(good, "time", dice.choice(["yesterday", "2026-13-01T00:00:00Z", 7, ""]))
        case 5:
            return _changed(good, "id", "x" * dice.choice([5_000, 20_000]))
        case 6:
            return b'{"a":' * dice.choice([50, 2_000]) + b"1" + b"}" * dice.choice([0, 2_000])
        case _:
            return _changed(good, "data", _DEEP)


def _changed(good: bytes, name: str, value: object = None, *, drop: bool = False) -> bytes:
    event = json.loads(good)
    if drop:
        del event[name]
    else:
        event[name] = value
    return json.dumps(event).encode()


def garbage(good: Sequence[Input], seed: int) -> list[bytes]:
    """As many invalid records as there are good ones, made of them: random bytes, JSON cut short, fields missing, of
    the wrong type or too large, nested too deep."""
    dice = random.Random(seed)
    return [_spoiled(event.value, dice) for event in good]
