"""ISO 4217."""

from __future__ import annotations

import pytest

from stream_kpi.events.currencies import ALPHA_CODES, alpha_code, minor_digits, numeric_code


@pytest.mark.parametrize(
    ("alpha", "numeric", "digits"),
    [("EUR", 978, 2), ("USD", 840, 2), ("JPY", 392, 0), ("KWD", 414, 3), ("CLF", 990, 4), ("ALL", 8, 2)],
)
def test_a_currency_has_its_number_and_its_minor_unit(alpha: str, numeric: int, digits: int) -> None:
    assert (numeric_code(alpha), alpha_code(numeric), minor_digits(numeric)) == (numeric, alpha, digits)


def test_every_code_has_one_number_and_every_number_one_code() -> None:
    assert len(ALPHA_CODES) > 150
    assert len({numeric_code(alpha) for alpha in ALPHA_CODES}) == len(ALPHA_CODES)
    for alpha in ALPHA_CODES:
        assert len(alpha) == 3
        assert alpha.isupper()
        assert alpha_code(numeric_code(alpha)) == alpha
        assert 1 <= numeric_code(alpha) <= 999
        assert 0 <= minor_digits(numeric_code(alpha)) <= 4


@pytest.mark.parametrize("alpha", ["eur", "EURO", "", "XXX", "XAU", "ZZZ"])
def test_what_is_no_currency_is_a_key_error(alpha: str) -> None:
    with pytest.raises(KeyError):
        numeric_code(alpha)
