"""``stream-kpi tail``: shows what is written to a topic, as it is written."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from stream_kpi.cli.common import BrokerOption, ConfigOption, JsonOption, settings_of
from stream_kpi.errors import UserError

if TYPE_CHECKING:
    from stream_kpi.cli.following import Found
    from stream_kpi.settings_sections import BrokerSettings

app = typer.Typer(help="Show what is written to a topic, as it is written. Ctrl-C ends it.", no_args_is_help=True)

BeginningOption = Annotated[bool, typer.Option("--from-beginning", help="All that the topic holds, then what is new.")]
LimitOption = Annotated[int | None, typer.Option(min=1, help="End after so many records.")]
KpiOption = Annotated[list[str] | None, typer.Option("--kpi", metavar="ID", help="Only this KPI; may be repeated.")]
CutOption = Annotated[
    str | None, typer.Option("--cut", metavar="NAME[=VALUE]", help="Only this cut: total, channel, channel=email.")
]
WindowOption = Annotated[str | None, typer.Option("--window", metavar="KIND", help="Only windows of this kind.")]

Chosen = Callable[["Found", dict[str, Any]], bool]
Line = Callable[["Found", dict[str, Any]], str]


@app.command()
def values(
    kpi: KpiOption = None,
    cut: CutOption = None,
    window: WindowOption = None,
    from_beginning: BeginningOption = False,
    limit: LimitOption = None,
    config: ConfigOption = None,
    broker: BrokerOption = None,
    json: JsonOption = False,
) -> None:
    """KPI records; what is taken back shows as such."""
    settings = settings_of(config, broker)
    chosen = _of_kpis(kpi, cut, window, settings)
    _tail(settings.broker, [settings.topics.values], chosen, _kpi_line, from_beginning, limit, json)


@app.command()
def history(
    kpi: KpiOption = None,
    cut: CutOption = None,
    window: WindowOption = None,
    from_beginning: BeginningOption = False,
    limit: LimitOption = None,
    config: ConfigOption = None,
    broker: BrokerOption = None,
    json: JsonOption = False,
) -> None:
    """Windows that have become final, and corrections of them."""
    settings = settings_of(config, broker)
    chosen = _of_kpis(kpi, cut, window, settings)
    _tail(settings.broker, [settings.topics.history], chosen, _kpi_line, from_beginning, limit, json)


@app.command()
def sla(
    type: Annotated[
        list[str] | None, typer.Option("--type", metavar="STEP", help="breached, at_risk, ...; may be repeated.")
    ] = None,
    ticket: Annotated[str | None, typer.Option(metavar="ID", help="Only this ticket or chat.")] = None,
    policy: Annotated[str | None, typer.Option(metavar="NAME", help="Only this policy.")] = None,
    from_beginning: BeginningOption = False,
    limit: LimitOption = None,
    config: ConfigOption = None,
    broker: BrokerOption = None,
    json: JsonOption = False,
) -> None:
    """What becomes of service levels."""
    from stream_kpi.events.sla import SlaEventType

    steps = [step.removeprefix("sla.") for step in get_args(SlaEventType)]
    wanted = {f"sla.{_known('--type', one.removeprefix('sla.'), steps)}" for one in type or steps}

    def chosen(_: Found, event: dict[str, Any]) -> bool:
        return (
            event["type"] in wanted and ticket in (None, event["subject"]) and policy in (None, event["data"]["policy"])
        )

    settings = settings_of(config, broker)
    _tail(settings.broker, [settings.topics.sla], chosen, _sla_line, from_beginning, limit, json)


@app.command()
def dlq(
    reason: Annotated[str | None, typer.Option(metavar="REASON", help="Only what was refused for this.")] = None,
    from_beginning: BeginningOption = False,
    limit: LimitOption = None,
    config: ConfigOption = None,
    broker: BrokerOption = None,
    json: JsonOption = False,
) -> None:
    """Records that were refused, of all source topics."""
    from stream_kpi.cli.dead_letters import letter_of, summary, topics_of
    from stream_kpi.events.rejection import Reason

    settings = settings_of(config, broker)
    if reason is not None:
        _known("--reason", reason, [one.value for one in Reason])

    def chosen(found: Found, _: dict[str, Any]) -> bool:
        return reason in (None, letter_of(found).reason)

    def line(found: Found, _: dict[str, Any]) -> str:
        letter = letter_of(found)
        return json_module.dumps(summary(letter)) if json else letter.line

    _tail(settings.broker, topics_of(settings), chosen, line, from_beginning, limit, json=False, parse=False)


def _known(option: str, value: str, allowed: Collection[str]) -> str:
    if value not in allowed:
        raise UserError(f"{option} {value}: allowed are {', '.join(allowed)}")
    return value


def _of_kpis(kpis: list[str] | None, cut: str | None, window: str | None, settings: Any) -> Chosen:  # noqa: ANN401 - typer would have to import the settings
    """What a record's KPI, cut and kind of window have to be. Raises UserError for what no record has."""
    from stream_kpi.kpis.catalogue import catalogue
    from stream_kpi.windows.kinds import ROLLING, TODAY, TUMBLING

    rows = catalogue(settings.options())
    for kpi in kpis or ():
        if all(row.id != kpi for row in rows):
            raise UserError(f"--kpi {kpi}: there is none; `stream-kpi catalogue` lists them")
    if window is not None:
        _known(
            "--window",
            window,
            ["instant", "total", TODAY.name, *(kind.name for kind in ROLLING), *(kind.name for kind in TUMBLING)],
        )
    name, _, wanted = (cut or "").partition("=")
    if cut is not None:
        _known("--cut", name, sorted({"total", *(one for row in rows for one in row.cuts)}))

    def chosen(_: Found, record: dict[str, Any]) -> bool:
        return (
            (not kpis or record["kpi"] in kpis)
            and window in (None, record["window"]["kind"])
            and (cut is None or (not record["cut"] if name == "total" else _is_of(record["cut"], name, wanted)))
        )

    return chosen


def _is_of(cut: dict[str, str], name: str, wanted: str) -> bool:
    return name in cut and wanted in ("", cut[name])


def _kpi_line(_: Found, record: dict[str, Any]) -> str:
    window = record["window"]
    value = record["value"]
    parts = [
        record["as_of"],
        record["kpi"],
        window["kind"] + (f"@{window['start']}" if record["final"] and window["start"] else ""),
        " ".join(f"{name}={one}" for name, one in record["cut"].items()) or "total",
        "no value" if value is None else f"{value:,} {record['unit']}",
        f"revision {record['revision']}" if record["revision"] else "",
        "withdrawn" if record.get("withdrawn") else "",
    ]
    return "  ".join(part for part in parts if part)


def _sla_line(_: Found, event: dict[str, Any]) -> str:
    data = event["data"]
    return "  ".join(
        [event["time"], event["type"], event["subject"], data["policy"], data["metric"], data["deadline"] or "-"]
    )


def _tail(
    broker: BrokerSettings,
    topics: list[str],
    chosen: Chosen,
    line: Line,
    from_beginning: bool,
    limit: int | None,
    json: bool,
    *,
    parse: bool = True,
) -> None:
    from stream_kpi.cli.following import follow
    from stream_kpi.cli.terminal import json_line, shown

    written = 0
    try:
        for found in follow(broker, topics, from_beginning=from_beginning):
            record = _read(found) if parse else {}
            if record is None or not chosen(found, record):
                continue
            sys.stdout.write(json_line(record) if json else shown(line(found, record)) + "\n")
            sys.stdout.flush()
            written += 1
            if written == limit:
                return
    except KeyboardInterrupt:
        return


def _read(found: Found) -> dict[str, Any] | None:
    """The record; None for a tombstone and for what others have written there that is no JSON object."""
    try:
        record = json_module.loads(found.value or b"null")
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
