from __future__ import annotations

import gzip
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from stream_kpi.brokers import Broker
from stream_kpi.brokers.topic_admin import create_topics
from stream_kpi.cli.main import main
from stream_kpi.errors import OK, WRONG_TOPICS, WRONG_USAGE
from stream_kpi.events.partitioner import Algorithm, Partitioner
from stream_kpi.settings import Settings, load_settings
from stream_kpi.settings_sections import TopicSettings

PARTITIONS = 3


def event(number: int, kind: str = "ticket.message", second: float = 0) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": "/t",
        "type": kind,
        "subject": f"S-{number % 17}",
        "time": f"2026-03-02T10:00:{second:06.3f}Z",
        "data": {"author": "customer"},
    }


def written(folder: Path, events: list[dict[str, Any]], name: str = "events.jsonl") -> Path:
    file = folder / name
    text = "".join(json.dumps(one) + "\n" for one in events).encode()
    file.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return file


@pytest.fixture(params=["embedded", "kafka"])
def settings(request: pytest.FixtureRequest, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Empty topics on a broker of each kind."""
    if request.param == "kafka":
        request.applymarker(pytest.mark.kafka)
    broker: Broker = request.getfixturevalue(f"{request.param}_broker")
    monkeypatch.setenv("STREAM_KPI_APP_ID", topic_prefix)
    monkeypatch.setenv("STREAM_KPI_BROKER__ADDRESS", broker.address)
    for name in TopicSettings.model_fields:
        monkeypatch.setenv(f"STREAM_KPI_TOPICS__{name.upper()}", f"{topic_prefix}.{name}")
    settings = load_settings()
    create_topics(settings, PARTITIONS)
    return settings


def produce(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["stream-kpi", "produce", *map(str, arguments)])
    return main()


def consumed(settings: Settings, topic: str, count: int) -> dict[int, list[Any]]:
    """The first records of a topic, by partition."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=settings.broker.address, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
    found: dict[int, list[Any]] = defaultdict(list)
    deadline_s = time.monotonic() + 20
    while sum(map(len, found.values())) < count and time.monotonic() < deadline_s:
        for place, records in consumer.poll(timeout_ms=200).items():
            found[place.partition] += records
    consumer.close()
    return found


@pytest.mark.parametrize("partitioner", ["murmur2", "crc32"])
def test_each_event_goes_to_its_topic_and_its_subjects_partition_in_the_order_of_the_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, partitioner: Algorithm
) -> None:
    monkeypatch.setenv("STREAM_KPI_BROKER__PARTITIONER", partitioner)
    kinds = {
        "ticket.message": settings.topics.tickets,
        "chat.message": settings.topics.chats,
        "agent.presence": settings.topics.chats,
        "invoice.paid": settings.topics.subscriptions,
        "survey.answered": settings.topics.signals,
    }
    events = [event(number, kind) for number in range(100) for kind in kinds]
    assert produce(monkeypatch, written(tmp_path, events, "events.jsonl.gz")) == OK
    owner = Partitioner(partitioner, PARTITIONS).owner
    for topic in set(kinds.values()):
        sent = [one for one in events if kinds[one["type"]] == topic]
        for partition, records in consumed(settings, topic, len(sent)).items():
            expected = [one for one in sent if owner(one["subject"].encode()) == partition]
            assert [json.loads(record.value) for record in records] == expected
            assert [record.key.decode() for record in records] == [one["subject"] for one in expected]
            assert {tuple(record.headers) for record in records} == {
                (("content-type", b"application/cloudevents+json"),)
            }


def test_with_a_speed_events_come_at_their_own_pace(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [event(number, second=number * 10) for number in range(4)]
    assert produce(monkeypatch, written(tmp_path, events), "--speed", "50x") == OK
    records = [record for found in consumed(settings, settings.topics.tickets, 4).values() for record in found]
    times = sorted(record.timestamp for record in records)
    assert len(times) == 4
    # Thirty seconds at 50x are 0.6 s; a slow machine takes longer, never less.
    assert times[-1] - times[0] >= 590


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (b'{"type": "ticket.message"\n', "line 3: no event (Input data was truncated)"),
        (b"\xff\xfe\n", "line 3: no event (JSON is malformed"),
        (b'{"type": "ticket.message"}\n', "line 3: no event (Object missing required field `subject`"),
        (b'{"type": "weather.rain", "subject": "s"}\n', "line 3: no topic takes events of type 'weather.rain'"),
    ],
)
def test_a_line_that_is_no_event_ends_it_and_what_stood_before_it_is_sent(
    embedded_broker: Broker,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    damage: bytes,
    complaint: str,
) -> None:
    monkeypatch.setenv("STREAM_KPI_APP_ID", topic_prefix)
    monkeypatch.setenv("STREAM_KPI_TOPICS__TICKETS", f"{topic_prefix}.tickets")
    monkeypatch.setenv("STREAM_KPI_BROKER__ADDRESS", embedded_broker.address)
    settings = load_settings()
    create_topics(settings)
    file = written(tmp_path, [event(1), event(2)])
    file.write_bytes(file.read_bytes() + damage)
    assert produce(monkeypatch, file) == WRONG_USAGE
    assert f"{file} {complaint}" in capsys.readouterr().err
    assert sum(map(len, consumed(settings, settings.topics.tickets, 2).values())) == 2


def test_a_file_that_is_missing_empty_or_cut_short_is_named_with_the_reason(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert settings.app_id
    assert produce(monkeypatch, tmp_path / "absent") == WRONG_USAGE
    assert capsys.readouterr().err == f"{tmp_path}/absent: No such file or directory\n"
    empty = written(tmp_path, [])
    assert produce(monkeypatch, empty) == WRONG_USAGE
    assert capsys.readouterr().err == f"{empty}: the file is empty\n"
    cut = written(tmp_path, [event(number) for number in range(1000)], "cut.jsonl.gz")
    cut.write_bytes(cut.read_bytes()[:-200])
    assert produce(monkeypatch, cut) == WRONG_USAGE
    assert "the gzip file is cut short\n" in capsys.readouterr().err


def test_without_its_topics_it_says_how_to_make_them(
    embedded_broker: Broker,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("STREAM_KPI_TOPICS__TICKETS", f"{topic_prefix}.tickets")
    file = written(tmp_path, [event(1)])
    assert produce(monkeypatch, file, "--broker", embedded_broker.address) == WRONG_TOPICS
    assert "stream-kpi topics create" in capsys.readouterr().err


@pytest.mark.parametrize("speed", ["0", "-1x", "fast", "1e3"])
def test_a_speed_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], speed: str
) -> None:
    assert produce(monkeypatch, "events.jsonl", f"--speed={speed}") == WRONG_USAGE
    assert f"--speed {speed}: must be a factor above 0" in capsys.readouterr().err
