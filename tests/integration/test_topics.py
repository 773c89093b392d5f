from __future__ import annotations

import json

import pytest

from stream_kpi.brokers import Broker
from stream_kpi.brokers.probe import admin_client, probe
from stream_kpi.brokers.process import free_port
from stream_kpi.brokers.topic_admin import check_sources, check_topics, create_topics
from stream_kpi.cli.main import main
from stream_kpi.errors import NO_BROKER, OK, WRONG_TOPICS, UserError
from stream_kpi.settings import Settings, load_settings
from stream_kpi.settings_sections import TopicSettings
from stream_kpi.topics import InternalTopics, Partitions, all_topics


@pytest.fixture(params=["embedded", "kafka"])
def settings(request: pytest.FixtureRequest, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An app with names of its own on a broker of each kind; what the command line reads says the same."""
    if request.param == "kafka":
        request.applymarker(pytest.mark.kafka)
    broker: Broker = request.getfixturevalue(f"{request.param}_broker")
    monkeypatch.setenv("STREAM_KPI_APP_ID", topic_prefix)
    monkeypatch.setenv("STREAM_KPI_BROKER__ADDRESS", broker.address)
    for name in TopicSettings.model_fields:
        monkeypatch.setenv(f"STREAM_KPI_TOPICS__{name.upper()}", f"{topic_prefix}.{name}")
    return load_settings()


def make(settings: Settings, topics: dict[str, int]) -> None:
    with admin_client(settings.broker.address) as admin:
        admin.create_topics({name: {"num_partitions": n} for name, n in topics.items()}, wait_for_metadata=True)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["stream-kpi", *arguments])
    return main()


def test_all_topics_are_created_with_their_partitions_and_a_second_time_nothing_is(settings: Settings) -> None:
    created = create_topics(settings, 3)
    assert created == [topic.name for topic in all_topics(settings)]
    existing = probe(settings.broker.address).topics
    for topic in all_topics(settings):
        assert existing[topic.name] == (1 if topic.partitions is Partitions.ONE else 3)
    assert create_topics(settings, 3) == []
    assert check_topics(settings).topics == existing


def test_what_is_missing_follows_the_sources_that_exist(settings: Settings) -> None:
    make(settings, {settings.topics.tickets: 2})
    create_topics(settings)
    assert probe(settings.broker.address).topics[InternalTopics.of(settings.app_id).panes] == 2


def test_another_count_is_refused_by_topic_with_the_command_that_fits_and_nothing_is_created(
    settings: Settings,
) -> None:
    make(settings, {settings.topics.tickets: 2})
    with pytest.raises(UserError) as caught:
        create_topics(settings, 5)
    assert caught.value.exit_status == WRONG_TOPICS
    assert str(caught.value) == (
        f"Topics: {settings.topics.tickets} has 2 partitions, needs 5. Use the count there is: "
        f"stream-kpi topics create --partitions 2 --broker {settings.broker.address}"
    )
    assert settings.topics.chats not in probe(settings.broker.address).topics


def test_sources_of_unequal_counts_are_refused_with_what_evens_them_out(settings: Settings) -> None:
    make(settings, {settings.topics.tickets: 2, settings.topics.chats: 3})
    with pytest.raises(UserError, match=rf"--alter --topic {settings.topics.tickets} --partitions 3"):
        create_topics(settings)


def test_state_of_another_count_is_refused_with_what_helps(settings: Settings) -> None:
    internal = InternalTopics.of(settings.app_id)
    make(settings, {**dict.fromkeys(settings.topics.sources, 2), internal.state: 4})
    with pytest.raises(UserError, match=rf"{internal.state} has 4 partitions, needs 2\. .* another app_id"):
        create_topics(settings)


def test_missing_topics_are_named_with_the_command_that_makes_them(settings: Settings) -> None:
    for check in (check_sources, check_topics):
        with pytest.raises(
            UserError, match=f"{settings.topics.tickets} is missing; .*stream-kpi topics create"
        ) as caught:
            check(settings)
        assert caught.value.exit_status == WRONG_TOPICS


def test_a_worker_whose_topics_are_missing_ends_with_4_and_one_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "worker", "--web-port", str(free_port())) == WRONG_TOPICS
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.endswith(f"Make them with: stream-kpi topics create --broker {settings.broker.address}\n")


@pytest.mark.kafka
def test_what_holds_state_is_compacted_on_kafka(
    kafka_broker: Broker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType

    monkeypatch.setenv("STREAM_KPI_APP_ID", topic_prefix)
    settings = load_settings(None, {"broker": {"address": kafka_broker.address}})
    create_topics(settings)
    names = [*InternalTopics.of(topic_prefix), settings.topics.values]
    with admin_client(kafka_broker.address) as admin:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        found = admin.describe_configs(resources, config_filter="all")["topic"]
    policies = {name: found[name]["cleanup.policy"] for name in names}
    not_compacted = {name for name, policy in policies.items() if "compact" not in str(policy)}
    assert not_compacted == {f"{topic_prefix}-rekeyed", f"{topic_prefix}-customers"}


def test_describe_says_what_each_topic_is_for_and_ends_with_4_while_one_is_missing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "topics", "describe", "--json") == WRONG_TOPICS
    out, err = capsys.readouterr()
    assert {row["problem"] for row in json.loads(out)} == {"is missing"}
    assert err == f"Make them with: stream-kpi topics create --broker {settings.broker.address}\n"

    assert run(monkeypatch, "topics", "create", "--partitions", "2") == OK
    assert capsys.readouterr().out.splitlines() == [topic.name for topic in all_topics(settings)]
    assert run(monkeypatch, "topics", "describe", "--json") == OK
    rows = {row["topic"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows[settings.topics.chats]["partitions"] == 2
    assert rows[settings.topics.values]["cleanup"] == "compact"


def test_without_a_broker_every_command_ends_with_3_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STREAM_KPI_WEB__PORT", str(free_port()))
    for command in (["topics", "create"], ["topics", "describe"], ["worker"], ["produce", __file__]):
        assert run(monkeypatch, *command, "--broker", "127.0.0.1:1") == NO_BROKER
        assert capsys.readouterr().err.startswith("No Kafka broker answers at 127.0.0.1:1 (connection refused). Start")
