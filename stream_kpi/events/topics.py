"""The four input topics."""

from __future__ import annotations

from enum import Enum


class TopicKind(Enum):
    """Which contract a topic follows; the value is the topic's default name."""

    TICKET = "support.tickets.v1"
    CHAT = "support.chats.v1"
    SUBSCRIPTION = "billing.subscriptions.v1"
    SIGNAL = "business.signals.v1"

    @property
    def default_topic(self) -> str:
        """The topic's name unless the settings give another."""
        return self.value


def dead_letter_topic(topic: str) -> str:
    """Where the rejected records of a source topic go."""
    return f"{topic}.dlq"


def late_topic(topic: str) -> str:
    """Where the events of a source topic go that came after their entity had left."""
    return f"{topic}.late"
