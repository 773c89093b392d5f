"""What a walk over rows is: a small story, what corrects it afterwards, and each row's numbers, worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stream_kpi.kpis.record import class_of
from stream_kpi.kpis.rows import CLASS
from stream_kpi.lifecycles.options import Options
from tests.catalogue_kit import kpi_by_id
from tests.row_kit import rows

Value = float | None | dict[str, float | None]
"""Of a distribution, one a class."""


class Row(NamedTuple):
    """What a row must say: of the story, of the story and what corrects it, and of nothing at all."""

    value: Value
    corrected: Value
    absent: Value
    cut: tuple[str, str] | None = None
    """Of which cut; None: the total. Nothing at all is always the total's."""


class Walk(NamedTuple):
    """A story with the rows that it is about. Minutes are those after T0."""

    story: Sequence[bytes]
    correction: Sequence[bytes]
    """Comes after everything else, whatever its time."""
    rows: Mapping[str, Row]
    window: str = "total"
    minute: float = 60
    options: Options | None = None

    def says(self, kpi: str, lines: Sequence[bytes], cut: tuple[str, str] | None = None) -> Value:
        """What `compute` says of a row's cut; in windows that follow each other, in the last."""
        wanted = dict([cut]) if cut else {}
        found = [
            record
            for record in rows(kpi, lines, self.window, self.minute, self.options)
            if {name: value for name, value in record.cut.items() if name != CLASS} == wanted and not record.variant
        ]
        last = [record for record in found if record.window == found[-1].window]
        if kpi_by_id(kpi).formula.by_class:
            return {str(class_of(record)): record.value for record in last}
        (record,) = last
        return record.value
