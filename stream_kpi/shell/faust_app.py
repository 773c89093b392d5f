"""The Faust app: membership, assignment, tables and agents are Faust's; the shards and their exactness ours."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
import time
import uuid
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, cast

import faust
from faust.auth import SASLCredentials, SSLCredentials
from faust.types import TP, Message

from stream_kpi.brokers.probe import probe
from stream_kpi.brokers.security import Security
from stream_kpi.errors import UserError
from stream_kpi.shell.clock import ClockListener
from stream_kpi.shell.core import Core
from stream_kpi.shell.flush import PlainWriter, TransactionalWriter, Writer
from stream_kpi.shell.guard import check_partition_counts
from stream_kpi.shell.merge_service import MergeService, Show
from stream_kpi.shell.options import ShellOptions
from stream_kpi.shell.owner import Owner
from stream_kpi.shell.processor import BatchMessage
from stream_kpi.shell.reading import Progress
from stream_kpi.shell.transport import Consumer

log = logging.getLogger(__name__)
PULSE_S = 1.0
STALLED_AFTER_S = 60.0
BUFFERED_BATCHES = 2


def _show_nothing(_publication: object, _values_ms: int | None) -> None:
    """Where no live store is given."""


class App(faust.App):
    """A worker. ``failure`` is the error that stopped it, None while there is none."""

    def __init__(self, options: ShellOptions, core: Core, *, show: Show = _show_nothing, fence: bool = True) -> None:
        """``fence`` False gives every shard a transactional id of its own each time: for the test that shows what the
        fence is for."""
        self.options = options
        self.failure: BaseException | None = None
        self.failed = asyncio.Event()
        self.transactions = True
        self.started_once = False
        """Partitions have been assigned at least once."""
        self._fence = fence
        self._background: dict[str, asyncio.Task[None]] = {}
        self._ticked_at = time.monotonic()
        super().__init__(**_faust_settings(options))
        self.listener = ClockListener(options)
        self.owner = Owner(
            options,
            core,
            self,
            self._shard_writer,
            lambda: self.listener.clock.now_ms(None),
            self._fail,
        )
        self.merge = MergeService(
            options,
            core.merge,
            lambda: self._writer(f"{options.app_id}-merge"),
            self.listener,
            self.owner,
            show,
        )
        for name in ("state", "panes"):
            self.Table(name, key_type=bytes, value_type=bytes)
        for topic in options.input_topics:
            self.agent(self.topic(topic, key_type=bytes, value_type=bytes, value_serializer="raw"), name=topic)(
                self._consume
            )
        self.on_partitions_revoked.connect(self._revoked)
        self.on_rebalance_complete.connect(self._assigned)
        self.on_before_shutdown.connect(self._stopping)

    # Health.

    @property
    def ready(self) -> bool:
        """True when the worker has its assignment and every shard of it is open."""
        return self.started_once and not self.rebalancing and self.owner.ready

    @property
    def detail(self) -> str:
        """One line for people."""
        if self.failure is not None:
            return str(self.failure)
        if not self.started_once:
            return "waiting for partitions"
        shards = sorted(self.owner.processors)
        return f"shards {', '.join(map(str, shards))}" if shards else "no shards: more workers than partitions"

    @property
    def live(self) -> bool:
        """False when the loop stands still, or events wait and nothing has been flushed for a minute."""
        now = time.monotonic()
        if self.started_once and now - self._ticked_at > STALLED_AFTER_S:
            return False
        return not any(
            any(shard.lag.values()) and now - shard.flushed_at_s > STALLED_AFTER_S
            for shard in self.owner.stats.shards.values()
        )

    # The owner's Inputs.

    def move(self, positions: Mapping[TP, int]) -> None:
        """Seek."""
        self._batches.move(positions)

    def progress(self) -> Mapping[TP, Progress]:
        """How far each input has been read."""
        return self._batches.progress()

    async def beginning(self, tp: TP) -> int:
        """Where the input's log begins now."""
        return await self._batches.beginning(tp)

    async def is_member(self, positions: Mapping[TP, int]) -> bool:
        """True when the group's coordinator takes our commits."""
        return await self._batches.is_member(positions)

    async def commit_acknowledged(self) -> None:
        """Commit what is acknowledged."""
        await self._batches.commit()

    def acknowledge(self, message: BatchMessage) -> None:
        """The message is flushed."""
        cast(Message, message).ack(self.consumer)

    def input_positions(self) -> Mapping[TP, int]:
        """Asked by the transport whenever Faust seeks."""
        return self.owner.positions()

    @property
    def _batches(self) -> Consumer:
        consumer = self.consumer
        assert isinstance(consumer, Consumer)  # noqa: S101 - the broker URL says kafka-batch
        return consumer

    # Faust's callbacks.

    async def on_first_start(self) -> None:
        """Look at the broker before anything is joined. Raises UserError: no broker, topics missing or unequal."""
        options = self.options
        try:
            facts = await asyncio.to_thread(probe, options.broker, security=options.security)
            self.owner.shards = count_shards(options, facts.topics)
        except UserError as error:
            await self._fail(error)
            return
        self.transactions = facts.transactional
        if not self.transactions:
            log.warning("the broker has no transactions: one worker only, and no promise of exactness over a kill")
        self._start("clock", self.listener.run())

    async def _consume(self, stream: faust.Stream[Any]) -> None:
        async for event in stream.noack().events():
            try:
                await self.owner.take(event.message)
            except Exception as error:  # noqa: BLE001 - Faust would acknowledge the batch and go on
                await self._fail(error)
                return

    async def _assigned(self, _sender: object, **_kwargs: object) -> None:
        numbers = {tp.partition for tp in self.consumer.assignment() if tp.topic in self.options.input_topics}
        self.started_once = True
        self._ticked_at = time.monotonic()
        if "pulse" not in self._background:
            self._start("pulse", self._pulse())
        await self.owner.assigned(numbers)
        if self.owner.stopped:
            return
        if 0 in numbers:
            if "merge" not in self._background:
                self._start("merge", self.merge.run())
        else:
            await self._end("merge")

    async def _pulse(self) -> None:
        while True:
            self._ticked_at = time.monotonic()
            await asyncio.sleep(PULSE_S)

    async def _revoked(self, _sender: object, _revoked: object, **_kwargs: object) -> None:
        await self.owner.revoked()

    async def _stopping(self, _sender: object, **_kwargs: object) -> None:
        await self._end("merge")
        await self.owner.stop()
        for name in list(self._background):
            await self._end(name)

    # What runs beside.

    def _start(self, name: str, coroutine: Coroutine[Any, Any, None]) -> None:
        async def run() -> None:
            try:
                await coroutine
            except Exception as error:  # noqa: BLE001 - nothing else watches a task
                await self._fail(error)
            finally:
                self._background.pop(name, None)

        self._background[name] = asyncio.create_task(run(), name=name)

    async def _end(self, name: str) -> None:
        task = self._background.pop(name, None)
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _fail(self, error: BaseException) -> None:
        if self.failure is None:
            self.failure = error
        self.failed.set()

    def _shard_writer(self, number: int) -> Writer:
        return self._writer(self.options.transactional_id(number))

    def _writer(self, transactional_id: str) -> Writer:
        if not self.transactions:
            return PlainWriter(self.options)
        if not self._fence:
            transactional_id = f"{transactional_id}-{uuid.uuid4()}"
        return TransactionalWriter(self.options, transactional_id)

    def _create_directories(self) -> None:
        """Nothing: no state is on disk."""


def _credentials(security: Security) -> SASLCredentials | SSLCredentials | None:
    if security.mechanism is not None:
        return SASLCredentials(
            username=security.username,
            password=security.password,
            mechanism=security.mechanism,
            ssl_context=security.tls,
        )
    return SSLCredentials(security.tls) if security.tls is not None else None


def _faust_settings(options: ShellOptions) -> dict[str, Any]:
    return {
        "id": options.app_id,
        "broker": f"kafka-batch://{options.broker.replace(',', ';')}",
        "broker_credentials": _credentials(options.security),
        "store": "kpi-state://",
        "datadir": Path(tempfile.gettempdir()) / f"{options.app_id}-faust",
        "web_enabled": False,
        "web_tables_enabled": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "recovery_consistency_check": False,
        "stream_wait_empty": False,
        "stream_buffer_maxsize": BUFFERED_BATCHES,
        "broker_session_timeout": options.session_timeout_s,
        "broker_heartbeat_interval": options.heartbeat_interval_s,
        "broker_rebalance_timeout": options.rebalance_timeout_s,
        "broker_request_timeout": max(40.0, options.session_timeout_s),
        "broker_max_poll_records": options.max_poll_records,
        "broker_commit_interval": 1.0,
        "consumer_max_fetch_size": options.max_partition_fetch_bytes,
        "worker_redirect_stdouts": False,
    }


def count_shards(options: ShellOptions, partitions: Mapping[str, int]) -> int:
    """How many shards there are, by the partition counts of all topics. Raises UserError: topics are missing, or the
    counts of what belongs together differ."""
    kept_by_shard = (*options.input_topics, options.state_topic, options.panes_topic)
    counts = {topic: partitions.get(topic) for topic in kept_by_shard}
    of_the_merge = (options.clock_topic, options.values_topic, options.history_topic, options.withdrawn_topic)
    others = {topic: None for topic in of_the_merge if topic not in partitions}
    return check_partition_counts(options.app_id, {**counts, **others})
