"""``stream-kpi exporter``: one /metrics and JSON API for a whole cluster."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stream_kpi.cli.common import ConfigOption, settings_of
from stream_kpi.cli.worker import check_port_free


def exporter(
    config: ConfigOption = None,
    web_host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Where /metrics listens.")] = None,
    web_port: Annotated[int | None, typer.Option(metavar="PORT", help="TCP port of /metrics.")] = None,
) -> None:
    """Serve what the workers publish through Redis, until Ctrl-C or SIGTERM. Any number show the same."""
    web: dict[str, Any] = {key: value for key, value in (("host", web_host), ("port", web_port)) if value is not None}
    settings = settings_of(config, None, **({"web": web} if web else {}))
    check_port_free(settings.web)

    from stream_kpi.publish.exporter import run

    raise typer.Exit(run(settings))
