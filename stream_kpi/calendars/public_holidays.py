"""A country's public holidays, from the data that the library ``holidays`` carries (no I/O but its import)."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from types import ModuleType

_CODE = re.compile("[A-Z]{2}")
_ANY_YEAR = 2026


@lru_cache(maxsize=1024)
def public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """The dates of one year on which the country, or its subdivision, has a public holiday, substitute days included.

    Empty for years that the library does not know; most countries start after 1970 and all end with 2100. Raises
    NotImplementedError for what :func:`check_country` or :func:`check_subdivision` refuses.
    """
    holidays = _library()
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year, expand=False))


def check_country(country: str) -> None:
    """Raise ValueError that says what is allowed, unless the country's holidays are known."""
    try:
        if _CODE.fullmatch(country) is None:  # the library takes the name of anything it exports
            raise NotImplementedError
        public_holidays(country, None, _ANY_YEAR)
    except NotImplementedError:
        raise ValueError("must be an ISO 3166-1 code of a country that has known holidays, such as DE") from None


def check_subdivision(country: str, subdivision: str) -> None:
    """Raise ValueError that lists what is allowed, unless it is a subdivision of this known country."""
    holidays = _library()
    known = holidays.country_holidays(country).subdivisions
    if subdivision not in known:
        one_of = f"must be one of {', '.join(known)}"
        raise ValueError(one_of if known else f"must be left out, {country} has no subdivisions")


def _library() -> ModuleType:
    """The library, when it is first asked: most have no schedule, and it is 40 ms and 8 MiB at every start."""
    import holidays  # noqa: PLC0415 - as the docstring says

    return holidays
