"""Dead letters keep the record, and say where it came from and why it was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_kpi.events.rejection import ADVICE, MAX_DETAIL_CHARS, Reason, Rejected, dead_letter


@dataclass
class Record:
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    timestamp: int = 1_772_445_731_250
    offset: int = 42


HEADERS = st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=8)), max_size=4)
BYTES = st.none() | st.binary(max_size=64)


@given(BYTES, BYTES, HEADERS, st.sampled_from(Reason), st.text())
def test_key_value_and_headers_are_kept_byte_for_byte(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]], reason: Reason, detail: str
) -> None:
    letter = dead_letter(Record(key, value, headers), "support.tickets.v1", 3, reason, detail)
    assert (letter.key, letter.value, letter.headers[:-5]) == (key, value, headers)


def test_the_origin_and_the_reason_are_added_in_headers() -> None:
    record = Record(b"T-1", b"garbage", (("traceparent", b"00-1"),))
    letter = dead_letter(record, "support.tickets.v1", 3, Reason.INVALID_JSON, "JSON is malformed: byte 0")
    assert letter.topic == "support.tickets.v1.dlq"
    assert letter.partition is None
    assert letter.timestamp_ms == 1_772_445_731_250
    assert letter.headers == [
        ("traceparent", b"00-1"),
        ("__connect.errors.topic", b"support.tickets.v1"),
        ("__connect.errors.partition", b"3"),
        ("__connect.errors.offset", b"42"),
        ("__connect.errors.exception.message", b"JSON is malformed: byte 0"),
        ("stream_kpi.reason", b"invalid_json"),
    ]


def test_the_detail_is_bounded_and_any_text_can_be_written() -> None:
    detail = "ü\ud800" * 10_000
    letter = dead_letter(Record(None, None, ()), "t", 0, Reason.INVALID_DATA, detail)
    message = dict(letter.headers)["__connect.errors.exception.message"]
    assert message.startswith("ü\\ud800ü".encode())
    assert len(message) <= MAX_DETAIL_CHARS * 6
    assert len(Rejected(Reason.INVALID_DATA, detail).detail) == MAX_DETAIL_CHARS


def test_a_record_without_a_timestamp_gives_a_letter_without_one() -> None:
    assert dead_letter(Record(None, b"", (), timestamp=-1), "t", 0, Reason.INVALID_JSON, "").timestamp_ms is None


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_in_one_sentence_what_it_means_and_what_to_do(reason: Reason) -> None:
    assert ADVICE[reason].endswith(".")
    assert len(ADVICE[reason]) > 40
