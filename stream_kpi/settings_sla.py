"""The part of the settings that says what service levels are promised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stream_kpi.calendars.config import read_schedules
from stream_kpi.calendars.schedule import ALWAYS, Schedule
from stream_kpi.lifecycles.sla.config import read_policies
from stream_kpi.lifecycles.sla.policy import Policies
from stream_kpi.settings_schedules import complaints_as_they_are

SlaTables = tuple[dict[str, Any], ...]
"""``[[sla]]`` tables."""


class _AnySchedule(Mapping[str, Schedule]):
    """Whatever a schedule is called, it is there."""

    def __getitem__(self, name: str) -> Schedule:
        return ALWAYS

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def check_policies(tables: SlaTables) -> None:
    """Look at the tables while the schedules are not known: the names of their clocks are not looked at. Raises as
    :func:`policies_among`."""
    with complaints_as_they_are():
        read_policies(tables, _AnySchedule())


def policies_among(tables: SlaTables, schedules: Sequence[Mapping[str, object]]) -> Policies | None:
    """Return the policies of the tables, whose clocks may be schedules of the ``[[schedule]]`` tables; None without
    any. Raises what makes a validator pass on each wrong key's line."""
    with complaints_as_they_are():
        return read_policies(tables, read_schedules(schedules))
