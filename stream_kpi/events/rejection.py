"""Why a record was refused, and the dead letter that keeps it."""

from __future__ import annotations

from enum import StrEnum

from stream_kpi.events.records import InputRecord, Outgoing
from stream_kpi.events.topics import dead_letter_topic

MAX_DETAIL_CHARS = 500
"""A dead letter's text stays far below what brokers allow for headers."""


class Reason(StrEnum):
    """Reason codes: label values of the counter of rejected events and the ``stream_kpi.reason`` of dead letters."""

    TOMBSTONE = "tombstone"
    INVALID_JSON = "invalid_json"
    TOO_DEEP = "too_deep"
    UNSUPPORTED_CONTENT_TYPE = "unsupported_content_type"
    INVALID_ENVELOPE = "invalid_envelope"
    INVALID_DATA = "invalid_data"
    INVALID_TIME = "invalid_time"
    MISSING_TIME = "missing_time"
    UNKNOWN_CURRENCY = "unknown_currency"
    INVALID_SCALE = "invalid_scale"
    AMOUNT_TOO_LARGE = "amount_too_large"
    FUTURE = "future"
    ENTITY_TOO_LARGE = "entity_too_large"
    RECORD_TOO_LARGE = "record_too_large"


ADVICE: dict[Reason, str] = {
    Reason.TOMBSTONE: "The record has no value; source topics hold events only, so send none and do not compact them.",
    Reason.INVALID_JSON: "The value is not JSON in UTF-8 (cut short, other bytes, a lone surrogate): look at the "
    "producer's serializer.",
    Reason.TOO_DEEP: "The JSON is nested deeper than any event is: look at what the producer wraps.",
    Reason.UNSUPPORTED_CONTENT_TYPE: "The record is neither a structured nor a binary CloudEvent in JSON: send "
    "content-type application/cloudevents+json, or ce_ headers with a JSON value.",
    Reason.INVALID_ENVELOPE: "A CloudEvents attribute (specversion, id, source, type, subject, time, data) is missing, "
    "empty, too long or of the wrong type: the detail names it.",
    Reason.INVALID_DATA: "A field of data is missing, of the wrong type or out of its range: the detail names it; "
    "compare with the JSON Schema of the type.",
    Reason.INVALID_TIME: "A time is not RFC 3339 with an offset, is before 1970, or ends before it starts: write "
    "2026-03-02T10:02:11.250Z.",
    Reason.MISSING_TIME: "The event has no time and its record no timestamp: set one of them.",
    Reason.UNKNOWN_CURRENCY: "The currency is no ISO 4217 code in upper case: send EUR, USD, JPY...",
    Reason.INVALID_SCALE: "A survey's scale_min is not below its scale_max, or the score lies outside: check the "
    "survey's mapping.",
    Reason.AMOUNT_TOO_LARGE: "The money of one event exceeds what sums can hold: amounts are in minor units; check "
    "the factor.",
    Reason.FUTURE: "The event's time is further ahead of the clock than the skew that is allowed: correct the "
    "producer's clock, then send the event again from the dead-letter topic.",
    Reason.ENTITY_TOO_LARGE: "The ticket, chat or customer has more events than one entity may keep: look for a loop "
    "in the producer.",
    Reason.RECORD_TOO_LARGE: "The record lies on another partition than its subject's and is too large to be sent on: "
    "key it by its subject, and look at what makes it so large.",
}
"""What each reason means and what to do, one sentence each."""


class Rejected(Exception):  # noqa: N818 - an outcome of reading a record, not a failure of the program
    """The record is invalid and belongs into the dead-letter topic."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail[:MAX_DETAIL_CHARS]
        """What exactly, for the person who reads the dead letter; at most MAX_DETAIL_CHARS."""


class UnknownType(Exception):  # noqa: N818 - as above
    """The record is an event of a type that this topic's contract does not have: counted and skipped."""

    def __init__(self, event_type: str) -> None:
        super().__init__(event_type[:MAX_DETAIL_CHARS])
        self.event_type = event_type[:MAX_DETAIL_CHARS]


class InvalidEventError(ValueError):
    """An event breaks a rule that its types do not state. Raised while it is decoded; reading turns it into
    :class:`Rejected` with the same reason."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def dead_letter(record: InputRecord, topic: str, partition: int, reason: Reason, detail: str) -> Outgoing:
    """The record as it came, byte for byte, for ``<topic>.dlq``; where it came from and why it was refused is added
    in headers (those of Kafka Connect, and ``stream_kpi.reason``)."""
    return Outgoing(
        topic=dead_letter_topic(topic),
        partition=None,
        key=record.key,
        value=record.value,
        headers=[
            *record.headers,
            ("__connect.errors.topic", topic.encode()),
            ("__connect.errors.partition", b"%d" % partition),
            ("__connect.errors.offset", b"%d" % record.offset),
            ("__connect.errors.exception.message", detail[:MAX_DETAIL_CHARS].encode(errors="backslashreplace")),
            ("stream_kpi.reason", reason.value.encode()),
        ],
        timestamp_ms=record.timestamp if record.timestamp >= 0 else None,
    )
