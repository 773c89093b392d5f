"""``stream-kpi bench``: events per second next to other ways of doing it; how late service levels are told."""

from __future__ import annotations

from typing import Annotated

import typer

from stream_kpi.cli.common import Format
from stream_kpi.errors import UserError

app = typer.Typer(invoke_without_command=True)

BrokerChoice = Annotated[
    str, typer.Option(metavar="kafka|embedded|HOST:PORT", help="kafka starts Apache Kafka here (Java 17).")
]
FormatChoice = Annotated[Format, typer.Option(help="table for people, json for programs.")]


@app.callback()
def bench(
    context: typer.Context,
    events: Annotated[int, typer.Option(min=1_000, help="Length of the log that is measured.")] = 1_000_000,
    broker: BrokerChoice = "kafka",
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="limit, stream_kpi, faust_table, quixstreams, or core (stream-kpi's pipeline without Kafka); may be "
            "repeated.",
        ),
    ] = None,
    format: FormatChoice = Format.TABLE,
    profile: Annotated[bool, typer.Option("--profile", help="With --only core: where its time goes.")] = False,
) -> None:
    """Measure stream-kpi against the poll-and-decode limit, a plain Faust table and Quix Streams, in one run."""
    if context.invoked_subcommand is not None:
        _refuse_options_before(context, context.invoked_subcommand)
        return
    from stream_kpi.bench.command import bench as measure

    measure(events, broker, only or (), "json" if format is Format.JSON else "table", profile=profile)


def _refuse_options_before(context: typer.Context, command: str) -> None:
    """Raise UserError for an option between `bench` and a command of it, which would not see it."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if source is not None and source.name == "COMMANDLINE":
            raise UserError(
                f"{option.opts[0]} before {command}: the options of {command} come after it; "
                f"`stream-kpi bench {command} --help` lists them"
            )


@app.command()
def sla(
    instances: Annotated[int, typer.Option(min=100, help="Service levels that run when the stretch begins.")] = 50_000,
    events_per_s: Annotated[int, typer.Option(min=1, help="Events sent all the while.")] = 20_000,
    seconds: Annotated[int, typer.Option(min=1, help="Length of the stretch that is measured.")] = 60,
    workers: Annotated[int, typer.Option(min=1, max=4, help="Workers, which share the log's 4 partitions.")] = 2,
    broker: BrokerChoice = "kafka",
    format: FormatChoice = Format.TABLE,
) -> None:
    """Measure how late after its moment workers tell that a service level is at risk or missed."""
    from stream_kpi.bench.sla.command import measure

    measure(instances, events_per_s, seconds, workers, broker, "json" if format is Format.JSON else "table")


@app.command()
def render(
    series: Annotated[int, typer.Option(min=1_000, help="Series on /metrics, at least.")] = 20_000,
    format: FormatChoice = Format.TABLE,
) -> None:
    """Measure how long /metrics takes to be served, and how long the event loop stands still meanwhile."""
    from stream_kpi.bench.render import measure

    measure(series, "json" if format is Format.JSON else "table")
