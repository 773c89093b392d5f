"""A real Alertmanager with the deployed configuration: who is told what, and who is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp

from tests.integration.alert_kit import Alertmanager, Webhook

PATIENCE_S = 60.0
LATE = "StreamKpiFirstResponseBreaches"


async def until(condition: Callable[[], Awaitable[bool]], what: Callable[[], str]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not await condition():
        assert time.monotonic() < deadline_s, what()
        await asyncio.sleep(0.05)  # between two looks, until the deadline


@asynccontextmanager
async def alerting(times: int) -> AsyncIterator[tuple[Webhook, Alertmanager]]:
    webhook = Webhook()
    await webhook.start()
    alertmanager = None
    try:
        alertmanager = Alertmanager(webhook, times)
        yield webhook, alertmanager
    finally:
        if alertmanager is not None:
            alertmanager.stop()
        await webhook.stop()


async def states(alertmanager: Alertmanager) -> dict[str, str]:
    """``{alert: active | suppressed}``; nothing while Alertmanager starts."""
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{alertmanager.url}/api/v2/alerts") as answer:
            return {one["labels"]["alertname"]: one["status"]["state"] for one in await answer.json()}
    except aiohttp.ClientConnectionError:
        return {}


async def raise_alerts(alertmanager: Alertmanager, *alerts: dict[str, str]) -> None:
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = [{"labels": labels, "endsAt": ends} for labels in alerts]
    url = f"{alertmanager.url}/api/v2/alerts"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        assert answer.status == 200


async def test_while_the_values_are_stale_nobody_is_told_what_they_say() -> None:
    stale = {"alertname": "StreamKpiPipelineStale", "team": "platform", "severity": "critical", "scope": "pipeline"}
    late = {"alertname": LATE, "team": "support", "severity": "critical", "scope": "kpi"}
    dead = {"alertname": "StreamKpiDlqRate", "team": "platform", "severity": "warning", "scope": "pipeline"}
    async with alerting(100) as (webhook, alertmanager):

        async def answers() -> bool:
            try:
                async with aiohttp.ClientSession() as session, session.get(f"{alertmanager.url}/-/ready") as answer:
                    return answer.status == 200
            except aiohttp.ClientConnectionError:
                return False

        async def told(receiver: str, alert: str) -> bool:
            return (receiver, alert, "firing") in webhook.received

        await until(answers, alertmanager.log_tail)
        await raise_alerts(alertmanager, stale)
        await until(lambda: told("platform-page", stale["alertname"]), alertmanager.log_tail)
        await raise_alerts(alertmanager, late, dead)
        await until(lambda: told("platform", dead["alertname"]), alertmanager.log_tail)
        names = (stale["alertname"], dead["alertname"], late["alertname"])
        expected = dict(zip(names, ("active", "active", "suppressed"), strict=True))

        async def settled() -> bool:
            return await states(alertmanager) == expected

        await until(settled, alertmanager.log_tail)
        assert late["alertname"] not in {alert for _, alert, _ in webhook.received}
