"""Transitions of service levels as the records that tell of them."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import msgspec

from stream_kpi.events.records import Outgoing
from stream_kpi.events.sla import SlaData, SlaEvent, SlaEventType
from stream_kpi.kpis.record import timestamp
from stream_kpi.lifecycles.sla.transition import Transition

SOURCE: Final = "/stream-kpi/sla"
_HEADERS: Final = [("content-type", b"application/cloudevents+json")]
_encode = msgspec.json.Encoder().encode


def sla_event(subject: str, transition: Transition) -> SlaEvent:
    """What is told of a transition of a ticket or chat."""
    happened = transition._replace(retracted=False)
    happened_id = _id(subject, happened)
    started_at = timestamp(transition.started_ms)
    retracted = transition.retracted
    event_type: SlaEventType = "sla.retracted" if retracted else f"sla.{transition.name}"  # type: ignore[assignment]  # the names are those of the transitions
    data = SlaData(
        metric=transition.metric,
        policy=transition.policy,
        instance=f"{started_at}.{transition.nth}" if transition.nth else started_at,
        priority=transition.priority,
        started_at=started_at,
        deadline=None if transition.deadline_ms is None else timestamp(transition.deadline_ms),
        horizon_s=None if transition.horizon_minutes is None else transition.horizon_minutes * 60,
        late_by_s=None if transition.late_by_ms is None else transition.late_by_ms / 1_000,
        retracts=happened_id if retracted else None,
    )
    return SlaEvent(
        id=_id(subject, transition) if retracted else happened_id,
        source=SOURCE,
        type=event_type,
        subject=subject,
        time=timestamp(transition.time_ms),
        data=data,
    )


def sla_record(topic: str, subject: str, transition: Transition) -> Outgoing:
    """The record of a transition, keyed by its subject."""
    value = _encode(sla_event(subject, transition))
    return Outgoing(topic, None, subject.encode(), value, _HEADERS, transition.time_ms)


def _id(subject: str, transition: Transition) -> str:
    """A function of everything that the event says."""
    return blake2b(_encode((subject, transition)), digest_size=16).hexdigest()
