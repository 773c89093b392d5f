"""What a wallboard says of a snapshot: verdicts, alerts, panels, trends."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from stream_kpi.deadlines import MOST_AHEAD
from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.publish.live_store import MemoryStore, Snapshot
from stream_kpi.publish.wallboard.boards import BOARDS, Panel
from stream_kpi.publish.wallboard.hub import Hub, Subject
from stream_kpi.publish.wallboard.trend import EVERY_S, KEPT_COUNT
from stream_kpi.settings import Settings
from tests.wallboard_kit import deadline, record

ROWS = {kpi.id: kpi for kpi in catalogue()}
FLOOR = Subject("board", "floor", ())
T0_MS = 1_800_000_000_000


class Wall:
    """A hub whose clock the test sets."""

    def __init__(self, **settings: Any) -> None:
        self.now_ms = T0_MS
        self.store = MemoryStore()
        self.hub = Hub(Settings(**settings), self.store, lambda: self.now_ms)

    async def show(self, *records: KpiRecord) -> None:
        self.store.replace(records)
        await self.hub.look()

    def state(self, subject: Subject = FLOOR) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.hub.state(subject))
        return state

    def tile(self, kpi: str, subject: Subject = FLOOR) -> dict[str, Any]:
        return next(tile for tile in self.state(subject)["tiles"] if tile["kpi"] == kpi)

    def panel(self, name: str, subject: Subject = FLOOR) -> dict[str, Any]:
        return next(panel for panel in self.state(subject)["panels"] if panel["id"] == name)


def test_a_board_has_four_to_six_numbers_that_are_published_in_their_window_and_cut() -> None:
    for board in BOARDS:
        assert 4 <= len(board.tiles) <= 6
        assert all(tile.window in ROWS[tile.kpi].windows for tile in board.tiles)
        for panel in (one for one in board.panels if isinstance(one, Panel)):
            assert all(panel.dimension in ROWS[column.kpi].cuts for column in panel.columns), panel.id
            assert all(column.window in ROWS[column.kpi].windows for column in panel.columns), panel.id


@pytest.mark.parametrize(
    ("kpi", "window", "value", "samples", "said"),
    [
        ("service_level", "rolling:1h", 0.8, 50, "met"),
        ("service_level", "rolling:1h", 0.79, 50, "missed"),
        ("longest_wait", "instant", 120, 1, "met"),
        ("longest_wait", "instant", 121, 1, "missed"),
        ("longest_wait", "instant", None, 0, "nobody waits"),
        ("service_level", "rolling:1h", None, 0, "no value"),
        ("queue_length", "instant", 3, 3, "no target"),
    ],
)
async def test_a_number_is_met_up_to_its_target_and_missed_beyond(
    kpi: str, window: str, value: float | None, samples: int, said: str
) -> None:
    wall = Wall()
    await wall.show(record(kpi, value, window, samples=samples, at_ms=T0_MS))
    assert wall.tile(kpi)["verdict"] == said


async def test_an_alert_stays_until_its_number_recovers_says_what_to_do_and_leaves_a_trace() -> None:
    wall = Wall()
    await wall.show(record("service_level", 0.5, "rolling:1h", at_ms=T0_MS))
    (alert,) = wall.state()["alerts"]
    assert (alert["since_ms"], alert["advice"]) == (T0_MS, ROWS["service_level"].advice)
    wall.now_ms += 60_000
    await wall.show(record("service_level", 0.7, "rolling:1h", samples=3, at_ms=wall.now_ms))
    (alert,) = wall.state()["alerts"]
    assert (alert["since_ms"], alert["value"]) == (T0_MS, 0.7)
    await wall.show(record("service_level", None, "rolling:1h", samples=0, at_ms=wall.now_ms))
    assert len(wall.state()["alerts"]) == 1
    await wall.show(record("service_level", 0.8, "rolling:1h", at_ms=wall.now_ms))
    state = wall.state()
    assert state["alerts"] == []
    assert [(one["kpi"], one["until_ms"]) for one in state["recovered"]] == [("service_level", wall.now_ms)]


async def test_few_samples_raise_no_alert() -> None:
    wall = Wall()
    await wall.show(record("service_level", 0.1, "rolling:1h", samples=9, at_ms=T0_MS))
    assert wall.state()["alerts"] == []
    await wall.show(record("service_level", 0.1, "rolling:1h", samples=10, at_ms=T0_MS))
    assert len(wall.state()["alerts"]) == 1


async def test_a_filter_shows_the_cut_and_says_of_what_is_not_split_that_it_is_everything() -> None:
    wall = Wall()
    await wall.show(
        record("mrr", 900, at_ms=T0_MS),
        record("csat", 0.9, "rolling:24h", at_ms=T0_MS),
        record("csat", 0.6, "rolling:24h", at_ms=T0_MS, channel="email"),
    )
    subject = Subject("board", "leadership", ("channel", "email"))
    csat, mrr = wall.tile("csat", subject), wall.tile("mrr", subject)
    assert (csat["value"], csat["split"]) == (0.6, True)
    assert (mrr["value"], mrr["split"]) == (900, False)


async def test_what_breaches_next_is_on_top_with_the_moment_to_the_millisecond() -> None:
    wall = Wall()
    await wall.show(
        record("sla_next_breach_in", 90.5, at_ms=T0_MS, group="later"),
        record("sla_next_breach_in", 12.0, at_ms=T0_MS, group="sooner"),
        record("sla_next_breach_in", None, at_ms=T0_MS, group="nothing runs"),
    )
    rows = wall.panel("breach")["rows"]
    assert [(row["name"], row["cells"][0]["deadline_ms"]) for row in rows] == [
        ("sooner", T0_MS + 12_000),
        ("later", T0_MS + 90_500),
    ]


async def test_tickets_about_to_breach_are_listed_as_they_were_published_with_their_promise_in_words() -> None:
    wall = Wall()
    ahead = deadline("T-1", T0_MS + 1_000, metric="next_reply", group="sales")
    wall.store.replace([], values_ms=T0_MS, deadlines=(ahead, deadline("T-2", T0_MS - 1_000)))
    await wall.hub.look()
    panel = wall.panel("tickets")
    assert panel["rows"] == [
        {"kind": "ticket", "name": "T-1", "promise": "next reply", "group": "sales", "deadline_ms": T0_MS + 1_000},
        {
            "kind": "ticket",
            "name": "T-2",
            "promise": "first response",
            "group": "billing",
            "deadline_ms": T0_MS - 1_000,
        },
    ]
    assert panel["of_nearest"] is None


async def test_however_many_tickets_are_ahead_the_latest_that_were_missed_are_seen_and_push_no_more_out() -> None:
    wall = Wall()
    ahead = [deadline(f"A-{n}", T0_MS + 1 + n) for n in range(20)]
    missed = [deadline(f"M-{n}", T0_MS - n) for n in range(20)]
    for deadlines, expected in (
        ((*ahead, *missed), ["A-0", "A-1", "A-2", "A-3", "A-4", "M-0", "M-1", "M-2"]),
        ((*ahead, missed[0]), ["A-0", "A-1", "A-2", "A-3", "A-4", "A-5", "A-6", "M-0"]),
        ((ahead[0], *missed), ["A-0", *(f"M-{n}" for n in range(7))]),
    ):
        wall.store.replace([], values_ms=T0_MS, deadlines=deadlines)
        await wall.hub.look()
        assert [row["name"] for row in wall.panel("tickets")["rows"]] == expected


@pytest.mark.parametrize("cut", [("channel", "chat"), ("group", "sales"), ("category", "refund")])
async def test_a_filter_lists_only_its_tickets_and_says_when_there_may_be_more(cut: tuple[str, str]) -> None:
    wall = Wall()
    other = deadline("other", T0_MS + 1)
    mine = deadline("mine", T0_MS + 2, channel="chat", group="sales")
    others = [msgspec.structs.replace(other, subject=f"O-{n}", category="bug") for n in range(MOST_AHEAD - 1)]
    for deadlines, of_nearest in (((mine,), None), ((*others, mine), MOST_AHEAD)):
        wall.store.replace([], values_ms=T0_MS, deadlines=deadlines)
        await wall.hub.look()
        panel = wall.panel("tickets", Subject("board", "floor", cut))
        assert [row["name"] for row in panel["rows"]] == ["mine"]
        assert panel["of_nearest"] == of_nearest


async def test_backlog_by_age_is_in_the_order_of_ages() -> None:
    wall = Wall()
    await wall.show(*(record("ticket_backlog", 1, at_ms=T0_MS, age_band=band) for band in (">7d", "4-24h", "0-1h")))
    assert [row["name"] for row in wall.panel("backlog-age")["rows"]] == ["0-1h", "4-24h", ">7d"]


async def test_a_panel_is_bounded_and_counts_what_it_leaves_out() -> None:
    wall = Wall()
    await wall.show(*(record("ticket_backlog", n, at_ms=T0_MS, category=f"c{n}") for n in range(20)))
    panel = wall.panel("backlog-category")
    assert ([row["name"] for row in panel["rows"]][:2], len(panel["rows"]), panel["more"]) == (["c19", "c18"], 8, 12)


async def test_a_trend_is_sampled_and_bounded() -> None:
    wall = Wall()
    for n in range(KEPT_COUNT + 5):
        await wall.show(record("queue_length", n, at_ms=T0_MS))
        await wall.show(record("queue_length", -1, at_ms=T0_MS))  # too soon to be sampled
        wall.now_ms += EVERY_S * 1_000
    assert wall.tile("queue_length")["trend"] == list(range(5, KEPT_COUNT + 5))


async def test_agents_are_named_on_a_kpis_page_only_where_the_settings_show_them() -> None:
    subject = Subject("kpi", "first_response_time", ())
    for shown in (False, True):
        wall = Wall(metrics={"agent_series": shown})
        await wall.show(record("first_response_time", 60, "rolling:1h", at_ms=T0_MS, agent="A-7"))
        assert ("A-7" in json.dumps(wall.state(subject))) is shown


async def test_on_the_event_clock_time_stands_at_the_newest_value() -> None:
    wall = Wall(clock="event")
    await wall.show(record("queue_length", 1, at_ms=T0_MS - 86_400_000))
    state = wall.state()
    assert (state["runs"], state["now_ms"], state["as_of_ms"]) == (False, T0_MS - 86_400_000, T0_MS - 86_400_000)


async def test_an_empty_store_has_no_moment_and_every_page_can_be_made_of_it() -> None:
    wall = Wall()
    assert wall.state()["as_of_ms"] is None
    for subject in (*(Subject("board", board.id, ()) for board in BOARDS), *(Subject("kpi", one, ()) for one in ROWS)):
        assert all(tile["value"] is None for tile in wall.state(subject)["tiles"])


async def test_what_the_store_calls_stale_is_told_at_once_though_no_value_has_changed() -> None:
    class Away(MemoryStore):
        away = False

        def snapshot(self) -> Snapshot:
            return super().snapshot()._replace(stale=self.away)

    store = Away()
    hub = Hub(Settings(), store, lambda: T0_MS)
    store.replace([record("queue_length", 1, at_ms=T0_MS)])
    await hub.look()
    before = hub.generation
    await hub.look()
    assert (hub.generation, hub.clock()["stale"]) == (before, False)
    store.away = True
    await hub.look()
    assert (hub.generation, hub.clock()["stale"]) == (before + 1, True)
