"""What is written to the topics is shown as it is written, only what was asked for, and safely."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaProducer

from stream_kpi.brokers import Broker
from stream_kpi.cli.main import main
from stream_kpi.errors import OK, WRONG_USAGE
from stream_kpi.settings import Settings
from tests.topics_kit import environment, history_of, published, settings_on, sla_events, write


@pytest.fixture(params=["embedded", "kafka"])
def settings(request: pytest.FixtureRequest, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Empty topics on a broker of each kind, which the commands are told of."""
    if request.param == "kafka":
        request.applymarker(pytest.mark.kafka)
    broker: Broker = request.getfixturevalue(f"{request.param}_broker")
    settings = settings_on(broker.address, topic_prefix)
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    return settings


class Tail:
    """Runs the command and gives what it has printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str) -> str:
        self._monkeypatch.setattr("sys.argv", ["stream-kpi", "tail", *arguments, "--from-beginning"])
        assert main() == OK
        return self._capsys.readouterr().out

    def records(self, *arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self(*arguments, "--json").splitlines()]


@pytest.fixture
def tail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tail:
    return Tail(monkeypatch, capsys)


def test_values_and_history_show_the_records_of_one_kpi_cut_and_window(settings: Settings, tail: Tail) -> None:
    publisher = published()
    write(settings, settings.topics.values, publisher.values.items())
    first_window = [(key, value) for key, value in history_of(publisher) if b"T10:00:00.000Z|" in (key or b"")]
    write(settings, settings.topics.history, first_window)
    kept = ("--kpi", "ticket_volume", "--window", "tumbling:5m")
    (value,) = tail.records("values", *kept, "--cut", "total", "--limit", "1")
    assert (value["kpi"], value["cut"], value["window"]["kind"]) == ("ticket_volume", {}, "tumbling:5m")
    by_fax = (*kept, "--cut", "channel=fax", "--limit", "2")
    found = [(one["status"], one["value"], one["withdrawn"]) for one in tail.records("history", *by_fax)]
    assert found == [("final", 1, False), ("revised", None, True)]
    assert tail("history", *by_fax).splitlines()[1].endswith("channel=fax  no value  revision 1  withdrawn")


def test_service_levels_show_by_step_and_ticket(settings: Settings, tail: Tail) -> None:
    write(settings, settings.topics.sla, [*sla_events("started", "breached"), *sla_events("breached", subject="T-2")])
    (event,) = tail.records("sla", "--type", "breached", "--ticket", "T-2", "--limit", "1")
    assert (event["type"], event["subject"]) == ("sla.breached", "T-2")
    assert "sla.started  T-1  gold" in tail("sla", "--limit", "1")


def test_what_comes_with_events_cannot_move_the_cursor_and_what_is_no_record_is_passed_over(
    settings: Settings, tail: Tail
) -> None:
    write(
        settings,
        settings.topics.sla,
        [(b"x", b"no json"), (b"x", b"[]"), *sla_events("started", subject="\x1b[2J\u202e")],
    )
    for arguments in ((), ("--json",)):
        out = tail("sla", "--limit", "1", *arguments)
        assert not {"\x1b", "\u202e"} & set(out)
        assert "[2J" in out


def test_what_no_record_can_be_is_refused_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, told in (
        (("values", "--kpi", "no_such"), "--kpi no_such: there is none"),
        (("history", "--window", "weekly"), "--window weekly: allowed are instant, total, today"),
        (("values", "--cut", "planet=mars"), "--cut planet: allowed are"),
        (("sla", "--type", "lost"), "--type lost: allowed are started, paused"),
        (("dlq", "--reason", "mood"), "--reason mood: allowed are tombstone"),
    ):
        monkeypatch.setattr("sys.argv", ["stream-kpi", "tail", *arguments])
        assert main() == WRONG_USAGE
        assert capsys.readouterr().err.startswith(told)


def lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    """Its lines as they come; a deadline for each."""
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    stdout = process.stdout

    def read() -> None:
        for line in stdout:
            lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield lines.get(timeout=60)


@pytest.mark.kafka
def test_a_tail_shows_what_is_committed_and_nothing_else_and_ctrl_c_ends_it_well(
    kafka_broker: Broker, topic_prefix: str
) -> None:
    settings = settings_on(kafka_broker.address, topic_prefix)
    producer = KafkaProducer(bootstrap_servers=kafka_broker.address, transactional_id=topic_prefix)
    producer.init_transactions()
    ((key, lost),) = sla_events("started", subject="lost")
    producer.begin_transaction()
    producer.send(settings.topics.sla, key=key, value=lost, partition=0).get(timeout=30)
    producer.abort_transaction()
    ((key, kept),) = sla_events("started", subject="kept")
    producer.begin_transaction()
    producer.send(settings.topics.sla, key=key, value=kept, partition=0).get(timeout=30)
    producer.commit_transaction()
    producer.close()
    command = [sys.executable, "-m", "stream_kpi", "tail", "sla", "--from-beginning"]
    with subprocess.Popen(
        command,
        env={**os.environ, **environment(settings)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in its background, and so these tests and what they start, with SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread is started yet
    ) as process:
        try:
            lines = lines_of(process)
            assert "kept" in next(lines)
            write(settings, settings.topics.sla, sla_events("breached", subject="later"))
            assert "later" in next(lines)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == OK
            assert process.stderr is not None
            assert process.stderr.read() == ""
        finally:
            process.kill()
