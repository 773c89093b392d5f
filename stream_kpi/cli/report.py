"""``stream-kpi report``: the service report of a day, a week or a month."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream_kpi.cli.common import BrokerOption, ConfigOption, settings_of
from stream_kpi.cli.compute import moment_ms, print_notes, read_events
from stream_kpi.errors import UserError

# The names of the periods are the command's options: it is no heavy import.
from stream_kpi.reports.period import PeriodKind, period_at, reported_ms

if TYPE_CHECKING:
    from stream_kpi.lifecycles.options import Options
    from stream_kpi.reports.content import Report


class ReportFormat(StrEnum):
    """How the report is written."""

    HTML = "html"
    CSV = "csv"
    MD = "md"


def report(
    period: Annotated[PeriodKind, typer.Option(help="A local day, seven of them or a calendar month.")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="EVENTS", help="CloudEvents, JSON, one a line; .gz too.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="From the values that a worker publishes, no files.")] = False,
    at: Annotated[
        str | None,
        typer.Option(metavar="RFC3339", help="A moment in the period; midnight: what ends then. Default: last event."),
    ] = None,
    format: Annotated[
        ReportFormat, typer.Option(help="html: one page to read and print; csv: all values; md: for wikis and mails.")
    ] = ReportFormat.HTML,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Write the service report of a period: every KPI with its target and its change against the period before,
    volumes, categories, agents.

    A week is the seven local days that end with the day of --at. The report goes to standard output.
    """
    if live == bool(files):
        raise UserError("report: needs either files of events or --live")
    if live and at is not None:
        raise UserError("--at: --live reports on now; the past is in files of events")
    settings = settings_of(config, broker)
    if live:
        from stream_kpi.cli.report_live import live_report

        written = live_report(settings, period)
    else:
        written = _from_files(files or [], period, moment_ms(at), settings.options())
    sys.stdout.write(_text(written, format))


def _from_files(files: Sequence[Path], kind: PeriodKind, at_ms: int | None, options: Options) -> Report:
    """Read the files twice, once for each period: what a period looked like at its end knows nothing later."""
    from stream_kpi.compute import Computation
    from stream_kpi.kpis.catalogue import catalogue
    from stream_kpi.reports.build import build, coverage_notes
    from stream_kpi.reports.readings import TIERS, read, totals

    rows, zone = catalogue(options), options.zone_info
    computation = Computation(options, None, None if at_ms is None else reported_ms(at_ms, zone), TIERS)
    print_notes(computation, read_events(files, computation))
    if at_ms is None and computation.first_ms is None:
        raise UserError(f"{', '.join(map(str, files))}: no event in it, so that --at has to name the period")
    period, first_ms = period_at(kind, computation.at_ms, zone), computation.first_ms
    readings = read(computation, rows, period, before=())
    del computation  # the next one needs its memory
    if first_ms is not None and first_ms <= period.before.at_ms:
        earlier = Computation(options, None, period.before.at_ms, TIERS)
        read_events(files, earlier)
        readings = readings._replace(before=totals(earlier, rows, period.before))
    notes = coverage_notes(period, first_ms)
    return build(period, rows, readings, business=options.schedules is not None, notes=notes)


def _text(written: Report, output: ReportFormat) -> str:
    from stream_kpi.reports.csv_table import csv_table
    from stream_kpi.reports.markdown import markdown
    from stream_kpi.reports.page import html_page

    return {ReportFormat.HTML: html_page, ReportFormat.CSV: csv_table, ReportFormat.MD: markdown}[output](written)
