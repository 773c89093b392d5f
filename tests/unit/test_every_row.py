"""The walk over the catalogue: every row has a number by hand, another one after a correction, and its absent value.

The stories and tables are in tests/walks/, by area. A new row needs an entry there.
"""

from __future__ import annotations

import json
from collections import Counter

import pytest
from typer.testing import CliRunner

from stream_kpi.cli.main import app
from tests.walks import chats, customers, promises, revenue, signals, tickets
from tests.walks.kit import Row, Walk

WALKS = (*tickets.WALKS, *chats.WALKS, *promises.WALKS, *customers.WALKS, *revenue.WALKS, *signals.WALKS)
EVERY_ROW = pytest.mark.parametrize(
    ("kpi", "walk", "row"), [pytest.param(kpi, walk, row, id=kpi) for walk in WALKS for kpi, row in walk.rows.items()]
)


def test_every_id_that_the_catalogue_lists_is_walked_once() -> None:
    listed = CliRunner().invoke(app, ["catalogue", "--format", "json"])
    assert listed.exit_code == 0
    walked = Counter(kpi for walk in WALKS for kpi in walk.rows)
    assert walked == Counter(row["id"] for row in json.loads(listed.stdout))


@EVERY_ROW
def test_a_row_says_of_a_small_story_what_a_hand_computes(kpi: str, walk: Walk, row: Row) -> None:
    assert walk.says(kpi, walk.story, row.cut) == pytest.approx(row.value)


@EVERY_ROW
def test_a_correction_changes_it_to_what_a_hand_computes(kpi: str, walk: Walk, row: Row) -> None:
    assert row.corrected != row.value
    assert walk.says(kpi, [*walk.story, *walk.correction], row.cut) == pytest.approx(row.corrected)
    assert walk.says(kpi, [*walk.correction, *reversed(walk.story)], row.cut) == pytest.approx(row.corrected)


@EVERY_ROW
def test_without_any_events_it_has_its_absent_value(kpi: str, walk: Walk, row: Row) -> None:
    absent = walk.says(kpi, [])
    assert absent == row.absent
    assert not any(absent.values() if isinstance(absent, dict) else (absent,))
