"""Apache Kafka, one KRaft node on 127.0.0.1: the real thing for tests, the bench and ``demo --broker kafka``."""

from __future__ import annotations

import base64
import subprocess
import time
import uuid
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


class ApacheKafka:
    """One Apache Kafka node with transactions and compaction; its data lives and dies with it."""

    kind: Kind = "kafka"
    transactional = True

    def __init__(self) -> None:
        self.address = ""
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
            settings = server_properties(process.folder, port, controller_port)
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

    @staticmethod
    def _format(java: str, classpath: str, properties: Path, logging: Path) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        # A short-lived Java: neither the optimising compiler nor a parallel collector would pay.
        result = subprocess.run(
            [java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", f"-Dlog4j2.configurationFile={logging}"]
            + ["-cp", classpath, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}"]
            + ["--config", str(properties)],
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
