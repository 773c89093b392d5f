"""The part of the settings that says when people work: schedules, and which one applies to a ticket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from stream_kpi.calendars.config import read_schedules
from stream_kpi.calendars.selection import Selection, select_schedules
from stream_kpi.errors import UserError

LINES_OF_COMPLAINT = "lines_of_complaint"
"""The type of a validation error whose message is whole lines, ``key = value: what is allowed``."""


class ScheduleSettings(BaseModel):
    """Which schedule the business time of a ticket follows: that of its group, else of its channel, else of its brand,
    else the default. Names are those of the `[[schedule]]` tables (docs/business-time.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    default: str = ""
    """The schedule of all other tickets; empty: open always."""
    group: dict[str, str] = {}
    """Schedules by group."""
    channel: dict[str, str] = {}
    """Schedules by channel."""
    brand: dict[str, str] = {}
    """Schedules by brand."""

    def among(self, tables: Sequence[Mapping[str, object]]) -> Selection | None:
        """Return the selection among the schedules of the tables; None when nothing is selected.

        Raises UserError: one line for each wrong key.
        """
        by = {"group": self.group, "channel": self.channel, "brand": self.brand}
        return select_schedules(read_schedules(tables), self.default, by)


@contextmanager
def complaints_as_they_are() -> Iterator[None]:
    """Let a validator pass on what a reader complains of, line by line."""
    try:
        yield
    except UserError as error:
        raise PydanticCustomError(LINES_OF_COMPLAINT, "{lines}", {"lines": str(error)}) from error


def _readable(tables: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    with complaints_as_they_are():
        read_schedules(tables)
    return tables


ScheduleTables = Annotated[tuple[dict[str, Any], ...], AfterValidator(_readable)]
