"""What the transport relies on in aiokafka's fetcher to know that an input has been read to its end."""

from __future__ import annotations

import inspect

from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.record.default_records import DefaultRecord

SOURCE = inspect.getsource(Fetcher._proc_fetch_request)


def test_a_fetch_is_made_by_one_method_with_assignment_node_and_request() -> None:
    assert list(inspect.signature(Fetcher._proc_fetch_request).parameters) == [
        "self",
        "assignment",
        "node_id",
        "request",
    ], "aiokafka has changed the method that watch_fetches wraps: high watermarks would not be dated any more"
    assert "self._proc_fetch_request(" in inspect.getsource(Fetcher), "aiokafka calls it another way"


def test_a_taken_response_dates_the_high_watermark_and_nothing_waits_after_it() -> None:
    _, found, after = SOURCE.partition("tp_state.timestamp = ")
    assert found, "aiokafka does not set the timestamp of a taken response any more"
    assert "tp_state.highwater = highwater" in SOURCE, "aiokafka does not set the high watermark here any more"
    assert "await " not in after, "aiokafka waits after it has dated a response: another fetch may come in between"


def test_a_response_for_another_position_is_not_taken() -> None:
    before, found, _ = SOURCE.partition("tp_state.timestamp = ")
    assert found
    assert "tp_state.position != fetch_offset" in before, "a fetch from before a seek would count as read"


def test_what_is_fetched_waits_by_partition_and_each_record_goes_through_one_method() -> None:
    assert "self._records[tp] = FetchResult(" in SOURCE, "fetched records do not wait in Fetcher._records any more"
    assert "self._partition_records = partition_records" in inspect.getsource(FetchResult.__init__)
    assert "self._consumer_record(tp, record)" in inspect.getsource(PartitionRecords._unpack_records), (
        "aiokafka makes its ConsumerRecord elsewhere: _keep_as_fetched has no effect any more"
    )


def test_a_record_as_parsed_has_what_a_shard_needs() -> None:
    for field in ("offset", "timestamp", "timestamp_type", "key", "value", "headers"):
        assert hasattr(DefaultRecord, field), f"aiokafka's parsed record has no {field} any more"
