"""``stream-kpi bench``: events per second on one broker, next to other ways of doing it."""

from __future__ import annotations

from typing import Annotated

import typer

from stream_kpi.cli.common import Format


def bench(
    events: Annotated[int, typer.Option(min=1_000, help="Length of the log that is measured.")] = 1_000_000,
    broker: Annotated[
        str, typer.Option(metavar="kafka|embedded|HOST:PORT", help="kafka starts Apache Kafka here (Java 17).")
    ] = "kafka",
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="limit, stream_kpi, faust_table, quixstreams or core; may be repeated."),
    ] = None,
    format: Annotated[Format, typer.Option(help="table for people, json for programs.")] = Format.TABLE,  # noqa: A002
    profile: Annotated[bool, typer.Option("--profile", help="With --only core: where its time goes.")] = False,
) -> None:
    """Measure stream-kpi against the poll-and-decode limit, a plain Faust table and Quix Streams, in one run."""
    from stream_kpi.bench.command import bench as measure

    measure(events, broker, only or (), "json" if format is Format.JSON else "table", profile=profile)
