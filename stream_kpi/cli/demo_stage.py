"""What the demo is played on: a broker, its topics and one worker, all ended together."""

from __future__ import annotations

import asyncio
import logging
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from stream_kpi.brokers import ApacheKafka, Broker, EmbeddedBroker, broker_of
from stream_kpi.brokers.probe import BrokerFacts, admin_client
from stream_kpi.brokers.process import ServerProcess
from stream_kpi.brokers.security import security_of
from stream_kpi.brokers.topic_admin import check_sources, create_topics
from stream_kpi.cli.common import notes_console
from stream_kpi.cli.demo_interruption import in_thread
from stream_kpi.errors import CHECK_FAILED, UserError
from stream_kpi.settings import Settings, load_settings
from stream_kpi.settings_sections import TopicSettings
from stream_kpi.topics import DEFAULT_PARTITIONS, all_topics

FULL_BYTES = 1 << 30
"""The embedded broker never forgets a record: with this much in its memory the demo starts over, every few hours."""
_WATCH_EVERY_S = 0.5
_MEASURE_EVERY_S = 15.0
_SOON = {"session_timeout_s": 6, "heartbeat_interval_s": 1.5, "rebalance_timeout_s": 6}
"""The embedded broker lets a worker wait for half the session time-out before it is given its partitions."""
_PROMISED = {
    "name": "demo",
    "at_risk": ["15m"],
    "first_response": {"urgent": "15m", "other": "1h"},
    "resolution": {"other": "24h"},
    "answer": {"other": "1m"},
}
"""What the simulated team has promised."""


@dataclass(frozen=True)
class Stage:
    """A running worker on a running broker."""

    broker: Broker
    settings: Settings
    facts: BrokerFacts
    worker: ServerProcess

    @property
    def url(self) -> str:
        """Where the worker's pages are, without a slash at the end."""
        return f"http://{self.settings.web.host}:{self.settings.web.port}"

    async def watch(self) -> None:
        """Never return. Raises UserError with the end of the log when the worker or the broker has ended."""
        while True:
            if isinstance(self.broker, EmbeddedBroker | ApacheKafka) and self.broker.process_id is None:
                raise UserError(f"The broker at {self.broker.address} has ended.", CHECK_FAILED)
            if self.worker.pid is None:
                raise UserError(f"The worker has ended. Its log ends with:\n{self.worker.log_tail()}", CHECK_FAILED)
            await asyncio.sleep(_WATCH_EVERY_S)

    async def until_full(self) -> None:
        """Return when the embedded broker's memory has grown to FULL_BYTES; other brokers are never full."""
        while True:
            if isinstance(self.broker, EmbeddedBroker) and self.broker.memory_bytes() >= FULL_BYTES:
                return
            await asyncio.sleep(_MEASURE_EVERY_S)


@asynccontextmanager
async def stage(which: str, port: int, *, event_clock: bool) -> AsyncIterator[Stage]:
    """Yield a worker that is starting on the broker ``which`` (embedded, kafka, HOST:PORT), its topics made.

    On a broker that runs already everything has a name of its own, and is deleted in the end. Raises UserError.
    """
    # A topic just made has no leader for a moment: aiokafka tries again by itself; what stays wrong it raises.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    broker = broker_of(which, security_of(load_settings().broker))
    external = broker.kind == "external"
    try:
        await in_thread(broker.start, broker.stop, patience_s=0.0 if external else 15.0)
        settings = load_settings(None, _overrides(broker, port, event_clock=event_clock))
        _introduce(broker, settings)
        try:
            await in_thread(lambda: create_topics(settings, DEFAULT_PARTITIONS), broker.stop)
            facts = await in_thread(lambda: check_sources(settings), broker.stop)
            worker = ServerProcess("worker")
            try:
                worker.run(_worker_command(worker.folder, settings))
                yield Stage(broker, settings, facts, worker)
            finally:
                worker.stop()
        finally:
            if external:
                _delete_topics(settings)
    finally:
        broker.stop()


def _overrides(broker: Broker, port: int, *, event_clock: bool) -> dict[str, Any]:
    overrides: dict[str, Any] = {
        "app_id": "stream-kpi-demo",
        "clock": "event" if event_clock else "wall",
        "broker": {"address": broker.address},
        "web": {"port": port},
        "definitions": {"activation_action": "create_project", "gross_margin": 0.8},
        "sla": [_PROMISED],
    }
    if broker.kind == "external":
        name = overrides["app_id"] = f"stream-kpi-demo-{uuid.uuid4().hex[:8]}"
        overrides["topics"] = {topic: f"{name}.{topic}" for topic in TopicSettings.model_fields}
    else:
        overrides["broker"] |= _SOON
    return overrides


def _introduce(broker: Broker, settings: Settings) -> None:
    notes = notes_console()
    if broker.kind == "embedded":
        notes.print(
            f"Embedded broker at {broker.address}: in memory, without transactions: one worker, and exact unless it is "
            f"killed; at {FULL_BYTES >> 20} MiB the demo starts over. --broker kafka has neither limit."
        )
    elif broker.kind == "kafka":
        notes.print(f"Apache Kafka at {broker.address}.")
    else:
        notes.print(
            f"Broker at {broker.address}: the demo's topics and group begin with {settings.app_id} and are deleted "
            "at the end; nothing else is touched."
        )


def _worker_command(folder: Path, settings: Settings) -> list[str]:
    config = folder / "worker.toml"
    changed = settings.model_dump(mode="json", exclude_defaults=True)
    config.write_text(tomli_w.dumps(changed), encoding="utf-8")
    return [sys.executable, "-m", "stream_kpi", "worker", "--config", str(config)]


def _delete_topics(settings: Settings) -> None:
    from kafka.errors import KafkaError

    ours = {topic.name for topic in all_topics(settings)}
    try:
        with admin_client(settings.broker.address, security=security_of(settings.broker)) as admin:
            admin.delete_topics(sorted(ours & set(admin.list_topics())))
    except (KafkaError, UserError) as error:
        notes_console().print(f"The topics that begin with {settings.app_id} could not be deleted ({error}).")
