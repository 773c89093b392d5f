"""``stream-kpi compute``: every KPI of files of events, with no Kafka."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from stream_kpi.cli.common import ConfigOption, data_console, notes_console, settings_of
from stream_kpi.cli.files import read_lines
from stream_kpi.cli.progress import WorkProgress
from stream_kpi.errors import CHECK_FAILED, UserError

if TYPE_CHECKING:
    from stream_kpi.compute import Computation
    from stream_kpi.events.rejection import Rejected
    from stream_kpi.kpis.record import KpiRecord
    from stream_kpi.kpis.rows import Kpi
    from stream_kpi.lifecycles.options import Options


class OutputFormat(StrEnum):
    """How records are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def compute(
    files: Annotated[list[Path], typer.Argument(metavar="EVENTS", help="CloudEvents, JSON, one a line; .gz too.")],
    kpi: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only this KPI; may be repeated.")] = None,
    by: Annotated[
        list[str] | None, typer.Option(metavar="DIM", help="Also by this dimension (channel, agent, ...); repeatable.")
    ] = None,
    window: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="total, today, month, tumbling:5m|1h|1d, or rolling: and a length (rolling:1h, rolling:365d).",
        ),
    ] = "total",
    at: Annotated[
        str | None, typer.Option(metavar="RFC3339", help="As of then: later events are ignored. Default: the last one.")
    ] = None,
    preset: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Also as this system defines it (amazon, genesys, ...); repeatable."),
    ] = None,
    format: Annotated[OutputFormat, typer.Option(help="table for people; json, one record a line; csv.")] = (
        OutputFormat.TABLE
    ),
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when a line is rejected.")] = False,
    config: ConfigOption = None,
) -> None:
    """Compute KPIs from files of events, in any order and of any mix of types.

    Records go to standard output, what was rejected, by reason, to standard error.
    """
    from stream_kpi.compute import Computation
    from stream_kpi.windows.kinds import parse

    options = settings_of(config).options()
    rows, dimensions = _rows(kpi, preset or [], options), _dimensions(by)
    try:
        kind = parse(window)
    except ValueError as error:
        raise UserError(f"--{error}") from error
    computation = Computation(options, kind, moment_ms(at))
    first = read_events(files, computation)
    _print(computation.records(rows, dimensions), format)
    print_notes(computation, first)
    if strict and first is not None:
        raise typer.Exit(CHECK_FAILED)


def _rows(ids: list[str] | None, presets: list[str], options: Options) -> Sequence[Kpi]:
    from stream_kpi.kpis.catalogue import PRESETS, catalogue, with_presets

    names = {name for formulas in PRESETS.values() for name in formulas}
    for one in presets:
        if one not in names:
            raise UserError(f"--preset {one}: must be one of {', '.join(sorted(names))}")
    known = {row.id: row for row in catalogue(options)}
    for one in ids or ():
        if one not in known:
            raise UserError(f"--kpi {one}: there is no such KPI; `stream-kpi catalogue` lists them")
    return list(with_presets((known[one] for one in dict.fromkeys(ids or known)), presets))


def _dimensions(by: list[str] | None) -> list[str]:
    from stream_kpi.kpis.catalogue import catalogue
    from stream_kpi.kpis.rows import CLASS

    # The classes of distributions are printed in any case: who asks for them gets what was asked for.
    known = {cut for row in catalogue() for cut in row.cuts} - {"total"} | {CLASS}
    for one in by or ():
        if one not in known:
            raise UserError(f"--by {one}: must be one of {', '.join(sorted(known))}")
    return by or []


def moment_ms(at: str | None) -> int | None:
    """Epoch milliseconds of ``--at``. Raises UserError."""
    from stream_kpi.events.times import event_time_ms

    if at is None:
        return None
    try:
        return event_time_ms(at)
    except ValueError as error:
        raise UserError(f"--at {at}: must be RFC 3339 with an offset, such as 2026-03-02T10:02:11Z") from error


def read_events(files: Sequence[Path], computation: Computation) -> tuple[Path, int, Rejected] | None:
    """Feed every line; the first that was rejected. Raises UserError: a file that cannot be read."""
    first = None
    sizes_bytes = [path.stat().st_size if path.is_file() else 0 for path in files]
    done_bytes = 0
    with WorkProgress("Reading", sum(sizes_bytes)) as progress:
        for path, size_bytes in zip(files, sizes_bytes, strict=True):
            for line in read_lines(path):
                rejected = computation.take(line.text)
                if rejected is not None and first is None:
                    first = (path, line.number, rejected)
                if line.number % 1000 == 0:
                    progress.update(done_bytes + line.read_bytes, path.name)
            done_bytes += size_bytes
    return first


def print_notes(computation: Computation, first: tuple[Path, int, Rejected] | None) -> None:
    """Say on standard error what was skipped and rejected, ``first`` foremost."""
    notes = notes_console()
    if computation.counts["unknown_type"]:
        notes.print(f"{_lines(computation.counts['unknown_type'])} of unknown types skipped.")
    if first is None:
        return
    by_reason = ", ".join(f"{reason.value} {count:,}" for reason, count in computation.rejected.most_common())
    path, number, rejected = first
    notes.print(f"{_lines(computation.rejected.total())} rejected: {by_reason}.", markup=False)
    notes.print(f"The first: {path}, line {number}: {rejected.detail}", markup=False)


def _lines(number: int) -> str:
    return "1 line" if number == 1 else f"{number:,} lines"


def _print(records: Iterable[KpiRecord], output: OutputFormat) -> None:
    if output is OutputFormat.JSON:
        encode = msgspec.json.Encoder().encode
        for record in records:
            sys.stdout.buffer.write(encode(record) + b"\n")
        sys.stdout.buffer.flush()
    elif output is OutputFormat.CSV:
        _print_csv(records)
    else:
        _print_table(records)


_STATS = ("mean", "min", "max", "p50", "p90", "p95", "p99")


def _print_csv(records: Iterable[KpiRecord]) -> None:
    from stream_kpi.kpis.record import cut_text, variant_text

    writer = csv.writer(sys.stdout)
    columns = ("kpi", "unit", "window", "start", "end", "cut", "value", "samples", "numerator", "denominator")
    writer.writerow((*columns, *_STATS, "clock", "currency", "variant", "final"))
    for record in records:
        window = record.window
        stats = [getattr(record.stats, name) if record.stats else None for name in _STATS]
        ends = (record.clock, record.currency, variant_text(record), record.final)
        head = (record.kpi, record.unit, window.kind, window.start, window.end, cut_text(record))
        writer.writerow((*head, record.value, record.samples, record.numerator, record.denominator, *stats, *ends))


def _print_table(records: Iterable[KpiRecord]) -> None:
    from rich.table import Table
    from rich.text import Text

    from stream_kpi.kpis.record import cut_text, variant_text

    table = Table("KPI", "window", "cut", box=None, pad_edge=False)
    for name in ("value", "unit", "samples", "p50", "p90", "p99"):
        table.add_column(name, justify="left" if name == "unit" else "right")
    for record in records:
        window = record.window
        shown = window.kind if window.start is None else f"{window.kind} {_short(window.start)}"
        quantiles = [getattr(record.stats, name) if record.stats else None for name in ("p50", "p90", "p99")]
        stats = ["" if quantile is None else _number(quantile) for quantile in quantiles]
        value = "-" if record.value is None else _number(record.value)
        samples = "" if record.samples is None else f"{record.samples:,}"
        clock = f"({record.clock})" if record.clock == "business" else ""
        # Of money the unit says it already.
        currency = record.currency if record.currency not in (None, record.unit) else ""
        kpi = " ".join(filter(None, (record.kpi, clock, currency, variant_text(record))))
        table.add_row(kpi, shown, Text(cut_text(record)), value, record.unit, samples, *stats)
    data_console().print(table)


def _short(timestamp: str) -> str:
    return f"{datetime.fromisoformat(timestamp):%Y-%m-%d %H:%M}"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}"
