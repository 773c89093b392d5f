"""What stands on which board. Titles, units, targets and advice are the catalogue's; only the choice is made here."""

from __future__ import annotations

from typing import Final, Literal

import msgspec


class Tile(msgspec.Struct, frozen=True):
    """One big number: a KPI in one window."""

    kpi: str
    window: str
    stat: str = "value"
    """``value``, or a statistic of a duration: ``p90`` says what the slow end is like."""


class Column(msgspec.Struct, frozen=True):
    """A column of a panel, as a tile but without a target beside it."""

    kpi: str
    window: str
    title: str
    """Short: the panel's title says the rest."""


class Panel(msgspec.Struct, frozen=True):
    """A small table: a row for each value of a dimension, those with the most of the first column on top."""

    id: str
    title: str
    dimension: str
    columns: tuple[Column, ...]
    shape: Literal["table", "bars", "countdown"] = "table"
    """``bars``: of the first column; ``countdown``: the first column is the time left, the least on top."""


class DeadlinePanel(msgspec.Struct, frozen=True):
    """Single tickets and chats with the time that they have left, the least on top, then those that were missed."""

    id: str
    title: str


class Board(msgspec.Struct, frozen=True):
    """One screen for one sort of viewer."""

    id: str
    title: str
    audience: str
    tiles: tuple[Tile, ...]
    panels: tuple[Panel | DeadlinePanel, ...]
    on_a_wall: bool = True
    """Whether kiosk mode shows it."""


_HOUR: Final = "rolling:1h"
_DAY: Final = "rolling:24h"
_NOW: Final = "instant"
_MONTH: Final = "rolling:30d"

_QUEUE: Final = Panel(
    "queue",
    "Queue now",
    "group",
    (
        Column("queue_length", _NOW, "waiting"),
        Column("longest_wait", _NOW, "longest"),
        Column("service_level", _HOUR, "in target"),
    ),
)
_TICKETS: Final = DeadlinePanel("tickets", "About to breach")
_BREACH: Final = Panel(
    "breach",
    "Next breach by group",
    "group",
    (Column("sla_next_breach_in", _NOW, "next breach in"), Column("sla_at_risk", _NOW, "at risk")),
    "countdown",
)
_BREACH_BY_PROMISE: Final = Panel("promises", "Next breach by promise", "metric", _BREACH.columns, "countdown")
_BACKLOG_AGE: Final = Panel(
    "backlog-age", "Backlog by age", "age_band", (Column("ticket_backlog", _NOW, "tickets"),), "bars"
)
_BACKLOG_CATEGORY: Final = Panel(
    "backlog-category", "Backlog by category", "category", (Column("ticket_backlog", _NOW, "tickets"),), "bars"
)
_AGENTS: Final = Panel(
    "agents",
    "Agents by group",
    "group",
    (
        Column("agents_required", _NOW, "required"),
        Column("agent_occupancy", "today", "occupied"),
        Column("agent_concurrency", "today", "chats each"),
    ),
)
_CHANNELS: Final = Panel(
    "channels",
    "By channel, last hour",
    "channel",
    (
        Column("ticket_volume", _HOUR, "tickets"),
        Column("first_response_time", _HOUR, "first response"),
        Column("response_time_compliance", _HOUR, "in target"),
    ),
)
_CHANNELS_TODAY: Final = Panel(
    "channels-today",
    "By channel, today",
    "channel",
    (
        Column("ticket_volume", "today", "tickets"),
        Column("first_response_time", "today", "first response"),
        Column("csat", "today", "satisfied"),
    ),
)
_PLANS: Final = Panel(
    "revenue",
    "Revenue by plan",
    "plan",
    (Column("mrr", _NOW, "MRR"), Column("customers", _NOW, "customers"), Column("mrr_churned", _MONTH, "churned")),
)

BOARDS: Final[tuple[Board, ...]] = (
    Board(
        "agents",
        "Agents",
        "The team: what waits, and for how long",
        (
            Tile("queue_length", _NOW),
            Tile("longest_wait", _NOW),
            Tile("service_level", _HOUR),
            Tile("backlog_unattended", _NOW),
        ),
        (_QUEUE, _TICKETS, _BREACH),
    ),
    Board(
        "floor",
        "Floor",
        "The supervisor: what to do in the next minutes",
        (
            Tile("service_level", _HOUR),
            Tile("queue_length", _NOW),
            Tile("longest_wait", _NOW),
            Tile("response_time_compliance", _HOUR),
            Tile("open_first_response_age", _NOW),
            Tile("sla_at_risk", _NOW),
        ),
        (_QUEUE, _TICKETS, _BREACH, _BACKLOG_AGE, _BACKLOG_CATEGORY, _AGENTS),
    ),
    Board(
        "analyst",
        "Analyst",
        "The real-time analyst: staffing against need",
        (
            Tile("chat_volume", _HOUR),
            Tile("handle_time", _HOUR),
            Tile("chat_abandonment_rate", _HOUR),
            Tile("answer_time", _HOUR),
            Tile("agents_required", _NOW),
            Tile("agent_occupancy", "today"),
        ),
        (_QUEUE, _AGENTS, _CHANNELS, _BREACH_BY_PROMISE),
    ),
    Board(
        "manager",
        "Manager",
        "The manager: how the day goes",
        (
            Tile("first_response_time", "today"),
            Tile("sla_achievement", "today"),
            Tile("csat", "today"),
            Tile("ticket_backlog", _NOW),
            Tile("backlog_oldest_age", _NOW),
            Tile("resolution_time_full", "today"),
        ),
        (_CHANNELS_TODAY, _BACKLOG_AGE, _BACKLOG_CATEGORY, _AGENTS),
    ),
    Board(
        "leadership",
        "Leadership",
        "A page to read, not a wall: revenue, churn, cost",
        (
            Tile("mrr", _NOW),
            Tile("churn_rate", _MONTH),
            Tile("nrr", _MONTH),
            Tile("mrr_at_risk", _NOW),
            Tile("csat", _DAY),
            Tile("cost_per_ticket", _MONTH),
        ),
        (_PLANS, _CHANNELS_TODAY),
        on_a_wall=False,
    ),
)

BY_ID: Final[dict[str, Board]] = {board.id: board for board in BOARDS}
FILTERS: Final = ("channel", "group", "category")
"""Dimensions that a viewer may choose one value of. Records are cut by one dimension at a time, so one at a time."""
