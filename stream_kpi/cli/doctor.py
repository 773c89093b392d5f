"""``stream-kpi doctor`` asks whether everything is as the worker needs it."""

from __future__ import annotations

import typer

from stream_kpi.cli.common import BrokerOption, ConfigOption, JsonOption, data_console, print_json, settings_of
from stream_kpi.errors import CHECK_FAILED


def doctor(config: ConfigOption = None, broker: BrokerOption = None, json: JsonOption = False) -> None:
    """Check settings, broker, topics, clock, keys, whether the core is compiled, and what this machine can start; exit
    status 1 when a check fails."""
    from stream_kpi.cli.examination import Verdict, examine

    findings = examine(settings_of(config, broker))
    if json:
        print_json([{"check": one.check, "result": one.verdict.value, "detail": one.detail} for one in findings])
    else:
        from rich.table import Table

        colours = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "red", Verdict.UNKNOWN: "dim"}
        table = Table("check", "result", "detail", box=None, pad_edge=False)
        for one in findings:
            table.add_row(one.check, f"[{colours[one.verdict]}]{one.verdict.value}[/]", one.detail)
        data_console().print(table)
    if any(one.verdict is Verdict.FAILED for one in findings):
        raise typer.Exit(CHECK_FAILED)
