"""The part of the settings that defines KPIs of the organisation's own: ``[[kpi]]`` tables (docs/custom-kpis.md)."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar, cast

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from stream_kpi.errors import UserError
from stream_kpi.lifecycles.options import CustomKpi
from stream_kpi.settings_schedules import LINES_OF_COMPLAINT

_REQUIRED: Final = ("id", "title", "unit", "formula")
_KEYS: Final = (*_REQUIRED, "cuts", "target", "direction")
_DIRECTIONS: Final = ("up", "down", "none")
_MOST_CHARS: Final = 100

_Read = TypeVar("_Read")


class Complaint(NamedTuple):
    """One thing that is wrong: in which table, from 0, at which key, and the line that says so."""

    table: int
    key: str
    line: str


class KpiTablesError(UserError):
    """Tables that are refused; its text has a line for each complaint."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        super().__init__("\n".join(complaint.line for complaint in complaints))
        self.complaints = tuple(complaints)


def read_kpis(tables: Sequence[Mapping[str, object]]) -> tuple[CustomKpi, ...]:
    """Return the KPIs that the ``[[kpi]]`` tables define.

    Raises KpiTablesError: one line for each wrong key, ``kpi.<id>.<key> = value: what is allowed``; a table without an
    id goes by its position, from 0.
    """
    if not tables:
        return ()
    read = [_Table(content, position) for position, content in enumerate(tables)]
    kpis = [_kpi(table) for table in read]
    _refuse_taken_names(read, kpis)
    complaints = [complaint for table in read for complaint in table.complaints]
    if complaints:
        raise KpiTablesError(complaints)
    return tuple(kpi for kpi in kpis if kpi is not None)


class _Table:
    """One ``[[kpi]]`` table and what is wrong with it."""

    def __init__(self, content: Mapping[str, object], position: int) -> None:
        self.content = content
        self.complaints: list[Complaint] = []
        self._position = position
        self._label = f"kpi.{_one_line(content.get('id')) or position}"

    def refuse(self, key: str, allowed: str, place: int | None = None) -> None:
        """Note that a key's value (of a list: the one at ``place``) is not what is allowed."""
        value, path = self.content.get(key, ""), f"{self._label}.{key}"
        if place is not None and isinstance(value, list):
            value, path = value[place], f"{path}[{place}]"
        self.complaints.append(Complaint(self._position, key, f"{path} = {_one_line(value)}: {allowed}"))

    def text(self, key: str, parse: Callable[[str], _Read], default: object = "") -> _Read | None:
        """What a text says; None if it is refused: no text, or ``parse`` raises ValueError."""
        value = self.content.get(key, default)
        if not isinstance(value, str):
            self.refuse(key, "must be a text, in quotes")
            return None
        try:
            return parse(value)
        except ValueError as error:
            self.refuse(key, str(error))
            return None


def _one_line(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _kpi(table: _Table) -> CustomKpi | None:
    """The KPI of a table; None if anything in it is refused."""
    from stream_kpi.kpis.custom import custom_row  # noqa: PLC0415 most settings define no KPI

    for key in table.content:
        if key not in _KEYS:
            table.refuse(key, f"there is no such key; must be one of {', '.join(_KEYS)}")
    kpi_id, title = table.text("id", _id), table.text("title", _title)
    unit, direction = table.text("unit", _title), table.text("direction", _direction, "none")
    target = _target(table, direction)
    possible = table.text("formula", _cuts_of_formula)
    cuts = () if possible is None else _cuts(table, possible)
    if table.complaints or kpi_id is None or title is None or unit is None or direction is None:
        return None
    kpi = CustomKpi(
        id=kpi_id,
        title=title,
        unit=unit,
        formula=str(table.content["formula"]),
        cuts=cuts,
        target=target,
        direction=direction,
    )
    try:
        custom_row(kpi)
    except ValueError as error:
        table.refuse("unit", str(error))  # the formula itself has been read before
        return None
    return kpi


def _cuts_of_formula(text: str) -> tuple[str, ...]:
    """The cuts that its measures share."""
    from stream_kpi.kpis.custom import shared_cuts  # noqa: PLC0415 most settings define no KPI

    if not text.strip():
        raise ValueError("must be a formula, such as count(tickets_created)")
    return shared_cuts(text)


def _id(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", text):
        raise ValueError("must be a name of at most 60 small letters, digits and _, a letter first")
    return text


def _title(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > _MOST_CHARS:
        raise ValueError(f"must be a line of 1 to {_MOST_CHARS} characters")
    return text.strip()


def _direction(text: str) -> Literal["up", "down", "none"]:
    if text not in _DIRECTIONS:
        raise ValueError(f"must be one of {', '.join(_DIRECTIONS)}")
    return cast('Literal["up", "down", "none"]', text)


def _target(table: _Table, direction: str | None) -> float | None:
    if "target" not in table.content:
        return None
    value = table.content["target"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value > 0):
        table.refuse("target", "must be a number above 0")
        return None
    if direction == "none":
        table.refuse("target", 'needs direction = "up" or "down": which side of it is good')
    return value


def _cuts(table: _Table, possible: tuple[str, ...]) -> tuple[str, ...]:
    cuts = table.content.get("cuts", [])
    if not isinstance(cuts, list):
        table.refuse("cuts", "must be a list of texts, in brackets")
        return ()
    allowed = f"must be one of {', '.join(possible)}" if possible else "this formula has no cuts but the total"
    for place, cut in enumerate(cuts):
        if cut not in possible:
            table.refuse("cuts", allowed, place)
        elif cut in cuts[:place]:
            table.refuse("cuts", "must not be given twice", place)
    return tuple(cuts)


def _refuse_taken_names(tables: Sequence[_Table], kpis: Sequence[CustomKpi | None]) -> None:
    """Ids and names of metrics belong to one KPI only."""
    from stream_kpi.kpis.catalogue import catalogue, on_clocks  # noqa: PLC0415 most settings define no KPI
    from stream_kpi.kpis.custom import custom_row  # noqa: PLC0415 as above
    from stream_kpi.kpis.families import RESERVED_SUFFIXES, family_names  # noqa: PLC0415 as above

    ids = {row.id for row in catalogue()}
    names = {name: row.id for row in on_clocks(catalogue(), business=True) for name in family_names(row)}
    for table, kpi in zip(tables, kpis, strict=True):
        if kpi is None:
            continue
        own = family_names(custom_row(kpi))
        taken = [name for name in own if name in names]
        reserved = [name for name in own if name.endswith(RESERVED_SUFFIXES)]
        if kpi.id in ids:
            table.refuse("id", "another KPI has this id")
        elif taken:
            table.refuse("id", f"its metric {taken[0]} would be one of {names[taken[0]]}; must be another name")
        elif reserved:
            table.refuse("id", f"must not end in {', '.join(RESERVED_SUFFIXES)}, which Prometheus keeps for itself")
        else:
            ids.add(kpi.id)
            names |= dict.fromkeys(own, kpi.id)


def _readable(tables: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    try:
        read_kpis(tables)
    except KpiTablesError as error:
        context = {"lines": str(error), "complaints": error.complaints}
        raise PydanticCustomError(LINES_OF_COMPLAINT, "{lines}", context) from error
    return tables


KpiTables = Annotated[tuple[dict[str, Any], ...], AfterValidator(_readable)]


def line_number(toml: str, table: int, key: str) -> int | None:
    """The line, from 1, at which the ``[[kpi]]`` table number ``table`` (from 0) of a TOML file sets a key; that of its
    header if it does not. None if there is no such header: the table was written in another way."""
    lines = toml.splitlines()
    header = None
    for number, line in enumerate(lines, start=1):
        if header is None:
            if _HEADER.match(line) and len(_read_to(lines, number)) == table + 1:
                header = number
        elif _sets(line, key):
            tables = _read_to(lines, number - 1)
            if len(tables) == table + 1 and key not in tables[table]:
                return number
    return header


_HEADER: Final = re.compile(r"""\s*\[\[\s*(kpi|"kpi"|'kpi')\s*\]\]""")


def _sets(line: str, key: str) -> bool:
    name, equals, _ = line.partition("=")
    return bool(equals) and name.strip().strip("\"'") == key


def _read_to(lines: Sequence[str], number: int) -> list[dict[str, Any]]:
    """The ``[[kpi]]`` tables of the first lines; none if these end inside of a value, which may look like anything."""
    try:
        tables = tomllib.loads("\n".join(lines[:number])).get("kpi", [])
    except tomllib.TOMLDecodeError:
        return []
    return tables if isinstance(tables, list) else []
