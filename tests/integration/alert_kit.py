"""Alertmanager as it is deployed, on a port of its own, and quicker."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from aiohttp import web

from stream_kpi.brokers.process import ServerProcess, free_port

DEPLOY: Final = Path(__file__).resolve().parents[2] / "deploy"
TIMED: Final = {"for", "group_wait", "group_interval", "repeat_interval"}
"""What lasts as long as it is written."""
LOOKS: Final = {"scrape_interval", "evaluation_interval"}
LEAST_LOOK_MS: Final = 2_000
"""Looked at every second by both jobs, a worker on a slow machine was rendering 1.4 s in each second (py-spy, two
threads), and StreamKpiAbsent fired; half as many looks leave it time."""
UNIT_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


def program(*names: str) -> str:
    """Where the first of these programs is."""
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        pytest.skip(f"{' or '.join(names)} is not installed (Debian: prometheus, prometheus-alertmanager)")
    return found


def quicker(document: Any, times: int) -> Any:
    """The same with everything that lasts so many times shorter."""
    if isinstance(document, list):
        return [quicker(one, times) for one in document]
    if not isinstance(document, dict):
        return document
    return {key: _quicker_entry(key, value, times) for key, value in document.items()}


def _quicker_entry(key: str, value: Any, times: int) -> Any:
    if key in TIMED:
        return _shorter(value, times)
    return _shorter(value, times, LEAST_LOOK_MS) if key in LOOKS else quicker(value, times)


def _shorter(duration: str, times: int, least_ms: int = 1) -> str:
    (number, unit), *rest = re.findall(r"(\d+)(ms|s|m|h)", duration)
    assert not rest, duration
    return f"{max(least_ms, int(number) * UNIT_MS[unit] // times)}ms"


class Webhook:
    """Takes what Alertmanager sends."""

    def __init__(self) -> None:
        self.port = free_port()
        self.received: list[tuple[str, str, str]] = []
        """(receiver, alert, status)"""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        application = web.Application()
        application.add_routes([web.post("/{receiver}", self._take)])
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.received += [
            (request.match_info["receiver"], alert["labels"]["alertname"], alert["status"]) for alert in body["alerts"]
        ]
        return web.Response()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()


class Alertmanager:
    """With the deployed configuration, whose receivers are the webhook."""

    def __init__(self, webhook: Webhook, times: int) -> None:
        binary = program("alertmanager", "prometheus-alertmanager")
        self.port = free_port()
        self._process = ServerProcess("alertmanager")
        config = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
        for receiver in config["receivers"]:
            for hook in receiver.get("webhook_configs", ()):
                hook["url"] = hook["url"].replace("alerts.example:8080", f"127.0.0.1:{webhook.port}")
        (self._process.folder / "alertmanager.yml").write_text(yaml.safe_dump(quicker(config, times)))
        self._process.run(
            [
                binary,
                "--config.file=alertmanager.yml",
                "--storage.path=data",
                "--cluster.listen-address=",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ]
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log_tail(self) -> str:
        return self._process.log_tail()

    def stop(self) -> None:
        self._process.stop()
