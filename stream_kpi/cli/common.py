"""What the commands share: options, settings, output."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from stream_kpi.settings import Settings

ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="TOML file with settings (or STREAM_KPI_CONFIG).")
]
BrokerOption = Annotated[
    str | None, typer.Option("--broker", metavar="HOST:PORT", help="Kafka broker; wins over the settings.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class Format(StrEnum):
    """How a list is printed."""

    TABLE = "table"
    JSON = "json"


def settings_of(config: Path | None, broker: str | None = None, **overrides: dict[str, Any]) -> Settings:
    """Return the settings with the command line's options on top. Raises UserError."""
    from stream_kpi.settings import load_settings

    if broker is not None:
        overrides["broker"] = {"address": broker}
    return load_settings(config, overrides)


def data_console() -> Console:
    """Return where data goes: standard output, at its full width where it is no terminal."""
    return Console(soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 200)


def notes_console() -> Console:
    """Return where progress and notes go: standard error."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: object) -> None:
    """Print one JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
