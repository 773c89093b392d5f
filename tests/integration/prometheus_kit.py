"""Prometheus with the deployed configuration and rules, on a port of its own, quicker, and asked over its API."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from stream_kpi.brokers.process import ServerProcess, free_port
from tests.integration.alert_kit import DEPLOY, program, quicker

WORKERS_JOB: Final = "stream-kpi"
VALUES_JOB: Final = "stream-kpi-exporter"
ITSELF_JOB: Final = "prometheus"
ANSWER_TIMEOUT_S: Final = 30.0

Sample = tuple[dict[str, str], float]
"""Labels and value."""
Course = tuple[dict[str, str], list[tuple[float, float]]]
"""Labels, and the values by their times in epoch seconds."""


def readdressed(config: dict[str, Any], targets: Mapping[str, Sequence[str]], alertmanagers: Sequence[str]) -> Any:
    """The configuration with other targets by the name of their job (none for one that is not named)."""
    jobs = [
        {**job, "static_configs": [{"targets": list(targets.get(job["job_name"], ()))}]}
        for job in config["scrape_configs"]
    ]
    alerting = {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]}
    return {**config, "scrape_configs": jobs, "alerting": alerting}


class Prometheus:
    """Scrapes workers; everything that lasts is so many times shorter than it is deployed."""

    def __init__(self, workers: Sequence[str], alertmanagers: Sequence[str] = (), times: int = 1) -> None:
        binary = program("prometheus")
        self.port = free_port()
        self._process = ServerProcess("prometheus")
        folder = self._process.folder
        config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
        targets = {WORKERS_JOB: workers, VALUES_JOB: workers, ITSELF_JOB: [f"127.0.0.1:{self.port}"]}
        (folder / "prometheus.yml").write_text(
            yaml.safe_dump(quicker(readdressed(config, targets, alertmanagers), times))
        )
        (folder / "rules").mkdir()
        for rules in (DEPLOY / "prometheus" / "rules").glob("*.yml"):
            (folder / "rules" / rules.name).write_text(
                yaml.safe_dump(quicker(yaml.safe_load(rules.read_text()), times))
            )
        self._process.run(
            [
                binary,
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ]
        )

    def ask(self, path: str, **parameters: str) -> Any:
        """What the API answers; AssertionError with what it complains of when it refuses."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=ANSWER_TIMEOUT_S) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def answers(self) -> bool:
        """Whether it has started."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=ANSWER_TIMEOUT_S):
                return True
        except OSError:
            return False

    def query(self, expression: str, at_s: float | None = None) -> list[Sample]:
        """The series of an instant query, now or at a time in epoch seconds."""
        at = {} if at_s is None else {"time": str(at_s)}
        return [(one["metric"], float(one["value"][1])) for one in self.ask("query", query=expression, **at)["result"]]

    def courses(self, expression: str, from_s: float, until_s: float, step_s: float) -> list[Course]:
        """The series of a range query."""
        asked = self.ask(
            "query_range", query=expression, start=str(from_s), end=str(until_s), step=f"{int(step_s * 1000)}ms"
        )
        return [
            (one["metric"], [(float(at_s), float(value)) for at_s, value in one["values"]]) for one in asked["result"]
        ]

    def log_tail(self) -> str:
        return self._process.log_tail()

    def stop(self) -> None:
        self._process.stop()
