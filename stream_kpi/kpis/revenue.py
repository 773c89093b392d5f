"""Rows about recurring revenue and paying customers (pure)."""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis import rows
from stream_kpi.kpis.levels import Level
from stream_kpi.kpis.money import MoneyLevel, MoneyPerHolder, MoneyRatio, MoneySum
from stream_kpi.kpis.retention import Churn, CustomersLost, CustomersNew, NetCustomerChange, Retention
from stream_kpi.kpis.rows import Area, Direction, Kpi, KpiKind
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Measure

_PLAN: Final = (rows.TOTAL_CUT, "plan")


def _movement(  # each argument is a column
    kpi_id: str, title: str, measure: Measure, direction: Direction, definition: str, advice: str, *extra_cuts: str
) -> Kpi:
    return Kpi(
        id=kpi_id,
        title=title,
        area=Area.REVENUE,
        unit="money",
        kind=KpiKind.MONEY,
        direction=direction,
        target=None,
        cuts=(*_PLAN, *extra_cuts),
        windows=(*rows.FLOW_WINDOWS, *rows.MONTH),
        formula=MoneySum(measure),
        definition=definition,
        advice=advice,
    )


LEVELS: Final = (
    Kpi(
        id="mrr",
        title="Monthly recurring revenue (MRR)",
        area=Area.REVENUE,
        unit="money",
        kind=KpiKind.MONEY,
        direction="up",
        target=None,
        cuts=_PLAN,
        windows=rows.INSTANT,
        formula=MoneyLevel(registry.MRR, registry.CUSTOMERS_BY_CURRENCY),
        definition="Every paying item (status active or past due, not metered) brought to a month after its discount, "
        "added up now, by currency.",
        advice="Find the movement behind the change - churn, contraction, or new business that stays away - and work "
        "on that one; the sum itself cannot be managed.",
    ),
    Kpi(
        id="arr",
        title="Annual recurring revenue (ARR)",
        area=Area.REVENUE,
        unit="money",
        kind=KpiKind.MONEY,
        direction="up",
        target=None,
        cuts=_PLAN,
        windows=rows.INSTANT,
        formula=MoneyLevel(registry.MRR, registry.CUSTOMERS_BY_CURRENCY, times=12),
        definition="Twelve times the MRR of now, by currency.",
        advice="It is the MRR in other words: look at the movements of the month, not at this sum.",
    ),
    Kpi(
        id="customers",
        title="Paying customers",
        area=Area.REVENUE,
        unit="customers",
        kind=KpiKind.LEVEL,
        direction="up",
        target=None,
        cuts=_PLAN,
        windows=rows.INSTANT,
        formula=Level(registry.CUSTOMERS),
        definition="Customers with an MRR above 0 now; by plan, a customer counts under each plan it pays.",
        advice="Compare the churn rate with new business. If customers leave faster than they come, win-back and "
        "onboarding come before campaigns.",
    ),
    Kpi(
        id="arpu",
        title="Average revenue per customer (ARPU)",
        area=Area.REVENUE,
        unit="money",
        kind=KpiKind.MONEY,
        direction="up",
        target=None,
        cuts=_PLAN,
        windows=rows.INSTANT,
        formula=MoneyPerHolder(registry.MRR, registry.CUSTOMERS_BY_CURRENCY),
        definition="MRR / paying customers, by currency.",
        advice="See by plan whether customers moved to cheaper plans or new ones start small. Then check discounts: a "
        "campaign that never ends shows here first.",
    ),
    Kpi(
        id="mrr_at_risk",
        title="MRR at risk",
        area=Area.REVENUE,
        unit="money",
        kind=KpiKind.MONEY,
        direction="down",
        target=None,
        cuts=_PLAN,
        windows=rows.INSTANT,
        formula=MoneyLevel(registry.MRR_AT_RISK, registry.CUSTOMERS_AT_RISK),
        definition="MRR of the customers that have an open ticket with a service level that was missed and is neither "
        "fulfilled nor cancelled, by currency; a customer counts once, however many there are. 0 where no service "
        "levels are promised.",
        advice="Answer these tickets first, the customer with the highest MRR first, and tell those customers by when "
        "you will have an answer. If the sum comes back every week, give the plan that it lies in targets that you "
        "can keep, or the people to keep them.",
    ),
)

MOVEMENTS: Final = (
    _movement(
        "mrr_new",
        "New MRR",
        registry.MRR_NEW,
        "up",
        "MRR of customers that pay for the first time, at the effective time.",
        "Trace it back: fewer sign-ups, or fewer of them that start to pay? The first is marketing's, the second is "
        "the trial's: watch where trial customers ask for help and get none.",
    ),
    _movement(
        "expansion_revenue",
        "Expansion MRR",
        registry.MRR_EXPANSION,
        "up",
        "Increases of the MRR of customers that paid before and after the movement.",
        "List customers that use what the next plan sells and have no owner in your team, and have support hand over "
        "the tickets that ask for such features.",
    ),
    _movement(
        "revenue_contraction",
        "Contraction MRR",
        registry.MRR_CONTRACTION,
        "down",
        "Decreases of the MRR of customers that still pay, as a positive amount.",
        "Call the customers who reduced this week and ask what they stopped using; look for unsolved tickets in the "
        "month before. A contraction is often a churn announced.",
    ),
    _movement(
        "mrr_churned",
        "Churned MRR",
        registry.MRR_CHURNED,
        "down",
        "MRR of customers that stopped paying, as a positive amount; by reason voluntary or delinquent.",
        "Delinquent: repair the dunning (card updates, retries, a reminder by a human). Voluntary: read the last "
        "tickets and surveys of those customers and fix what they have in common.",
        "reason",
    ),
    _movement(
        "mrr_reactivation",
        "Reactivated MRR",
        registry.MRR_REACTIVATION,
        "up",
        "MRR of customers that had paid before, had stopped, and pay again.",
        "Write to customers who left for a reason that you have since removed, and tell them so. No reactivations at "
        "all mean that nobody asks those who left.",
    ),
)

PAID: Final = (
    Kpi(
        id="recurring_revenue",
        title="Recurring revenue",
        area=Area.REVENUE,
        unit="money",
        kind=KpiKind.MONEY,
        direction="up",
        target=None,
        cuts=_PLAN,
        windows=(*rows.ROLLING, *rows.MONTH),
        formula=MoneySum(registry.INVOICES_PAID),
        definition="Invoices paid in the window, without tax, by currency. An invoice counts once, when it was first "
        "paid, however often that is told.",
        advice="Compare a month with the MRR of its start. If less was paid, look for invoices that are overdue and "
        "repair the payment method before the subscription falls unpaid.",
    ),
)

RETENTION: Final = (
    Kpi(
        id="churn_rate",
        title="Customer churn rate",
        area=Area.REVENUE,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="down",
        target=0.03,
        cuts=_PLAN,
        windows=(*rows.MONTH, *rows.ROLLING, *rows.TODAY, *rows.TUMBLING),
        formula=Churn(),
        definition="Customers of the window's start that do not pay at its end / customers of its start. Who left and "
        "came back within the window is not lost. No value under total. The target is a month's.",
        advice="Split it by plan and, for the amounts, by reason. For the plan that loses most, compare the leavers' "
        "first response times and unsolved tickets with those of the customers who stay, then fix that difference.",
    ),
    Kpi(
        id="retention_rate",
        title="Customer retention rate (CRR)",
        area=Area.REVENUE,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.97,
        cuts=_PLAN,
        windows=rows.MONTH,
        formula=Retention(),
        definition="(Customers at the window's end - new ones) / customers of its start. No value under total.",
        advice="Work on the customers you have before those you want: call the plan that loses most, and see which of "
        "its tickets were answered late or not at all in the weeks before.",
    ),
    Kpi(
        id="net_customer_change",
        title="Net customer change",
        area=Area.REVENUE,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="down",
        target=None,
        cuts=_PLAN,
        windows=rows.MONTH,
        formula=NetCustomerChange(),
        definition="(Customers of the window's start - those of its end) / those of its start, below 0 when there are "
        "more at the end. Some articles call this churn; it hides every loss that a new customer makes up for.",
        advice="Never steer by it alone: read it beside the churn rate. Where it is good and churn is bad, you buy "
        "customers as fast as you lose them.",
    ),
    Kpi(
        id="customers_new",
        title="New customers",
        area=Area.REVENUE,
        unit="customers",
        kind=KpiKind.COUNT,
        direction="up",
        target=None,
        cuts=_PLAN,
        windows=(*rows.TUMBLING, *rows.MONTH),
        formula=CustomersNew(),
        definition="Customers that pay at the window's end and did not at its start.",
        advice="Compare with sign-ups of the weeks before. If sign-ups hold, trials fail to convince: read what trial "
        "customers ask support for, and answer them first.",
    ),
    Kpi(
        id="customers_lost",
        title="Lost customers",
        area=Area.REVENUE,
        unit="customers",
        kind=KpiKind.COUNT,
        direction="down",
        target=None,
        cuts=_PLAN,
        windows=(*rows.TUMBLING, *rows.MONTH),
        formula=CustomersLost(),
        definition="Customers that paid at the window's start and do not at its end.",
        advice="Ask each of them why, by a person, within the week; write the reasons down in the same words, and "
        "remove the most frequent one.",
    ),
    Kpi(
        id="quick_ratio",
        title="Quick ratio",
        area=Area.REVENUE,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=4.0,
        cuts=(rows.TOTAL_CUT,),
        windows=rows.MONTH,
        formula=MoneyRatio(
            (registry.MRR_NEW, registry.MRR_REACTIVATION, registry.MRR_EXPANSION),
            (registry.MRR_CHURNED, registry.MRR_CONTRACTION),
        ),
        definition="(New + reactivated + expansion MRR) / (churned + contraction MRR) of the window, by currency. No "
        "value where nothing was lost.",
        advice="Below 1 the business shrinks. Stop the losses first - they are the cheaper half - and see which of "
        "churn and contraction is the greater.",
    ),
)
