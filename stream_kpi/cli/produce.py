"""``stream-kpi produce``: sends files of events to their topics, keyed by subject."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Annotated

import typer

from stream_kpi.cli.common import BrokerOption, ConfigOption, notes_console, settings_of
from stream_kpi.errors import UserError


def _speed(text: str | None) -> float | None:
    """Read ``60x`` or ``60``. Raises UserError."""
    if text is None:
        return None
    factor = re.fullmatch(r"(\d+(?:\.\d+)?)x?", text)
    if factor is None or float(factor[1]) <= 0:
        message = f"--speed {text}: must be a factor above 0, such as 60x (an hour of events in a minute)"
        raise UserError(message)
    return float(factor[1])


def produce(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="CloudEvents, JSON, one a line; .gz too.")],
    speed: Annotated[
        str | None,
        typer.Option(
            metavar="FACTOR", help="Keep to the events' own times, so many times faster (60x). Default: all at once."
        ),
    ] = None,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Send events to Kafka: each to the topic of its type, keyed by its subject, in the order of the file.

    A line that is no event ends it with exit status 2; what stood before it has been sent.
    """
    from stream_kpi.brokers.topic_admin import check_sources
    from stream_kpi.cli.producing import produce_files

    factor = _speed(speed)
    settings = settings_of(config, broker)
    facts = check_sources(settings)
    sent = asyncio.run(produce_files(files, settings, facts, factor))
    notes_console().print(f"{sent.events:,} events sent in {sent.seconds:.1f} s ({sent.events / sent.seconds:,.0f}/s).")
