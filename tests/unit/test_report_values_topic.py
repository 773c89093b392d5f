"""What ``stream-kpi report --live`` makes of the values topic, without a broker."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from stream_kpi.brokers.probe import BrokerFacts
from stream_kpi.brokers.security import OPEN, Security
from stream_kpi.cli import report_live
from stream_kpi.compute import Computation
from stream_kpi.errors import WRONG_TOPICS, WRONG_USAGE, UserError
from stream_kpi.kpis.catalogue import live_rows
from stream_kpi.kpis.record import KpiRecord, record_key, timestamp
from stream_kpi.lifecycles.options import Options
from stream_kpi.reports.period import PeriodKind
from stream_kpi.settings import load_settings
from stream_kpi.windows.kinds import TODAY
from tests.report_kit import STORY, at, line_of

TOPIC = "support.kpi.values.v1"
Pairs = list[tuple[bytes, bytes | None]]


def todays() -> list[KpiRecord]:
    computation = Computation(Options(), TODAY, at("03-03 12:00"))
    for line in STORY:
        computation.take(line)
    records = computation.latest(TODAY, live_rows("today"), ())
    # A worker evaluates a window that is running as of now, not as of its end.
    return [msgspec.structs.replace(record, as_of=timestamp(at("03-03 12:00"))) for record in records]


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Pairs:
    """The topic's records, to be filled."""
    pairs: Pairs = []

    def probed(address: str, *, security: Security) -> BrokerFacts:
        assert security == OPEN
        return BrokerFacts(address, transactional=True, cluster_id="c", brokers=1, topics={TOPIC: 1})

    def read(address: str, security: Security, topic: str, partitions: int) -> Iterator[tuple[bytes, bytes | None]]:
        assert (address, security, topic, partitions) == ("127.0.0.1:9092", OPEN, TOPIC, 1)
        yield from pairs

    monkeypatch.setattr(report_live, "probe", probed)
    monkeypatch.setattr(report_live, "_read", read)
    return pairs


def test_the_newest_record_of_a_key_counts_and_a_tombstone_takes_it_away(topic: Pairs) -> None:
    for record in todays():
        older = msgspec.structs.replace(record, value=99, revision=0)
        topic += [(record_key(record), msgspec.json.encode(one)) for one in (older, record)]
        if record.kpi == "transfers":
            topic.append((record_key(record), None))
    report = report_live.live_report(load_settings(), PeriodKind.DAY)
    assert line_of(report, "ticket_volume").value == 2
    assert line_of(report, "transfers").record is None
    assert report.live
    assert report.period.name == "Tuesday 3 March 2026"


def test_a_topic_without_values_asks_for_a_worker(topic: Pairs) -> None:
    assert topic == []
    with pytest.raises(UserError, match="no values yet; is a worker running") as raised:
        report_live.live_report(load_settings(), PeriodKind.DAY)
    assert raised.value.exit_status == WRONG_USAGE


def test_what_is_no_kpi_record_is_refused(topic: Pairs) -> None:
    topic.append((b"key", b'{"kpi": 1}'))
    with pytest.raises(UserError, match="holds what is no KPI record") as raised:
        report_live.live_report(load_settings(), PeriodKind.DAY)
    assert raised.value.exit_status == WRONG_USAGE


def test_a_missing_topic_is_named_with_the_command_that_makes_it(topic: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    assert topic == []
    monkeypatch.setattr(report_live, "probe", lambda address, **_: BrokerFacts(address, True, "c", 1, {}))
    with pytest.raises(UserError, match=f"{TOPIC} is missing.*topics create --broker 127.0.0.1:9092") as raised:
        report_live.live_report(load_settings(), PeriodKind.DAY)
    assert raised.value.exit_status == WRONG_TOPICS
