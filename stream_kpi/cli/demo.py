"""``stream-kpi demo``: everything on this machine, from one command, until Ctrl-C."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from stream_kpi.cli.common import notes_console
from stream_kpi.cli.demo_interruption import Interruption

_SETTINGS = "STREAM_KPI_"


def demo(
    broker: Annotated[
        str,
        typer.Option(
            metavar="embedded|kafka|HOST:PORT",
            help="embedded: nothing else is needed; kafka: starts Apache Kafka (Java 17); or one that runs already.",
        ),
    ] = "embedded",
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Replay these events (JSON, one a line; .gz too) in place of the simulation."
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="TCP port of /metrics and the other pages.")] = 6066,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another day.")] = 1,
) -> None:
    """Start a broker, a worker and a simulated support team with a day behind it; print the URLs to look at.

    Ctrl-C ends it all and leaves nothing behind.
    """
    interruption = Interruption()
    ignored = [name for name in os.environ if name.startswith(_SETTINGS)]
    for name in ignored:
        del os.environ[name]
    if ignored:
        notes_console().print(f"The demo has settings of its own; not used: {', '.join(sorted(ignored))}.")

    from stream_kpi.cli.demo_story import Plan, tell

    interruption.run(tell(Plan(broker, data, port, seed)))
