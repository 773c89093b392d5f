"""Monthly recurring revenue of one subscription item, in exact arithmetic (kpis.md, Customers and revenue)."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Final

MONTHS_PER_INTERVAL: Final[dict[str, Fraction]] = {
    "day": Fraction(12, 365),
    "week": Fraction(12, 52),
    "month": Fraction(1),
    "year": Fraction(12),
}


@lru_cache(maxsize=8192)
def monthly_minor_units(unit_amount: int, quantity: int, discount: float, interval: str, interval_count: int) -> int:
    """MRR of a licensed item in minor units, rounded half to even.

    The discount (0..1) counts as the decimal it was written as. Raises KeyError for an unknown interval and
    ZeroDivisionError for an interval count of zero: the wire contract admits neither.
    """
    price = unit_amount * quantity * (1 - Fraction(str(discount)))
    return round(price / (MONTHS_PER_INTERVAL[interval] * interval_count))
