"""Prometheus' and Alertmanager's own tools accept what is deployed; every alert does what its row says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.families import family_names
from stream_kpi.publish.rules.__main__ import main
from stream_kpi.publish.rules.alert import Alert
from stream_kpi.publish.rules.documents import ALERTS, GROUPS, alerts_page, documents
from stream_kpi.publish.self_metrics import SELF_METRICS

RECEIVERS = {
    ("support", "critical"): "support-page",
    ("support", "warning"): "support",
    ("success", "warning"): "success",
    ("platform", "critical"): "platform-page",
    ("platform", "warning"): "platform",
    ("platform", "info"): "nobody",
}
by_name = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)


def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed (Debian: prometheus, prometheus-alertmanager)")
    return subprocess.run([path, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def alertmanager_file(repository: Path) -> Path:
    return repository / "deploy" / "alertmanager" / "alertmanager.yml"


@pytest.fixture(scope="module")
def alertmanager(alertmanager_file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(alertmanager_file.read_text())
    return loaded


def test_the_committed_files_are_those_that_the_alerts_make() -> None:
    assert main(["--check"]) == 0


def test_every_alert_has_a_runbook_and_every_runbook_an_alert(repository: Path) -> None:
    pages = {path.stem for path in (repository / "docs" / "runbooks").iterdir()}
    assert pages == {alert.name for alert in ALERTS}
    linked = re.findall(r"\(runbooks/(\w+)\.md\)", alerts_page())
    assert sorted(linked) == sorted(pages)


def test_every_link_to_a_runbook_leads_to_a_page(repository: Path) -> None:
    rules = [
        rule
        for name in GROUPS
        for group in yaml.safe_load(documents()[f"deploy/prometheus/rules/{name}.yml"])["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert len(rules) == len(ALERTS)
    assert all((repository / rule["annotations"]["runbook_url"]).is_file() for rule in rules)


def test_promtool_accepts_configuration_and_rules(repository: Path) -> None:
    checked = run("promtool", "check", "config", repository / "deploy" / "prometheus" / "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(GROUPS)} rule files found" in checked.stdout


@pytest.mark.parametrize("name", GROUPS)
def test_every_alert_fires_when_it_should_and_at_no_other_time(repository: Path, name: str) -> None:
    tested = run("promtool", "test", "rules", repository / "deploy" / "prometheus" / "tests" / f"{name}.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


@by_name
def test_an_alert_is_tried_just_before_it_fires_when_it_does_and_without_data(alert: Alert) -> None:
    name = next(name for name, group in GROUPS.items() if alert in group.alerts)
    tests = yaml.safe_load(documents()[f"deploy/prometheus/tests/{name}.yml"])["tests"]
    cases = {test["name"].partition(": ")[2]: test for test in tests if test["name"].startswith(f"{alert.name}: ")}
    fires = next(test for case, test in cases.items() if case.startswith("fires after"))
    assert [bool(look["exp_alerts"]) for look in fires["alert_rule_test"]] == [False, True]
    assert any(not test["input_series"] for test in cases.values())
    assert len(cases) >= 3


@by_name
def test_what_the_values_say_is_an_alert_only_when_there_are_enough_of_them(alert: Alert) -> None:
    assert alert.scope == "pipeline" or "at low volume" in alert.trial.silent


@by_name
def test_an_alert_asks_for_metrics_that_exist(alert: Alert) -> None:
    self_metrics = {metric.name for metric in SELF_METRICS}
    families = {name for kpi in catalogue() for name in family_names(kpi)}
    recorded = {one.record for group in GROUPS.values() for one in group.recordings}
    asked = set(re.findall(r"\b(?:kpi_|stream_kpi_|slo:)[\w:]+", alert.expr))
    assert asked <= self_metrics | families | recorded
    assert asked or "up{" in alert.expr


@by_name
def test_an_alert_says_in_sentences_what_is_the_matter_and_what_to_do(alert: Alert) -> None:
    for text in (alert.summary, alert.description, alert.means, alert.remedy, *alert.checks):
        assert text.endswith((".", "?")), text
    assert re.fullmatch(r"StreamKpi[A-Z]\w+", alert.name)
    assert "{{" not in alert.summary


def test_amtool_accepts_the_configuration(alertmanager_file: Path) -> None:
    checked = run("amtool", "check-config", alertmanager_file)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@by_name
def test_an_alert_reaches_its_team_as_loudly_as_it_is_severe(alertmanager_file: Path, alert: Alert) -> None:
    receiver = RECEIVERS[alert.team, alert.severity]
    labels = (f"alertname={alert.name}", f"team={alert.team}", f"severity={alert.severity}", f"scope={alert.scope}")
    config = ("--config.file", alertmanager_file)
    routed = run("amtool", "config", "routes", "test", *config, f"--verify.receivers={receiver}", *labels)
    assert routed.returncode == 0, routed.stdout + routed.stderr


@pytest.mark.parametrize(("severity", "receiver"), [("critical", "platform-page"), ("warning", "platform")])
def test_what_is_no_teams_is_the_platforms(alertmanager_file: Path, severity: str, receiver: str) -> None:
    config = ("--config.file", alertmanager_file)
    routed = run("amtool", "config", "routes", "test", *config, "alertname=Other", f"severity={severity}")
    assert routed.stdout.strip() == receiver


def test_what_holds_others_back_and_what_is_held_back_exists(alertmanager: dict[str, Any]) -> None:
    names = {alert.name for alert in ALERTS}
    rules = alertmanager["inhibit_rules"]
    matchers = [matcher for rule in rules for side in ("source", "target") for matcher in rule[f"{side}_matchers"]]
    named = {name for matcher in matchers for name in re.findall(r"StreamKpi\w+", matcher)}
    assert named
    assert named <= names
    assert 'scope="kpi"' in matchers
