"""Policies: which target a metric has, by priority, for whom, on which clock (kpis.md, SLA)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stream_kpi.calendars.schedule import ALWAYS, Schedule
from stream_kpi.calendars.timeline import Timeline

FIRST_RESPONSE: Final = "first_response"
NEXT_REPLY: Final = "next_reply"
PERIODIC_UPDATE: Final = "periodic_update"
RESOLUTION: Final = "resolution"
REQUESTER_WAIT: Final = "requester_wait"
AGENT_WORK: Final = "agent_work"
ANSWER: Final = "answer"

TICKET_METRICS: Final = (FIRST_RESPONSE, NEXT_REPLY, PERIODIC_UPDATE, RESOLUTION, REQUESTER_WAIT, AGENT_WORK)
CHAT_METRICS: Final = (ANSWER,)
METRICS: Final = (*TICKET_METRICS, *CHAT_METRICS)

MINUTE_MS: Final = 60_000
MOST_HORIZON_MINUTES: Final = 7 * 1_440
"""The longest horizon; each minute up to it has a slot of its own."""

Clock = Schedule | Timeline
"""What counts the time of a target."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The targets of one metric, in milliseconds on the policy's clock, by priority."""

    by_priority: Mapping[str, int]
    other_ms: int | None = None
    """Of every other priority, and of none. None: no target."""

    def of(self, priority: str | None) -> int | None:
        """The target of a priority."""
        return self.by_priority.get(priority or "", self.other_ms)


@dataclass(frozen=True, slots=True)
class Policy:
    """What is promised to some tickets or chats: those that have one of the values of each dimension that is given
    (None: any)."""

    name: str
    targets: Mapping[str, Targets]
    """By metric."""
    channels: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    brands: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    schedule: Schedule | None = ALWAYS
    """On whose open hours the targets run. None: on those that apply to the ticket or chat."""
    horizon_minutes: tuple[int, ...] = ()
    """How long before its deadline an instance is at risk, in minutes of the calendar, longest first."""

    def target_ms(self, metric: str, priority: str | None) -> int | None:
        """The target of a metric; None where nothing is promised."""
        targets = self.targets.get(metric)
        return None if targets is None else targets.of(priority)

    def covers(self, channel: str | None, group: str | None, brand: str | None, category: str | None) -> bool:
        """Whether it is for what has these dimensions."""
        return (
            (self.channels is None or channel in self.channels)
            and (self.groups is None or group in self.groups)
            and (self.brands is None or brand in self.brands)
            and (self.categories is None or category in self.categories)
        )


class Policies:
    """All policies, in the order in which they are asked."""

    def __init__(self, policies: tuple[Policy, ...]) -> None:
        self.all = policies
        self.metrics = frozenset(metric for policy in policies for metric in policy.targets)
        """Those that any policy has a target of."""
        self.horizon_minutes = tuple(sorted({h for policy in policies for h in policy.horizon_minutes}, reverse=True))
        """Those of any policy, longest first."""
        self._of_tickets = tuple(p for p in policies if not p.targets.keys().isdisjoint(TICKET_METRICS))
        self._of_chats = tuple(p for p in policies if not p.targets.keys().isdisjoint(CHAT_METRICS))

    def of_ticket(
        self, named: str | None, channel: str | None, group: str | None, brand: str | None, category: str | None
    ) -> Policy | None:
        """The policy that the ticket names; if it names none of these, the first that covers it."""
        by_name = (policy for policy in self._of_tickets if policy.name == named)
        covering = (policy for policy in self._of_tickets if policy.covers(channel, group, brand, category))
        return next(by_name, None) or next(covering, None)

    def of_chat(self, channel: str | None, queue: str | None, brand: str | None, category: str | None) -> Policy | None:
        """The first policy that covers the chat, whose group is its queue."""
        return next((policy for policy in self._of_chats if policy.covers(channel, queue, brand, category)), None)
