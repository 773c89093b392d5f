"""``stream-kpi catalogue``: every KPI and its definition."""

from __future__ import annotations

from typing import Annotated

import typer

from stream_kpi.cli.common import ConfigOption, Format, data_console, print_json, settings_of


def catalogue(
    format: Annotated[Format, typer.Option(help="table for people, json for programs.")] = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """List every KPI, those of the settings last. --format json adds kind, definition, formula, target and advice."""
    from stream_kpi.kpis.catalogue import catalogue as rows

    kpis = [row.as_json() for row in rows(settings_of(config).options())]
    if format is Format.JSON:
        print_json(kpis)
        return

    from rich.table import Table

    table = Table("id", "title", "unit", "good", "windows", "cuts", box=None, pad_edge=False)
    for kpi in kpis:
        windows, cuts = (" ".join(str(one) for one in kpi[key]) for key in ("windows", "cuts"))
        table.add_row(kpi["id"], kpi["title"], kpi["unit"], str(kpi["direction"]), windows, cuts)
    data_console().print(table)
