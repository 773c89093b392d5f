"""event_time_ms against the standard library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from stream_kpi.events.rejection import InvalidEventError
from stream_kpi.events.times import event_time_ms

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FIRST, LAST = datetime(1, 1, 3), datetime(9999, 12, 29)  # noqa: DTZ001 - Hypothesis adds the zone
MOMENTS = st.datetimes(min_value=FIRST, max_value=LAST, timezones=OFFSETS)


@given(MOMENTS)
def test_every_isoformat_is_read_as_datetime_reads_it_but_truncated(moment: datetime) -> None:
    exact_us = (moment - EPOCH) // timedelta(microseconds=1)
    assert event_time_ms(moment.isoformat()) == exact_us // 1000


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 999_999_999), st.integers(1, 9))
def test_digits_below_the_millisecond_never_count(moment: datetime, nanoseconds: int, digits: int) -> None:
    fraction = f"{nanoseconds:09d}"[:digits]
    whole_ms = (moment.replace(microsecond=0) - EPOCH) // timedelta(milliseconds=1)
    expected_ms = whole_ms + int(f"{nanoseconds:09d}"[: min(digits, 3)].ljust(3, "0"))
    text = moment.replace(microsecond=0, tzinfo=None).isoformat()
    assert event_time_ms(f"{text}.{fraction}Z") == expected_ms


@given(st.text(alphabet="0123456789-:.TtZz+ ", max_size=32))
def test_any_text_is_a_time_that_the_library_reads_too_or_is_refused(text: str) -> None:
    try:
        time_ms = event_time_ms(text)
    except InvalidEventError:
        return
    if text[16:19] != ":60":
        seconds = datetime.fromisoformat(text[:19].upper() + text[19:].lstrip(".0123456789").upper())
        assert abs(time_ms - seconds.timestamp() * 1000) < 1000
