"""Panes of all shards in, KPI records out: what is published when, revised, taken back."""

from __future__ import annotations

import gc
from zoneinfo import ZoneInfo

import msgspec
import pytest

from stream_kpi import merge as merge_module
from stream_kpi.events.topics import TopicKind
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.options import Options
from stream_kpi.merge import Merge
from stream_kpi.shard import Shard
from stream_kpi.steps import all_of
from stream_kpi.windows.panes import AGES_KEY, FLUSHED_KEY, unpack_key
from stream_kpi.windows.tiers import FINE
from tests.merge_kit import GRACE_MS, Publisher
from tests.shard_kit import (
    CHATS,
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    T0_MS,
    TICKETS,
    created,
    event,
    new_shard,
    records,
    reply,
    status,
)
from tests.strategies.schedules import BY_DIMENSION

BILLING = TopicKind.SUBSCRIPTION.default_topic
VOLUME_5M = b"ticket_volume|tumbling:5m@2026-03-02T10:00:00.000Z||||"
VOLUME = b"ticket_volume|total||||"


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


def test_what_is_published_is_every_record_and_what_has_not_changed_is_not_published_again(
    publisher: Publisher,
) -> None:
    publisher.take(created("A", T0_MS))
    first = publisher.publish(T0_MS)
    publication = publisher.step(T0_MS)
    assert publication.changed == []
    assert publication.complete
    assert publication.records.keys() == first.keys() == publisher.values.keys()
    assert {key: publisher.value(key) for key in first} == publication.records
    assert publisher.value(VOLUME).value == 1


def test_a_window_that_is_not_final_changes_without_a_revision(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    publisher.publish(T0_MS)
    publisher.take(created("B", T0_MS + MINUTE_MS))
    publisher.publish(T0_MS + MINUTE_MS)
    record = publisher.value(VOLUME_5M)
    assert (record.value, record.revision, record.final) == (2, 0, False)


def test_a_window_becomes_final_after_the_grace_and_not_before(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    end_ms = T0_MS + 5 * MINUTE_MS
    for now_ms, final in ((T0_MS, False), (end_ms, False), (end_ms + GRACE_MS - 1, False), (end_ms + GRACE_MS, True)):
        publisher.publish(now_ms)
        record = publisher.value(VOLUME_5M)
        assert (record.final, record.revision, record.value) == (final, 0, 1)


def test_only_the_correction_of_a_final_window_counts_its_revision_up(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    now_ms = T0_MS + HOUR_MS
    publisher.publish(now_ms)
    publisher.take(created("B", T0_MS + MINUTE_MS))
    publisher.publish(now_ms)
    assert (publisher.value(VOLUME_5M).value, publisher.value(VOLUME_5M).revision) == (2, 1)
    publisher.take(status("A", T0_MS + MINUTE_MS, "spam"))
    publisher.publish(now_ms)
    record = publisher.value(VOLUME_5M)
    assert (record.value, record.revision, record.final) == (1, 2, True)
    assert publisher.value(VOLUME).revision == 0, "a window that ends now is no correction"
    assert publisher.value(b"ticket_volume|tumbling:5m@2026-03-02T10:05:00.000Z||||").revision == 0


def test_a_late_level_change_corrects_the_ends_of_all_windows_from_there_on(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    publisher.publish(T0_MS + HOUR_MS)
    publisher.take(status("A", T0_MS + 12 * MINUTE_MS, "solved"))
    publisher.publish(T0_MS + HOUR_MS)
    backlog = {
        minute: publisher.value(f"ticket_backlog|tumbling:5m@2026-03-02T10:{minute:02}:00.000Z||||".encode())
        for minute in range(0, 60, 5)
    }
    assert [record.value for record in backlog.values()] == [1, 1] + [0] * 10
    assert [record.revision for record in backlog.values()] == [0, 0] + [1] * 8 + [0] * 2, "the last are not yet final"


def test_a_level_change_from_before_the_tiers_panes_moves_every_window_that_reads_it(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS), created("B", T0_MS + 2 * DAY_MS))
    now_ms = T0_MS + 2 * DAY_MS + HOUR_MS
    publisher.publish(now_ms)
    newest = b"ticket_backlog|tumbling:1h@2026-03-04T10:00:00.000Z||||"
    oldest = b"ticket_backlog|tumbling:1h@2026-03-03T10:00:00.000Z||||"
    assert [publisher.value(key).value for key in (oldest, newest)] == [1, 2]
    publisher.take(status("A", T0_MS + HOUR_MS, "solved"))
    publisher.publish(now_ms)
    assert [publisher.value(key).value for key in (oldest, newest)] == [0, 1]


def test_a_vanished_cut_is_taken_back_with_a_tombstone(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS, channel="fax"), created("B", T0_MS))
    publisher.publish(T0_MS)
    key = b"ticket_volume|total|channel=fax|||"
    assert publisher.value(key).value == 1
    publisher.take(status("A", T0_MS + 1, "spam"))
    assert publisher.publish(T0_MS + 1)[key] is None
    assert key not in publisher.step(T0_MS + 1).records
    assert not any(b"channel=fax" in key for key, value in publisher.values.items() if value is not None)


def test_windows_out_of_range_are_taken_back(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    publisher.publish(T0_MS)
    publisher.publish(T0_MS + 3 * HOUR_MS)
    assert publisher.value(VOLUME_5M).final
    changed = publisher.publish(T0_MS + 3 * HOUR_MS + 5 * MINUTE_MS)
    assert changed[VOLUME_5M] is None
    assert publisher.value(b"ticket_volume|tumbling:1d@2026-03-02T00:00:00.000Z||||").value == 1


def test_what_was_published_before_a_restart_is_not_said_again_and_taken_back_when_it_is_gone(
    publisher: Publisher,
) -> None:
    publisher.take(created("A", T0_MS, channel="fax"), created("B", T0_MS))
    publisher.publish(T0_MS + HOUR_MS)
    publisher.restart()
    assert publisher.publish(T0_MS + HOUR_MS) == {}
    publisher.take(status("A", T0_MS + MINUTE_MS, "spam"))
    publisher.restart()
    changed = publisher.publish(T0_MS + 4 * HOUR_MS)
    assert changed[b"ticket_volume|total|channel=fax|||"] is None
    assert changed[VOLUME_5M] is None, "out of range by now"
    day = publisher.value(b"ticket_volume|tumbling:1h@2026-03-02T10:00:00.000Z||||")
    assert (day.value, day.revision) == (1, 0), "it was not final before"


def test_the_classes_of_a_distribution_are_said_once_and_taken_back_with_their_cut_after_a_restart(
    publisher: Publisher,
) -> None:
    rated = event(
        "ticket.survey_answered", "A", T0_MS, "2", survey_id="v", kind="csat", score=2, scale_min=1, scale_max=5
    )
    publisher.take(created("A", T0_MS, channel="fax"), rated)
    publisher.publish(T0_MS)
    poor, fax_poor = (f"csat_distribution|total|{cut}class=poor|||".encode() for cut in ("", "channel=fax&"))
    assert (publisher.value(poor).value, publisher.value(poor).cut) == (1, {"class": "poor"})
    assert publisher.value(fax_poor).cut == {"channel": "fax", "class": "poor"}
    publisher.restart()
    assert publisher.publish(T0_MS) == {}
    publisher.restart()
    publisher.take(status("A", T0_MS, "spam"))
    publisher.publish(T0_MS)
    assert (publisher.value(poor).value, publisher.value(poor).samples) == (None, 0)
    assert publisher.values[fax_poor] is None


@pytest.mark.parametrize("reopen_days", [2, 7])
def test_each_cohort_lags_behind_by_its_own_time(reopen_days: int) -> None:
    publisher = Publisher(Options(reopen_window_ms=reopen_days * DAY_MS))
    asked = event("ticket.survey_sent", "A", T0_MS, "2", survey_id="v", kind="csat")
    publisher.take(created("A", T0_MS), asked, status("A", T0_MS, "solved"))
    found = {}
    for days in (1, 2, 6, 7, 31, 32, 33, 36, 37, 38):
        publisher.publish(T0_MS + days * DAY_MS + HOUR_MS)
        found[days] = [
            publisher.value(f"{kpi}|rolling:30d||||".encode()).samples
            for kpi in ("reopen_rate", "survey_response_rate")
        ]
    assert found == {
        days: [int(reopen_days <= days < 30 + reopen_days), int(7 <= days < 37)]
        for days in (1, 2, 6, 7, 31, 32, 33, 36, 37, 38)
    }


def test_a_revision_goes_on_after_a_restart(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    publisher.publish(T0_MS + HOUR_MS)
    publisher.take(created("B", T0_MS))
    publisher.publish(T0_MS + HOUR_MS)
    publisher.restart()
    publisher.take(created("C", T0_MS))
    publisher.publish(T0_MS + HOUR_MS)
    assert (publisher.value(VOLUME_5M).value, publisher.value(VOLUME_5M).revision) == (3, 2)


def test_a_share_changes_when_only_the_total_has_changed(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS, category="bug"))
    publisher.publish(T0_MS)
    keys = [
        f"ticket_category_share|{window}|category=bug|||".encode()
        for window in ("total", "rolling:5m", "today", "tumbling:5m@2026-03-02T10:00:00.000Z")
    ]
    assert [publisher.value(key).value for key in keys] == [1.0] * 4
    publisher.take(created("B", T0_MS, category="question"))
    publisher.publish(T0_MS)
    assert [(publisher.value(key).value, publisher.value(key).samples) for key in keys] == [(0.5, 2)] * 4


def test_without_samples_ratios_and_means_are_null_and_counts_and_levels_zero(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS), status("A", T0_MS, "solved"))
    publisher.publish(T0_MS + 2 * HOUR_MS)
    for kpi, value in (("ticket_volume", 0), ("csat", None), ("answer_time", None), ("chat_abandonment_rate", None)):
        (record,) = (publisher.value(key) for key in publisher.values if key.startswith(f"{kpi}|rolling:5m||".encode()))
        assert (record.value, record.samples, record.stats) == (value, 0, None)
    backlog = publisher.value(b"ticket_backlog|instant||||")
    assert (backlog.value, backlog.samples) == (0, 0)
    assert publisher.value(b"backlog_oldest_age|instant||||").value is None


def test_values_decay_as_windows_roll_though_no_event_comes(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    rolling = {"5m": 5, "15m": 15, "1h": 60, "4h": 240, "24h": 1440, "7d": 7 * 1440}
    for minutes in sorted([0, *(minute + 61 for minute in rolling.values()), *rolling.values()]):
        publisher.publish(T0_MS + minutes * MINUTE_MS)
        for name, length in rolling.items():
            value = publisher.value(f"ticket_volume|rolling:{name}||||".encode()).value
            if minutes <= length:
                assert value == 1, name
            elif minutes > length + 60:
                assert value == 0, name


@pytest.mark.parametrize("jump_ms", [80 * MINUTE_MS, 27 * HOUR_MS, 40 * DAY_MS, 500 * DAY_MS])
def test_windows_are_right_after_a_leap_that_lets_their_panes_expire(publisher: Publisher, jump_ms: int) -> None:
    publisher.take(created("A", T0_MS))
    publisher.publish(T0_MS)
    publisher.publish_only(T0_MS + jump_ms)
    live, publisher.values = dict(publisher.values), {}
    publisher.restart()
    publisher.publish_only(T0_MS + jump_ms)
    standing = {key: value for key, value in live.items() if value is not None}
    assert [publisher.value(key).value for key in standing] == [
        msgspec.json.decode(value, type=KpiRecord).value for value in standing.values()
    ]
    assert publisher.value(b"ticket_volume|rolling:1h||||").value == 0


def test_ages_grow_with_the_clock_and_change_with_their_set_while_it_stands_still(publisher: Publisher) -> None:
    asked = event("ticket.message", "A", T0_MS + 9_000, "m2", author="customer")
    publisher.take(created("A", T0_MS, created_by="system"), asked)
    key = next(key for key in publisher.publish(T0_MS + 10_000) if key.startswith(b"open_first_response_age|instant||"))
    assert publisher.value(key).value == 1.0
    publisher.publish(T0_MS + 60_000)
    assert publisher.value(key).value == 51.0
    publisher.take(event("ticket.message", "A", T0_MS + 5_000, "m1", author="customer"))
    publisher.publish(T0_MS + 60_000)
    assert publisher.value(key).value == 55.0


def test_a_level_before_a_windows_start_is_corrected_while_the_clock_stands_still(publisher: Publisher) -> None:
    items = [{"plan": "p", "unit_amount": 100, "interval": "month"}]
    paying = {"subscription_id": "s", "status": "active", "currency": "EUR", "items": items}
    publisher.take(event("subscription.changed", "X", T0_MS, "1", **paying), topic=BILLING)
    publisher.publish(T0_MS + HOUR_MS)
    key = b"churn_rate|rolling:5m||||"
    assert publisher.value(key).samples == 1
    publisher.take(event("subscription.changed", "Y", T0_MS, "2", **paying), topic=BILLING)
    publisher.publish(T0_MS + HOUR_MS)
    assert publisher.value(key).samples == 2


def test_a_customer_that_pays_more_today_has_no_window_evaluated_again_that_ended_before(publisher: Publisher) -> None:
    paying = {"subscription_id": "s", "status": "active", "currency": "EUR"}
    for day, amount in ((0, 100), (2, 300)):
        items = [{"plan": "p", "unit_amount": amount, "interval": "month"}]
        line = event("subscription.changed", "X", T0_MS + day * DAY_MS, f"{day}", items=items, **paying)
        publisher.take(line, topic=BILLING)
        publisher.publish(T0_MS + (1 + day) * DAY_MS)
    publisher.take(event("subscription.changed", "X", T0_MS + 3 * DAY_MS, "3", **paying, items=[]), topic=BILLING)
    all_of(publisher.merge._absorb())
    for dirty in publisher.merge._tumbling:
        assert min(dirty.starts()) == dirty.kind.start_of(T0_MS + 3 * DAY_MS, ZoneInfo("UTC"))


def test_windows_before_the_first_event_begin_when_an_earlier_one_comes(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    publisher.publish(T0_MS)
    gone = event("chat.left", "C", T0_MS - 29 * MINUTE_MS, "2", reason="abandoned")
    publisher.shard.apply(
        CHATS, 0, records(event("chat.queued", "C", T0_MS - 30 * MINUTE_MS, "1", queue="q"), gone), T0_MS
    )
    publisher.publish(T0_MS + MINUTE_MS)
    starts = [f"2026-03-02T09:{minute}:00.000Z" for minute in range(30, 60, 5)]
    windows = [publisher.value(f"chat_volume|tumbling:5m@{start}||||".encode()) for start in starts]
    assert [window.value for window in windows] == [1, 0, 0, 0, 0, 0]
    assert [window.final for window in windows] == [True] * 4 + [False] * 2
    publisher.publish(T0_MS + GRACE_MS)
    assert all(publisher.value(f"chat_volume|tumbling:5m@{start}||||".encode()).final for start in starts)


def test_what_does_not_fit_one_publish_comes_with_the_next(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge_module, "CUTS_PER_PUBLISH", 10)
    publisher.take(*(created(f"T-{n}", T0_MS, category=f"c{n}") for n in range(20)))
    publisher.shard.advance(T0_MS)
    publisher.flush()
    publications = [publisher.step(T0_MS)]
    assert not publications[0].complete
    while not publications[-1].complete:
        publications.append(publisher.step(T0_MS))
        assert len(publications) < 200
    assert len(publications) > 5
    in_steps = dict(publisher.values)
    monkeypatch.setattr(merge_module, "CUTS_PER_PUBLISH", 1_000_000)
    publisher.values = {}
    publisher.restart()
    assert publisher.step(T0_MS).complete
    assert in_steps == publisher.values


def test_records_of_several_shards_are_those_of_one() -> None:
    events = [created(f"T-{n}", T0_MS + n * MINUTE_MS) for n in range(20)]
    events += [reply(f"T-{n}", T0_MS + 2 * n * MINUTE_MS + 1) for n in range(20)]

    def published(shards: list[Shard]) -> dict[bytes, KpiRecord]:
        merge = Merge(Options(), grace_ms=GRACE_MS)
        for place, value in enumerate(events):
            ticket = msgspec.json.decode(value)["subject"]
            shards[int(ticket[2:]) % len(shards)].apply(TICKETS, 0, records(value, first=place), 1 << 60)
        for number, shard in enumerate(shards):
            shard.advance(T0_MS + HOUR_MS)
            flush = shard.flush(caught_up=True)
            assert flush is not None
            for key, pane in flush.panes:
                merge.apply(number, key, pane)
        complete = False
        while not complete:
            publication = all_of(merge.publish(T0_MS + HOUR_MS, T0_MS))
            complete = publication.complete
        return publication.records

    assert published([new_shard() for _ in range(3)]) == published([new_shard()])


def test_no_window_waits_for_ever_however_much_changes(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge_module, "CUTS_PER_PUBLISH", 60)
    for second in range(60):
        now_ms = T0_MS + second * 1000
        publisher.take(*(created(f"T-{second}-{n}", now_ms, category=f"c{n}") for n in range(20)))
        publisher.step(now_ms)
    now_ms = T0_MS + 59_000
    for window in ("total", "today", "rolling:5m", "rolling:7d", "tumbling:1d@2026-03-02T00:00:00.000Z"):
        for cut in ("", "category=c7"):
            record = publisher.value(f"ticket_volume|{window}|{cut}|||".encode())
            assert (record.value or 0) >= 30 * (1 if cut else 20), (window, cut)


def test_a_flush_that_is_read_in_two_parts_counts_when_its_last_record_is_here() -> None:
    desk = Publisher()
    desk.take(created("T", T0_MS))
    now_ms = T0_MS + 3 * HOUR_MS
    desk.publish(now_ms)
    desk.shard.apply(TICKETS, 0, records(status("T", T0_MS + MINUTE_MS, "solved"), first=desk.offset), 1 << 60)
    flush = desk.shard.flush(caught_up=True)
    assert flush is not None
    for key, value in flush.panes[:-1]:
        desk.merge.apply(0, key, value)
    assert desk.publish_only(now_ms) == {}
    desk.merge.apply(0, *flush.panes[-1])
    backlog = desk.publish_only(now_ms)[b"ticket_backlog|instant||||"]
    assert backlog is not None
    assert backlog.value == 0


def test_what_runs_goes_on_in_every_window_while_no_event_comes_and_stays_as_it_was_in_those_that_have_ended() -> None:
    desk = Publisher()
    desk.take(created("A", T0_MS))
    desk.publish(T0_MS + MINUTE_MS)
    windows = (
        "total",
        "today",
        "rolling:1h",
        "tumbling:1h@2026-03-02T10:00:00.000Z",
        "tumbling:1d@2026-03-02T00:00:00.000Z",
    )
    keys = [f"requester_wait_time|{window}||calendar||".encode() for window in windows]
    for minute in (1, 30, 59.5):
        desk.publish(T0_MS + round(minute * MINUTE_MS))
        assert {desk.value(key).value for key in keys} == {minute * 60}
    desk.publish(T0_MS + 61 * MINUTE_MS)
    hours = [f"requester_wait_time|tumbling:1h@2026-03-02T{hour}:00:00.000Z||calendar||".encode() for hour in (10, 11)]
    assert [(desk.value(key).value, desk.value(key).samples) for key in hours] == [(3_600, 1), (60, 1)]
    desk.restart()
    desk.publish(T0_MS + 62 * MINUTE_MS)
    assert [desk.value(key).value for key in hours] == [3_600, 120]
    assert desk.value(keys[1]).value == 62 * 60


def test_on_the_business_clock_a_stop_while_it_is_closed_changes_no_window_that_has_ended() -> None:
    desk = Publisher(Options(schedules=BY_DIMENSION))
    desk.take(created("A", T0_MS, group="billing"))  # 11:00 in Berlin, whose office closes from 12:00 to 13:00
    rolling = b"requester_wait_time|rolling:1h||business||"
    hours = [f"requester_wait_time|tumbling:1h@2026-03-02T{hour}:00:00.000Z||business||".encode() for hour in (10, 11)]
    for minute, waited in ((30, 30), (60, 60), (90, 30)):
        desk.publish(T0_MS + minute * MINUTE_MS)
        assert desk.value(rolling).value == waited * 60
    ended = [desk.value(key) for key in hours]
    assert [(record.value, record.samples) for record in ended] == [(3_600, 1), (0, 0)]
    desk.take(status("A", T0_MS + 90 * MINUTE_MS, "solved"))
    changed = desk.publish(T0_MS + 95 * MINUTE_MS)
    assert hours[0] not in changed
    assert (desk.value(rolling).value, desk.value(rolling).samples) == (25 * 60, 1)
    assert (desk.value(hours[1]).value, desk.value(hours[1]).samples) == (0, 0)


def test_a_shard_that_is_ahead_of_the_others_changes_no_rolling_window_before_its_time() -> None:
    desk = Publisher()
    desk.take(created("A", T0_MS), created("B", T0_MS + 30_000))
    desk.publish_only(T0_MS + 10_000)
    waited = desk.value(b"requester_wait_time|rolling:1h||calendar||")
    assert (waited.value, waited.samples) == (10, 1)


def test_panes_are_taken_in_before_too_many_wait(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge_module, "MAX_WAITING", 500)
    publisher.take(*(created(f"T-{n}", T0_MS + n * MINUTE_MS) for n in range(100)))
    all_of(publisher.merge._take_whole())
    places = len(publisher.merge.panes._waiting)
    assert sum(1 for _ in publisher.merge.settle()) == places > 100, "others may have turns between any two"
    assert publisher.merge.panes.waiting == 0
    publisher.take(created("T-100", T0_MS))
    all_of(publisher.merge._take_whole())
    assert list(publisher.merge.settle()) == [], "so few are left to the publish"
    publisher.publish(T0_MS + HOUR_MS * 2)
    assert publisher.value(VOLUME).value == 101


def test_agents_required_follow_the_trailing_half_hour_while_nothing_else_happens(publisher: Publisher) -> None:
    key = b"agents_required|instant|class=required&group=sales|||"
    publisher.take(
        event("chat.queued", "C", T0_MS, "q", queue="sales", channel="voice"),
        event("chat.accepted", "C", T0_MS, "a", agent_id="ann"),
        event("chat.ended", "C", T0_MS + MINUTE_MS, "e", by="agent"),
        topic=CHATS,
    )
    publisher.publish(T0_MS + MINUTE_MS)
    assert publisher.value(key).value == 1
    publisher.publish_only(T0_MS + 30 * MINUTE_MS)
    assert (publisher.value(key).value, publisher.value(key).samples) == (1, 1)
    publisher.publish_only(T0_MS + 30 * MINUTE_MS + 15_000)
    assert (publisher.value(key).value, publisher.value(key).samples) == (0, 0)


def test_agents_required_change_when_only_the_pane_of_fifteen_seconds_has_come_late(publisher: Publisher) -> None:
    publisher.take(event("chat.queued", "C", T0_MS, "q", queue="sales"), topic=CHATS)
    flushed = dict(publisher.panes)
    publisher.merge = Merge(publisher.options, grace_ms=GRACE_MS)
    late = {pane for pane in flushed if pane not in (AGES_KEY, FLUSHED_KEY) and unpack_key(pane).tier == FINE.number}
    for pane, value in flushed.items():
        if pane not in late:
            publisher.merge.apply(0, pane, value)
    publisher.publish_only(T0_MS)
    key = b"agents_required|instant|class=required|||"
    assert publisher.value(key).value == 0
    for pane in (*late, FLUSHED_KEY):
        publisher.merge.apply(0, pane, flushed[pane])
    publisher.publish_only(T0_MS)
    assert (publisher.value(key).value, publisher.value(key).samples) == (None, 1)


def test_a_publish_leaves_nothing_that_only_the_cycle_collector_would_free(publisher: Publisher) -> None:
    publisher.take(created("T1", T0_MS), reply("T1", T0_MS + MINUTE_MS))
    publisher.publish(T0_MS + HOUR_MS)
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        publisher.take(created("T2", T0_MS + HOUR_MS))
        publisher.publish(T0_MS + 2 * HOUR_MS)
        gc.collect()
        left = {type(thing).__qualname__ for thing in gc.garbage if type(thing).__module__.startswith("stream_kpi")}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert not left, "in a worker the collector never comes (stream_kpi.memory)"
