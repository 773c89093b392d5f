"""Rows that the settings define: a formula's tree as a Formula, and the row around it (pure).

Ratios are ratios of sums, like the catalogue's. Where what is below a line is not above 0 there is no value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple

from stream_kpi.kpis import rows
from stream_kpi.kpis.expressions import PLAIN, Dimension, Expression, Number, Reading, as_ratio, is_sum, parse, readings
from stream_kpi.kpis.formulas import Formula, Result
from stream_kpi.kpis.rows import TOTAL_CUT, Kpi, KpiKind
from stream_kpi.kpis.scope import Currency, Scope
from stream_kpi.kpis.vocabulary import OFFERED
from stream_kpi.lifecycles.facts import TOTAL
from stream_kpi.lifecycles.options import CustomKpi
from stream_kpi.measures import histogram
from stream_kpi.measures.registry import Kind, Measure

MONEY: Final = "money"
"""The unit of amounts; records have the currency's code in its place."""
_SECONDS: Final = "seconds"
_RATIO: Final = "ratio"


class _Figure(NamedTuple):
    """``value`` None: no samples. ``samples`` None: not counted. ``is_quotient``: its samples do not add up."""

    value: int | float | None
    samples: int | None
    is_quotient: bool = False


@dataclass(frozen=True, slots=True)
class Custom(Formula):
    """A formula of the settings."""

    written: str
    expression: Expression
    ratio: tuple[Expression, Expression] | None = field(init=False)
    """Numerator and denominator, where the formula is a ratio of sums."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ratio", as_ratio(self.expression))

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Those that it reads."""
        return tuple(dict.fromkeys(reading.measure for reading in readings(self.expression)))

    @property
    def text(self) -> str:
        """As it was written."""
        return self.written

    @property
    def adds_up(self) -> bool:
        """Whether the values of several cuts of a dimension add up to that of all of them."""
        return is_sum(self.expression)

    def results(self, scope: Scope) -> Iterator[Result]:
        """The value. The samples of a ratio are what is below its line, of several the fewest; of a sum, all that is
        counted in it; of money, none."""
        yield self._result(scope, None)

    def _result(self, scope: Scope, currency: Currency | None) -> Result:
        code = None if currency is None else currency.code
        if self.ratio is None:
            value, samples, _ = _figure(self.expression, scope, currency)
            return Result(_finite(value), samples, currency=code)
        above, below = (_figure(side, scope, currency) for side in self.ratio)
        value, samples, _ = _divided(above, below)
        return Result(_finite(value), samples, numerator=above.value, denominator=below.value, currency=code)


@dataclass(frozen=True, slots=True)
class CustomMoney(Custom):
    """A formula of the settings that reads money: one result a currency."""

    by_currency: ClassVar[bool] = True

    def results(self, scope: Scope) -> Iterator[Result]:
        """The value in each currency; where there is no money at all, the total's without a currency."""
        for currency in scope.currencies:
            yield self._result(scope, currency)
        if scope.cut == TOTAL and not scope.currencies:
            yield self._result(scope, None)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _figure(expression: Expression, scope: Scope, currency: Currency | None) -> _Figure:
    if isinstance(expression, Number):
        return _Figure(expression.value, None)
    if isinstance(expression, Reading):
        return _read(expression, scope, currency)
    left, right = (_figure(side, scope, currency) for side in (expression.left, expression.right))
    if expression.operator == "/":
        return _divided(left, right)
    is_quotient = left.is_quotient or right.is_quotient
    counted = [side.samples for side in (left, right) if side.samples is not None and side.is_quotient is is_quotient]
    samples = (min(counted) if is_quotient else sum(counted)) if counted else None
    if left.value is None or right.value is None:
        return _Figure(None, samples, is_quotient)
    if expression.operator == "*":
        return _Figure(left.value * right.value, samples, is_quotient)
    sign = 1 if expression.operator == "+" else -1
    return _Figure(left.value + sign * right.value, samples, is_quotient)


def _divided(above: _Figure, below: _Figure) -> _Figure:
    samples, is_quotient = below.samples, True
    if isinstance(below.value, int):
        samples = max(below.value, 0)  # what is subtracted there is in no ratio
    elif below.samples is None:
        samples, is_quotient = above.samples, above.is_quotient  # by a number, or by money, which is not counted
    if above.value is None or below.value is None or below.value <= 0:
        return _Figure(None, samples, is_quotient)
    return _Figure(above.value / below.value, samples, is_quotient)


def _read(reading: Reading, scope: Scope, currency: Currency | None) -> _Figure:
    measure = reading.measure
    if measure.by_currency:
        return _read_currency(measure, scope, currency)
    if reading.function == "level":
        level = scope.at_end.get(measure.slot, 0)
        return _Figure(level, level)
    count = scope.count(measure)
    if reading.function == "count":
        return _Figure(count, count)
    if reading.function == "quantile":
        value = histogram.quantile(scope.inside, measure, reading.q, scope.ordered)
        return _Figure(value, count, is_quotient=True)
    total = scope.inside.get(measure.slot, 0) / (1_000 if measure.kind is Kind.DURATION else histogram.SCORE_UNIT)
    if reading.function == "sum":
        return _Figure(total, count)
    return _Figure(total / count if count > 0 else None, count, is_quotient=True)


def _read_currency(measure: Measure, scope: Scope, currency: Currency | None) -> _Figure:
    part = scope.at_end if measure.kind is Kind.LEVEL else scope.inside
    amount = 0 if currency is None else part.get(measure.currency_slot(currency.numeric), 0)
    if not OFFERED[measure.name].is_money:
        return _Figure(amount, amount)
    return _Figure(amount / (1 if currency is None else currency.minor_units), None)


@lru_cache(maxsize=1_024)
def custom_row(kpi: CustomKpi) -> Kpi:
    """The row that the settings describe.

    Raises:
        ValueError: the formula or the unit is not allowed; with what is.
    """
    expression = parse(kpi.formula)
    offered = [OFFERED[reading.measure.name] for reading in readings(expression)]
    of = CustomMoney if any(one.measure.by_currency for one in offered) else Custom
    areas = tuple(dict.fromkeys(one.area for one in offered))
    stands = all(reading.function == "level" for reading in readings(expression))
    written = " ".join(kpi.formula.split())
    return Kpi(
        id=kpi.id,
        title=kpi.title,
        area=areas[0],
        beside=areas[1:],
        unit=kpi.unit,
        kind=_kind(kpi.unit, expression),
        direction=kpi.direction,
        target=kpi.target,
        cuts=(TOTAL_CUT, *kpi.cuts),
        windows=(*rows.INSTANT, *rows.TUMBLING) if stands else (*rows.FLOW_WINDOWS, *rows.MONTH),
        formula=of(written, expression),
        definition=f"Defined in the settings of this organisation: {written}.",
        advice="The organisation's own figure: ask whoever defined it in the settings what to do about it.",
    )


def shared_cuts(formula: str) -> tuple[str, ...]:
    """The dimensions that facts of all measures of a formula carry. Raises ValueError as :func:`custom_row`."""
    first, *others = (OFFERED[reading.measure.name].cuts for reading in readings(parse(formula)))
    return tuple(cut for cut in first if cut != TOTAL_CUT and all(cut in cuts for cuts in others))


def _kind(unit: str, expression: Expression) -> KpiKind:
    dimension = expression.dimension
    for name, wanted in ((_SECONDS, Dimension(seconds=1)), (MONEY, Dimension(money=1))):
        if unit == name and dimension != wanted:
            raise ValueError(f"must say what the formula gives, and that is {dimension}")
    if dimension == Dimension(money=1):
        if unit != MONEY:
            raise ValueError(f'must be "{MONEY}": the formula gives an amount, and records name its currency')
        return KpiKind.MONEY
    if unit == _RATIO:
        if dimension != PLAIN or is_sum(expression):
            raise ValueError(f"must be of a quotient of like things; the formula gives {dimension}")
        return KpiKind.RATIO
    if unit == _SECONDS:
        return KpiKind.TIME
    functions = {reading.function for reading in readings(expression)}
    if dimension == PLAIN and is_sum(expression) and functions in ({"count"}, {"level"}):
        return KpiKind.COUNT if functions == {"count"} else KpiKind.LEVEL
    return KpiKind.QUOTIENT
