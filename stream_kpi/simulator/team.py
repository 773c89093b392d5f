"""The team and its customers: who works when, what customers want, how busy an hour is."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

HOUR_WEIGHTS = (
    0.14, 0.10, 0.08, 0.08, 0.10, 0.18, 0.40, 0.90, 1.60, 2.20, 2.35, 2.10,
    1.60, 1.75, 2.20, 2.15, 1.80, 1.35, 0.95, 0.70, 0.55, 0.40, 0.28, 0.20,
)  # fmt: skip
"""Arrivals by local hour relative to the day's mean: a morning and an afternoon peak, a quiet night."""
WEEKEND_WEIGHT = 0.5

Weighted = Mapping[str, float]
"""``{value: relative frequency}``."""


class Shift(msgspec.Struct, frozen=True):
    """A span of work by local time, with a break in its middle."""

    start_hour: float
    hours: float
    share: float
    """Of the agents."""


class Queue(msgspec.Struct, frozen=True):
    """A queue of chats or calls."""

    name: str
    channel: str
    group: str
    share: float
    """Of the chats, or of the calls."""


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about the organisation that a simulation takes as given. Shares and weights are relative."""

    local_offset_ms: int = 0
    """The team's local time minus UTC."""
    tickets_per_day: float = 1_500
    chats_per_day: float = 1_100
    calls_per_day: float = 500
    visits_per_day: float = 1_200
    mentions_per_day: float = 60
    subscription_changes_per_day: float = 90
    desk_agents: int = 28
    """They answer tickets, one at a time."""
    chat_agents: int = 8
    """They take up to ``chat_capacity`` chats at once."""
    phone_agents: int = 13
    chat_capacity: int = 3
    customers: int = 4_000
    subscribers: int = 800
    """Customers that pay when the simulation starts."""
    shifts: tuple[Shift, ...] = (
        Shift(7.0, 8.5, 0.32),
        Shift(9.0, 8.5, 0.36),
        Shift(13.0, 8.5, 0.22),
        Shift(21.0, 10.5, 0.10),
    )
    channels: Weighted = MappingProxyType({"email": 46, "web": 24, "api": 6, "social": 8, "chat": 7, "phone": 9})
    priorities: Weighted = MappingProxyType({"low": 18, "normal": 58, "high": 18, "urgent": 6})
    brands: Weighted = MappingProxyType({"acme": 62, "nimbus": 27, "fable": 11})
    groups: Mapping[str, Weighted] = MappingProxyType(
        {
            "general": {"how_to": 12, "feedback": 4, "account_access": 11, "other": 6},
            "billing": {"invoice": 9, "refund": 6, "payment_failed": 5, "plan_change": 3},
            "technical": {"bug": 13, "outage": 3, "integration": 5, "performance": 4},
            "orders": {"delivery": 8, "returns": 5, "damaged": 2},
        }
    )
    """Group -> its categories."""
    queues: tuple[Queue, ...] = (
        Queue("support_chat", "chat", "general", 0.48),
        Queue("billing_chat", "chat", "billing", 0.20),
        Queue("messaging", "whatsapp", "orders", 0.32),
        Queue("support_line", "voice", "technical", 0.62),
        Queue("billing_line", "voice", "billing", 0.38),
    )


def local_hour(team: Team, time_ms: int) -> float:
    """Hours since the team's local midnight."""
    return (time_ms + team.local_offset_ms) % DAY_MS / HOUR_MS


def is_weekend(team: Team, time_ms: int) -> bool:
    """Whether it is Saturday or Sunday where the team is."""
    return ((time_ms + team.local_offset_ms) // DAY_MS + 3) % 7 >= 5  # 1970-01-01 was a Thursday


def busyness(team: Team, time_ms: int) -> float:
    """Rate of arrivals relative to a working day's mean."""
    weight = HOUR_WEIGHTS[int(local_hour(team, time_ms))]
    return weight * WEEKEND_WEIGHT if is_weekend(team, time_ms) else weight
