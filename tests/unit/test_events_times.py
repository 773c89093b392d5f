"""RFC 3339 to epoch milliseconds."""

from __future__ import annotations

import pytest

from stream_kpi.events.rejection import InvalidEventError, Reason
from stream_kpi.events.times import event_time_ms

NOON_MS = 1_772_445_600_000  # 2026-03-02T10:00:00Z


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("2026-03-02T10:00:00Z", NOON_MS),
        ("2026-03-02T10:00:00.250Z", NOON_MS + 250),
        ("2026-03-02t10:00:00z", NOON_MS),
        ("2026-03-02 10:00:00Z", NOON_MS),
        ("2026-03-02T11:30:00+01:30", NOON_MS),
        ("2026-03-02T04:30:00.5-05:30", NOON_MS + 500),
        ("2026-03-02T10:00:00-00:00", NOON_MS),
        ("2026-03-02T10:00:00.9Z", NOON_MS + 900),
        ("2026-03-02T10:00:00.99Z", NOON_MS + 990),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ],
)
def test_a_time_with_an_offset_is_read(text: str, expected_ms: int) -> None:
    assert event_time_ms(text) == expected_ms
    assert event_time_ms(text) == expected_ms  # the second time from memory


@pytest.mark.parametrize("fraction", ["9999", "99999", "999999", "9999999", "99999999", "999999999", "9995"])
def test_a_fraction_is_cut_off_after_the_millisecond_and_never_rounded_up(fraction: str) -> None:
    assert event_time_ms(f"2026-03-02T10:00:00.{fraction}Z") == NOON_MS + 999
    assert event_time_ms(f"2026-03-02T10:00:00.{fraction}+00:00") == NOON_MS + 999


@pytest.mark.parametrize("tail", ["Z", ".5Z", ".999999999+00:00"])
def test_a_leap_second_is_the_last_millisecond_of_its_minute(tail: str) -> None:
    assert event_time_ms(f"2016-12-31T23:59:60{tail}") == event_time_ms("2016-12-31T23:59:59.999Z")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Z",
        "now",
        "2026-03-02",
        "2026-03-02T10:00Z",
        "2026-03-02T10:00:00",
        "2026-03-02T10:00:00.250",
        "2026-03-02T10:00:00.Z",
        "2026-03-02T10:00:00.1234567890Z",
        "2026-03-02T10:00:00,250Z",
        "2026-03-02T10:00:00 Z",
        "2026-03-02T10:00:00Z ",
        " 2026-03-02T10:00:00Z",
        "2026-03-02T10:00:00Z\n",
        "2026-03-02T10:00:00+0100",
        "2026-03-02T10:00:00+1:00",
        "2026-03-02T10:00:00+24:00",
        "2026-03-02T10:00:00+01:60",
        "2026-03-02T10:00:61Z",
        "2026-03-02T10:60:00Z",
        "2026-03-02T24:00:00Z",
        "2026-02-29T10:00:00Z",
        "2026-13-01T10:00:00Z",
        "2026-00-01T10:00:00Z",
        "0000-01-01T10:00:00Z",
        "2026-3-02T10:00:00Z",
        "20260302T100000Z",
        "+026-03-02T10:00:00Z",
        "\u0662\u0660\u0662\u0666-03-02T10:00:00Z",
        "2026-03-02T10:00:\u0660\u0660Z",
        "2026-03-02X10:00:00Z",
        "1772445600",
    ],
)
def test_anything_else_is_refused_as_an_invalid_time(text: str) -> None:
    with pytest.raises(InvalidEventError) as refused:
        event_time_ms(text)
    assert refused.value.reason is Reason.INVALID_TIME


def test_what_is_remembered_is_bounded_and_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from stream_kpi.events import times

    monkeypatch.setattr(times, "_seconds", {})
    monkeypatch.setattr(times, "_MAX_SECONDS", 8)
    for minute in range(60):
        assert event_time_ms(f"2026-03-02T10:{minute:02d}:00Z") == NOON_MS + minute * 60_000
        assert len(times._seconds) <= 8
