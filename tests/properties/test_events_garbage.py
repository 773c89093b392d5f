"""Whatever the bytes, reading a record ends in an event or in an outcome, and never in an error."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stream_kpi.contracts.documents import FOLDER
from stream_kpi.events.decode import TYPES, Outcome, decode, decode_batch
from stream_kpi.events.rejection import Rejected, UnknownType
from stream_kpi.events.topics import TopicKind

EXAMPLES: list[dict[str, Any]] = [json.loads(path.read_text()) for path in sorted((FOLDER / "examples").glob("*.json"))]
ENCODED = [json.dumps(example).encode() for example in EXAMPLES]
NAMES = [example["type"] for example in EXAMPLES]

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(NAMES)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good event with some bytes cut out, put in or changed."""
    content = draw(st.sampled_from(ENCODED))
    start = draw(st.integers(0, len(content)))
    end = draw(st.integers(start, min(len(content), start + 20)))
    return content[:start] + draw(st.binary(max_size=6)) + content[end:]


@st.composite
def misfilled(draw: st.DrawFn) -> bytes:
    """A good event, one field of which has any JSON value."""
    event = json.loads(draw(st.sampled_from(ENCODED)))
    place = draw(st.sampled_from([event, event["data"]]))
    place[draw(st.sampled_from(sorted(place)))] = draw(JSON)
    return json.dumps(event).encode()


VALUES = st.none() | st.binary() | JSON.map(lambda value: json.dumps(value).encode()) | damaged() | misfilled()
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            ["ce_id", "ce_source", "ce_subject", "ce_type", "ce_time", "ce_specversion", "content-type", "x"]
        ),
        st.none()
        | st.binary(max_size=8)
        | st.sampled_from([b"1.0", b"application/cloudevents+json", b"application/json", b"2026-03-02T10:00:00Z"])
        | st.sampled_from([name.encode() for name in NAMES]),
    ),
    max_size=7,
)


@dataclass
class Record:
    value: bytes | None
    headers: Sequence[tuple[str, Any]] = ()
    timestamp: int = 0
    offset: int = 0
    key: bytes | None = None


def outcome_of(kind: TopicKind, value: bytes | None, headers: Any, timestamp_ms: int) -> tuple[Outcome, int]:
    try:
        return decode(kind, value, headers, timestamp_ms)
    except (Rejected, UnknownType) as outcome:
        return outcome, timestamp_ms


@given(st.sampled_from(TopicKind), VALUES, st.just([]) | HEADERS, st.integers(-1, 2**50))
def test_any_record_is_an_event_of_the_topic_or_refused_or_skipped(
    kind: TopicKind, value: bytes | None, headers: list[tuple[str, bytes | None]], timestamp_ms: int
) -> None:
    outcome, time_ms = outcome_of(kind, value, headers, timestamp_ms)
    if isinstance(outcome, Rejected):
        assert outcome.detail
    elif isinstance(outcome, UnknownType):
        assert outcome.event_type not in TYPES[kind]
    else:
        assert type(outcome) in TYPES[kind].values()
        assert 0 <= time_ms < 2**50 + 1
        assert outcome.id
        assert outcome.source
        assert outcome.subject.encode()


@given(st.sampled_from(TopicKind), st.lists(VALUES | st.sampled_from(ENCODED), max_size=12))
def test_a_record_in_a_batch_has_the_outcome_that_it_has_alone(kind: TopicKind, values: list[bytes | None]) -> None:
    records = [Record(value) for value in values]
    outcomes = list(decode_batch(kind, records, Counter()))
    assert [id(record) for record, _, _ in outcomes] == [id(record) for record in records]
    for value, (_, outcome, time_ms) in zip(values, outcomes, strict=True):
        alone, alone_ms = outcome_of(kind, value, (), 0)
        assert time_ms == alone_ms
        assert type(outcome) is type(alone)
        if isinstance(outcome, Rejected | UnknownType):
            assert isinstance(alone, Rejected | UnknownType)
            assert outcome.args == alone.args
        else:
            assert outcome == alone
