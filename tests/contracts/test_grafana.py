"""The committed dashboards: generated, and as Grafana's dashboard-linter wants them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import promql_parser
import pytest
import yaml

from stream_kpi.publish.grafana.__main__ import main
from tests.conftest import REPOSITORY

FOLDER: Final = REPOSITORY / "deploy" / "grafana"
BOARDS: Final = {path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "dashboards").glob("*.json"))}


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, board in BOARDS.items():
        for panel in board["panels"]:
            yield name, panel


PANELS: Final = [pytest.param(panel, id=f"{name}: {panel['title']}") for name, panel in panels()]


def test_the_committed_dashboards_are_those_that_the_generator_makes() -> None:
    assert main(["--check"]) == 0
    assert set(BOARDS) == {"wallboard", "team", "customers", "quality", "pipeline"}


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_has_a_title_a_fixed_uid_and_cannot_be_edited(name: str) -> None:
    board = BOARDS[name]
    assert board["title"]
    assert board["description"]
    assert board["uid"] == f"stream-kpi-{name}"
    assert board["editable"] is False
    assert [one["name"] for one in board["templating"]["list"]] == ["datasource", "job", "instance"]
    for variable in board["templating"]["list"][1:]:
        assert variable["multi"]
        assert variable["refresh"] == 2, "asked again when the time range changes"
        assert variable["datasource"]["uid"] == "${datasource}"


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows_in_which_unit_and_from_the_chosen_source(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"]
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["interval"] == "15s", "a shorter step than the scrape interval shows gaps"
    assert panel["targets"]
    for target in (panel, *panel["targets"]):
        assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize("panel", PANELS)
def test_a_query_parses_names_job_and_instance_has_a_legend_and_no_fixed_range(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        expression = target["expr"]
        assert target["legendFormat"]
        promql_parser.parse(expression.replace("$__rate_interval", "1m"))
        for metric, matchers in re.findall(r"\b((?:stream_)?kpi_\w+)\{([^}]*)\}", expression):
            assert 'job=~"$job"' in matchers, metric
            assert 'instance=~"$instance"' in matchers, metric
        assert set(re.findall(r"\[([^]]+)\]", expression)) <= {"$__rate_interval"}
        for counter in re.findall(r"\bstream_kpi_\w+_total\b", expression):
            assert f"rate({counter}" in expression


def test_panels_of_a_dashboard_have_titles_of_their_own_and_do_not_overlap() -> None:
    for board in BOARDS.values():
        titles = [panel["title"] for panel in board["panels"]]
        assert len(set(titles)) == len(titles)
        cells = [
            (panel["gridPos"]["x"] + right, panel["gridPos"]["y"] + down)
            for panel in board["panels"]
            for right in range(panel["gridPos"]["w"])
            for down in range(panel["gridPos"]["h"])
        ]
        assert len(set(cells)) == len(cells)
        assert all(x < 24 for x, _ in cells)


def test_the_wallboard_has_six_big_numbers_and_says_as_of_when_they_are() -> None:
    wall = BOARDS["wallboard"]["panels"]
    assert [panel["type"] for panel in wall[:6]] == ["stat"] * 6
    assert {"Data as of", "Age of the data"} <= {panel["title"] for panel in wall}


def test_nobody_on_a_dashboard_is_named() -> None:
    assert not [
        panel["title"]
        for _, panel in panels()
        if "kpi_agent_" in json.dumps(panel["targets"]) and "by (agent" in json.dumps(panel["targets"])
    ]


def test_the_provisioned_source_and_folder_cannot_be_changed_in_the_browser() -> None:
    (source,) = yaml.safe_load((FOLDER / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert (source["uid"], source["editable"], source["isDefault"]) == ("stream-kpi-prometheus", False, True)
    scraped = yaml.safe_load((REPOSITORY / "deploy/prometheus/prometheus.yml").read_text())["global"]
    assert source["jsonData"]["timeInterval"] == scraped["scrape_interval"]
    (provider,) = yaml.safe_load((FOLDER / "provisioning/dashboards/stream-kpi.yml").read_text())["providers"]
    assert provider["allowUiUpdates"] is False
