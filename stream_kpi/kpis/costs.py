"""Rows about what support and new customers cost, and their formulas (pure).

Costs are never added up over currencies: one result a currency that has any in the window. Without any, the total has
one result without a value or a currency.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from stream_kpi.kpis import rows
from stream_kpi.kpis.formulas import Result
from stream_kpi.kpis.money import MoneyFormula
from stream_kpi.kpis.retention import NEW_CUSTOMERS, new_customers
from stream_kpi.kpis.rows import Area, Kpi, KpiKind
from stream_kpi.kpis.scope import Currency, Scope
from stream_kpi.lifecycles.facts import TOTAL
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Measure


def _spent(scope: Scope, cost: Measure) -> list[tuple[Currency, int]]:
    """The currencies that have any of a cost in the window, with the amount in minor units."""
    amounts = [(currency, scope.inside.get(cost.currency_slot(currency.numeric), 0)) for currency in scope.currencies]
    return [(currency, amount) for currency, amount in amounts if amount]


def _cost_by(scope: Scope, cost: Measure, count: int) -> Iterator[Result]:
    """The window's cost by a count, which is also the samples."""
    spent = _spent(scope, cost)
    for currency, amount in spent:
        major = amount / currency.minor_units
        value = amount / (count * currency.minor_units) if count > 0 else None
        yield Result(value, max(count, 0), numerator=major, denominator=count, currency=currency.code)
    if not spent and scope.cut == TOTAL:
        yield Result(None, 0)


@dataclass(frozen=True, slots=True)
class CostPer(MoneyFormula):
    """A cost of the window by how often something happened in it, by currency."""

    cost: Measure
    count: Measure

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"sum({self.cost.name}) / count({self.count.name}) by currency"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The quotient in major units; its samples are the denominator."""
        yield from _cost_by(scope, self.cost, scope.count(self.count))


@dataclass(frozen=True, slots=True)
class CostPerNewCustomer(MoneyFormula):
    """A cost of the window by the customers of its end that did not pay at its start, by the cost's currency: whatever
    currency they pay in."""

    cost: Measure

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The cost, and all that new customers are counted from."""
        return (self.cost, *NEW_CUSTOMERS)

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"sum({self.cost.name}) / customers_new by currency"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The quotient in major units; its samples are the new customers."""
        yield from _cost_by(scope, self.cost, new_customers(scope))


@dataclass(frozen=True, slots=True)
class CostRatio(MoneyFormula):
    """A cost of the window by what was taken in in it, by currency."""

    cost: Measure
    revenue: Measure

    counts_samples: ClassVar[bool] = False

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"sum({self.cost.name}) / sum({self.revenue.name}) by currency"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The quotient; no value without revenue. Numerator and denominator in major units."""
        spent = _spent(scope, self.cost)
        for currency, amount in spent:
            revenue = scope.inside.get(self.revenue.currency_slot(currency.numeric), 0)
            cost, income = amount / currency.minor_units, revenue / currency.minor_units
            value = amount / revenue if revenue > 0 else None
            yield Result(value, None, numerator=cost, denominator=income, currency=currency.code)
        if not spent and scope.cut == TOTAL:
            yield Result(None, 0)


@dataclass(frozen=True, slots=True)
class Payback(MoneyFormula):
    """How many months of a customer's margin a new one costs, by currency: the cost, MRR and customers of one."""

    cost: Measure

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The cost, and all that new customers and the margin are counted from."""
        return (self.cost, registry.MRR, registry.CUSTOMERS_BY_CURRENCY, *NEW_CUSTOMERS)

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return "cac / (arpu at the window's end x definitions.gross_margin) by currency"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The months; numerator: the CAC, denominator: a customer's margin of a month, both in major units. The samples
        are the new customers."""
        new, margin = new_customers(scope), scope.options.gross_margin
        spent = _spent(scope, self.cost)
        for currency, amount in spent:
            mrr, holders = (
                scope.at_end.get(measure.currency_slot(currency.numeric), 0)
                for measure in (registry.MRR, registry.CUSTOMERS_BY_CURRENCY)
            )
            cac = amount / (new * currency.minor_units) if new > 0 else None
            earned = mrr * margin / (holders * currency.minor_units) if margin is not None and holders > 0 else None
            value = cac / earned if cac is not None and earned is not None and earned > 0 else None
            yield Result(value, max(new, 0), numerator=cac, denominator=earned, currency=currency.code)
        if not spent and scope.cut == TOTAL:
            yield Result(None, 0)


_CHANNEL: Final = (rows.TOTAL_CUT, "channel")

COSTS: Final = (
    Kpi(
        id="cost_per_ticket",
        title="Cost per ticket",
        area=Area.COSTS,
        unit="money",
        kind=KpiKind.MONEY,
        direction="down",
        target=None,
        cuts=(rows.TOTAL_CUT,),
        windows=(*rows.TODAY, *rows.MONTH),
        formula=CostPer(registry.SUPPORT_COST, registry.TICKETS_CREATED),
        definition="Support cost of the window / tickets created in it, by currency. A cost is spread evenly over its "
        "period; each local day's share counts in full from the day's start on.",
        advice="Do not press the cost, remove the tickets: take the category with the most of them and make its cause "
        "go away, or answer it before it is asked. A quiet month raises this figure without anything being wrong.",
    ),
    Kpi(
        id="cac",
        title="Customer acquisition cost (CAC)",
        area=Area.COSTS,
        unit="money",
        kind=KpiKind.MONEY,
        direction="down",
        target=None,
        cuts=_CHANNEL,
        windows=rows.MONTH,
        formula=CostPerNewCustomer(registry.ACQUISITION_COST),
        definition="Acquisition cost of the window / customers that pay at its end and did not at its start, by the "
        "currency of the cost. No value where nobody is new or no cost was recorded. A customer's channel is the first "
        "that its subscriptions name by the time it first pays.",
        advice="Stop the campaign that brings sign-ups and no customers before you cut the others. Then ask what the "
        "cheapest customers have in common: referrals by well-served customers cost nothing.",
    ),
    Kpi(
        id="support_cost_ratio",
        title="Support cost by revenue",
        area=Area.COSTS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="down",
        target=0.1,
        cuts=(rows.TOTAL_CUT,),
        windows=rows.MONTH,
        formula=CostRatio(registry.SUPPORT_COST, registry.INVOICES_PAID),
        definition="Support cost of the window / invoices paid in it, by currency. No value where no cost was recorded "
        "or no invoice was paid in that currency.",
        advice="Above a tenth, see whether cost grew or revenue fell. If tickets per customer grew, the product has "
        "become harder to use: fix that before you cut the team, whose absence costs renewals.",
    ),
    Kpi(
        id="cac_payback",
        title="CAC payback",
        area=Area.COSTS,
        unit="months",
        kind=KpiKind.MONTHS,
        direction="down",
        target=12,
        cuts=_CHANNEL,
        windows=rows.MONTH,
        formula=Payback(registry.ACQUISITION_COST),
        definition="CAC / (ARPU x definitions.gross_margin), by currency: the months until a new customer has earned "
        "what it cost. No value without a gross margin, or where CAC has none.",
        advice="Longer than customers stay means a loss with each of them: compare it with 1 / the churn rate. Sell "
        "yearly plans to new customers, and aim campaigns at the plan with the greatest margin.",
    ),
)
