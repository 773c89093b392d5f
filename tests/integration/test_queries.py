"""Every expression of every panel and rule, asked of a real Prometheus that scrapes a live demo."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any, Final

import promql_parser as promql
import pytest
import yaml

from stream_kpi.brokers import Broker
from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.families import has_samples, samples_metric
from stream_kpi.publish.self_metrics import SELF_METRICS
from tests.integration.alert_kit import DEPLOY
from tests.integration.demo_kit import Demo
from tests.integration.prometheus_kit import Prometheus

TIMES: Final = 15
"""So much quicker than deployed, all rules have been evaluated several times within seconds."""
PATIENCE_S: Final = 600.0
"""Some rules look at steps of 5 minutes: the first is up to 5 minutes away."""
LOOK_S: Final = 0.5
COMPARISONS: Final = {"==", "!=", ">", "<", ">=", "<="}
OFFSET_S: Final = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
VARIABLES: Final = {"$job": ".+", "$instance": ".+", "$__rate_interval": "20s"}
"""As Grafana fills them in: all targets; four scrapes of 5 s."""


def panel_expressions() -> Iterator[tuple[str, str]]:
    for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                expression = target["expr"]
                for name, value in VARIABLES.items():
                    expression = expression.replace(name, value)
                yield f"{path.stem}: {panel['title']} {target['refId']}", expression


def rule_expressions() -> Iterator[tuple[str, str]]:
    for path in sorted((DEPLOY / "prometheus" / "rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for number, rule in enumerate(group["rules"]):
                yield f"{path.stem}: {number} {rule.get('alert') or rule['record']}", rule["expr"]


def recorded() -> Iterator[str]:
    for path in sorted((DEPLOY / "prometheus" / "rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                if "record" in rule:
                    labels = ",".join(f'{name}="{value}"' for name, value in rule["labels"].items())
                    yield f"{rule['record']}{{{labels}}}"


RECORDED: Final = tuple(recorded())


def compares(expression: Any) -> bool:
    """Whether a part of it filters by a comparison, and may so be empty where all is well."""
    match expression:
        case promql.BinaryExpr():
            filters = str(expression.op) in COMPARISONS and not (
                expression.modifier is not None and expression.modifier.return_bool
            )
            return filters or compares(expression.lhs) or compares(expression.rhs)
        case promql.ParenExpr() | promql.AggregateExpr() | promql.SubqueryExpr() | promql.UnaryExpr():
            return compares(expression.expr)
        case promql.Call():
            return expression.func.name == "absent" or any(compares(one) for one in expression.args)
        case _:
            return False


def operands(expression: Any) -> list[Any]:
    """What is compared: the parts that return something whether or not the comparison holds; numbers are none."""
    if isinstance(expression, promql.NumberLiteral):
        return []
    if not compares(expression):
        return [expression]
    match expression:
        case promql.BinaryExpr():
            return [*operands(expression.lhs), *operands(expression.rhs)]
        case promql.Call():
            return [part for one in expression.args for part in operands(one)]
        case _:
            return operands(expression.expr)


EXPRESSIONS: Final = [
    pytest.param(part, id=f"{name} [{number}]")
    for name, expression in (*panel_expressions(), *rule_expressions())
    for number, part in enumerate(map(str, operands(promql.parse(expression))))
]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, embedded_broker: Broker) -> Iterator[Prometheus]:
    """One that has scraped a live demo several times, and evaluated all rules."""
    assert embedded_broker.address
    demo = Demo(tmp_path_factory.mktemp("demo"))
    one = None
    try:
        demo.urls()
        worker = f"127.0.0.1:{demo.port}"
        one = Prometheus([worker], [worker], times=TIMES)
        deadline_s = time.monotonic() + PATIENCE_S
        while not (one.answers() and all(map(one.query, RECORDED))):
            assert time.monotonic() < deadline_s, [record for record in RECORDED if not one.query(record)]
            time.sleep(LOOK_S)  # between two looks, until the deadline
        yield one
    finally:
        if one is not None:
            one.stop()
        demo.destroy()


def asked_at_s(expression: str) -> float:
    """Now; for a part that is of the past alone, so much later that this is its past."""
    offsets_s = [int(number) * OFFSET_S[unit] for number, unit in re.findall(r" offset (\d+)([mhdw])", expression)]
    return time.time() + (max(offsets_s) if offsets_s and expression.count("{") == len(offsets_s) else 0)


def without_sample(prometheus: Prometheus, expression: str) -> list[str]:
    """The families in it of which nothing has happened yet: a KPI of which no cut and window has a sample; a labelled
    counter, whose series are made by the first thing that they count."""
    named = set(re.findall(r"\b(?:stream_)?kpi_\w+", expression))
    empty = []
    for kpi in catalogue():
        for cut in kpi.cuts:
            metric, samples = kpi.cut_metric(cut), samples_metric(kpi, "" if cut == "total" else cut)
            metric = kpi.metric if cut == "total" else metric
            if metric in named and has_samples(kpi) and not prometheus.query(f"{samples} > 0"):
                empty.append(metric)
    empty += [
        one.name
        for one in SELF_METRICS
        if one.name in named
        and one.type == "counter"
        and one.labels
        and not one.known
        and not prometheus.query(one.name)
    ]
    return empty


@pytest.mark.slow
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_returns_data_unless_nothing_it_could_be_of_has_happened(
    prometheus: Prometheus, expression: str
) -> None:
    series = prometheus.query(expression, asked_at_s(expression))
    assert series or without_sample(prometheus, expression), expression
