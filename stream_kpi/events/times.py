"""RFC 3339 times as integer epoch milliseconds, truncated, never rounded."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from stream_kpi.events.rejection import InvalidEventError, Reason

_MINUTE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})", re.ASCII)
_TAIL = re.compile(r"(?:\.([0-9]{1,9}))?(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))", re.ASCII)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MAX_SECONDS = 4096
"""Seconds that are remembered: more than an hour of events, under 1 MB."""
_LEAP_SECOND = ":60"

_seconds: dict[str, int] = {}
"""What comes before the fraction: nearly every event shares it with others."""
_SECONDS = {f":{second:02d}": second * 1000 for second in range(60)}
_TAILS = {f".{ms:03d}Z": ms for ms in range(1000)} | {"Z": 0, "+00:00": 0}
"""What follows the seconds, in the forms that nearly every producer writes."""


def event_time_ms(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 time with an offset.

    ``T``, ``t`` or a space between date and time; ``Z``, ``z`` or ``+hh:mm``; up to nine fractional digits, cut off
    after the third; a leap second (``:60``) is the last millisecond of its minute. Raises InvalidEventError
    (``invalid_time``) for anything else: no offset, no such date, another format.
    """
    second_ms = _seconds.get(text[:19])
    if second_ms is None:
        return _time_ms(text)
    tail_ms = _TAILS.get(text[19:])
    return second_ms + (_tail_ms(text, leap=False) if tail_ms is None else tail_ms)


def _time_ms(text: str) -> int:
    minute_ms = _minute_ms(text[:16])
    second_ms = _SECONDS.get(text[16:19])
    if minute_ms is None or (second_ms is None and text[16:19] != _LEAP_SECOND):
        raise _invalid(text)
    if second_ms is None:
        return minute_ms + 59_999 + _tail_ms(text, leap=True)
    time_ms = minute_ms + second_ms + _tail_ms(text, leap=False)
    if len(_seconds) >= _MAX_SECONDS:
        _seconds.clear()
    _seconds[text[:19]] = minute_ms + second_ms
    return time_ms


@lru_cache(maxsize=4096)
def _minute_ms(text: str) -> int | None:
    match = _MINUTE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute = map(int, match.groups())
    if hour > 23 or minute > 59:
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    return ((days * 24 + hour) * 60 + minute) * 60_000


def _tail_ms(text: str, *, leap: bool) -> int:
    """What follows the seconds: the fraction (a leap second has none) less the offset."""
    match = _TAIL.fullmatch(text, 19)
    if match is None:
        raise _invalid(text)
    fraction, sign, hours, minutes = match.groups()
    fraction_ms = 0 if leap or not fraction else int(fraction[:3].ljust(3, "0"))
    if sign is None:
        return fraction_ms
    offset_ms = (int(hours) * 60 + int(minutes)) * 60_000
    return fraction_ms - offset_ms if sign == "+" else fraction_ms + offset_ms


def _invalid(text: str) -> InvalidEventError:
    return InvalidEventError(Reason.INVALID_TIME, f"{text[:64]!r} is not an RFC 3339 time with an offset")
