"""``stream-kpi worker``: one worker of the live pipeline."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream_kpi.cli.common import BrokerOption, ConfigOption, settings_of
from stream_kpi.errors import WRONG_USAGE, UserError

if TYPE_CHECKING:
    from stream_kpi.settings_sections import WebSettings


def worker(
    config: ConfigOption = None,
    broker: BrokerOption = None,
    web_host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Where /metrics listens.")] = None,
    web_port: Annotated[int | None, typer.Option(metavar="PORT", help="TCP port of /metrics.")] = None,
) -> None:
    """Turn events into KPIs until Ctrl-C or SIGTERM. Start as many as there are partitions."""
    from stream_kpi.brokers.topic_admin import check_topics

    web: dict[str, Any] = {key: value for key, value in (("host", web_host), ("port", web_port)) if value is not None}
    settings = settings_of(config, broker, **({"web": web} if web else {}))
    check_port_free(settings.web)
    check_topics(settings)

    from stream_kpi.shell.app import run

    raise typer.Exit(run(settings))


def check_port_free(web: WebSettings, remedy: str = "--web-{key}, or STREAM_KPI_WEB__{KEY}") -> None:
    """Raise UserError when nothing can listen at the web address, naming the flag that chooses another."""
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    try:
        with socket.socket(family) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind((web.host, web.port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "is taken" if taken else f"cannot be listened on ({error.strerror})"
        key = "port" if taken else "host"
        another = remedy.format(key=key, KEY=key.upper())
        raise UserError(
            f"Port {web.port} of {web.host} {reason}; choose another with {another}.", WRONG_USAGE
        ) from error
