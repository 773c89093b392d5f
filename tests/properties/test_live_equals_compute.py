"""However a log is cut into shards, batches, flushes and crashes, and whatever its order: live ends as `compute`."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stream_kpi.events.partitioner import Partitioner
from stream_kpi.events.topics import TopicKind
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.options import CustomKpi, Options
from stream_kpi.merge import Merge
from stream_kpi.pipeline import Flush
from stream_kpi.shard import Shard, ShardOptions
from stream_kpi.simulator.disorder import disorder
from stream_kpi.simulator.simulation import Simulation
from stream_kpi.simulator.team import Team
from stream_kpi.steps import all_of
from stream_kpi.windows.clock import GlobalClock
from tests.live_values import comparable, expected_values
from tests.sla_kit import options_of
from tests.strategies.schedules import BY_DIMENSION

START_MS = 1_772_409_600_000  # 2026-03-02T00:00:00Z
HOUR_MS = 3_600_000
CALENDAR_ONLY = Options(
    zone="Asia/Kolkata",
    gross_margin=0.8,
    activation_action="create_project",
    activation_window_ms=HOUR_MS // 4,
    fcr_window_ms=HOUR_MS,
    fcr_same_category=False,
)
CUSTOM = tuple(
    CustomKpi(id=f"own_{name}", title=name, unit=unit, formula=formula, cuts=cuts)
    for name, unit, formula, cuts in (
        ("count", "contacts", "count(tickets_created) + count(chats_queued)", ("channel",)),
        ("level", "tickets", "level(backlog) - level(backlog_unassigned)", ("status", "group")),
        ("sum", "seconds", "sum(first_response)", ("agent",)),
        ("mean", "seconds", "mean(handle_time)", ("group",)),
        ("score", "points", "quantile(csat_score, 0.25)", ("channel",)),
        ("quantile", "seconds", "quantile(answer_time, 0.8)", ("agent",)),
        ("ratio", "ratio", "1 - count(first_response_in_target) / count(first_response)", ("channel", "agent")),
        ("quotient", "days", "level(backlog) / count(first_solves)", ("category",)),
        ("of_quotients", "factor", "mean(next_reply) / mean(first_response)", ("channel",)),
        ("money", "money", "sum(mrr_new) + sum(mrr_expansion) - sum(mrr_churned)", ("plan",)),
        ("money_level", "money", "level(mrr) / level(customers_by_currency)", ("plan",)),
        ("money_ratio", "ratio", "sum(support_cost) / sum(invoices_paid)", ()),
        ("money_by_count", "money", "sum(support_cost) / count(tickets_created)", ()),
    )
)
BOTH_CLOCKS = msgspec.structs.replace(
    CALENDAR_ONLY,
    schedules=BY_DIMENSION,
    custom_kpis=CUSTOM,
    sla=options_of(
        """
        [[sla]]
        name = "mail"
        channel = ["email", "web"]
        clock = "business"
        at_risk = ["1h", "5m"]
        first_response = { urgent = "10m", other = "30m" }
        next_reply = { other = "20m" }
        periodic_update = { other = "1h" }
        resolution = { high = "1h", other = "4h" }

        [[sla]]
        name = "all"
        at_risk = ["1m"]
        resolution = { other = "2h" }
        requester_wait = { other = "90m" }
        agent_work = { other = "1h" }
        answer = { other = "30s" }
        """
    ).sla,
)
FEW = Team(
    tickets_per_day=8,
    chats_per_day=10,
    calls_per_day=4,
    visits_per_day=10,
    mentions_per_day=3,
    subscription_changes_per_day=2,
    desk_agents=1,
    chat_agents=1,
    phone_agents=1,
    subscribers=10,
)
"""So few that the events of more than a week, after which every cohort is decided, are soon computed."""
TOPICS = {kind.default_topic: kind for kind in TopicKind}
REKEYED, CUSTOMERS = "rekeyed", "customers"


class Record(msgspec.Struct):
    """A consumed Kafka record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Cluster:
    """Shards and a merge around the topics that they leave behind: what is in these survives a crash."""

    def __init__(self, shards: int, options: Options, spread_every_ms: int) -> None:
        self.count = shards
        self.options = options
        self.spread_every_ms = spread_every_ms
        self.state: list[dict[bytes, bytes | None]] = [{} for _ in range(shards)]
        self.panes: list[dict[bytes, bytes | None]] = [{} for _ in range(shards)]
        self.values: dict[bytes, bytes | None] = {}
        self.internal: dict[tuple[str, int], list[Record]] = {
            (topic, number): [] for topic in (REKEYED, CUSTOMERS) for number in range(shards)
        }
        """Logs of what shards have sent to each other."""
        self.clock = GlobalClock()
        self.shards = [self._new_shard(number) for number in range(shards)]
        self.merge = Merge(self.options, grace_ms=0)
        self.to_merge: list[deque[tuple[bytes, bytes | None]]] = [deque() for _ in range(shards)]
        """Records of the panes topics that the merge has not read."""

    def _new_shard(self, number: int) -> Shard:
        options = ShardOptions(
            options=self.options,
            topics=TOPICS,
            rekeyed_topic=REKEYED,
            customers_topic=CUSTOMERS,
            spread_every_ms=self.spread_every_ms,
        )
        shard = Shard(number, self.count, options)
        shard.restore(list(self.state[number].items()), list(self.panes[number].items()))
        deque(shard.restored(), maxlen=0)
        return shard

    def flush(self, number: int, *, caught_up: bool) -> None:
        """Write atomically."""
        flush: Flush | None = self.shards[number].flush(caught_up=caught_up)
        if flush is None:
            return
        for topic, partition, key, sent, headers, timestamp_ms in flush.outgoing:
            assert partition is not None, "nothing is refused or late"
            log = self.internal[topic, partition]
            log.append(Record(len(log), timestamp_ms or 0, key, sent, headers))
        self.state[number].update(flush.state)
        self.panes[number].update(flush.panes)
        self.clock.update(*flush.clock)
        self.to_merge[number].extend(flush.panes)

    def read(self, number: int, at_most: int) -> None:
        """The merge reads on, whether or not that is the end of a flush."""
        for _ in range(min(at_most, len(self.to_merge[number]))):
            self.merge.apply(number, *self.to_merge[number].popleft())

    def unread(self, logs: dict[tuple[str, int], list[Record]]) -> list[tuple[str, int, int]]:
        """Topic, partition and first offset of what waits to be read."""
        places = []
        for topic, partition in sorted(logs):
            applied = self.shards[partition].position.get((topic, partition))
            first = 0 if applied is None else applied.offset + 1
            if first < len(logs[topic, partition]):
                places.append((topic, partition, first))
        return places

    def flush_all(self, logs: dict[tuple[str, int], list[Record]]) -> list[tuple[str, int, int]]:
        """Flush every shard; what that gives others to read."""
        for number in range(self.count):
            self.flush(number, caught_up=False)
        return self.unread(logs)

    def crash(self, number: int) -> None:
        """What was not flushed is gone."""
        self.shards[number] = self._new_shard(number)

    def crash_merge(self) -> None:
        """The merge starts from the panes topic and what it has published."""
        self.merge = Merge(self.options, grace_ms=0)
        for number in range(self.count):
            self.to_merge[number].clear()
            for key, value in self.panes[number].items():
                self.merge.restore(number, key, value)
        for key, value in self.values.items():
            if value is not None:
                self.merge.restore_published(key, value)
        deque(self.merge.restored(), maxlen=0)

    def publish(self) -> bool:
        """One publish; whether nothing waits for the next."""
        now_ms = self.clock.now_ms(None)
        if now_ms is None:
            return True
        publication = all_of(self.merge.publish(now_ms, self.clock.first_ms))
        self.values.update(publication.changed)
        return publication.complete


def replay(
    logs: dict[tuple[str, int], list[Record]],
    shards: int,
    options: Options,
    choose: random.Random,
    spread_every_ms: int,
) -> dict[bytes, bytes]:
    """Feed every partition's log in batches of any size, with flushes, crashes and publishes at any moment. A shard may
    think that it has read everything when more is about to come: then the others take `now` past it."""
    cluster = Cluster(shards, options, spread_every_ms)
    logs = {**logs, **cluster.internal}
    while unread := cluster.unread(logs) or cluster.flush_all(logs):
        topic, partition, first = choose.choice(unread)
        shard, log = cluster.shards[partition], logs[topic, partition]
        shard.apply(topic, partition, log[first : first + choose.randint(1, 400)], 1 << 60)
        what = choose.random()
        if what < 0.5:
            shard.advance(shard.greatest_ms or 0)
            cluster.flush(partition, caught_up=choose.random() < 0.2)
        elif what < 0.6:
            cluster.crash(partition)
        elif what < 0.65:
            cluster.crash_merge()
        cluster.read(choose.randrange(shards), choose.choice([10, 1 << 60]))
        if choose.random() < 0.2:
            cluster.publish()
    for _ in range(2):  # the first round tells the clock that all is read, the second brings every shard to its now
        now_ms = cluster.clock.now_ms(None)
        for number in range(shards):
            cluster.shards[number].advance(now_ms or 0)
            cluster.flush(number, caught_up=True)
    for number in range(shards):
        cluster.read(number, 1 << 60)
    while not cluster.publish():
        pass
    return {key: value for key, value in cluster.values.items() if value is not None}


def logs_of(events: Iterator[tuple[str, bytes, bytes, int]], shards: int) -> dict[tuple[str, int], list[Record]]:
    """Events as partitions of their topics, as a producer would lay them."""
    partitioner = Partitioner("murmur2", shards)
    logs: dict[tuple[str, int], list[Record]] = {}
    for topic, key, value, time_ms in events:
        log = logs.setdefault((topic, partitioner.owner(key)), [])
        log.append(Record(len(log), time_ms, key, value))
    return logs


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],  # a seed does not shrink: smaller is no simpler
)
@given(
    seed=st.integers(0, 10_000),
    shards=st.integers(1, 3),
    hours=st.sampled_from([2, 30, 200]),
    options=st.sampled_from([CALENDAR_ONLY, BOTH_CLOCKS]),
    spread_every_ms=st.sampled_from([5_000, 5 * HOUR_MS, 1 << 62]),
)
def test_a_log_in_any_order_batches_and_crashes_ends_as_compute_says(
    seed: int, shards: int, hours: int, options: Options, spread_every_ms: int
) -> None:
    team_start_ms = START_MS + seed % 24 * HOUR_MS
    team = FEW if hours > 24 * 7 else None
    events = list(Simulation(seed, team_start_ms, team).events_until(team_start_ms + hours * HOUR_MS))[:2000]
    disordered = list(disorder(events, seed, late_within_ms=600_000, duplicate_share=0.05))
    logs = logs_of(((event.topic.default_topic, event.key, event.value, event.time_ms) for event in disordered), shards)
    values = replay(logs, shards, options, random.Random(seed), spread_every_ms)
    live = {key: comparable(msgspec.json.decode(value, type=KpiRecord)) for key, value in values.items()}
    expected = expected_values((event.value for event in events), options)
    assert live.keys() == expected.keys()
    for key, record in expected.items():
        assert live[key] == record, key
    assert len(live) > 500
    clocks = {record["clock"] for record in live.values() if record["kpi"] == "first_response_time"}
    assert clocks == ({"calendar"} if options.schedules is None else {"calendar", "business"})
    kept = sum(record["samples"] for record in live.values() if record["kpi"] == "sla_achievement")
    assert (kept > 0) is (options.sla is not None)
    assert {kpi.id for kpi in options.custom_kpis} <= {record["kpi"] for record in live.values()}
