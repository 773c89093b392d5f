"""How far inputs have been read, by the broker's own word: what a shard's clock goes by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.consumer.subscription_state import Assignment
from aiokafka.protocol.fetch import FetchRequest
from faust.types import TP

from stream_kpi.shell.clock import wall_ms


class Progress(NamedTuple):
    """How far one input has been read since it was last sought. ``delivered`` is the end of the last batch handed out;
    ``known_ms`` is the wall clock at which the fetch was begun whose response said ``highwater``."""

    position: int
    delivered: int
    highwater: int
    known_ms: int


@dataclass(slots=True, eq=False)
class Reading:
    """One input since it was last sought, under one assignment. Every seek makes a new one: what was fetched for an
    earlier one cannot touch it, and one of an earlier assignment says nothing."""

    assignment: Assignment
    delivered: int
    highwater: int | None = None
    known_ms: int = 0


class Readings:
    """The readings of one consumer."""

    def __init__(self) -> None:
        self._readings: dict[TopicPartition, Reading] = {}

    def sought(self, tp: TopicPartition, assignment: Assignment, offset: int) -> None:
        """The input is read from this offset on."""
        self._readings[tp] = Reading(assignment, offset)

    def delivered(self, tp: TopicPartition, assignment: Assignment, end: int) -> int | None:
        """Records up to ``end`` are handed out: where they begin, None for an input that was not sought."""
        reading = self._readings.get(tp)
        if reading is None or reading.assignment is not assignment:
            return None
        start, reading.delivered = reading.delivered, end
        return start

    def watch(self, fetcher: Fetcher) -> None:
        """Learn high watermarks from fetches alone that were begun after the seek. aiokafka's own survive a seek, are
        taken from a fetch that was under way when its offset happens to fit, and are dated when they are read."""
        fetch = fetcher._proc_fetch_request  # noqa: SLF001 - aiokafka tells of no fetch

        async def watched(assignment: Assignment, node: int, request: FetchRequest) -> bool:
            asked_ms, asked = wall_ms(), []
            for topic, partitions in request.topics:
                for partition, *_ in partitions:
                    tp = TopicPartition(topic, partition)
                    reading = self._readings.get(tp)
                    if reading is not None and reading.assignment is assignment:
                        state = assignment.state_value(tp)
                        state.timestamp = None  # a response that is taken sets it
                        asked.append((tp, reading, state))
            wake: bool = await fetch(assignment, node, request)
            for tp, reading, state in asked:
                if state.timestamp is not None:
                    reading.highwater, reading.known_ms = state.highwater, asked_ms
                    _keep_as_fetched(fetcher, tp)
            return wake

        fetcher._proc_fetch_request = watched  # noqa: SLF001 - as above

    def progress(self, assignment: Assignment) -> dict[TP, Progress]:
        """How far each assigned partition has been read, those left out of which the broker has not told since they
        were sought."""
        result = {}
        for tp in assignment.tps:
            state, reading = assignment.state_value(tp), self._readings.get(tp)
            if (
                state.has_valid_position
                and reading is not None
                and reading.assignment is assignment
                and reading.highwater is not None
            ):
                result[TP(tp.topic, tp.partition)] = Progress(
                    state.position, reading.delivered, reading.highwater, reading.known_ms
                )
        return result


def _keep_as_fetched(fetcher: Fetcher, tp: TopicPartition) -> None:
    """Let what was fetched be handed out as the C parser's records: to make a ConsumerRecord of each takes 1 us, a
    third of all that reading costs, and nothing that it adds is asked for."""
    result = fetcher._records.get(tp)  # noqa: SLF001 - the one place where a fetch's records wait
    if isinstance(result, FetchResult):
        result._partition_records._consumer_record = _as_it_is  # noqa: SLF001 - as above


def _as_it_is(_: TopicPartition, record: ConsumerRecord[bytes, bytes]) -> ConsumerRecord[bytes, bytes]:
    return record
