"""Tiers, kinds of windows and their bounds."""

from __future__ import annotations

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from stream_kpi.events.times import event_time_ms as ms
from stream_kpi.kpis.catalogue import live_rows
from stream_kpi.kpis.rows import measures_read
from stream_kpi.lifecycles.options import Options
from stream_kpi.windows.kinds import ROLLING, TODAY, TUMBLING, Rolling, Tumbling, parse
from stream_kpi.windows.tiers import ALL_TIME, DAYS, FINE, FIVE_MINUTES, HOURS, QUARTER, TIERS, Tier

UTC = ZoneInfo("UTC")
NEW_YORK = ZoneInfo("America/New_York")
KOLKATA = ZoneInfo("Asia/Kolkata")
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
GRACE_MS = 10 * MINUTE_MS


def rolling(name: str) -> Rolling:
    kind = parse(name)
    assert isinstance(kind, Rolling)
    return kind


def tumbling(name: str) -> Tumbling:
    kind = parse(name)
    assert isinstance(kind, Tumbling)
    return kind


@pytest.mark.parametrize(
    ("tier", "start"),
    [
        (FINE, "2026-03-02T10:02:00Z"),
        (FIVE_MINUTES, "2026-03-02T10:00:00Z"),
        (HOURS, "2026-03-02T10:00:00Z"),
        (DAYS, "2026-03-02T00:00:00Z"),
        (ALL_TIME, "1970-01-01T00:00:00Z"),
    ],
)
def test_a_pane_starts_on_the_grid_of_its_tier(tier: Tier, start: str) -> None:
    assert tier.start_of(ms("2026-03-02T10:02:11.250Z"), UTC) == ms(start)
    assert tier.start_of(ms(start), UTC) == ms(start)


@pytest.mark.parametrize(
    ("zone", "inside", "start"),
    [
        (KOLKATA, "2026-03-02T18:29:59.999Z", "2026-03-01T18:30:00Z"),
        (KOLKATA, "2026-03-02T18:30:00Z", "2026-03-02T18:30:00Z"),
        (NEW_YORK, "2026-03-09T03:59:59.999Z", "2026-03-08T05:00:00Z"),
        (NEW_YORK, "2026-11-02T04:59:59.999Z", "2026-11-01T04:00:00Z"),
    ],
)
def test_the_pane_of_a_local_day_starts_at_its_midnight(zone: ZoneInfo, inside: str, start: str) -> None:
    assert DAYS.start_of(ms(inside), zone) == ms(start)


def test_expiry_follows_from_the_clock_alone_and_all_time_never_expires() -> None:
    for tier in TIERS:
        if tier.retention_ms is None:
            assert tier.expires_before(1 << 60) < -(1 << 60)
        else:
            assert tier.expires_before(5 * tier.retention_ms) == 4 * tier.retention_ms


def test_looking_for_expired_panes_is_due_once_a_grain() -> None:
    remembered: dict[int, int] = {}
    clock_ms = ms("2026-03-02T10:00:00Z")
    assert FIVE_MINUTES.due(clock_ms, remembered)
    assert not FIVE_MINUTES.due(clock_ms + 5 * MINUTE_MS - 1, remembered)
    assert FIVE_MINUTES.due(clock_ms + 5 * MINUTE_MS, remembered)
    assert DAYS.due(clock_ms, remembered)
    assert not DAYS.due(clock_ms + DAY_MS - 1, remembered)
    assert not ALL_TIME.due(clock_ms, remembered)


@pytest.mark.parametrize("kind", ROLLING)
def test_a_tier_keeps_what_rolling_windows_and_their_cohorts_read(kind: Rolling) -> None:
    retention_ms = kind.tier.retention_ms
    assert retention_ms is not None
    read = measures_read(live_rows(kind.name))
    lags_ms = [lag_ms for lag_ms, measures in Options().cohorts.items() if not read.isdisjoint(measures)]
    assert (7 * DAY_MS in lags_ms) is (kind.name == "rolling:30d")
    now_ms = ms("2026-03-02T10:59:59.999Z")
    for lag_ms in (0, *lags_ms):
        assert kind.start_ms(now_ms - lag_ms, UTC) >= kind.tier.expires_before(now_ms)


@pytest.mark.parametrize("kind", TUMBLING)
def test_a_tier_keeps_the_oldest_tumbling_window_that_is_published(kind: Tumbling) -> None:
    for now in ("2026-03-02T10:59:59.999Z", "2026-01-31T23:59:59.999Z"):
        oldest_ms = kind.start_of(ms(now) - kind.live_ms - GRACE_MS, NEW_YORK)
        assert oldest_ms >= kind.tier.expires_before(ms(now))


def test_total_is_no_kind() -> None:
    assert parse("total") is None


@pytest.mark.parametrize("kind", [*TUMBLING, TODAY, *ROLLING])
def test_every_published_kind_is_parsed_by_its_name(kind: Rolling | Tumbling) -> None:
    assert parse(kind.name) == kind


def test_the_published_kinds_are_those_of_the_catalogue() -> None:
    assert [kind.name for kind in TUMBLING] == ["tumbling:5m", "tumbling:1h", "tumbling:1d", "month"]
    lengths = ("5m", "15m", "1h", "4h", "24h", "7d", "30d", "90d", "365d")
    assert [kind.name for kind in ROLLING] == [f"rolling:{length}" for length in lengths]


@pytest.mark.parametrize(
    ("name", "length_ms", "tier"),
    [
        ("rolling:1m", MINUTE_MS, FINE),
        ("rolling:60m", HOUR_MS, FINE),
        ("rolling:61m", 61 * MINUTE_MS, FIVE_MINUTES),
        ("rolling:1d", DAY_MS, FIVE_MINUTES),
        ("rolling:25h", 25 * HOUR_MS, HOURS),
        ("rolling:89d", 89 * DAY_MS, HOURS),
        ("rolling:90d", 90 * DAY_MS, QUARTER),
        ("rolling:364d", 364 * DAY_MS, HOURS),
        ("rolling:365d", 365 * DAY_MS, DAYS),
    ],
)
def test_any_rolling_window_is_read_from_the_finest_tier_that_keeps_it(name: str, length_ms: int, tier: Tier) -> None:
    assert rolling(name) == Rolling(name, length_ms, tier)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "hour",
        "rolling",
        "rolling:",
        "rolling:0m",
        "rolling:05m",
        "rolling:5",
        "rolling:5s",
        "rolling:-5m",
        "rolling:5m ",
        "rolling:1.5h",
        "rolling:123456m",
        "tumbling:2d",
        "tumbling:15m",
        "Total",
        "instant",
        "rolling:5m:1h",
    ],
)
def test_an_unknown_window_is_refused_with_the_value_and_what_is_allowed(name: str) -> None:
    with pytest.raises(ValueError, match="window = ") as refused:
        parse(name)
    assert str(refused.value) == (
        f"window = {name!r}: allowed are total, today, rolling:<n>m|h|d, tumbling:5m, tumbling:1h, tumbling:1d, month"
    )


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("rolling:5m", "2026-03-02T09:57:00Z"),
        ("rolling:1h", "2026-03-02T09:02:00Z"),
        ("rolling:4h", "2026-03-02T06:00:00Z"),
        ("rolling:24h", "2026-03-01T10:00:00Z"),
        ("rolling:7d", "2026-02-23T10:00:00Z"),
    ],
)
def test_a_rolling_start_is_rounded_down_to_the_grid_of_its_panes(name: str, start: str) -> None:
    assert rolling(name).start_ms(ms("2026-03-02T10:02:11.250Z"), KOLKATA) == ms(start)


@pytest.mark.parametrize(
    ("name", "zone", "starts"),
    [
        ("tumbling:5m", NEW_YORK, ["2026-03-02T10:00:00Z", "2026-03-02T10:05:00Z"]),
        ("tumbling:1h", UTC, ["2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z"]),
        ("tumbling:1h", KOLKATA, ["2026-03-02T09:30:00Z", "2026-03-02T10:30:00Z", "2026-03-02T11:30:00Z"]),
        ("tumbling:1d", KOLKATA, ["2026-03-01T18:30:00Z", "2026-03-02T18:30:00Z"]),
        # 23 h in spring, 25 h in autumn
        ("tumbling:1d", NEW_YORK, ["2026-03-07T05:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"]),
        ("today", NEW_YORK, ["2026-10-31T04:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"]),
        # the month of the change is an hour short, or long
        ("month", NEW_YORK, ["2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z"]),
        ("month", NEW_YORK, ["2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z", "2027-01-01T05:00:00Z"]),
        ("month", UTC, ["2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"]),
        # the hour that the clocks show twice is two windows, the one they skip none
        ("tumbling:1h", NEW_YORK, ["2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z"]),
        ("tumbling:1h", NEW_YORK, ["2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z"]),
    ],
)
def test_tumbling_windows_follow_each_other_without_gap_or_overlap(
    name: str, zone: ZoneInfo, starts: list[str]
) -> None:
    kind = tumbling(name)
    for start, end in pairwise(starts):
        assert kind.end_of(ms(start), zone) == ms(end)
        assert kind.start_of(ms(start), zone) == ms(start)
        assert kind.start_of(ms(end) - 1, zone) == ms(start)
        assert kind.start_of(ms(end), zone) == ms(end)
