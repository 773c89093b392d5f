"""Five tickets by hand. Minutes after T0; each line of arithmetic names the tickets in order."""

from __future__ import annotations

from typing import Any

from tests.row_kit import assigned, at, merged, solved, wrote
from tests.shard_kit import created, event
from tests.walks.kit import Row, Walk


def _turned(subject: str, minute: float, status: str) -> bytes:
    return event("ticket.status", subject, at(minute), f"{subject}/{status}/{minute}", status=status)


def _replied(subject: str, minute: float, agent: str) -> bytes:
    return wrote(subject, minute, "agent", author_id=agent)


def _ticket(subject: str, minute: float, channel: str, category: str, *then: bytes) -> list[bytes]:
    data: dict[str, Any] = {"channel": channel, "category": category}
    return [created(subject, at(minute), **data), *then]


STORY = [
    # Answered by ann, handed over to bob, who answers the second question and solves.
    *_ticket("A", 0, "email", "login", assigned("A", 5, "ann"), _replied("A", 10, "ann"), wrote("A", 20)),
    *(assigned("A", 24, "bob"), _replied("A", 25, "bob"), solved("A", 30, "bob")),
    # Past the minute that a chat may wait; handed over; reopened and solved again.
    *_ticket("B", 2, "chat", "bill", assigned("B", 3, "bob"), _replied("B", 5, "bob"), wrote("B", 6)),
    *(_replied("B", 8, "bob"), assigned("B", 9, "ann"), solved("B", 12, "bob"), _turned("B", 20, "open")),
    solved("B", 32, "bob"),
    # Nobody cares.
    *_ticket("C", 10, "social", "other"),
    # Solved, reopened, put on hold, and pending while the customer writes again.
    *_ticket("D", 20, "web", "bill", assigned("D", 21, "cy"), _replied("D", 48, "cy"), solved("D", 50, "cy")),
    *(_turned("D", 51, "open"), _turned("D", 52, "on_hold"), _turned("D", 54, "pending"), wrote("D", 56)),
    # As it should be.
    *_ticket("E", 1, "email", "login", _replied("E", 3, "ann"), solved("E", 8, "ann")),
]
CORRECTION = [
    _turned("B", 58, "spam"),
    merged("C", 59),
    _turned("D", 53, "pending"),  # the hold was shorter
    _turned("D", 57, "open"),  # and so was the pause
]

NOW = Walk(
    STORY,
    CORRECTION,
    {
        "ticket_volume": Row(5, 3, 0),  # A B C D E; A D E
        "ticket_category_share": Row(2 / 5, 2 / 3, None, ("category", "login")),  # A E of all
        "preferred_channel_share": Row(2 / 5, 2 / 3, None, ("channel", "email")),  # A E of all
        "ticket_backlog": Row(2, 1, 0),  # C D; D
        "backlog_oldest_age": Row(3_000, 2_400, None),  # C: 60 - 10 min; D: 60 - 20 min
        "backlog_unassigned": Row(1, 0, 0),  # C
        "backlog_unattended": Row(2, 1, 0),  # C, and D who has written since; D
        # created 5 + reopened 2 (B D) - solved 5 (A B D E, B again); 3 + 1 (D) - 3 (A D E)
        "backlog_net_flow": Row(2, 1, 0),
        "backlog_days_to_clear": Row(2 / 4, 1 / 3, None),  # C D by A B D E; D by A D E
        "first_response_time": Row(645, 800, None),  # (600 + 180 + 1680 + 120) / 4; (600 + 1680 + 120) / 3
        "open_first_response_age": Row(3_000, None, None),  # C: 60 - 10 min; nobody waits any more
        "next_reply_time": Row(210, 300, None),  # (A: 300 + B: 120) / 2; A
        "response_time_compliance": Row(3 / 4, 1, None),  # all but B, which waited 180 s of 60; A D E
        # (1800 + 600 + 1800 + 420) / 4; (A: 1800 + D: 1800 + E: 420) / 3
        "resolution_time_first": Row(1_155, 1_340, None),
        # D is open again: (A: 1800 + B: 1800 + E: 420) / 3; (1800 + 420) / 2
        "resolution_time_full": Row(1_340, 1_110, None),
        "fcr_provisional": Row(2 / 4, 2 / 3, None),  # D E of A B D E; D E of A D E
        "resolution_rate_flow": Row(4 / 5, 1, None),  # A B D E by all; 3 by 3
        "resolution_rate_cohort": Row(3 / 5, 2 / 3, None),  # A B E of all; A E of A D E
        "transfers": Row(2, 1, 0),  # A B; A
        "touches": Row(6 / 4, 4 / 3, None),  # (2 + 2 + 1 + 1) / 4; (2 + 1 + 1) / 3
        # minutes: A 30 + B 10 + 12 + C 50 + D 30 + 1 + 2 + E 7 = 142; A 30 + D 30 + 1 + 1 + 3 + E 7 = 72
        "requester_wait_time": Row(142 * 60, 72 * 60, 0),
        # the same without D's 2 minutes on hold; without the 1 that is left
        "agent_work_time": Row(140 * 60, 71 * 60, 0),
        "on_hold_time": Row(120, 60, 0),  # D: 52 to 54; to 53
        "illegitimate_pause_time": Row(240, 60, 0),  # D: 56 to 60; to 57
    },
)
A_WEEK_LATER = Walk(
    STORY,
    CORRECTION,
    {"reopen_rate": Row(2 / 4, 1 / 3, None)},  # B D of A B D E; D of A D E
    minute=8 * 1_440,
)
WALKS = (NOW, A_WEEK_LATER)
