"""Values as people read them: each unit in its own way (pure)."""

from __future__ import annotations

from typing import Final

from stream_kpi.events.currencies import minor_digits, numeric_code
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.kpis.rows import Kpi, KpiKind

NO_SAMPLES: Final = "no samples"
NOT_KNOWN: Final = "not known"
"""Of a KPI that there is no record of."""

_NAMED_UNITS: Final = frozenset({"days", "months", "points"})
"""Units that a number is not understood without; the others are in the titles."""
_WHOLE_MONEY: Final = 10_000
"""Of so much money, cents say nothing."""
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


def amount(value: float, row: Kpi, currency: str | None = None) -> str:
    """A value of a row: ``93.4 %``, ``2 h 05 min``, ``1,200.50 EUR``, ``2.3 days``, ``17,877``."""
    if row.unit == "ratio":
        return f"{_plain(100 * value, 1)} %"
    if row.unit == "seconds":
        return duration(value)
    if row.kind is KpiKind.MONEY:
        digits = 0 if abs(value) >= _WHOLE_MONEY else _minor_digits(currency)
        return f"{value:,.{digits}f} {currency or ''}".strip()
    shown = f"{value:,}" if isinstance(value, int) else _plain(value, 2)
    return f"{shown} {row.unit}" if row.unit in _NAMED_UNITS else shown


def recorded(record: KpiRecord | None, row: Kpi) -> str:
    """The value of a record, or why there is none."""
    if record is None:
        return NOT_KNOWN
    return NO_SAMPLES if record.value is None else amount(record.value, row, record.currency)


def target(row: Kpi) -> str:
    """The row's target with the way it is met: ``at most 4 h``; empty without one."""
    if row.target is None:
        return ""
    way = {"up": "at least ", "down": "at most ", "none": ""}[row.direction]
    return way + amount(row.target, row)


def duration(seconds: float) -> str:
    """Seconds in the one or two units that say most: ``850 ms``, ``42 s``, ``12 min 04 s``, ``2 h``, ``3 d 4 h``."""
    sign, exact_s = "-" if seconds < 0 else "", abs(seconds)
    if 0 < exact_s < 1:
        return f"{sign}{exact_s * 1_000:.0f} ms"
    if exact_s < 10:
        return f"{sign}{_plain(exact_s, 1)} s"
    whole_s = round(exact_s)
    if whole_s < _MINUTE_S:
        return f"{sign}{whole_s} s"
    if whole_s < _HOUR_S:
        return sign + _parts(whole_s, _MINUTE_S, "min", "{:02d} s")
    minutes = round(exact_s / _MINUTE_S)
    if minutes < _DAY_S // _MINUTE_S:
        return sign + _parts(minutes, 60, "h", "{:02d} min")
    hours = round(exact_s / _HOUR_S)
    return sign + _parts(hours, 24, "d", "{} h")


def _parts(amount_of_smaller: int, in_larger: int, larger: str, smaller: str) -> str:
    whole, rest = divmod(amount_of_smaller, in_larger)
    return f"{whole:,} {larger} {smaller.format(rest)}" if rest else f"{whole:,} {larger}"


def signed(value: float, text: str) -> str:
    """A text of an absolute value with the value's sign before it."""
    sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else "\N{PLUS-MINUS SIGN}"
    return f"{sign}{text}"


def printable(text: str) -> str:
    """A text that came with events, without what would break a line or reorder it: such characters become U+FFFD."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _plain(value: float, digits: int) -> str:
    """So many digits at most, without zeros at the end."""
    text = f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _minor_digits(currency: str | None) -> int:
    return 2 if currency is None else minor_digits(numeric_code(currency))
