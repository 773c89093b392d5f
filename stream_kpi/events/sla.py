"""The wire contract of what leaves about service levels: CloudEvents of ``support.sla.events.v1``."""

from __future__ import annotations

from typing import Literal

import msgspec

from stream_kpi.events.envelope import Id, Text, Time

SlaEventType = Literal[
    "sla.started",
    "sla.paused",
    "sla.resumed",
    "sla.retargeted",
    "sla.at_risk",
    "sla.breached",
    "sla.fulfilled",
    "sla.cancelled",
    "sla.retracted",
]


class SlaData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to an instance: one metric of one ticket or chat, from its start until it is fulfilled or
    cancelled. ``sla.retracted`` repeats the data of the event that it takes back."""

    metric: str
    policy: str
    instance: str
    """Tells the metric's instances of this ticket or chat apart: when it started, and ``.1``, ``.2``... where
    several did at once."""
    priority: Text | None
    started_at: Time
    """From when the target counts."""
    deadline: Time | None
    """When it is, or was, missed. Null: the clock stands, or its schedule is never open long enough."""
    horizon_s: int | None = None
    """Of ``sla.at_risk``: how long before the deadline."""
    late_by_s: float | None = None
    """Of ``sla.fulfilled`` after the breach: by how much the target was exceeded, on its clock."""
    retracts: Id | None = None
    """Of ``sla.retracted``: the id of the event that turned out not to have been."""


class SlaEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a service level. The same step has the same id, however often it is sent; a step that turns out to
    have been otherwise is retracted, and told anew under another id."""

    specversion: Literal["1.0"] = "1.0"
    id: Id
    source: Id
    type: SlaEventType
    subject: Id
    """The ticket's or chat's id, and the Kafka record key."""
    time: Time
    """When it happened: the deadline of a breach, for one; of ``sla.retracted`` the time of what it takes back."""
    datacontenttype: Literal["application/json"] = "application/json"
    data: SlaData
