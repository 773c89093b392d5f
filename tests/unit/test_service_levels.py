"""The service level as eight systems define it, over one log of 100 contacts (research/definitions.md, section 2.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest

from stream_kpi.compute import Computation
from stream_kpi.kpis.catalogue import PRESETS, catalogue, with_presets
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.options import Options, ServiceLevelPreset
from stream_kpi.merge import Merge
from stream_kpi.steps import all_of
from stream_kpi.windows.kinds import parse
from tests.catalogue_kit import kpi_by_id
from tests.shard_kit import CHATS, HOUR_MS, SECOND_MS, T0_MS, event, new_shard, records

PRESET_NAMES = get_args(ServiceLevelPreset)
EXPECTED = {
    "default": (70, 95),
    "amazon": (80, 100),
    "genesys": (70, 95),
    "asterisk2": (78, 98),
    "talkdesk": (70, 97),
    "vonage": (70, 97),
    "twilio": (70, 97),
    "intermedia": (70, 90),
}
VALUES = {
    "default": 0.737,
    "amazon": 0.800,
    "genesys": 0.737,
    "asterisk2": 0.796,
    "talkdesk": 0.722,
    "vonage": 0.722,
    "twilio": 0.722,
    "intermedia": 0.778,
}
NOBODY: dict[str, tuple[int, int]] = dict.fromkeys(PRESET_NAMES, (0, 0))


def contact(number: int, after_s: float | None, kind: str = "", **data: str) -> Iterator[bytes]:
    """A call that is queued every ten seconds, and what becomes of it."""
    at_ms, subject = T0_MS + number * 10 * SECOND_MS, f"C{number}"
    yield event("chat.queued", subject, at_ms, f"{subject}/q", queue="sales", channel="voice")
    if after_s is not None:
        yield event(kind, subject, at_ms + int(after_s * SECOND_MS), f"{subject}/o", **data)


def golden_log() -> list[bytes]:
    """100 calls, X = 20 s: 70 answered in time and 12 late; abandoned: 3 short, 5 in time, 8 late; 2 flowed out."""
    outcomes = [
        *[(10.0, "chat.accepted", {"agent_id": "ann"})] * 70,
        *[(40.0, "chat.accepted", {"agent_id": "ann"})] * 12,
        *[(3.0, "chat.left", {"reason": "abandoned"})] * 3,
        *[(12.0, "chat.left", {"reason": "abandoned"})] * 5,
        *[(45.0, "chat.left", {"reason": "abandoned"})] * 8,
        (15.0, "chat.left", {"reason": "callback"}),
        (15.0, "chat.left", {"reason": "flowout"}),
    ]
    contacts = (contact(number, after_s, kind, **data) for number, (after_s, kind, data) in enumerate(outcomes))
    return [line for lines in contacts for line in lines]


def computed(lines: list[bytes], window: str = "total", options: Options | None = None) -> list[KpiRecord]:
    """The records of the service level under all presets."""
    computation = Computation(options or Options(), parse(window), T0_MS + HOUR_MS)
    for line in lines:
        assert computation.take(line) is None
    rows = [row for row in catalogue(options) if row.id == "service_level"]
    return list(computation.records(list(with_presets(rows, PRESET_NAMES)), []))


def parts(found: list[KpiRecord]) -> dict[str, tuple[float | None, float | None]]:
    return {record.variant["preset"]: (record.numerator, record.denominator) for record in found if record.variant}


def test_the_golden_100_contacts_have_each_systems_value() -> None:
    default, *others = computed(golden_log())
    assert (default.variant, default.numerator, default.denominator) == ({}, 70, 95)
    assert [record.variant["preset"] for record in others] == list(PRESET_NAMES)
    assert parts(others) == EXPECTED
    for record in others:
        assert record.value == pytest.approx(VALUES[record.variant["preset"]], abs=5e-4)
        assert record.samples == record.denominator


def test_the_order_of_arrival_and_the_window_make_no_difference() -> None:
    assert parts(computed(golden_log()[::-1], window="rolling:4h")) == EXPECTED
    assert parts(computed(golden_log(), window="today")) == EXPECTED


def test_an_accept_that_arrives_after_its_abandon_moves_the_contact_under_every_preset() -> None:
    in_time = event("chat.accepted", "C97", T0_MS + 975 * SECOND_MS, "late", agent_id="ann")
    found = parts(computed([*golden_log(), in_time]))  # one of the eight late abandons was answered after 5 s
    assert found == {
        "default": (71, 95),
        "amazon": (81, 100),
        "genesys": (71, 95),
        "asterisk2": (79, 98),
        "talkdesk": (71, 97),
        "vonage": (71, 97),
        "twilio": (71, 97),
        "intermedia": (71, 90),
    }


def test_who_still_waits_past_x_is_missed_by_the_default_and_not_yet_counted_by_the_others() -> None:
    found = parts(computed(list(contact(0, None))))
    assert found == {**NOBODY, "default": (0, 1)}


def test_a_blocked_contact_counts_under_no_preset_and_nothing_is_no_value() -> None:
    for lines in ([], list(contact(0, 45, "chat.left", reason="blocked"))):
        found = computed(lines)
        assert parts(found) == NOBODY
        assert {(record.value, record.samples) for record in found} == {(None, 0)}


def test_every_definition_that_can_be_chosen_has_a_formula() -> None:
    assert tuple(PRESETS["service_level"]) == PRESET_NAMES
    assert kpi_by_id("service_level").formula == PRESETS["service_level"]["default"]


def test_a_preset_costs_only_the_rows_that_have_it() -> None:
    rows = list(with_presets([kpi_by_id("csat"), kpi_by_id("service_level")], ["amazon", "amazon"]))
    assert [(row.id, row.variant) for row in rows] == [
        ("csat", {}),
        ("service_level", {}),
        ("service_level", {"preset": "amazon"}),
    ]


def test_the_definition_chosen_is_the_one_that_is_published_and_computed_without_variant() -> None:
    options = Options(service_level="amazon")
    default = computed(golden_log(), options=options)[0]
    assert (default.variant, default.numerator, default.denominator) == ({}, 80, 100)
    shard, merge = new_shard(options=options), Merge(options, grace_ms=0)
    shard.apply(CHATS, 0, records(*golden_log()), 1 << 60)
    flush = shard.flush(caught_up=True)
    assert flush is not None
    for key, value in flush.panes:
        merge.apply(0, key, value)
    published = all_of(merge.publish(T0_MS + HOUR_MS, shard.first_ms)).records[b"service_level|total||||"]
    assert (published.variant, published.numerator, published.denominator) == ({}, 80, 100)
