"""Rows that need a customer's whole view: what became of a contact, how the customer last answered (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stream_kpi.kpis import rows
from stream_kpi.kpis.distinct import distinct
from stream_kpi.kpis.formulas import CohortRatio, Formula, Result
from stream_kpi.kpis.rows import Area, Kpi, KpiKind
from stream_kpi.kpis.scope import Scope
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Measure


@dataclass(frozen=True, slots=True)
class NetShare(Formula):
    """By how many points the share of one sort of entities exceeds that of another; each counts once in the window."""

    gains: Measure
    losses: Measure
    of: Measure

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"100 x (distinct({self.gains.name}) - distinct({self.losses.name})) / distinct({self.of.name})"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The points; the samples are all entities."""
        net = distinct(self.gains, scope) - distinct(self.losses, scope)
        of = distinct(self.of, scope)
        yield Result(100 * net / of if of else None, of, numerator=net, denominator=of)


FIRST_CONTACT: Final = (
    Kpi(
        id="fcr_confirmed",
        title="First-contact resolution (confirmed)",
        area=Area.TICKETS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.65,
        cuts=rows.AGENT_CUTS,
        windows=(*rows.TOTAL_WINDOW, *rows.TUMBLING, *rows.MONTH),
        formula=CohortRatio(registry.COHORT_FCR_CONFIRMED, registry.COHORT_FCR_SOLVES),
        definition="Provisional first-contact resolutions that were not reopened within 7 days, and after which the "
        "customer created no new ticket of the same category within them / first solves by a human, only of solves at "
        "least 7 days old. A ticket's category is that at its solve, a new one's that at its creation. A rolling "
        "window shows the window of the same length that ended 7 days ago.",
        advice="Compare it with the provisional rate of the same weeks: between the two lie the customers who had "
        "to come back. Read what they wrote the second time, category by category, and put the missing step into the "
        "first answer.",
    ),
)

CHAT_FIRST_CONTACT: Final = (
    Kpi(
        id="chat_fcr",
        title="First-contact resolution in chats and calls",
        area=Area.CHATS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.75,
        cuts=rows.AGENT_CUTS,
        windows=(*rows.TOTAL_WINDOW, *rows.TUMBLING, *rows.MONTH),
        formula=CohortRatio(registry.COHORT_CHATS_FIRST_CONTACT, registry.COHORT_CHATS_RESOLVED),
        definition="Chats and calls that ended as resolved without a transfer, and after which the customer queued no "
        "new one within 24 hours / those that ended as resolved, only of ends at least 24 hours old. One without a "
        "known customer can have no new one. A rolling window shows the window of the same length that ended 24 hours "
        "ago.",
        advice="Listen to five contacts that were followed by another one within a day: if the agent closed too early, "
        "ask for confirmation before ending; if a queue is transferred from again and again, train its agents on that "
        "topic or send it to the right queue at once.",
    ),
)

LOYALTY: Final = (
    Kpi(
        id="nps",
        title="Net promoter score (NPS)",
        area=Area.CUSTOMERS,
        unit="points",
        kind=KpiKind.SCORE,
        direction="up",
        target=30,
        cuts=(rows.TOTAL_CUT, "channel", "plan"),
        windows=(*rows.TOTAL_WINDOW, *rows.MONTH, *rows.QUARTER),
        formula=NetShare(registry.NPS_PROMOTERS, registry.NPS_DETRACTORS, registry.NPS_ANSWERS),
        definition="Percentage of promoters (9 or 10 on the scale 0..10, others mapped to it) less that of detractors "
        "(below 7), each customer by the last answer in the window, asked about a ticket, a chat or in general. It "
        "counts under the channel and plan of that answer; a re-rating replaces the rating in the first answer's "
        "place. The 90 days are rolling:90d.",
        advice="Call detractors back within two days and note what one thing would have made the difference. If the "
        "score falls while satisfaction with tickets stays, the reason lies in the product or its price, not in "
        "support: take the notes there.",
    ),
)
