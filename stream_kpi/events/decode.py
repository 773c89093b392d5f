"""Records become typed events, in one pass each; bad ones become outcomes, never errors.

The way of a good structured record is short on purpose: one msgspec call that parses and validates, one time. What
is wrong with a bad one is found out only after that has failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

import msgspec

from stream_kpi.events.chats import ChatWire
from stream_kpi.events.envelope import Event, Id, Time
from stream_kpi.events.records import InputRecord
from stream_kpi.events.rejection import InvalidEventError, Reason, Rejected, UnknownType
from stream_kpi.events.signals import SignalWire
from stream_kpi.events.subscriptions import SubscriptionWire
from stream_kpi.events.tickets import TicketWire
from stream_kpi.events.times import event_time_ms
from stream_kpi.events.topics import TopicKind

TIME_MISSING = "time_missing"
"""Counter key: events whose time is their record's timestamp."""

WIRE: dict[TopicKind, Any] = {
    TopicKind.TICKET: TicketWire,
    TopicKind.CHAT: ChatWire,
    TopicKind.SUBSCRIPTION: SubscriptionWire,
    TopicKind.SIGNAL: SignalWire,
}
"""The union of each topic's event types."""

TYPES: dict[TopicKind, dict[str, type[Event]]] = {
    kind: {event_type.__struct_config__.tag: event_type for event_type in get_args(wire)} for kind, wire in WIRE.items()
}
"""``{CloudEvents type: class}`` of each topic."""

_KIND_OF = {name: kind for kind, types in TYPES.items() for name in types}

Headers = Sequence[tuple[str, bytes | None]]
Outcome = Event | Rejected | UnknownType


class _Type(msgspec.Struct, frozen=True, gc=False):
    type: str


class _Attributes(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The envelope of binary mode, where it comes in headers."""

    specversion: Literal["1.0"]
    id: Id
    source: Id
    subject: Id
    time: Time | None = None


_PARSE = {kind: msgspec.json.Decoder(wire).decode for kind, wire in WIRE.items()}
_PARSE_DATA = {
    event_type: msgspec.json.Decoder(msgspec.structs.fields(event_type)[-1].type).decode
    for types in TYPES.values()
    for event_type in types.values()
}
_parse_type = msgspec.json.Decoder(_Type).decode
_STRUCTURED = b"application/cloudevents+json"
_BINARY_JSON = (b"application/json", b"text/json")


def decode(kind: TopicKind, value: bytes | None, headers: Headers, timestamp_ms: int) -> tuple[Event, int]:
    """One record's event, and its time in epoch milliseconds.

    ``timestamp_ms`` is the record's, the event's time when it states none itself (``event.time`` is None then); -1:
    it has none. Raises Rejected for an invalid record, UnknownType for a type that the contract does not have, and
    nothing else, whatever the bytes.
    """
    try:
        event = _parse(kind, value, headers)
        time_ms = timestamp_ms if event.time is None else event_time_ms(event.time)
    except (ValueError, RecursionError) as error:
        raise _outcome(kind, value, error) from None
    if "\0" in event.id:
        raise Rejected(Reason.INVALID_ENVELOPE, "id holds a NUL character")
    if time_ms < 0:
        if event.time is None:
            raise Rejected(Reason.MISSING_TIME, "the event has no time and its record no timestamp")
        raise Rejected(Reason.INVALID_TIME, f"{event.time!r} is before 1970")
    return event, time_ms


def decode_line(content: bytes) -> tuple[TopicKind, Event, int]:
    """A structured event of any topic, as a line of a file, which has no timestamp. Raises as :func:`decode`."""
    kind = TopicKind.TICKET  # where no type can be read, any topic's contract says what is wrong
    try:
        name = _parse_type(content).type
    except (ValueError, RecursionError):
        pass
    else:
        if name not in _KIND_OF:
            raise UnknownType(name)
        kind = _KIND_OF[name]
    event, time_ms = decode(kind, content, (), -1)
    return kind, event, time_ms


def decode_batch(
    kind: TopicKind, records: Iterable[InputRecord], counts: Counter[str]
) -> list[tuple[InputRecord, Outcome, int]]:
    """Every record with its outcome and time, in order; bad records are outcomes too, with their record's timestamp.

    Adds to ``counts[TIME_MISSING]`` for each event that states no time.
    """
    outcomes: list[tuple[InputRecord, Outcome, int]] = []
    parse = _PARSE[kind]
    for record in records:
        value = record.value
        headers = record.headers
        if value is not None and (not headers or _says_structured(headers)):
            try:
                event: Event = parse(value)
                time_ms = event_time_ms(event.time)  # type: ignore[arg-type]  # None goes the long way below
                if time_ms >= 0 and "\0" not in event.id:
                    outcomes.append((record, event, time_ms))
                    continue
            except (ValueError, TypeError, RecursionError):  # TypeError: no time
                pass  # the long way below finds out what it is
        outcomes.append(_decode_record(kind, record, counts))
    return outcomes


def _says_structured(headers: Headers) -> bool:
    for name, content in headers:
        if name == "content-type":
            return content == _STRUCTURED
    return False


def _decode_record(kind: TopicKind, record: InputRecord, counts: Counter[str]) -> tuple[InputRecord, Outcome, int]:
    try:
        event, time_ms = decode(kind, record.value, record.headers, record.timestamp)
    except (Rejected, UnknownType) as outcome:
        outcome.__context__ = None  # it would keep the bytes of the record alive
        return record, outcome.with_traceback(None), record.timestamp
    if event.time is None:
        counts[TIME_MISSING] += 1
    return record, event, time_ms


def _parse(kind: TopicKind, value: bytes | None, headers: Headers) -> Event:
    if value is None:
        raise Rejected(Reason.TOMBSTONE, "the record has no value")
    if headers:
        content_type = b""
        attributes: dict[str, bytes | None] = {}
        for name, content in headers:
            if name.startswith("ce_"):
                attributes[name[3:]] = content
            elif name.lower() == "content-type":
                content_type = (content or b"").partition(b";")[0].strip().lower()
        if content_type != _STRUCTURED:
            if attributes:
                return _parse_binary(kind, value, content_type, attributes)
            if content_type:
                raise Rejected(Reason.UNSUPPORTED_CONTENT_TYPE, f"content-type {content_type!r} without ce_ headers")
    event: Event = _PARSE[kind](value)
    return event


def _parse_binary(kind: TopicKind, value: bytes, content_type: bytes, attributes: Mapping[str, bytes | None]) -> Event:
    if content_type and content_type not in _BINARY_JSON and not content_type.endswith(b"+json"):
        raise Rejected(Reason.UNSUPPORTED_CONTENT_TYPE, f"content-type {content_type!r} in binary mode")
    try:
        texts = {name: content.decode() for name, content in attributes.items() if content is not None}
    except UnicodeDecodeError as error:
        raise Rejected(Reason.INVALID_ENVELOPE, f"a ce_ header is not UTF-8: {error}") from None
    name = texts.pop("type", None)
    if name is None:
        raise Rejected(Reason.INVALID_ENVELOPE, "no header ce_type")
    event_type = TYPES[kind].get(name)
    if event_type is None:
        raise UnknownType(name)
    try:
        envelope = msgspec.convert(texts, _Attributes)
    except msgspec.ValidationError as error:
        raise Rejected(Reason.INVALID_ENVELOPE, f"ce_ headers: {error}") from None
    try:
        data = _PARSE_DATA[event_type](value)
    except msgspec.ValidationError as error:
        raise _invalid(error, Reason.INVALID_DATA) from None
    make: Any = event_type  # `data` is a field of each type, not of their base
    event: Event = make(
        specversion=envelope.specversion,
        id=envelope.id,
        source=envelope.source,
        subject=envelope.subject,
        time=envelope.time,
        data=data,
    )
    return event


def _outcome(kind: TopicKind, value: bytes | None, error: ValueError | RecursionError) -> Rejected | UnknownType:
    if isinstance(error, RecursionError):
        return Rejected(Reason.TOO_DEEP, "the JSON is nested too deep")
    if isinstance(error, InvalidEventError):
        return Rejected(error.reason, str(error))
    if not isinstance(error, msgspec.ValidationError):
        return Rejected(Reason.INVALID_JSON, str(error))
    if value is not None:
        try:
            name = _parse_type(value).type
        except msgspec.ValidationError:
            pass
        except (ValueError, RecursionError) as worse:
            return _outcome(kind, None, worse)
        else:
            if name not in TYPES[kind]:
                return UnknownType(name)
    path = str(error).rpartition(" - at `$")[2]
    return _invalid(error, Reason.INVALID_DATA if path.startswith(".data") else Reason.INVALID_ENVELOPE)


def _invalid(error: msgspec.ValidationError, reason: Reason) -> Rejected:
    """A rule of our own (InvalidEventError) is the cause of the error that msgspec wraps it in."""
    cause = error.__cause__
    return Rejected(cause.reason, str(cause)) if isinstance(cause, InvalidEventError) else Rejected(reason, str(error))
