"""Three tickets that are promised to be resolved within half an hour, by hand. Minutes after T0."""

from __future__ import annotations

from tests.row_kit import at, solved
from tests.shard_kit import created
from tests.sla_kit import options_of
from tests.walks.kit import Row, Walk

RESOLVED = Walk(
    [
        *(created("A", at(0)), solved("A", 20, "ann")),
        *(created("B", at(0)), solved("B", 40, "ann")),  # 10 minutes late
        created("C", at(45)),
    ],
    [solved("B", 28, "bob"), solved("C", 55, "bob")],  # both were in time
    {
        "sla_achievement": Row(1 / 2, 1, None),  # A of A B; A B C
        "sla_breaches": Row(1, 0, 0),  # B
        "sla_breach_size": Row(600, None, None),  # B: 40 - 30 min
        "sla_at_risk": Row(1, 0, 0),  # C has 15 of the last 20 minutes left
        "sla_next_breach_in": Row(900, None, None),  # C: 75 - 60 min
    },
    options=options_of(
        """
        [[sla]]
        name = "half an hour"
        at_risk = ["20m"]
        resolution = { other = "30m" }
        """
    ),
)
WALKS = (RESOLVED,)
