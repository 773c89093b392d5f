"""RFC 3339 times as integer epoch milliseconds, truncated, never rounded."""

from __future__ import annotations

import re
from datetime import date

from stream_kpi.events.rejection import InvalidEventError, Reason

_MINUTE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})", re.ASCII)
_TAIL = re.compile(r"(?:\.([0-9]{1,9}))?(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))", re.ASCII)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MAX_MINUTES = 4096
"""Minutes that are remembered: nearly three days of events, under 1 MB."""
_LEAP_SECOND = ":60"

_minutes: dict[str, int] = {}
_SECONDS = {f":{second:02d}": second * 1000 for second in range(60)}
_TAILS = {f".{ms:03d}Z": ms for ms in range(1000)} | {"Z": 0, "+00:00": 0}
"""What follows the seconds, in the forms that nearly every producer writes."""


def event_time_ms(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 time with an offset.

    ``T``, ``t`` or a space between date and time; ``Z``, ``z`` or ``+hh:mm``; up to nine fractional digits, cut off
    after the third; a leap second (``:60``) is the last millisecond of its minute. Raises InvalidEventError
    (``invalid_time``) for anything else: no offset, no such date, another format.
    """
    try:
        return _minutes[text[:16]] + _SECONDS[text[16:19]] + _TAILS[text[19:]]
    except KeyError:
        return _minute_ms(text) + _second_ms(text)


def _minute_ms(text: str) -> int:
    prefix = text[:16]
    known = _minutes.get(prefix)
    if known is not None:
        return known
    match = _MINUTE.fullmatch(prefix)
    if match is None:
        raise _invalid(text)
    year, month, day, hour, minute = map(int, match.groups())
    if hour > 23 or minute > 59:
        raise _invalid(text)
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        raise _invalid(text) from None
    minute_ms = ((days * 24 + hour) * 60 + minute) * 60_000
    if len(_minutes) >= _MAX_MINUTES:
        _minutes.clear()
    _minutes[prefix] = minute_ms
    return minute_ms


def _second_ms(text: str) -> int:
    match = _TAIL.fullmatch(text, 19)
    second = text[16:19]
    if match is None or (second not in _SECONDS and second != _LEAP_SECOND):
        raise _invalid(text)
    fraction, sign, hours, minutes = match.groups()
    if second == _LEAP_SECOND:
        time_ms = 59_999
    else:
        time_ms = _SECONDS[second] + (int(fraction[:3].ljust(3, "0")) if fraction else 0)
    if sign is None:
        return time_ms
    offset_ms = (int(hours) * 60 + int(minutes)) * 60_000
    return time_ms - offset_ms if sign == "+" else time_ms + offset_ms


def _invalid(text: str) -> InvalidEventError:
    return InvalidEventError(Reason.INVALID_TIME, f"{text[:64]!r} is not an RFC 3339 time with an offset")
