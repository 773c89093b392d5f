"""Stories of one ticket, for properties: events at few distinct instants, so that ties, due moments met to the
millisecond, reopens inside and outside the window and clocks that run ahead are all common."""

from __future__ import annotations

from hypothesis import strategies as st

from stream_kpi.lifecycles.ticket.events import (
    Assigned,
    Created,
    HandedOff,
    Merged,
    Message,
    Status,
    SurveyAnswered,
    SurveySent,
    TicketEvent,
    Updated,
)

START_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_OFFSETS_MS = (
    *(-HOUR_MS, -1, 0, 1, 1_000),
    *(HOUR_MS - 1, HOUR_MS, HOUR_MS + 1, 4 * HOUR_MS, DAY_MS, 3 * DAY_MS),
    *(7 * DAY_MS - 1, 7 * DAY_MS, 7 * DAY_MS + 1, 8 * DAY_MS, 8 * DAY_MS + HOUR_MS, 30 * DAY_MS),
    *(99_999, 100_000, 2_800_000, 6_400_000, 16 * DAY_MS + 6_400_000),
)

times_ms = st.sampled_from([START_MS + offset_ms for offset_ms in _OFFSETS_MS])
"""Instants of a story: the edges of the age bands, of the reopen window, and of windows of every kind in UTC among
them."""

_agents = st.sampled_from([None, "ann", "bob"])
_names = st.sampled_from([None, "x", "y"])
_authors = st.sampled_from(["customer", "customer", "agent", "agent", "bot", "automation", "campaign", "system"])
_actors = st.sampled_from(["agent", "agent", "customer", "bot", "automation", "system"])
_living = st.sampled_from(["new", "open", "pending", "on_hold", "solved", "solved", "closed"])
_statuses = st.one_of(_living, _living, st.sampled_from(["deleted", "spam"]))
_dimensions = st.sampled_from(["channel", "priority", "category", "group", "brand", "sla_policy"])
_creators = st.sampled_from(["customer", "customer", "agent", "bot", "system"])

_surveys = st.sampled_from(["v1", "v1", "v2"])
_survey_kinds = st.sampled_from(["csat", "csat", "csat", "ces", "nps"])


@st.composite
def _creations(draw: st.DrawFn, uid: str) -> Created:
    return Created(draw(times_ms), uid, "email", draw(_names), "high", draw(_names), None, draw(_creators))


@st.composite
def _events(draw: st.DrawFn, uid: str) -> TicketEvent:
    time_ms = draw(times_ms)
    match draw(st.integers(0, 15)):
        case 0 | 1 | 2 | 3 | 4:
            session_id = draw(st.sampled_from([None, None, "s1", "s2"]))
            return Message(time_ms, uid, draw(_authors), draw(_agents), draw(st.booleans()), session_id)
        case 5 | 6 | 7 | 8 | 9:
            return Status(time_ms, uid, draw(_statuses), draw(_actors), draw(_agents))
        case 10 | 11:
            kind = draw(st.sampled_from([Assigned, Assigned, HandedOff]))
            return kind(time_ms, uid, draw(_agents), draw(_names))
        case 12:
            return Updated(time_ms, uid, ((draw(_dimensions), draw(_names)),))
        case 13:
            return Merged(time_ms, uid)
        case 14:
            score = draw(st.sampled_from([1, 2, 3.5, 4, 5]))
            return SurveyAnswered(time_ms, uid, draw(_surveys), draw(_survey_kinds), score, 1, 5)
        case _:
            return SurveySent(time_ms, uid, draw(_surveys), draw(_survey_kinds))


@st.composite
def ticket_stories(draw: st.DrawFn, *, max_events: int = 12) -> list[TicketEvent]:
    """The events of one ticket, each once, in the order of their making: nearly always one creation, at times none
    or two, and nearly always no merge."""
    creations = draw(st.sampled_from([1, 1, 1, 1, 2, 0]))
    merges = draw(st.sampled_from([False, False, False, True]))
    story: list[TicketEvent] = [draw(_creations(f"c{i}")) for i in range(creations)]
    for i in range(draw(st.integers(0, max_events))):
        event = draw(_events(f"e{i:02d}"))
        if merges or not isinstance(event, Merged):
            story.append(event)
    return story
