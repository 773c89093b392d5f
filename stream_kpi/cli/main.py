"""``stream-kpi``: registers the commands and turns errors into one line and an exit status."""

from __future__ import annotations

import errno
import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from stream_kpi.cli import (
    bench,
    catalogue,
    compute,
    demo,
    dlq,
    doctor,
    exporter,
    produce,
    report,
    simulate,
    tail,
    topics,
    worker,
)
from stream_kpi.errors import CHECK_FAILED, OK, UserError

EXIT_STATUSES = """\
Exit status: 0 done; 1 a check failed (doctor, --strict); 2 wrong usage, settings or input file; \
3 no broker answers or can be started; 4 topics missing or with another partition count; \
130 interrupted (worker, exporter and demo: 0)."""

_CANNOT_BE_WRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
"""Why output does not go where it should, for which nothing of the program is to blame."""

app = typer.Typer(
    name="stream-kpi",
    help="Live support KPIs from Kafka events.",
    epilog=EXIT_STATUSES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"stream-kpi {version('stream-kpi')}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Live support KPIs from Kafka events."""


app.command("demo")(demo.demo)
app.command("worker")(worker.worker)
app.command("exporter")(exporter.exporter)
app.command("compute")(compute.compute)
app.command("report")(report.report)
app.command("produce")(produce.produce)
app.add_typer(topics.app, name="topics")
app.add_typer(tail.app, name="tail")
app.add_typer(dlq.app, name="dlq")
app.command("doctor")(doctor.doctor)
app.command("catalogue")(catalogue.catalogue)
app.command("simulate")(simulate.simulate)
app.add_typer(bench.app, name="bench")


def main() -> int:
    """Run the command line and return its exit status."""
    try:
        try:
            app()
        except SystemExit as end:
            # Typer ends every command so; Ctrl-C is 130 by then, wrong usage 2.
            return _flushed(end.code if isinstance(end.code, int) else OK)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    except OSError as error:
        if error.errno not in _CANNOT_BE_WRITTEN:
            raise
        where = "the output" if error.filename is None else error.filename
        sys.stderr.write(f"{where} cannot be written: {error.strerror}\n")
        _give_up_output()
        return CHECK_FAILED
    return OK


def _flushed(status: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has had enough (`| head`).
        _give_up_output()
        return CHECK_FAILED
    return status


def _give_up_output() -> None:
    # What is left in the buffer cannot be written, and the interpreter must not try again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
