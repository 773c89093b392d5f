"""Formulas of money (pure).

Money is never added up over currencies: one result a currency, in major units. The currencies of a cut are those of any
money inside the window or at its ends. Where there is none the total has one result of 0 (of an ARPU: null) without a
currency, and other cuts have no result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from stream_kpi.kpis.formulas import Formula, Result
from stream_kpi.kpis.scope import Scope
from stream_kpi.lifecycles.facts import TOTAL
from stream_kpi.measures.registry import Measure


class MoneyFormula(Formula):
    """One result a currency."""

    __slots__ = ()
    by_currency: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class MoneySum(MoneyFormula):
    """Amounts of the window, by currency."""

    measure: Measure

    counts_samples: ClassVar[bool] = False

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"sum({self.measure.name}) by currency"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The sum in major units; movements are not counted, so samples are unknown."""
        for currency in scope.currencies:
            amount = scope.inside.get(self.measure.currency_slot(currency.numeric), 0)
            yield Result(amount / currency.minor_units, None, currency=currency.code)
        if scope.cut == TOTAL and not scope.currencies:
            yield Result(0, None)


@dataclass(frozen=True, slots=True)
class MoneyLevel(MoneyFormula):
    """Amounts that stand at the window's end, by currency."""

    measure: Measure
    holders: Measure
    """Who they belong to, by currency: the samples."""
    times: int = 1

    @property
    def text(self) -> str:
        """As in the catalogue."""
        factor = f"{self.times} x " if self.times != 1 else ""
        return f"{factor}level({self.measure.name}) by currency at the window's end"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The level in major units; its samples are the customers."""
        for currency in scope.currencies:
            amount = scope.at_end.get(self.measure.currency_slot(currency.numeric), 0)
            holders = scope.at_end.get(self.holders.currency_slot(currency.numeric), 0)
            yield Result(self.times * amount / currency.minor_units, holders, currency=currency.code)
        if scope.cut == TOTAL and not scope.currencies:
            yield Result(0, 0)


@dataclass(frozen=True, slots=True)
class MoneyPerHolder(MoneyFormula):
    """A money level at the window's end by the customers that it belongs to, by currency."""

    measure: Measure
    holders: Measure

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"level({self.measure.name}) / level({self.holders.name}) by currency at the window's end"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The quotient in major units; numerator in major units, denominator and samples are the customers."""
        for currency in scope.currencies:
            amount = scope.at_end.get(self.measure.currency_slot(currency.numeric), 0)
            holders = scope.at_end.get(self.holders.currency_slot(currency.numeric), 0)
            value = amount / (holders * currency.minor_units) if holders > 0 else None
            major = amount / currency.minor_units
            yield Result(value, max(holders, 0), numerator=major, denominator=holders, currency=currency.code)
        if scope.cut == TOTAL and not scope.currencies:
            yield Result(None, 0, numerator=0, denominator=0)


@dataclass(frozen=True, slots=True)
class MoneyRatio(MoneyFormula):
    """Amounts of the window by other amounts of it, by currency."""

    gains: tuple[Measure, ...]
    losses: tuple[Measure, ...]

    counts_samples: ClassVar[bool] = False

    @property
    def text(self) -> str:
        """As in the catalogue."""
        gains, losses = (" + ".join(f"sum({m.name})" for m in part) for part in (self.gains, self.losses))
        return f"({gains}) / ({losses}) by currency"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The quotient; no value where nothing was lost. Numerator and denominator in major units."""
        for currency in scope.currencies:
            gained, lost = (
                sum(scope.inside.get(m.currency_slot(currency.numeric), 0) for m in part) / currency.minor_units
                for part in (self.gains, self.losses)
            )
            value = gained / lost if lost else None
            yield Result(value, None, numerator=gained, denominator=lost, currency=currency.code)
        if scope.cut == TOTAL and not scope.currencies:
            yield Result(None, 0, numerator=0, denominator=0)
