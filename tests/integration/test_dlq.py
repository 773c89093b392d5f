"""Dead letters are listed, shown and sent again on real brokers, each once whatever is killed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kafka import KafkaProducer

from stream_kpi.brokers import Broker
from stream_kpi.brokers.probe import probe
from stream_kpi.brokers.topic_admin import create_topics
from stream_kpi.cli.dead_letters import Replayer, letters, replayer
from stream_kpi.cli.following import to_end
from stream_kpi.cli.main import main
from stream_kpi.errors import CHECK_FAILED, OK, WRONG_USAGE
from stream_kpi.events.rejection import Reason, dead_letter
from stream_kpi.settings import Settings, load_settings
from stream_kpi.settings_sections import TopicSettings
from stream_kpi.topics import InternalTopics
from tests.shard_kit import T0_MS, Record, created

HEADERS = (("trace", b"\x00\xff"),)


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
    create_topics(settings, 2)
    return settings


def bury(settings: Settings, *values: bytes | None, reason: Reason = Reason.FUTURE, detail: str = "ahead") -> None:
    """Write dead letters as a worker does: from partition 1, offsets from 0."""
    producer = KafkaProducer(bootstrap_servers=settings.broker.address, enable_idempotence=False)
    for offset, value in enumerate(values):
        record = Record(offset, T0_MS, b"k%d" % offset, value, HEADERS)
        letter = dead_letter(record, settings.topics.tickets, 1, reason, detail)
        producer.send(
            letter.topic,
            key=letter.key,
            value=letter.value,
            headers=list(letter.headers),
            timestamp_ms=T0_MS,
            partition=0,
        ).get(timeout=30)
    producer.close()


def stream_kpi(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["stream-kpi", *arguments])
    return main()


def sources(settings: Settings) -> list[tuple[Any, ...]]:
    found = to_end(settings.broker, [settings.topics.tickets])
    return [(one.partition, one.timestamp_ms, one.key, one.value, one.headers) for one in found]


def test_a_letter_goes_back_as_it_came_and_a_second_time_nothing_is_sent(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    event = created("A", T0_MS)
    bury(settings, event)
    assert stream_kpi(monkeypatch, "dlq", "replay", "--all") == OK
    assert stream_kpi(monkeypatch, "dlq", "replay", "--all") == OK
    assert sources(settings) == [(1, T0_MS, b"k0", event, HEADERS)]
    capsys.readouterr()
    assert stream_kpi(monkeypatch, "dlq", "list", "--json") == OK
    (letter,) = json.loads(capsys.readouterr().out)
    assert (letter["replayed"], letter["reason"], letter["source_partition"]) == (True, "future", 1)


def test_what_is_still_invalid_is_left_out_unless_forced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bury(settings, b"no json", created("A", T0_MS), reason=Reason.INVALID_JSON)
    assert stream_kpi(monkeypatch, "dlq", "replay", "--reason", "invalid_json") == CHECK_FAILED
    assert "not sent: still invalid: invalid_json" in capsys.readouterr().out
    assert [value for *_, value, _ in sources(settings)] == [created("A", T0_MS)]
    assert stream_kpi(monkeypatch, "dlq", "replay", f"{settings.topics.tickets}.dlq:0:0", "--force") == OK
    assert [value for *_, value, _ in sources(settings)] == [created("A", T0_MS), b"no json"]


def test_neither_a_mark_nor_a_letter_that_nobody_understands_stops_the_others(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer = KafkaProducer(bootstrap_servers=settings.broker.address, enable_idempotence=False)
    for key in (b"\xff\xfe", b"a:b:c:d"):
        producer.send(InternalTopics.of(settings.app_id).replayed, key=key, value=b"?").get(timeout=30)
    for headers in ([], [("__connect.errors.topic", b"\xff"), ("__connect.errors.partition", b"x")]):
        producer.send(f"{settings.topics.tickets}.dlq", value=b"{}", headers=headers, partition=0).get(timeout=30)
    producer.close()
    bury(settings, created("A", T0_MS))
    assert stream_kpi(monkeypatch, "dlq", "replay", "--all", "--force") == CHECK_FAILED
    assert [value for *_, value, _ in sources(settings)] == [created("A", T0_MS)]


def test_text_from_records_cannot_move_the_cursor(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bury(settings, b"\x1b[2J", detail="\x1b[31mred\u202e")
    place = f"{settings.topics.tickets}.dlq:0:0"
    for arguments in (("list",), ("show", place), ("replay", place)):
        stream_kpi(monkeypatch, "dlq", *arguments)
        out = capsys.readouterr().out
        assert "\\x1b" in out
        assert not {"\x1b", "\u202e"} & set(out)
    assert stream_kpi(monkeypatch, "dlq", "show", "nowhere:0:0") == WRONG_USAGE


@pytest.mark.kafka
def test_a_replay_that_ends_between_letter_and_mark_has_sent_nothing_and_the_next_one_sends_it_once(
    kafka_broker: Broker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides: dict[str, Any] = {
        "app_id": topic_prefix,
        "broker": {"address": kafka_broker.address},
        "topics": {name: f"{topic_prefix}.{name}" for name in TopicSettings.model_fields},
    }
    settings = load_settings(None, overrides)
    create_topics(settings, 2)
    bury(settings, created("A", T0_MS), created("B", T0_MS))
    first = replayer(settings)
    told = first.replay(letters(settings), force=False)
    assert next(told)[1] is None
    monkeypatch.setattr(first._producer, "commit_transaction", lambda: None)
    next(told)  # as if killed after the mark was written and before the commit
    second = Replayer(settings, probe(settings.broker.address))
    assert [why_not for _, why_not in second.replay(letters(settings), force=False)] == ["sent again before", None]
    assert sorted(value for *_, value, _ in sources(settings)) == sorted([created("A", T0_MS), created("B", T0_MS)])
    second.close()
    first.close()
