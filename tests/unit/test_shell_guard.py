from __future__ import annotations

import pytest

from stream_kpi.errors import WRONG_TOPICS, UserError
from stream_kpi.shell.guard import Found, Known, check_input, check_partition_counts

KNOWN = Known(offset=41, timestamp_ms=1_000, checksum=7)


def check(known: Known | None, found: Found) -> int:
    return check_input("app", "tickets", 3, known, found)


@pytest.mark.parametrize(
    ("known", "found"),
    [
        (None, Found(5, 90, None)),
        (KNOWN, Found(0, 42, (1_000, 7))),
        (KNOWN, Found(0, 90, None)),  # compacted away, or a transaction's marker
        (KNOWN, Found(42, 42, None)),  # all read, all deleted since
    ],
)
def test_an_input_that_goes_on_from_the_applied_record_is_taken(known: Known | None, found: Found) -> None:
    assert check(known, found) == 0


def test_records_that_were_deleted_before_they_were_read_are_counted() -> None:
    assert check(KNOWN, Found(50, 90, None)) == 8


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (Found(0, 41, None), "ends at offset 41, but the state of app has applied offset 41"),
        (Found(0, 90, (1_001, 7)), "another record stands at offset 41"),
        (Found(0, 90, (1_000, 8)), "another record stands at offset 41"),
    ],
)
def test_an_input_that_is_another_one_is_refused_with_its_place_and_what_to_do(found: Found, says: str) -> None:
    with pytest.raises(UserError, match=says) as refused:
        check(KNOWN, found)
    assert "tickets, partition 3" in str(refused.value)
    assert "another app id" in str(refused.value)
    assert refused.value.exit_status == WRONG_TOPICS


def test_equal_partition_counts_are_taken() -> None:
    assert check_partition_counts("app", {"a": 4, "b": 4}, known=4) == 4


@pytest.mark.parametrize(
    ("counts", "known", "says"),
    [
        ({"a": 4, "b": None}, None, "topics are missing: b. Make them: stream-kpi topics create"),
        ({"a": 4, "b": 6}, None, "partition counts differ: a 4, b 6"),
        ({"a": 6, "b": 6}, 4, "the inputs have 6 partitions, but the state of app was made with 4"),
    ],
)
def test_partition_counts_that_would_split_a_key_are_refused(
    counts: dict[str, int | None], known: int | None, says: str
) -> None:
    with pytest.raises(UserError, match=says):
        check_partition_counts("app", counts, known)
