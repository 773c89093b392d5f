"""Records become typed events, or outcomes that say why not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from stream_kpi.contracts.documents import FOLDER
from stream_kpi.events import chats, signals, subscriptions, tickets
from stream_kpi.events.decode import TIME_MISSING, TYPES, Outcome, decode, decode_batch, decode_line
from stream_kpi.events.rejection import MAX_DETAIL_CHARS, Reason, Rejected, UnknownType
from stream_kpi.events.topics import TopicKind

EXAMPLES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "examples").glob("*.json"))
}
KIND_OF = {name: kind for kind, types in TYPES.items() for name in types}
STRUCTURED = [("content-type", b"application/cloudevents+json")]
EVENT_MS = 1_772_445_731_250  # 2026-03-02T10:02:11.250Z


@dataclass
class Record:
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp: int = 5_000
    offset: int = 0
    key: bytes | None = b"T-4711"


def one(field: str, value: Any) -> dict[str, Any]:
    return {field: value}


def changed(name: str, /, drop: str = "", **data: Any) -> bytes:
    event = EXAMPLES[name]
    return json.dumps({**event, "data": {k: v for k, v in {**event["data"], **data}.items() if k != drop}}).encode()


def envelope(drop: str = "", **attributes: Any) -> bytes:
    event = {**EXAMPLES["ticket.status"], **attributes}
    event.pop(drop, None)
    return json.dumps(event).encode()


def binary(event: dict[str, Any], **more: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    headers = [(f"ce_{name}", text.encode()) for name, text in event.items() if name != "data"]
    return json.dumps(event["data"]).encode(), [*headers, *more.items()]


def rejection(kind: TopicKind, value: bytes | None, headers: Any = (), timestamp_ms: int = 5_000) -> Rejected:
    with pytest.raises(Rejected) as rejected:
        decode(kind, value, headers, timestamp_ms)
    return rejected.value


def test_every_type_of_every_topic_has_an_example() -> None:
    assert set(EXAMPLES) == set(KIND_OF)
    assert {kind: len(types) for kind, types in TYPES.items()} == {
        TopicKind.TICKET: 8,
        TopicKind.CHAT: 9,
        TopicKind.SUBSCRIPTION: 2,
        TopicKind.SIGNAL: 9,
    }


@pytest.mark.parametrize("name", KIND_OF)
def test_a_structured_event_is_decoded_to_its_type_with_every_field(name: str) -> None:
    example = EXAMPLES[name]
    event, time_ms = decode(KIND_OF[name], json.dumps(example).encode(), (), -1)
    assert type(event) is TYPES[KIND_OF[name]][name]
    built = msgspec.to_builtins(event)
    assert {key: built[key] for key in example if key != "data"} == {k: v for k, v in example.items() if k != "data"}
    for field, value in example["data"].items():
        if field != "items":
            assert built["data"][field] == (tuple(value) if isinstance(value, list) else value)
    assert time_ms > 1_772_000_000_000


@pytest.mark.parametrize("name", KIND_OF)
def test_binary_mode_says_the_same_as_structured_mode(name: str) -> None:
    example = EXAMPLES[name]
    value, headers = binary(example)
    expected = decode(KIND_OF[name], json.dumps(example).encode(), (), -1)
    assert decode(KIND_OF[name], value, headers, -1) == expected
    assert decode(KIND_OF[name], value, [*headers, ("content-type", b"application/json")], -1) == expected


@pytest.mark.parametrize(
    "name", [n for n in KIND_OF if n not in {"ticket.assigned", "ticket.updated", "chat.transferred"}]
)
def test_a_required_field_that_is_missing_or_of_the_wrong_type_is_named_in_both_modes(name: str) -> None:
    kind = KIND_OF[name]
    fields = msgspec.structs.fields(msgspec.structs.fields(TYPES[kind][name])[-1].type)
    required = [field.name for field in fields if field.required]
    assert required
    for field in required:
        for bad in (
            changed(name, drop=field),
            changed(name, **one(field, {"no": 1})),
            changed(name, **one(field, None)),
        ):
            structured = rejection(kind, bad)
            value, headers = binary(json.loads(bad))
            assert structured.reason == rejection(kind, value, headers).reason == Reason.INVALID_DATA
            assert field in structured.detail


@pytest.mark.parametrize("name", KIND_OF)
def test_an_optional_field_of_the_wrong_type_is_refused(name: str) -> None:
    kind = KIND_OF[name]
    fields = msgspec.structs.fields(msgspec.structs.fields(TYPES[kind][name])[-1].type)
    for field in fields:
        refused = rejection(kind, changed(name, **one(field.name, {"no": 1})))
        assert (refused.reason, field.name in refused.detail) == (Reason.INVALID_DATA, True)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("ticket.created", {"channel": ""}, Reason.INVALID_DATA),
        ("ticket.created", {"customer_id": ""}, Reason.INVALID_DATA),
        ("ticket.created", {"category": "x" * 257}, Reason.INVALID_DATA),
        ("ticket.created", {"created_by": "nobody"}, Reason.INVALID_DATA),
        ("ticket.message", {"author": "Agent"}, Reason.INVALID_DATA),
        ("ticket.message", {"public": "yes"}, Reason.INVALID_DATA),
        ("ticket.status", {"status": "done"}, Reason.INVALID_DATA),
        ("ticket.merged", {"into": "T-4712"}, Reason.INVALID_DATA),
        ("ticket.survey_answered", {"score": 6}, Reason.INVALID_SCALE),
        ("ticket.survey_answered", {"score": 0.99}, Reason.INVALID_SCALE),
        ("ticket.survey_answered", {"scale_max": 1}, Reason.INVALID_SCALE),
        ("ticket.survey_answered", {"scale_min": 5, "scale_max": 1}, Reason.INVALID_SCALE),
        ("chat.survey_answered", {"score": 8}, Reason.INVALID_SCALE),
        ("survey.answered", {"score": 11}, Reason.INVALID_SCALE),
        ("survey.answered", {"score": 1e300}, Reason.INVALID_DATA),
        ("chat.ended", {"hold_s": -1}, Reason.INVALID_DATA),
        ("chat.ended", {"after_work_s": 1e12}, Reason.INVALID_DATA),
        ("chat.left", {"reason": "bored"}, Reason.INVALID_DATA),
        ("agent.presence", {"capacity": -1}, Reason.INVALID_DATA),
        ("agent.presence", {"queues": ["q"] * 1001}, Reason.INVALID_DATA),
        ("subscription.changed", {"currency": "EURO"}, Reason.UNKNOWN_CURRENCY),
        ("subscription.changed", {"currency": "eur"}, Reason.UNKNOWN_CURRENCY),
        ("subscription.changed", {"effective_at": "2026-03-01"}, Reason.INVALID_TIME),
        ("subscription.changed", {"effective_at": "1969-12-31T23:59:59Z"}, Reason.INVALID_TIME),
        ("subscription.changed", {"cancel_at": "soon"}, Reason.INVALID_TIME),
        ("invoice.paid", {"currency": ""}, Reason.UNKNOWN_CURRENCY),
        ("invoice.paid", {"amount": 10**14 + 1}, Reason.INVALID_DATA),
        ("invoice.paid", {"amount": 12.5}, Reason.INVALID_DATA),
        ("cost.recorded", {"currency": "ZZZ"}, Reason.UNKNOWN_CURRENCY),
        ("cost.recorded", {"period_start": "2026-04-01T00:00:00+02:00"}, Reason.INVALID_TIME),
    ],
)
def test_a_value_outside_its_range_is_refused_with_its_reason_in_both_modes(
    name: str, data: dict[str, Any], reason: Reason
) -> None:
    bad = changed(name, **data)
    if name == "ticket.merged":
        bad = json.dumps({**json.loads(bad), "subject": "T-4712"}).encode()
    value, headers = binary(json.loads(bad))
    assert rejection(KIND_OF[name], bad).reason == reason
    assert rejection(KIND_OF[name], value, headers).reason == reason


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"discount": 1.01}, Reason.INVALID_DATA),
        ({"discount": -0.01}, Reason.INVALID_DATA),
        ({"quantity": -1}, Reason.INVALID_DATA),
        ({"quantity": 1.5}, Reason.INVALID_DATA),
        ({"interval_count": 0}, Reason.INVALID_DATA),
        ({"interval": "decade"}, Reason.INVALID_DATA),
        ({"plan": ""}, Reason.INVALID_DATA),
        ({"unit_amount": 49.5}, Reason.INVALID_DATA),
        ({"unit_amount": 10**10, "quantity": 10**6}, Reason.AMOUNT_TOO_LARGE),
        ({"unit_amount": -(10**10), "quantity": 10**6}, Reason.AMOUNT_TOO_LARGE),
    ],
)
def test_an_item_outside_its_range_is_refused(item: dict[str, Any], reason: Reason) -> None:
    good = {"plan": "team", "unit_amount": 4900, "interval": "month"}
    decode(TopicKind.SUBSCRIPTION, changed("subscription.changed", items=[good, good]), (), 0)
    refused = rejection(TopicKind.SUBSCRIPTION, changed("subscription.changed", items=[good, {**good, **item}]))
    assert refused.reason == reason


def test_absent_fields_take_their_defaults() -> None:
    created = decode(TopicKind.TICKET, changed("ticket.created", drop="created_by"), (), 0)[0]
    assert isinstance(created, tickets.TicketCreated)
    assert created.data.created_by == "customer"
    message = decode(TopicKind.TICKET, changed("ticket.message", drop="public"), (), 0)[0]
    assert isinstance(message, tickets.TicketMessage)
    assert message.data.public is True
    queued = decode(TopicKind.CHAT, changed("chat.queued", drop="channel"), (), 0)[0]
    assert isinstance(queued, chats.ChatQueued)
    assert queued.data.channel == "chat"
    item = {"plan": "team", "unit_amount": 4900, "interval": "month"}
    subscription = decode(TopicKind.SUBSCRIPTION, changed("subscription.changed", items=[item]), (), 0)[0]
    assert isinstance(subscription, subscriptions.SubscriptionChanged)
    first = subscription.data.items[0]
    assert (first.quantity, first.interval_count, first.usage, first.discount) == (1, 1, "licensed", 0.0)
    mention = decode(TopicKind.SIGNAL, changed("social.mention", drop="sentiment"), (), 0)[0]
    assert isinstance(mention, signals.SocialMention)
    assert mention.data.sentiment is None


def test_an_update_tells_a_field_that_is_cleared_from_one_that_is_not_mentioned() -> None:
    event = decode(TopicKind.TICKET, json.dumps(EXAMPLES["ticket.updated"]).encode(), (), 0)[0]
    assert isinstance(event, tickets.TicketUpdated)
    assert event.data.priority == "urgent"
    assert event.data.category is None
    assert event.data.group is msgspec.UNSET


def test_unknown_fields_are_ignored_wherever_they_stand() -> None:
    event = {**EXAMPLES["ticket.status"], "traceparent": "00-1", "datacontenttype": "application/json", "x": [{}]}
    event["data"] = {**event["data"], "later": {"a": [1]}}
    plain = decode(TopicKind.TICKET, envelope(), (), 0)
    assert decode(TopicKind.TICKET, json.dumps(event).encode(), (), 0) == plain
    value, headers = binary(event | {"x": "y"})
    assert decode(TopicKind.TICKET, value, headers, 0) == plain


@pytest.mark.parametrize("attribute", ["id", "source", "subject"])
def test_an_attribute_that_is_missing_empty_too_long_or_no_text_is_refused(attribute: str) -> None:
    for bad in (
        envelope(drop=attribute),
        envelope(**one(attribute, "")),
        envelope(**one(attribute, "x" * 257)),
        envelope(**one(attribute, 7)),
        envelope(**one(attribute, None)),
    ):
        refused = rejection(TopicKind.TICKET, bad)
        assert (refused.reason, attribute in refused.detail) == (Reason.INVALID_ENVELOPE, True)
    assert decode(TopicKind.TICKET, envelope(**one(attribute, "x" * 256)), (), 0)
    value, headers = binary(EXAMPLES["ticket.status"])
    without = [header for header in headers if header[0] != f"ce_{attribute}"]
    for more in ([], [(f"ce_{attribute}", b"")], [(f"ce_{attribute}", b"\xff")], [(f"ce_{attribute}", None)]):
        assert rejection(TopicKind.TICKET, value, [*without, *more]).reason == Reason.INVALID_ENVELOPE


@pytest.mark.parametrize(
    "bad",
    [
        envelope(drop="specversion"),
        envelope(specversion="0.3"),
        envelope(drop="type"),
        envelope(type=7),
        envelope(drop="data"),
        envelope(id="a\0b"),
        b"[]",
        b"null",
        b'"text"',
        b"17",
        b"{}",
    ],
)
def test_what_is_json_and_no_cloudevent_is_refused(bad: bytes) -> None:
    assert rejection(TopicKind.TICKET, bad).reason == Reason.INVALID_ENVELOPE


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b" ",
        b"\x00",
        b"\xff\xfe\x00",
        b"\xef\xbb\xbf{}",
        b"{",
        b"not json",
        envelope()[:-1],
        envelope()[:40],
        envelope() + b"}",
        envelope().replace(b"T-4711", b"T-\xff"),
        envelope(id="@").replace(b'"@"', b'"\\ud800"'),
        envelope(id="@").replace(b'"@"', b'"\\udc00 and more of it"'),
        envelope(id="@").replace(b'"@"', b'"\\ud800 and more of it"'),
        envelope(type="no.such").replace(b"}}", b"}"),
    ],
)
def test_what_is_no_json_is_refused(bad: bytes) -> None:
    assert rejection(TopicKind.TICKET, bad).reason == Reason.INVALID_JSON


@pytest.mark.parametrize("where", ["top", "data", "binary", "unknown type"])
def test_json_nested_without_end_is_refused_and_the_next_record_is_read(where: str) -> None:
    deep = b"[" * 200_000
    if where == "top":
        assert rejection(TopicKind.TICKET, deep).reason == Reason.INVALID_ENVELOPE  # no object: nobody looks inside
    elif where == "data":
        assert rejection(TopicKind.TICKET, envelope()[:-1] + b',"x":' + deep).reason == Reason.TOO_DEEP
    elif where == "binary":
        value, headers = binary(EXAMPLES["ticket.status"])
        assert rejection(TopicKind.TICKET, value[:-1] + b',"x":' + deep, headers).reason == Reason.TOO_DEEP
    else:
        assert rejection(TopicKind.TICKET, b'{"type":"no.such","x":' + deep).reason == Reason.TOO_DEEP
    assert decode(TopicKind.TICKET, envelope(), (), 0)


def test_a_huge_field_is_refused_and_its_rejection_stays_small() -> None:
    huge = "x" * 1_000_000
    refused = rejection(TopicKind.TICKET, changed("ticket.created", category=huge))
    assert (refused.reason, len(refused.detail) <= MAX_DETAIL_CHARS) == (Reason.INVALID_DATA, True)
    refused = rejection(TopicKind.TICKET, changed("ticket.status", status=huge))
    assert (refused.reason, len(refused.detail) <= MAX_DETAIL_CHARS) == (Reason.INVALID_DATA, True)
    with pytest.raises(UnknownType) as unknown:
        decode(TopicKind.TICKET, envelope(type=huge), (), 0)
    assert len(unknown.value.event_type) <= MAX_DETAIL_CHARS
    assert rejection(TopicKind.TICKET, envelope(time=huge)).reason in {Reason.INVALID_TIME, Reason.INVALID_ENVELOPE}


def test_a_quoted_path_in_the_content_does_not_change_the_reason() -> None:
    refused = rejection(TopicKind.TICKET, envelope(specversion="x - at `$.data.y`"))
    assert refused.reason == Reason.INVALID_ENVELOPE


def test_a_tombstone_is_refused() -> None:
    assert rejection(TopicKind.TICKET, None).reason == Reason.TOMBSTONE
    assert rejection(TopicKind.TICKET, None, binary(EXAMPLES["ticket.status"])[1]).reason == Reason.TOMBSTONE


def test_a_type_of_no_topic_or_of_another_topic_is_unknown_in_both_modes() -> None:
    for name in ("ticket.exploded", "chat.queued", ""):
        event = {**EXAMPLES["ticket.status"], "type": name}
        for value, headers in ((json.dumps(event).encode(), []), binary(event)):
            with pytest.raises(UnknownType) as unknown:
                decode(TopicKind.TICKET, value, headers, 0)
            assert unknown.value.event_type == name


def test_the_time_is_kept_to_the_millisecond_and_a_missing_one_is_the_records() -> None:
    assert decode(TopicKind.TICKET, envelope(time="2026-03-02T11:02:11.2509999+01:00"), (), 7)[1] == EVENT_MS
    for bad in (envelope(drop="time"), envelope(time=None)):
        event, time_ms = decode(TopicKind.TICKET, bad, (), 7_777)
        assert (event.time, time_ms) == (None, 7_777)
        assert rejection(TopicKind.TICKET, bad, timestamp_ms=-1).reason == Reason.MISSING_TIME


@pytest.mark.parametrize(
    "time", ["", "2026-03-02T10:02:11", "yesterday", "0001-01-01T00:00:00Z", "2026-02-30T00:00:00Z"]
)
def test_a_time_without_offset_of_no_calendar_or_before_1970_is_refused(time: str) -> None:
    assert rejection(TopicKind.TICKET, envelope(time=time)).reason == Reason.INVALID_TIME
    value, headers = binary({**EXAMPLES["ticket.status"], "time": time})
    assert rejection(TopicKind.TICKET, value, headers).reason == Reason.INVALID_TIME


@pytest.mark.parametrize(
    "headers",
    [
        STRUCTURED,
        [("content-type", b"application/cloudevents+json; charset=utf-8")],
        [("Content-Type", b"Application/CloudEvents+JSON")],
        [("traceparent", b"00-1"), ("content-type", b"application/cloudevents+json"), ("ce_type", b"other")],
        [("traceparent", b"\xff")],
    ],
)
def test_structured_mode_is_told_by_its_content_type_or_by_none(headers: Any) -> None:
    assert decode(TopicKind.TICKET, envelope(), headers, 0) == decode(TopicKind.TICKET, envelope(), (), 0)


@pytest.mark.parametrize("content_type", [b"application/json", b"application/cloudevents+avro", b"text/plain", b"\xff"])
def test_another_content_type_without_attributes_is_refused(content_type: bytes) -> None:
    refused = rejection(TopicKind.TICKET, envelope(), [("content-type", content_type)])
    assert refused.reason == Reason.UNSUPPORTED_CONTENT_TYPE


def test_binary_mode_takes_json_only_and_needs_a_type() -> None:
    value, headers = binary(EXAMPLES["ticket.status"])
    refused = rejection(TopicKind.TICKET, value, [*headers, ("content-type", b"application/avro")])
    assert refused.reason == Reason.UNSUPPORTED_CONTENT_TYPE
    typeless = [header for header in headers if header[0] != "ce_type"]
    assert rejection(TopicKind.TICKET, value, typeless).reason == Reason.INVALID_ENVELOPE
    assert rejection(TopicKind.TICKET, b"no json", headers).reason == Reason.INVALID_JSON
    assert rejection(TopicKind.TICKET, b"[]", headers).reason == Reason.INVALID_DATA


def test_a_batch_goes_past_bad_records_and_gives_every_record_its_outcome_in_order() -> None:
    value, headers = binary(EXAMPLES["ticket.status"])
    records = [
        Record(envelope()),
        Record(b"garbage"),
        Record(None),
        Record(value, tuple(headers)),
        Record(envelope(type="no.such")),
        Record(envelope(drop="time")),
        Record(envelope(), tuple(STRUCTURED)),
        Record(envelope(time="1960-01-01T00:00:00Z")),
        Record(envelope(id="a\0")),
        Record(b'{"type":' + b"[" * 100_000),
        Record(envelope()),
    ]
    counts: Counter[str] = Counter()
    outcomes: list[tuple[Any, Outcome, int]] = list(decode_batch(TopicKind.TICKET, records, counts))
    assert [record for record, _, _ in outcomes] == records
    status = tickets.TicketStatus
    assert [type(outcome) for _, outcome, _ in outcomes] == [
        *(status, Rejected, Rejected, status, UnknownType, status, status, Rejected, Rejected, Rejected, status)
    ]
    assert [outcome.reason for _, outcome, _ in outcomes if isinstance(outcome, Rejected)] == [
        *(Reason.INVALID_JSON, Reason.TOMBSTONE, Reason.INVALID_TIME, Reason.INVALID_ENVELOPE, Reason.TOO_DEEP)
    ]
    status_ms = decode(TopicKind.TICKET, envelope(), (), 0)[1]
    assert [time_ms for _, outcome, time_ms in outcomes if isinstance(outcome, status)] == [
        *(status_ms, status_ms, 5_000, status_ms, status_ms)
    ]
    assert counts == {TIME_MISSING: 1}


@pytest.mark.parametrize("name", KIND_OF)
def test_a_line_of_a_file_is_read_whatever_topic_its_type_belongs_to(name: str) -> None:
    line = json.dumps(EXAMPLES[name]).encode()
    assert decode_line(line) == (KIND_OF[name], *decode(KIND_OF[name], line, (), -1))


def test_a_bad_line_of_a_file_says_what_is_wrong() -> None:
    for line, reason in (
        (b"garbage", Reason.INVALID_JSON),
        (b"[]", Reason.INVALID_ENVELOPE),
        (b"{}", Reason.INVALID_ENVELOPE),
        (b"[" * 100_000, Reason.INVALID_ENVELOPE),
        (changed("chat.left", reason="bored"), Reason.INVALID_DATA),
        (envelope(drop="time"), Reason.MISSING_TIME),
        (json.dumps(EXAMPLES["chat.left"]).encode()[:-1], Reason.INVALID_JSON),
    ):
        with pytest.raises(Rejected) as rejected:
            decode_line(line)
        assert rejected.value.reason == reason
    with pytest.raises(UnknownType):
        decode_line(envelope(type="no.such"))
