"""What a chat keeps of its events: the fields that measures need."""

from __future__ import annotations

from typing import ClassVar

from stream_kpi.lifecycles.history import Answer, HistoryEvent, Sent


class Queued(HistoryEvent, frozen=True, gc=False, tag=0):
    """A customer began to wait. Before everything else, whatever its time."""

    queue: str
    channel: str
    priority: str | None
    category: str | None
    brand: str | None
    customer_id: str | None = None

    opens: ClassVar[bool] = True


class Transferred(HistoryEvent, frozen=True, gc=False, tag=1):
    """The chat went to another queue or agent."""

    to_queue: str | None
    to_agent: str | None

    rank: ClassVar[int] = 3


class Accepted(HistoryEvent, frozen=True, gc=False, tag=2):
    """An agent answered."""

    agent_id: str
    queue: str | None
    """None: the queue stays."""

    rank: ClassVar[int] = 4


class Left(HistoryEvent, frozen=True, gc=False, tag=3):
    """The customer left the queue without an agent."""

    reason: str

    rank: ClassVar[int] = 6


class Ended(HistoryEvent, frozen=True, gc=False, tag=4):
    """The chat is over."""

    by: str
    after_work_ms: int
    resolved: bool = False

    rank: ClassVar[int] = 6


class SurveyAnswered(Answer, frozen=True, gc=False, tag=5):
    """A survey about the chat was answered, or answered again."""


class SurveySent(Sent, frozen=True, gc=False, tag=6):
    """A survey about the chat went out."""


class CustomerWrote(HistoryEvent, frozen=True, gc=False, tag=7):
    """A message of the customer."""

    rank: ClassVar[int] = 4


class AgentWrote(HistoryEvent, frozen=True, gc=False, tag=8):
    """A message of a human agent, which answers all that the customer wrote."""

    rank: ClassVar[int] = 4


ChatEvent = Queued | Transferred | Accepted | Left | Ended | SurveyAnswered | SurveySent | CustomerWrote | AgentWrote
"""For decoding a packed history: ``list[ChatEvent]``."""
