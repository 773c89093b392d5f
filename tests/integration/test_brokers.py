from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from stream_kpi.brokers import Broker, BrokerUnavailableError, EmbeddedBroker, kafka_jars, start_broker
from stream_kpi.brokers.apache_kafka import ApacheKafka
from stream_kpi.brokers.probe import admin_client, check_reachable, probe
from stream_kpi.brokers.process import ServerProcess, free_port
from stream_kpi.errors import NO_BROKER, UserError

DEADLINE_S = 20.0
STARTER = """
import sys
from stream_kpi.brokers.embedded import EmbeddedBroker
broker = EmbeddedBroker()
broker.start()
print(broker.process_id, broker.folder, flush=True)
sys.stdin.read()
"""


def until_gone(pid: int) -> None:
    """Returns when the process has ended (a zombie has: nobody is obliged to fetch it)."""
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.02)  # between two looks, until the deadline
    pytest.fail(f"process {pid} still runs")


def listeners(pid: int) -> set[str]:
    return {
        connection.laddr.ip for connection in psutil.Process(pid).net_connections() if connection.status == "LISTEN"
    }


def test_the_embedded_broker_answers_has_no_transactions_and_says_so(embedded_broker: Broker) -> None:
    facts = probe(embedded_broker.address)
    assert facts.brokers == 1
    assert (facts.transactional, embedded_broker.transactional) == (False, False)


@pytest.mark.kafka
def test_apache_kafka_answers_and_has_transactions(kafka_broker: Broker) -> None:
    facts = probe(kafka_broker.address)
    assert facts.brokers == 1
    assert (facts.transactional, kafka_broker.transactional) == (True, True)


@pytest.mark.kafka
def test_apache_kafka_makes_no_topic_by_accident(kafka_broker: Broker, topic_prefix: str) -> None:
    with admin_client(kafka_broker.address) as admin:
        admin.describe_topics([topic_prefix])
    assert topic_prefix not in probe(kafka_broker.address).topics


@pytest.mark.kafka
def test_apache_kafka_listens_on_this_machine_only(kafka_broker: ApacheKafka) -> None:
    assert kafka_broker.process_id is not None
    # Java shows an IPv4 address as one of IPv6.
    assert {address.removeprefix("::ffff:") for address in listeners(kafka_broker.process_id)} == {"127.0.0.1"}


def test_the_embedded_broker_listens_on_this_machine_only(embedded_broker: EmbeddedBroker) -> None:
    assert embedded_broker.process_id is not None
    assert listeners(embedded_broker.process_id) == {"127.0.0.1"}


def test_stopping_ends_the_process_and_removes_its_folder() -> None:
    broker = EmbeddedBroker()
    with broker:
        pid, folder = broker.process_id, broker.folder
        assert pid is not None
        assert folder is not None
        assert folder.is_dir()
    assert not psutil.pid_exists(pid)
    assert not folder.exists()
    broker.stop()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_broker_ends_with_its_starter_however_that_ends(how: signal.Signals) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    pid, folder = starter.stdout.readline().split()
    assert psutil.Process(int(pid)).is_running()
    starter.send_signal(how)
    starter.communicate()
    until_gone(int(pid))
    deadline_s = time.monotonic() + DEADLINE_S
    while Path(folder).exists() and time.monotonic() < deadline_s:
        time.sleep(0.02)  # between two looks, until the deadline
    assert not Path(folder).exists()


def test_ctrl_c_in_the_terminal_does_not_reach_the_broker(embedded_broker: EmbeddedBroker) -> None:
    assert embedded_broker.process_id is not None
    assert os.getpgid(embedded_broker.process_id) != os.getpgid(0)


def test_a_broker_that_does_not_come_up_shows_the_end_of_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream_kpi.brokers.embedded.embedded_program", lambda: "/bin/ls")
    with pytest.raises(BrokerUnavailableError, match=r"did not come up at 127\.0\.0\.1:\d+:\n.*listener-url"):
        start_broker("embedded")


def test_the_log_of_a_process_is_kept_until_it_is_stopped() -> None:
    process = ServerProcess()
    process.run(["/bin/sh", "-c", "seq 100"])
    deadline_s = time.monotonic() + DEADLINE_S
    while process.pid is not None and time.monotonic() < deadline_s:
        time.sleep(0.01)  # between two looks, until the deadline
    assert process.log_tail().splitlines() == [str(number) for number in range(93, 101)]
    process.stop()


def test_an_address_where_nothing_listens_is_refused_in_one_line_within_ten_seconds() -> None:
    address = f"127.0.0.1:{free_port()}"
    started_s = time.monotonic()
    with pytest.raises(UserError, match=rf"No Kafka broker answers at {address} \(connection refused\)") as caught:
        start_broker(address)
    assert time.monotonic() - started_s < 10
    assert caught.value.exit_status == NO_BROKER
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what listens there does not speak Kafka"),
        (b"", "what listens there does not speak Kafka"),
        (None, r"nothing came back within 0\.3 s"),
    ],
)
def test_what_is_no_kafka_broker_is_told_apart(answer: bytes | None, reason: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                if answer is None:
                    done.wait(DEADLINE_S)
                else:
                    connection.recv(1000)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(UserError, match=reason):
            check_reachable(f"127.0.0.1:{server.getsockname()[1]}", timeout_s=0.3)
        done.set()
        thread.join(DEADLINE_S)


@pytest.mark.parametrize("address", ["localhost", "host:", ":9092", "host:port", "host:70000", "host:٣"])
def test_what_is_no_address_is_refused_before_anything_is_asked(address: str) -> None:
    with pytest.raises(UserError, match="is no broker address"):
        check_reachable(address)


def test_one_of_several_addresses_has_to_answer(embedded_broker: Broker) -> None:
    addresses = f"127.0.0.1:{free_port()},{embedded_broker.address}"
    assert probe(addresses).brokers == 1


def test_without_java_apache_kafka_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(BrokerUnavailableError, match="needs Java 17 or newer; there is no java on the PATH"):
        start_broker("kafka")


def test_an_older_java_is_refused_by_its_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(BrokerUnavailableError, match=r"needs Java 17 or newer; .*java is version 11"):
        start_broker("kafka")


def test_the_jars_come_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    maven = tmp_path / "mvn"
    # A download that breaks off: something is there, and the status is not 0.
    maven.write_text(
        "#!/bin/sh\n"
        'for a in "$@"; do case $a in -DoutputDirectory=*) mkdir "${a#*=}"; : >"${a#*=}/a.jar";; esac; done\n'
        "echo '[ERROR] no route to Maven Central'\nexit 1\n"
    )
    maven.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(BrokerUnavailableError, match=r"\[ERROR\] no route to Maven Central"):
        kafka_jars.kafka_jars()
    assert not kafka_jars.jars_folder().exists()

    maven.write_text(maven.read_text().replace("exit 1", "exit 0"))
    assert [jar.name for jar in kafka_jars.kafka_jars().iterdir()] == ["a.jar"]
    maven.write_text("#!/bin/sh\nexit 1\n")
    assert kafka_jars.kafka_jars().is_dir(), "the second time nothing is downloaded"


def test_without_maven_and_jars_it_is_said_where_they_were_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrokerUnavailableError, match=rf"jars are not in {tmp_path}.*no mvn on the PATH"):
        kafka_jars.kafka_jars()
