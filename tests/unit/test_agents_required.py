"""How many agents the trailing half hour asks for, and how many there are: a queue's story, from events to records."""

from __future__ import annotations

import pytest

from stream_kpi.compute import Computation
from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.options import Options
from stream_kpi.windows.kinds import parse
from tests.shard_kit import HOUR_MS, MINUTE_MS, SECOND_MS, T0_MS, event


def calls(
    count: int,
    *,
    handle_s: int = 180,
    queue: str = "sales",
    channel: str = "voice",
    name: str = "",
    first_ms: int = T0_MS,
) -> list[bytes]:
    """Calls that arrive evenly over 25 minutes, each answered after 5 s."""
    lines = []
    for number in range(count):
        at_ms, subject = first_ms + number * 25 * MINUTE_MS // count, f"{name or queue}{number}"
        answered_ms = at_ms + 5 * SECOND_MS
        lines += [
            event("chat.queued", subject, at_ms, f"{subject}/q", queue=queue, channel=channel),
            event("chat.accepted", subject, answered_ms, f"{subject}/a", agent_id="ann"),
            event("chat.ended", subject, answered_ms + handle_s * SECOND_MS, f"{subject}/e", by="agent"),
        ]
    return lines


def required(
    lines: list[bytes], after_min: float, options: Options | None = None, *, of: str = "required", window: str = "total"
) -> dict[str, KpiRecord]:
    """The records of a class so long after T0, by queue; the total under no name."""
    computation = Computation(options or Options(), parse(window), T0_MS + int(after_min * MINUTE_MS))
    for line in lines:
        assert computation.take(line) is None
    rows = [row for row in catalogue(options) if row.id == "agents_required"]
    records = list(computation.records(rows, ["group"]))
    assert {record.cut["class"] for record in records} == {"required", "present"}
    return {record.cut.get("group", ""): record for record in records if record.cut["class"] == of}


def test_100_calls_of_180_s_in_half_an_hour_take_14_agents() -> None:
    record = required(calls(100), 29)["sales"]  # Call Centre Helper's example: 10 erlangs, 80 % in 20 s
    assert (record.value, record.samples, record.unit, record.window.kind) == (14, 100, "agents", "instant")


def test_each_queue_has_its_own_number_and_the_total_is_one_pool() -> None:
    found = required([*calls(100), *calls(50, queue="help")], 29)
    assert (found["sales"].value, found["help"].value, found[""].value) == (14, 8, 19)


def test_the_target_and_the_customers_patience_are_options() -> None:
    lines = calls(100)
    assert required(lines, 29, Options(staffing_target=0.9))["sales"].value == 15
    assert required(lines, 29, Options(staffing_patience_ms=60_000))["sales"].value == 12


def test_x_is_that_of_the_arrivals_channel() -> None:
    assert required(calls(100, channel="chat"), 29)["sales"].value == 13  # within 60 s


def test_only_the_trailing_half_hour_counts_and_after_it_nobody_is_needed() -> None:
    lines = calls(100)
    halfway = required(lines, 30 + 12.5)[""]
    assert halfway.samples == 50  # the one at the very start of the half hour included, as in every rolling window
    assert required(lines, 30 + 12.5 + 0.25)[""].samples == 49
    assert required(lines, 90)[""].value == 0
    assert required([], 5)[""].value == 0


def test_while_no_handling_has_ended_there_is_no_value() -> None:
    record = required(calls(10), 1)[""]
    assert (record.value, record.samples) == (None, 1)


def test_an_end_that_arrives_late_and_was_earlier_corrects_the_handle_time() -> None:
    lines = calls(100)
    shorter = [
        event("chat.ended", f"sales{n}", T0_MS + n * 15 * SECOND_MS + 95 * SECOND_MS, f"late{n}", by="agent")
        for n in range(100)
    ]
    assert required([*lines, *shorter], 29)["sales"].value == required(calls(100, handle_s=90), 29)["sales"].value == 8


def test_a_call_that_turns_out_to_have_been_queued_elsewhere_moves_with_its_target() -> None:
    lines = calls(100)
    earlier = event("chat.queued", "sales0", T0_MS - SECOND_MS, "late", queue="help", channel="chat")
    found = required([*lines, earlier], 29)
    assert (found["sales"].samples, found["help"].samples) == (99, 1)
    assert found["help"].value == 1


def test_the_mean_of_its_arrivals_targets_is_the_x_of_a_queue_of_calls_and_chats() -> None:
    def needed(**targets_s: int) -> float | None:
        targets_ms = {channel: seconds * SECOND_MS for channel, seconds in targets_s.items()}
        options = Options(service_level_targets_ms=targets_ms, service_level_target_other_ms=60 * SECOND_MS)
        return required([*calls(50), *calls(50, channel="chat", name="c")], 29, options)["sales"].value

    assert needed(voice=20, chat=20) == 14
    assert needed(voice=20) == needed(chat=20) == needed(voice=40, chat=40) == 13  # a mean of 40 s


def test_agents_present_stand_beside_those_required_whether_anybody_arrives_or_not() -> None:
    presence = [
        event("agent.presence", "ann", T0_MS, "ann", state="available", group="web", queues=["sales"]),
        event("agent.presence", "bob", T0_MS, "bob", state="busy", queues=["sales", "help"]),
        event("agent.presence", "joe", T0_MS, "joe", state="away", queues=["sales"]),
    ]
    found = required([*calls(100), *presence], 29, of="present")
    assert {queue: record.value for queue, record in found.items()} == {"": 2, "sales": 2}  # no calls, no queue
    gone = event("agent.presence", "bob", T0_MS + 20 * MINUTE_MS, "bob/off", state="offline")
    assert required([*calls(100), *presence, gone], 29, of="present")["sales"].value == 1
    assert required(presence, 29)[""].value == 0
    assert required([], 5, of="present")[""].value == 0


@pytest.mark.parametrize("window", ["today", "rolling:5m", "rolling:24h", "rolling:30d"])
def test_it_is_the_same_whichever_window_is_asked_for(window: str) -> None:
    assert required(calls(100), 29, window=window)[""] == required(calls(100), 29)[""]


@pytest.mark.parametrize("window", ["tumbling:5m", "tumbling:1h"])
def test_at_the_end_of_each_past_window_it_is_the_number_of_then(window: str) -> None:
    computation = Computation(Options(), parse(window), T0_MS + 55 * MINUTE_MS)
    for line in calls(100):
        computation.take(line)
    rows = [row for row in catalogue() if row.id == "agents_required"]
    records = [record for record in computation.records(rows, []) if record.cut["class"] == "required"]
    by_end = {record.window.end[11:16]: record.value for record in records}
    if window == "tumbling:5m":
        assert (by_end["10:05"], by_end["10:25"], by_end["10:55"]) == (4, 14, 0)
    else:
        assert list(by_end.values()) == [0]


def test_days_keep_no_half_hours_so_that_only_the_one_that_runs_has_a_value() -> None:
    computation = Computation(Options(), parse("tumbling:1d"), T0_MS + 24 * HOUR_MS + 29 * MINUTE_MS)
    for line in [*calls(100), *calls(100, name="next", first_ms=T0_MS + 24 * HOUR_MS)]:
        computation.take(line)
    rows = [row for row in catalogue() if row.id == "agents_required"]
    records = [record for record in computation.records(rows, []) if record.cut["class"] == "required"]
    assert [record.value for record in records] == [None, 14]
