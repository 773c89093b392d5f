"""The CloudEvents envelope, and the field types that all events share.

Limits, chosen so that no single field can hurt: ids 256 characters, free text 256, lists 1,000 members. Money is
integer minor units, at most 10^14 an event, so that sums stay inside 64 bits.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from stream_kpi.events.currencies import ALPHA_CODES, numeric_code
from stream_kpi.events.rejection import InvalidEventError, Reason
from stream_kpi.events.times import event_time_ms

MAX_TEXT_CHARS = 256
MAX_AMOUNT = 10**14
MAX_SECONDS = 366 * 86_400

Id = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARS)]
"""Of an event, an entity, an agent, a customer..."""
Text = Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]
"""An optional free-text dimension. Empty means the same as absent: unknown."""
RequiredText = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARS)]
Time = Annotated[str, Meta(max_length=64, extra_json_schema={"format": "date-time"})]
"""RFC 3339 with an offset."""
Amount = Annotated[int, Meta(ge=-MAX_AMOUNT, le=MAX_AMOUNT)]
"""Money in minor units."""
Currency = Annotated[str, Meta(extra_json_schema={"enum": list(ALPHA_CODES)})]
"""ISO 4217, upper case."""
Seconds = Annotated[float, Meta(ge=0, le=MAX_SECONDS)]
ScalePoint = Annotated[float, Meta(ge=-1e6, le=1e6)]


class Event(Struct, frozen=True, gc=False, kw_only=True, tag_field="type"):
    """What every event carries. Subclasses add ``data``, typed; their tag is the CloudEvents ``type``.

    ``gc=False``: an event is a tree, so the cycle collector never has to look at it.
    """

    specversion: Literal["1.0"]
    id: Id
    """With ``source`` the identity of the event: the same pair again is a duplicate."""
    source: Id
    subject: Id
    """The entity's id, and the Kafka record key."""
    time: Time | None = None
    """When it happened. None: the record's timestamp counts."""


class Data(Struct, frozen=True, gc=False, kw_only=True):
    """Base of every event's ``data``. Unknown fields are ignored."""


class SurveySentData(Data, frozen=True, gc=False, kw_only=True):
    """A survey was offered."""

    survey_id: Id
    kind: Literal["csat", "ces", "nps"]


class SurveyAnsweredData(Data, frozen=True, gc=False, kw_only=True):
    """A survey was answered; the same ``survey_id`` again is a re-rating that replaces. Refused with
    ``invalid_scale`` unless scale_min < scale_max and scale_min <= score <= scale_max."""

    survey_id: Id
    kind: Literal["csat", "ces", "nps"]
    score: ScalePoint
    scale_min: ScalePoint
    scale_max: ScalePoint

    def __post_init__(self) -> None:
        """Refuse a score that has no place on its scale."""
        if not (self.scale_min < self.scale_max and self.scale_min <= self.score <= self.scale_max):
            raise InvalidEventError(
                Reason.INVALID_SCALE, f"score {self.score} on a scale from {self.scale_min} to {self.scale_max}"
            )


def check_currency(code: str) -> None:
    """Raise InvalidEventError (``unknown_currency``) unless the code is in the table."""
    try:
        numeric_code(code)
    except KeyError:
        raise InvalidEventError(Reason.UNKNOWN_CURRENCY, f"{code[:32]!r} is not an ISO 4217 code") from None


def checked_time_ms(text: str) -> int:
    """Epoch milliseconds of a time in ``data``. InvalidEventError (``invalid_time``): not RFC 3339, or before 1970."""
    time_ms = event_time_ms(text)
    if time_ms < 0:
        raise InvalidEventError(Reason.INVALID_TIME, f"{text!r} is before 1970")
    return time_ms
