"""Which schedule applies to a ticket, by its group, channel and brand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stream_kpi.calendars.schedule import ALWAYS, Schedule
from stream_kpi.errors import UserError


@dataclass(frozen=True, slots=True)
class Selection:
    """The schedules that are selected by a ticket's group; if none is, by its channel; if none is, by its brand; if
    none is, the default. Raises ValueError when two of them have the same number."""

    default: Schedule
    by_group: Mapping[str | None, Schedule]
    by_channel: Mapping[str | None, Schedule]
    by_brand: Mapping[str | None, Schedule]
    by_number: Mapping[int, Schedule] = field(init=False, repr=False, compare=False)
    """All of these."""

    def __post_init__(self) -> None:
        selected = (self.by_group, self.by_channel, self.by_brand)
        schedules = (self.default, *(schedule for of in selected for schedule in of.values()))
        by_number = {schedule.number: schedule for schedule in schedules}
        if any(by_number[schedule.number] != schedule for schedule in schedules):
            raise ValueError("schedules that are selected must differ in their numbers")
        object.__setattr__(self, "by_number", by_number)

    def schedule_of(self, group: str | None, channel: str | None, brand: str | None) -> Schedule:
        """The schedule of a ticket with these dimensions (None: it has no value)."""
        return self.by_group.get(group) or self.by_channel.get(channel) or self.by_brand.get(brand) or self.default


def select_schedules(
    schedules: Mapping[str, Schedule], default: str, selectors: Mapping[str, Mapping[str, str]]
) -> Selection | None:
    """Return the selection that names say; None when nothing is selected, and all is open always.

    ``default`` is a schedule's name, or empty: open always. ``selectors`` are ``{dimension: {value: name}}`` of group,
    channel and brand. Raises UserError: one line for each name that no schedule has.
    """
    named = {"default": default} if default else {}
    named |= {f"{dimension}.{value}": name for dimension, of in selectors.items() for value, name in of.items()}
    known = f"one of {', '.join(schedules)}" if schedules else "and there is none"
    allowed = f"must be the name of a [[schedule]], {known}"
    unknown = [f"schedules.{key} = {name}: {allowed}" for key, name in named.items() if name not in schedules]
    if unknown:
        raise UserError("\n".join(unknown))
    if not named:
        return None

    def chosen(dimension: str) -> dict[str | None, Schedule]:
        return {value: schedules[name] for value, name in selectors.get(dimension, {}).items()}

    return Selection(schedules[default] if default else ALWAYS, chosen("group"), chosen("channel"), chosen("brand"))
