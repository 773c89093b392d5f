"""What the history topic is told: each final window once, each correction of it once, whatever happens between."""

from __future__ import annotations

import pytest

from stream_kpi.kpis.history import HistoryRecord
from stream_kpi.windows.kinds import TUMBLING
from tests.merge_kit import GRACE_MS, Publisher
from tests.shard_kit import DAY_MS, HOUR_MS, MINUTE_MS, T0_MS, created, status

VOLUME_5M = b"ticket_volume|tumbling:5m@2026-03-02T10:00:00.000Z||||"
FAX_5M = b"ticket_volume|tumbling:5m@2026-03-02T10:00:00.000Z|channel=fax|||"
END_MS = T0_MS + 5 * MINUTE_MS


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


def shortly(records: list[HistoryRecord]) -> list[tuple[str, int, object, object, bool]]:
    return [(r.status, r.revision, r.value, r.former, r.withdrawn) for r in records]


def test_a_window_is_told_when_it_is_final_and_not_before(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    publisher.publish(END_MS + GRACE_MS - 1)
    assert publisher.history == []
    publisher.publish(END_MS + GRACE_MS)
    assert shortly(publisher.told(VOLUME_5M)) == [("final", 0, 1, None, False)]


def test_every_record_of_a_final_window_is_told_as_it_stands_in_the_values_topic(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS, channel="fax"), status("A", T0_MS + 1, "solved"))
    publisher.publish(T0_MS + 2 * DAY_MS)
    told = dict(publisher.history)
    final = {key: publisher.value(key) for key, value in publisher.values.items() if value is not None}
    final = {key: record for key, record in final.items() if record.final and b"@" in key}
    assert told.keys() == final.keys()
    assert {key: [getattr(told[key], field) for field in final[key].__struct_fields__] for key in final} == {
        key: [getattr(record, field) for field in record.__struct_fields__] for key, record in final.items()
    }
    assert {record.window.kind for record in told.values()} == {kind.name for kind in TUMBLING} - {"month"}


def test_a_month_that_is_over_is_told(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    publisher.publish(T0_MS + 31 * DAY_MS)
    assert shortly(publisher.told(b"customers_new|month@2026-03-01T00:00:00.000Z||||")) == [
        ("final", 0, 0, None, False)
    ]


def test_a_correction_is_told_with_its_revision_and_the_former_value(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    publisher.publish(T0_MS + HOUR_MS)
    publisher.take(created("B", T0_MS + MINUTE_MS))
    publisher.publish(T0_MS + HOUR_MS)
    publisher.take(status("A", T0_MS + MINUTE_MS, "spam"))
    publisher.publish(T0_MS + HOUR_MS)
    assert shortly(publisher.told(VOLUME_5M)) == [
        ("final", 0, 1, None, False),
        ("revised", 1, 2, 1, False),
        ("revised", 2, 1, 2, False),
    ]


def test_a_cut_that_vanishes_from_a_final_window_is_withdrawn_and_goes_on_counting_when_it_is_back(
    publisher: Publisher,
) -> None:
    publisher.take(created("A", T0_MS, channel="fax"))
    publisher.publish(T0_MS + HOUR_MS)
    publisher.take(status("A", T0_MS + MINUTE_MS, "spam"))
    publisher.publish(T0_MS + HOUR_MS)
    assert publisher.values[FAX_5M] is None, "the values topic has a tombstone"
    publisher.restart()
    publisher.take(created("B", T0_MS + MINUTE_MS, channel="fax"))
    publisher.publish(T0_MS + HOUR_MS)
    assert shortly(publisher.told(FAX_5M)) == [
        ("final", 0, 1, None, False),
        ("revised", 1, None, 1, True),
        ("revised", 2, 1, None, False),
    ]
    assert publisher.value(FAX_5M).revision == 2
    assert publisher.withdrawn[FAX_5M] is None


def test_what_was_told_before_a_restart_is_not_told_again(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS, channel="fax"), created("B", T0_MS))
    publisher.publish(T0_MS + HOUR_MS)
    publisher.take(status("A", T0_MS + MINUTE_MS, "spam"))
    publisher.publish(T0_MS + HOUR_MS)
    publisher.history.clear()
    publisher.restart()
    publisher.publish(T0_MS + HOUR_MS)
    assert publisher.history == []


def test_a_window_that_has_become_final_while_no_merge_ran_is_told_by_the_next_one(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    publisher.publish(END_MS)
    publisher.restart()
    publisher.publish(T0_MS + HOUR_MS)
    assert shortly(publisher.told(VOLUME_5M)) == [("final", 0, 1, None, False)]


def test_a_clock_that_stands_before_the_windows_end_after_a_restart_takes_nothing_back(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    publisher.publish(END_MS + GRACE_MS)
    publisher.restart()
    publisher.take(created("B", T0_MS + MINUTE_MS, channel="fax"))
    publisher.publish_only(T0_MS + MINUTE_MS)
    assert (publisher.value(VOLUME_5M).value, publisher.value(VOLUME_5M).final) == (1, True)
    publisher.publish_only(END_MS + GRACE_MS)
    assert shortly(publisher.told(VOLUME_5M)) == [("final", 0, 1, None, False), ("revised", 1, 2, 1, False)]
    assert shortly(publisher.told(FAX_5M)) == [("final", 0, 1, None, False)]


def test_windows_that_are_published_no_longer_stay_told_and_their_memory_is_dropped(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS, channel="fax"))
    publisher.publish(T0_MS + HOUR_MS)
    publisher.take(status("A", T0_MS + MINUTE_MS, "spam"))
    publisher.publish(T0_MS + HOUR_MS)
    told = len(publisher.told(VOLUME_5M)), len(publisher.told(FAX_5M))
    assert publisher.withdrawn[FAX_5M] is not None
    publisher.publish(T0_MS + 400 * DAY_MS)
    assert publisher.values[VOLUME_5M] is None
    assert (len(publisher.told(VOLUME_5M)), len(publisher.told(FAX_5M))) == told
    assert set(publisher.withdrawn.values()) == {None}


def test_windows_that_end_now_are_no_history(publisher: Publisher) -> None:
    publisher.take(created("A", T0_MS))
    publisher.publish(T0_MS + DAY_MS)
    assert not [key for key, _ in publisher.history if b"@" not in key]
