"""What every live store promises: derive from :class:`LiveStoreContract` and say how one is made."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from stream_kpi.deadlines import Deadline
from stream_kpi.kpis.record import KpiHistogram, KpiRecord, RecordWindow, record_key
from stream_kpi.publish.live_store import MemoryStore, WritableStore
from tests.redis_kit import RedisServer, through_redis

NOON = "2026-03-02T12:00:00.000Z"


def record(kpi: str = "csat", value: float | None = 0.5, cut: dict[str, str] | None = None) -> KpiRecord:
    return KpiRecord(
        kpi=kpi,
        unit="ratio",
        window=RecordWindow("rolling:1h", NOON, NOON),
        cut=cut or {},
        value=value,
        stats=None,
        numerator=1,
        denominator=2,
        samples=2,
        clock=None,
        currency=None,
        variant={},
        as_of=NOON,
        revision=0,
        final=True,
        interval=(0.1, 0.9),
    )


HISTOGRAM = KpiHistogram(kpi="answer_time", clock=None, cut={}, buckets=((1.0, 1), (float("inf"), 2)), sum_s=3.5)


def deadline(subject: str = "T-1") -> Deadline:
    return Deadline("ticket", subject, "resolution", "p", None, 60_000, 1_000, "email", "a|b", "unknown")


class LiveStoreContract:
    """The promises. A subclass gives the fixture ``store``: an empty one."""

    @pytest.fixture
    def store(self) -> WritableStore | Iterator[WritableStore]:
        raise NotImplementedError

    def test_an_empty_store_holds_nothing(self, store: WritableStore) -> None:
        assert dict(store.snapshot().records) == {}
        assert store.snapshot().histograms == ()
        assert store.get(b"nothing") is None

    def test_what_is_put_is_got_unchanged(self, store: WritableStore) -> None:
        put = [record(), record(cut={"channel": "a|b"}), record(value=None)]
        store.replace(put[:2], [HISTOGRAM])
        assert dict(store.snapshot().records) == {record_key(r): r for r in put[:2]}
        assert store.snapshot().histograms == (HISTOGRAM,)
        assert store.get(record_key(put[1])) == put[1]

    def test_the_moment_of_the_values_is_that_of_the_last_change_that_named_one(self, store: WritableStore) -> None:
        assert store.snapshot().values_ms is None
        store.replace([record()], values_ms=1_000)
        assert store.snapshot().values_ms == 1_000
        store.update([record(value=0.7)], values_ms=2_000)
        store.update([record(value=0.8)])
        assert store.snapshot().values_ms == 2_000
        assert not store.snapshot().stale

    def test_replacing_leaves_nothing_of_before(self, store: WritableStore) -> None:
        store.replace([record("csat"), record("arpu")], [HISTOGRAM])
        store.replace([record("arpu")])
        assert [r.kpi for r in store.snapshot().records.values()] == ["arpu"]
        assert store.snapshot().histograms == ()

    def test_an_update_changes_only_its_keys(self, store: WritableStore) -> None:
        store.replace([record("csat"), record("arpu")], [HISTOGRAM])
        store.update([record("csat", value=0.7), record("mrr")])
        assert {r.kpi: r.value for r in store.snapshot().records.values()} == {"csat": 0.7, "arpu": 0.5, "mrr": 0.5}
        assert store.snapshot().histograms == (HISTOGRAM,)

    def test_deadlines_are_those_of_the_last_change_that_named_any_in_their_order(self, store: WritableStore) -> None:
        assert store.snapshot().deadlines == ()
        store.replace([record()], deadlines=(deadline("T-2"), deadline("T-1")))
        assert store.snapshot().deadlines == (deadline("T-2"), deadline("T-1"))
        store.update([record(value=0.7)])
        assert store.snapshot().deadlines == (deadline("T-2"), deadline("T-1"))
        store.update([], deadlines=(deadline("T-3"),))
        assert store.snapshot().deadlines == (deadline("T-3"),)
        store.update([], deadlines=())
        assert store.snapshot().deadlines == ()
        store.update([], deadlines=(deadline(),))
        store.replace([record()])
        assert store.snapshot().deadlines == ()

    def test_an_update_takes_out_what_is_gone_and_ignores_unknown_keys(self, store: WritableStore) -> None:
        store.replace([record("csat"), record("arpu")], [HISTOGRAM])
        store.update([], gone=[record_key(record("csat")), b"never|was||||"], histograms=[])
        assert [r.kpi for r in store.snapshot().records.values()] == ["arpu"]
        assert store.snapshot().histograms == ()

    def test_what_is_gone_and_put_at_once_is_there(self, store: WritableStore) -> None:
        store.update([record("csat", value=0.1)])
        store.update([record("csat", value=0.9)], gone=[record_key(record("csat"))])
        assert [r.value for r in store.snapshot().records.values()] == [0.9]

    def test_a_snapshot_in_hand_never_changes(self, store: WritableStore) -> None:
        store.replace([record("csat", value=0.1)], [HISTOGRAM])
        snapshot = store.snapshot()
        before = dict(snapshot.records)
        store.update([record("csat", value=0.9), record("mrr")])
        store.replace([])
        assert dict(snapshot.records) == before
        with pytest.raises(TypeError):
            snapshot.records[b"x"] = record()  # type: ignore[index]


class TestMemoryStore(LiveStoreContract):
    """The live store of one process."""

    @pytest.fixture
    def store(self) -> WritableStore:
        return MemoryStore()


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.stop()


class TestThroughRedis(LiveStoreContract):
    """What one process writes to Redis and another one reads there."""

    @pytest.fixture
    def store(self, server: RedisServer) -> Iterator[WritableStore]:
        with through_redis(server) as store:
            yield store


def test_records_and_histograms_survive_msgpack_for_stores_outside_the_process() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(record()), type=KpiRecord) == record()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(HISTOGRAM), type=KpiHistogram) == HISTOGRAM
