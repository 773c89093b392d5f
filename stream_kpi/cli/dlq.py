"""``stream-kpi dlq``: records that were refused, and sending them again."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from stream_kpi.cli.common import BrokerOption, ConfigOption, JsonOption, notes_console, print_json, settings_of
from stream_kpi.errors import CHECK_FAILED, UserError

app = typer.Typer(help="Records that were refused: list them, look at one, send them again.", no_args_is_help=True)

ReasonOption = Annotated[str | None, typer.Option("--reason", metavar="REASON", help="Only what was refused for this.")]
PLACE = "topic:partition:offset, as `dlq list` prints it"


@app.command("list")
def list_letters(
    reason: ReasonOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    config: ConfigOption = None,
    broker: BrokerOption = None,
    json: JsonOption = False,
) -> None:
    """Say what was refused and why, and what of it has been sent again."""
    from stream_kpi.cli.dead_letters import letters, replayed, summary

    settings = settings_of(config, broker)
    done = replayed(settings)
    found = list(islice((one for one in letters(settings) if reason in (None, one.reason)), limit))
    if json:
        print_json([{**summary(letter), "replayed": letter.place in done} for letter in found])
        return
    for letter in found:
        typer.echo(letter.line + ("  sent again" if letter.place in done else ""))


@app.command()
def show(
    place: Annotated[str, typer.Argument(metavar="PLACE", help=PLACE)],
    config: ConfigOption = None,
    broker: BrokerOption = None,
    json: JsonOption = False,
) -> None:
    """Show one with its headers and its value."""
    from stream_kpi.cli.dead_letters import letters, summary
    from stream_kpi.cli.terminal import shown, shown_bytes
    from stream_kpi.events.rejection import ADVICE

    settings = settings_of(config, broker)
    letter = next((one for one in letters(settings) if one.place == place), None)
    if letter is None:
        raise UserError(f"{place}: there is no such dead letter; `stream-kpi dlq list` prints their places")
    advice = {reason.value: text for reason, text in ADVICE.items()}.get(letter.reason, "")
    headers = [(name, content.decode(errors="backslashreplace")) for name, content in letter.headers]
    value = None if letter.found.value is None else letter.found.value.decode(errors="backslashreplace")
    if json:
        print_json({**summary(letter), "headers": headers, "value": value, "advice": advice})
        return
    typer.echo(f"{letter.line}\n{advice}\nfrom {shown(letter.source)}, partition {letter.source_partition}")
    for name, content in headers:
        typer.echo(f"{shown(name)}: {shown(content)}")
    typer.echo(shown_bytes(letter.found.value))


@app.command()
def replay(
    places: Annotated[list[str] | None, typer.Argument(metavar="PLACE", help=f"{PLACE}; several.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that have not been sent again.")] = False,
    reason: ReasonOption = None,
    force: Annotated[bool, typer.Option("--force", help="Also what is still invalid.")] = False,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Put records back on their source topics as they came, each once; exit status 1 when one was not sent.

    What is still invalid would be refused again: it is left out unless --force is given.
    """
    from stream_kpi.cli.dead_letters import letters, replayer
    from stream_kpi.events.rejection import Reason

    if bool(places) + every + (reason is not None) != 1:
        raise UserError("dlq replay: name places, or one of --all and --reason")
    if reason is not None and reason not in set(Reason):
        raise UserError(f"--reason {reason}: allowed are {', '.join(one.value for one in Reason)}")
    settings, wanted = settings_of(config, broker), set(places or ())
    sending = replayer(settings)
    try:
        chosen = [one for one in letters(settings) if one.place in wanted or every or one.reason == reason]
        unknown = sorted(wanted - {one.place for one in chosen})
        if unknown:
            raise UserError(f"{unknown[0]}: there is no such dead letter; `stream-kpi dlq list` prints their places")
        sent = kept = 0
        for letter, why_not in sending.replay(chosen, force=force):
            sent += why_not is None
            kept += why_not not in (None, "sent again before") or (why_not is not None and bool(places))
            typer.echo(f"{letter.line}  {'sent again' if why_not is None else 'not sent: ' + why_not}")
    finally:
        sending.close()
    notes_console().print(f"{sent} sent again, {kept} not.")
    if kept:
        raise typer.Exit(CHECK_FAILED)
