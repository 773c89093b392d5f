"""Formulas of who pays at a window's ends: churn, retention, and the balance of customers (pure).

Of the customers that pay at the start, those that do not at the end are lost; of those that pay at the end, those that
did not at the start are new. So start + new - lost = end, whatever came and went in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stream_kpi.kpis.formulas import Formula, Result, ratio
from stream_kpi.kpis.scope import Scope
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Measure

_LOST_IN: Final[dict[str, Measure]] = {
    "tumbling:5m": registry.CUSTOMERS_LOST_5M,
    "tumbling:1h": registry.CUSTOMERS_LOST_1H,
    "tumbling:1d": registry.CUSTOMERS_LOST_1D,
    "today": registry.CUSTOMERS_LOST_1D,
    "month": registry.CUSTOMERS_LOST_MONTH,
}
CHURN_MEASURES: Final = (registry.PAST_OF_ACTIVE, *dict.fromkeys(_LOST_IN.values()))
NEW_CUSTOMERS: Final = (registry.CUSTOMERS, *CHURN_MEASURES)
"""What :func:`new_customers` reads."""


class _OfCustomers(Formula):
    """What reads the customers at both ends."""

    __slots__ = ()

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All that one window kind or another needs."""
        return NEW_CUSTOMERS


def customers_at_start(scope: Scope) -> int:
    """Customers that pay just before the window's start."""
    return scope.at_start.get(registry.CUSTOMERS.slot, 0)


def _end(scope: Scope) -> int:
    return scope.at_end.get(registry.CUSTOMERS.slot, 0)


def customers_lost(scope: Scope) -> int:
    """Customers of the window's start that do not pay at its end: windows with fixed bounds count them by their own
    measure; a rolling window takes from the customers of its start those of them who pay now. Under total there is
    nobody at the start."""
    kind = scope.view.window.kind
    if kind in _LOST_IN:
        return scope.count(_LOST_IN[kind])
    if kind.startswith("rolling:"):
        return customers_at_start(scope) - scope.at_start.get(registry.PAST_OF_ACTIVE.slot, 0)
    return 0


def new_customers(scope: Scope) -> int:
    """How many customers of the window's end did not pay at its start."""
    return _end(scope) - customers_at_start(scope) + customers_lost(scope)


def _has_start(scope: Scope) -> bool:
    kind = scope.view.window.kind
    return kind in _LOST_IN or kind.startswith("rolling:")


@dataclass(frozen=True, slots=True)
class Churn(_OfCustomers):
    """Customers of the window's start that do not pay at its end, by the customers of the start. Under total and at an
    instant there is no start, hence no value."""

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return "customers of the window's start that are lost at its end / level(customers) at the window's start"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The ratio; its samples are the customers of the start."""
        yield ratio(customers_lost(scope), customers_at_start(scope)) if _has_start(scope) else Result(None, 0)


@dataclass(frozen=True, slots=True)
class Retention(_OfCustomers):
    """Customers at the end that are not new, by those of the start."""

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return "(customers at the window's end - new ones) / level(customers) at the window's start"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The ratio; its samples are the customers of the start."""
        start = customers_at_start(scope)
        yield ratio(start - customers_lost(scope), start) if _has_start(scope) else Result(None, 0)


@dataclass(frozen=True, slots=True)
class NetCustomerChange(_OfCustomers):
    """By how much the customers have become fewer, by those of the start: below 0 where they have become more."""

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return "(customers at the window's start - at its end) / customers at its start"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The ratio; its samples are the customers of the start."""
        start = customers_at_start(scope)
        yield ratio(start - _end(scope), start, proportion=False) if _has_start(scope) else Result(None, 0)


@dataclass(frozen=True, slots=True)
class CustomersLost(_OfCustomers):
    """How many customers of the window's start do not pay at its end."""

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return "customers of the window's start that do not pay at its end"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The count; its samples are itself."""
        lost = customers_lost(scope)
        yield Result(lost, lost)


@dataclass(frozen=True, slots=True)
class CustomersNew(_OfCustomers):
    """How many customers of the window's end did not pay at its start."""

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return "customers of the window's end that did not pay at its start"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The count; its samples are itself."""
        new = new_customers(scope)
        yield Result(new, new)
