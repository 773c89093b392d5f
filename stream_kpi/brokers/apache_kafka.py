"""Apache Kafka, one KRaft node on 127.0.0.1: the real thing for tests, the bench and ``demo --broker kafka``."""

from __future__ import annotations

import base64
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from stream_kpi.brokers.base import BrokerUnavailableError, Kind
from stream_kpi.brokers.kafka_jars import java_program, kafka_jars
from stream_kpi.brokers.probe import wait_until_ready
from stream_kpi.brokers.process import ServerProcess, free_port

START_TIMEOUT_S = 60.0
_FORMAT_TIMEOUT_S = 60

_LOGGING = """\
appenders = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss.SSS} %p %m (%c)%n
rootLogger.level = WARN
rootLogger.appenderRefs = console
rootLogger.appenderRef.console.ref = console
"""


@dataclass(frozen=True, slots=True)
class Listener:
    """A port beside the open one, for a security protocol of its own."""

    name: str
    protocol: str
    properties: Mapping[str, str] = field(repr=False)
    """Kafka's settings of this listener alone, without their prefix ``listener.name.<name>.``."""


def server_properties(folder: Path, broker_port: int, controller_port: int) -> dict[str, str]:
    """Return the settings of one node that keeps its data in ``folder`` and is quick to form and leave groups."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{broker_port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{broker_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(folder / "data"),
        # Topics are made on purpose, with the partitions and the compaction they need.
        "auto.create.topics.enable": "false",
        "num.partitions": "4",
        # It lives for minutes. A past log's records carry past timestamps, and would be deleted while they are read.
        "log.retention.ms": "-1",
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "offsets.topic.num.partitions": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # A lone consumer need not wait for others, and a killed one is missed soon.
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "log.cleaner.enable": "true",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        "num.network.threads": "2",
        "num.io.threads": "4",
    }


def with_listeners(open_only: Mapping[str, str], ports: Sequence[tuple[Listener, int]]) -> dict[str, str]:
    """Return the settings of a node that listens on these ports too; itself it goes by the open one."""
    together = dict(open_only)
    for listener, port in ports:
        name, place = listener.name, f"{listener.name}://127.0.0.1:{port}"
        together["listeners"] += f",{place}"
        together["advertised.listeners"] += f",{place}"
        together["listener.security.protocol.map"] += f",{name}:{listener.protocol}"
        together |= {f"listener.name.{name.lower()}.{key}": value for key, value in listener.properties.items()}
    return {**together, "inter.broker.listener.name": "PLAINTEXT"}


class ApacheKafka:
    """One Apache Kafka node with transactions and compaction; its data lives and dies with it."""

    kind: Kind = "kafka"
    transactional = True

    def __init__(self, listeners: Sequence[Listener] = (), scram_users: Sequence[str] = ()) -> None:
        """``scram_users``: each as Kafka's storage tool wants it, ``SCRAM-SHA-256=[name=...,password=...]``."""
        self.address = ""
        self.addresses: dict[str, str] = {}
        """HOST:PORT of every listener by its name; known after start()."""
        self._listeners = listeners
        self._scram_users = scram_users
        self._process: ServerProcess | None = None

    @property
    def process_id(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process else None

    @property
    def folder(self) -> Path | None:
        """Where its log and data are while it runs."""
        return self._process.folder if self._process else None

    def start(self) -> None:
        """Return when it answers (4 to 10 s). Raises BrokerUnavailableError: no Java, no jars, or its log's end."""
        if self._process is not None:
            return
        java, classpath = java_program(), f"{kafka_jars()}/*"
        port, controller_port = free_port(), free_port()
        self.address = f"127.0.0.1:{port}"
        process = self._process = ServerProcess()
        try:
            properties = process.folder / "server.properties"
            ports = [(listener, free_port()) for listener in self._listeners]
            self.addresses = {listener.name: f"127.0.0.1:{at}" for listener, at in ports}
            settings = with_listeners(server_properties(process.folder, port, controller_port), ports)
            properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
            logging = process.folder / "log4j2.properties"
            logging.write_text(_LOGGING)
            self._format(java, classpath, properties, logging)
            process.run(
                [java, "-Xms256m", "-Xmx768m", "-XX:+UseG1GC", f"-Dlog4j2.configurationFile={logging}"]
                + ["-Djava.awt.headless=true", "-cp", classpath, "kafka.Kafka", str(properties)],
            )
            if not wait_until_ready(self.address, time.monotonic() + START_TIMEOUT_S, lambda: process.pid is not None):
                message = f"Apache Kafka did not come up at {self.address}:\n{process.log_tail()}"
                raise BrokerUnavailableError(message)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it and remove its data."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _format(self, java: str, classpath: str, properties: Path, logging: Path) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        # A short-lived Java: neither the optimising compiler nor a parallel collector would pay.
        result = subprocess.run(
            [java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", f"-Dlog4j2.configurationFile={logging}"]
            + ["-cp", classpath, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}"]
            + ["--config", str(properties)]
            + [argument for user in self._scram_users for argument in ("--add-scram", user)],
            capture_output=True,
            text=True,
            check=False,
            timeout=_FORMAT_TIMEOUT_S,
        )
        if result.returncode != 0:
            message = f"Apache Kafka's storage could not be formatted:\n{(result.stdout + result.stderr).strip()}"
            raise BrokerUnavailableError(message)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
