"""Formulas of the revenue that customers keep bringing: net and gross retention, lifetime value (pure)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from stream_kpi.kpis.formulas import Result
from stream_kpi.kpis.money import MoneyFormula
from stream_kpi.kpis.retention import CHURN_MEASURES, customers_at_start, customers_lost
from stream_kpi.kpis.scope import Scope
from stream_kpi.lifecycles.facts import TOTAL
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Measure
from stream_kpi.windows.kinds import Rolling, parse
from stream_kpi.windows.tiers import DAY_MS

_MONTHS: Final = frozenset({"month", "rolling:30d"})
"""Windows of a month's length."""


class _Kept(MoneyFormula):
    """The MRR at the window's end of the customers that had one at its start, by what it was then.

    In months, and in rolling windows of more than a day, which start with an hour or a local day; in others it has no
    value."""

    __slots__ = ()

    def results(self, scope: Scope) -> Iterator[Result]:
        """The quotient; numerator and denominator in major units, the samples are the customers of the start."""
        has_value = _has_value(scope.view.window.kind)
        for currency in scope.currencies:
            if not has_value:
                yield Result(None, 0, currency=currency.code)
                continue
            mrr, below_zero, customers = (
                scope.at_start.get(measure.currency_slot(currency.numeric), 0)
                for measure in (registry.MRR, registry.MRR_BELOW_ZERO, registry.CUSTOMERS_BY_CURRENCY)
            )
            start = mrr - below_zero
            kept = self._kept(scope, currency.numeric, start)
            yield Result(
                kept / start if start else None,
                customers,
                numerator=kept / currency.minor_units,
                denominator=start / currency.minor_units,
                currency=currency.code,
            )
        if scope.cut == TOTAL and not scope.currencies:
            yield Result(None, 0)

    @abstractmethod
    def _kept(self, scope: Scope, currency: int, start: int) -> int:
        """Minor units that are left of ``start``."""


@lru_cache(maxsize=64)
def _has_value(window_kind: str) -> bool:
    if not window_kind.startswith("rolling:"):
        return window_kind == "month"
    window = parse(window_kind)
    return isinstance(window, Rolling) and window.length_ms > DAY_MS


def _read(*measures: Measure) -> tuple[Measure, ...]:
    return (registry.MRR, registry.MRR_BELOW_ZERO, registry.CUSTOMERS_BY_CURRENCY, *measures)


@dataclass(frozen=True, slots=True)
class NetRetention(_Kept):
    """Their whole MRR of the end: above 1 where they have grown by more than was lost."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Those of a month and of a window that ends now."""
        return _read(registry.MRR_CHANGE_MONTH, registry.MRR_OF_PAST_PAYERS)

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return "sum(MRR at the window's end) / sum(MRR at its start) of the customers of the start, by currency"

    def _kept(self, scope: Scope, currency: int, start: int) -> int:
        if scope.view.window.kind == "month":
            return start + scope.inside.get(registry.MRR_CHANGE_MONTH.currency_slot(currency), 0)
        return scope.at_start.get(registry.MRR_OF_PAST_PAYERS.currency_slot(currency), 0)


@dataclass(frozen=True, slots=True)
class GrossRetention(_Kept):
    """Of each customer's MRR of the end no more than it had at the start: 1 at best."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Those of a month and of a window that ends now."""
        return _read(registry.MRR_LOST_MONTH, registry.MRR_LOST_SINCE)

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return "sum(min(MRR at the window's end, at its start)) / sum(MRR at its start), by currency"

    def _kept(self, scope: Scope, currency: int, start: int) -> int:
        if scope.view.window.kind == "month":
            return start - scope.inside.get(registry.MRR_LOST_MONTH.currency_slot(currency), 0)
        return start - scope.at_start.get(registry.MRR_LOST_SINCE.currency_slot(currency), 0)


@dataclass(frozen=True, slots=True)
class LifetimeValue(MoneyFormula):
    """What a customer is worth until it leaves: ARPU x gross margin by the churn rate of a month, of all currencies
    together. No value where nobody was lost, without a gross margin, or in a window that is no month."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What it reads."""
        return (registry.MRR, registry.CUSTOMERS_BY_CURRENCY, registry.CUSTOMERS, *CHURN_MEASURES)

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return "arpu at the window's end x definitions.gross_margin / churn_rate of the window, by currency"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The value in major units; numerator: the margin of a month, denominator: the churn rate. The samples are the
        customers that pay in the currency at the end."""
        margin = scope.options.gross_margin
        is_month = scope.view.window.kind in _MONTHS
        start = customers_at_start(scope)
        churn_rate = customers_lost(scope) / start if is_month and start > 0 else None
        for currency in scope.currencies:
            amount = scope.at_end.get(registry.MRR.currency_slot(currency.numeric), 0)
            holders = scope.at_end.get(registry.CUSTOMERS_BY_CURRENCY.currency_slot(currency.numeric), 0)
            earned = None if margin is None or holders <= 0 else amount * margin / (holders * currency.minor_units)
            value = earned / churn_rate if earned is not None and churn_rate else None
            yield Result(value, holders, numerator=earned, denominator=churn_rate, currency=currency.code)
        if scope.cut == TOTAL and not scope.currencies:
            yield Result(None, 0)
