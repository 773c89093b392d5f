"""Every client of the program on an Apache Kafka that asks for TLS, a password, a certificate; and what is said when
one of them is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from stream_kpi.brokers import ApacheKafka, BrokerUnavailableError
from stream_kpi.brokers.process import free_port
from stream_kpi.cli.main import main
from stream_kpi.errors import CHECK_FAILED, NO_BROKER, OK, WRONG_USAGE
from tests.integration.security_kit import PASSWORD, USER, Authority, guarded_kafka

pytestmark = pytest.mark.kafka
WRONG_PASSWORD = "not-the-password"
TOKEN = "the-token-of-prometheus"
DEADLINE_S = 60.0
EVENTS = 40


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates") / "ours")


@pytest.fixture(scope="module")
def kafka(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    try:
        with guarded_kafka(tmp_path_factory.mktemp("broker"), authority) as broker:
            yield broker
    except BrokerUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture
def scram(kafka: ApacheKafka, authority: Authority, tmp_path: Path) -> dict[str, str]:
    """The section `broker` of the settings of who has a password."""
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    return {
        "address": kafka.addresses["SASL"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-256",
        "username": USER,
        "password_file": str(password),
        "ca_file": str(authority.file),
    }


@pytest.fixture
def mutual(kafka: ApacheKafka, authority: Authority) -> dict[str, str]:
    """The section `broker` of the settings of who has a certificate."""
    certificate, key = authority.certify("client")
    return {
        "address": kafka.addresses["MUTUAL"],
        "security_protocol": "SSL",
        "ca_file": str(authority.file),
        "cert_file": str(certificate),
        "key_file": str(key),
    }


class Installation:
    """Settings in a file, and the commands with them."""

    def __init__(self, folder: Path, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        self._prefix = prefix
        self.port = free_port()
        self.token_file = folder / "token"
        self.token_file.write_text(TOKEN)
        self.config = folder / "stream-kpi.toml"

    def set_broker(self, broker: Mapping[str, str]) -> None:
        topics = ("tickets", "chats", "subscriptions", "signals", "values", "history", "sla")
        lines = [f'app_id = "{self._prefix}"', "[web]", f"port = {self.port}", f'token_file = "{self.token_file}"']
        lines += ["[topics]", *(f'{name} = "{self._prefix}.{name}"' for name in topics)]
        lines += ["[broker]", *(f"{key} = {json.dumps(value)}" for key, value in broker.items())]
        self.config.write_text("\n".join(lines))

    def run(self, *command: str) -> int:
        self._monkeypatch.setattr("sys.argv", ["stream-kpi", *command, "--config", str(self.config)])
        return main()

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "stream_kpi", "worker", "--config", str(self.config)]
        with self.log.open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @property
    def log(self) -> Path:
        return self._folder / "worker.log"

    def events(self) -> Path:
        file = self._folder / "events.jsonl"
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        common = {"specversion": "1.0", "source": "/t", "type": "ticket.created", "time": now}
        data = {"channel": "email", "customer_id": "C-1"}
        rows = [{**common, "id": str(i), "subject": f"T-{i}", "data": data} for i in range(EVENTS)]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return file

    def page(self, path: str, authorization: str | None = None) -> str:
        headers = {} if authorization is None else {"Authorization": authorization}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as response:
            text: str = response.read().decode()
            return text

    def until(self, worker: subprocess.Popen[bytes], line: str) -> None:
        """Returns when /metrics has the line."""
        deadline_s = time.monotonic() + DEADLINE_S
        while worker.poll() is None and time.monotonic() < deadline_s:
            try:
                if line in self.page("/metrics", f"Bearer {TOKEN}").splitlines():
                    return
            except OSError:
                pass
            time.sleep(0.1)  # between two looks, until the deadline
        pytest.fail(f"no {line!r}; the worker's log: {self.log.read_text()}")


@pytest.fixture
def installation(tmp_path: Path, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Installation:
    return Installation(tmp_path, topic_prefix, monkeypatch)


@pytest.mark.parametrize("how", ["scram", "mutual"])
def test_topics_are_made_events_sent_and_kpis_computed_by_who_has_what_the_broker_asks_for(
    request: pytest.FixtureRequest, installation: Installation, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.set_broker(request.getfixturevalue(how))
    assert installation.run("topics", "create", "--partitions", "2") == OK
    assert installation.run("produce", str(installation.events())) == OK
    with installation.worker() as worker:
        installation.until(worker, f"kpi_ticket_backlog {EVENTS}.0")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            installation.page("/metrics")
        assert installation.page("/health/live").startswith("live")
        capsys.readouterr()
        assert installation.run("report", "--period", "month", "--live", "--format", "csv") == OK
        assert installation.run("doctor", "--json") == OK
        worker.terminate()
        assert worker.wait(DEADLINE_S) == OK
    shown = capsys.readouterr()
    told = installation.log.read_text() + shown.out + shown.err
    assert '"unknown"' not in told.partition('"core"')[0]
    assert "Traceback" not in told
    assert PASSWORD not in told
    assert TOKEN not in told


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
def test_the_other_mechanisms_are_spoken_too(
    installation: Installation, scram: dict[str, str], mechanism: str, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.set_broker({**scram, "sasl_mechanism": mechanism})
    assert installation.run("topics", "create", "--partitions", "1") == OK
    assert installation.run("produce", str(installation.events())) == OK
    with installation.worker() as worker:
        installation.until(worker, f"kpi_ticket_backlog {EVENTS}.0")
    assert f"{EVENTS} events sent" in capsys.readouterr().err


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN"])
def test_a_wrong_password_ends_every_command_with_one_line_that_does_not_quote_it(
    installation: Installation,
    scram: dict[str, str],
    mechanism: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text(WRONG_PASSWORD)
    installation.set_broker({**scram, "password_file": str(wrong), "sasl_mechanism": mechanism})
    for command in (("worker",), ("topics", "create"), ("topics", "describe"), ("produce", str(installation.events()))):
        assert installation.run(*command) == WRONG_USAGE, command
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert f"The Kafka broker at {scram['address']} does not let us in" in told
        assert f"user {USER}: Authentication failed" in told
        assert WRONG_PASSWORD not in told
    assert installation.run("doctor", "--json") == CHECK_FAILED
    assert "does not let us in" in capsys.readouterr().out


def test_what_does_not_fit_the_broker_is_named_with_the_setting_that_mends_it(
    installation: Installation,
    kafka: ApacheKafka,
    scram: dict[str, str],
    mutual: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stranger = Authority(tmp_path / "strangers")
    certificate, key = stranger.certify("client")
    no_certificate = {key: value for key, value in mutual.items() if key not in ("cert_file", "key_file")}
    plain = {**scram, "security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN"}
    del plain["ca_file"]
    cases = [
        ({**mutual, "ca_file": str(stranger.file)}, WRONG_USAGE, "see broker.ca_file"),
        ({**mutual, "address": mutual["address"].replace("127.0.0.1", "localhost")}, WRONG_USAGE, "see broker.ca_file"),
        (no_certificate, WRONG_USAGE, "see broker.cert_file"),
        ({**mutual, "cert_file": str(certificate), "key_file": str(key)}, WRONG_USAGE, "see broker.cert_file"),
        ({**mutual, "address": kafka.address}, WRONG_USAGE, "does it speak TLS there?"),
        ({"address": scram["address"]}, NO_BROKER, "does not speak Kafka, or not over PLAINTEXT"),
        ({**plain, "address": kafka.addresses["SHORT"]}, WRONG_USAGE, "it takes: SCRAM-SHA-256"),
    ]
    for broker, status, remedy in cases:
        installation.set_broker(broker)
        assert installation.run("topics", "describe") == status, remedy
        told = capsys.readouterr().err
        assert remedy in told
        assert told.count("\n") == 1
