from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from stream_kpi.brokers import Broker
from stream_kpi.brokers.probe import admin_client, probe
from stream_kpi.brokers.topic_admin import create_topics
from stream_kpi.cli.main import main
from stream_kpi.errors import CHECK_FAILED, OK
from stream_kpi.settings import Settings, load_settings
from stream_kpi.settings_sections import TopicSettings
from stream_kpi.topics import InternalTopics

Report = dict[str, tuple[str, str]]
Doctor = Callable[[], tuple[int, Report]]


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Exit status and ``{check: (result, detail)}``."""

    def ask() -> tuple[int, Report]:
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["stream-kpi", "doctor", "--json"])
        status = main()
        return status, {row["check"]: (row["result"], row["detail"]) for row in json.loads(capsys.readouterr().out)}

    return ask


def app(broker: Broker, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with names of their own, as variables too."""
    monkeypatch.setenv("STREAM_KPI_APP_ID", prefix)
    monkeypatch.setenv("STREAM_KPI_BROKER__ADDRESS", broker.address)
    for name in TopicSettings.model_fields:
        monkeypatch.setenv(f"STREAM_KPI_TOPICS__{name.upper()}", f"{prefix}.{name}")
    return load_settings()


def send(settings: Settings, partition_of_key: Callable[[bytes], int]) -> None:
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=settings.broker.address)
    for key in (f"key-{number}".encode() for number in range(50)):
        producer.send(settings.topics.chats, b"{}", key, partition=partition_of_key(key))
    producer.close()


@pytest.mark.kafka
def test_on_apache_kafka_a_healthy_app_has_no_finding(
    kafka_broker: Broker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    from stream_kpi.events.partitioner import Partitioner

    settings = app(kafka_broker, topic_prefix, monkeypatch)
    create_topics(settings, 3)
    send(settings, Partitioner("murmur2", 3).owner)
    status, report = doctor()
    assert status == OK
    assert {check: result for check, (result, _) in report.items() if result != "ok"} == {}
    assert report["partitioner"][1] == "murmur2 fits all of 50 keys"
    assert f"{topic_prefix}-doctor" not in probe(kafka_broker.address).topics


def test_on_the_embedded_broker_it_says_what_that_cannot_do(
    embedded_broker: Broker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    create_topics(app(embedded_broker, topic_prefix, monkeypatch), 2)
    status, report = doctor()
    assert status == OK
    assert report["broker"][1].startswith("embedded (Tansu)")
    assert report["transactions"][0] == "warning"
    assert "one worker only" in report["transactions"][1]
    assert report["changelogs"][0] == "warning"
    assert report["clock"][0] == "unknown"


def test_missing_topics_fail_with_the_command_that_makes_them(
    embedded_broker: Broker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    app(embedded_broker, topic_prefix, monkeypatch)
    status, report = doctor()
    assert status == CHECK_FAILED
    assert report["topics"][0] == "failed"
    assert "stream-kpi topics create" in report["topics"][1]


def test_keys_that_another_partitioner_placed_fail_with_the_setting_that_fits(
    embedded_broker: Broker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    from stream_kpi.events.partitioner import Partitioner

    settings = app(embedded_broker, topic_prefix, monkeypatch)
    create_topics(settings, 3)
    send(settings, Partitioner("crc32", 3).owner)
    status, report = doctor()
    assert status == CHECK_FAILED
    assert report["partitioner"][0] == "failed"
    assert report["partitioner"][1].endswith("crc32 fits 50 of 50 keys: set broker.partitioner = crc32")


def test_keys_that_no_partitioner_placed_are_a_warning(
    embedded_broker: Broker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    settings = app(embedded_broker, topic_prefix, monkeypatch)
    create_topics(settings, 3)
    send(settings, lambda _: 1)
    status, report = doctor()
    assert (status, report["partitioner"][0]) == (OK, "warning")


@pytest.mark.kafka
def test_state_that_is_not_compacted_fails(
    kafka_broker: Broker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    settings = app(kafka_broker, topic_prefix, monkeypatch)
    state = InternalTopics.of(topic_prefix).state
    with admin_client(kafka_broker.address) as admin:
        admin.create_topics({state: {"num_partitions": 2}}, wait_for_metadata=True)
    create_topics(settings, 2)
    status, report = doctor()
    assert status == CHECK_FAILED
    assert report["changelogs"][0] == "failed"
    assert f"{state} cleanup.policy=delete, needs compact" in report["changelogs"][1]
    assert f"{state} max.message.bytes=1048588, needs 16777216" in report["changelogs"][1]


def test_without_a_broker_it_fails_and_still_says_what_this_machine_can_start(
    monkeypatch: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    monkeypatch.setenv("STREAM_KPI_BROKER__ADDRESS", "127.0.0.1:1")
    status, report = doctor()
    assert status == CHECK_FAILED
    assert report["broker"][0] == "failed"
    assert report["embedded broker"] == ("ok", "installed")


def test_for_people_it_is_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], embedded_broker: Broker
) -> None:
    monkeypatch.setattr("sys.argv", ["stream-kpi", "doctor", "--broker", embedded_broker.address])
    main()
    heading, settings, *_ = capsys.readouterr().out.splitlines()
    assert heading.split() == ["check", "result", "detail"]
    assert settings.split()[:2] == ["settings", "ok"]
