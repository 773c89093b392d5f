"""Formulas of money and of paying customers (pure).

Money is never added up over currencies: one result a currency, in major units. The currencies of a cut are those of any
money inside the window or at its ends. Where there is none the total has one result of 0 (of an ARPU: null) without a
currency, and other cuts have no result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stream_kpi.kpis.formulas import Formula, Result, ratio
from stream_kpi.kpis.scope import Scope
from stream_kpi.lifecycles.facts import TOTAL
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Measure


@dataclass(frozen=True, slots=True)
class MoneySum(Formula):
    """Amounts of the window, by currency."""

    measure: Measure

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
class MoneyLevel(Formula):
    """Amounts that stand at the window's end, by currency."""

    measure: Measure
    holders: Measure
    """Who they belong to, by currency: the samples."""

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"level({self.measure.name}) by currency at the window's end"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The level in major units; its samples are the customers."""
        for currency in scope.currencies:
            amount = scope.at_end.get(self.measure.currency_slot(currency.numeric), 0)
            holders = scope.at_end.get(self.holders.currency_slot(currency.numeric), 0)
            yield Result(amount / currency.minor_units, holders, currency=currency.code)
        if scope.cut == TOTAL and not scope.currencies:
            yield Result(0, 0)


@dataclass(frozen=True, slots=True)
class MoneyPerHolder(Formula):
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


_LOST_IN: Final[dict[str, Measure]] = {
    "tumbling:5m": registry.CUSTOMERS_LOST_5M,
    "tumbling:1h": registry.CUSTOMERS_LOST_1H,
    "tumbling:1d": registry.CUSTOMERS_LOST_1D,
    "today": registry.CUSTOMERS_LOST_1D,
    "month": registry.CUSTOMERS_LOST_MONTH,
}


@dataclass(frozen=True, slots=True)
class Churn(Formula):
    """Customers of the window's start that do not pay at its end, by the customers of the start.

    Windows with fixed bounds count them by their own measure; a rolling window takes from the customers of its start
    those of them who pay now. Under total and at an instant there is no start, hence no value.
    """

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All that one window kind or another needs."""
        return (registry.CUSTOMERS, registry.PAST_OF_ACTIVE, *dict.fromkeys(_LOST_IN.values()))

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return "customers of the window's start that are lost at its end / level(customers) at the window's start"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The ratio; its samples are the customers of the start."""
        kind = scope.view.window.kind
        customers = scope.at_start.get(registry.CUSTOMERS.slot, 0)
        if kind in _LOST_IN:
            yield ratio(scope.count(_LOST_IN[kind]), customers)
        elif kind.startswith("rolling:"):
            yield ratio(customers - scope.at_start.get(registry.PAST_OF_ACTIVE.slot, 0), customers)
        else:
            yield Result(None, 0)
