"""What is said of one customer, for properties: few instants around the edges of the windows in which a contact can
come back, so that ties and contacts that come back to the millisecond are common, and reratings."""

from __future__ import annotations

from hypothesis import strategies as st
from msgspec.structs import replace

from stream_kpi.lifecycles.contribution import NpsAnswer, Resolution
from stream_kpi.lifecycles.relationship.events import (
    Answered,
    ChatContact,
    RelationshipEvent,
    TicketContact,
    Withdrawn,
    Word,
)

START_MS = 1_772_319_600_000
"""1 March 2026, 00:00 in Berlin."""
MINUTE_MS, DAY_MS = 60_000, 86_400_000
_DAY_OFFSETS_MS = (-DAY_MS, -1, 0, 1, 5 * MINUTE_MS, DAY_MS - 1, DAY_MS, DAY_MS + 1, 2 * DAY_MS)
_WEEK_OFFSETS_MS = (7 * DAY_MS - 1, 7 * DAY_MS, 7 * DAY_MS + 1, 8 * DAY_MS, 31 * DAY_MS, 90 * DAY_MS)
INSTANTS_MS = [START_MS + offset_ms for offset_ms in (*_DAY_OFFSETS_MS, *_WEEK_OFFSETS_MS)]
END_MS = START_MS + 200 * DAY_MS

times_ms = st.sampled_from(INSTANTS_MS)
_categories = st.sampled_from([None, "bill", "bill", "login"])
_ratings = st.sampled_from([-1, 0, 1])


@st.composite
def _resolutions(draw: st.DrawFn) -> Resolution | None:
    if draw(st.booleans()):
        return None
    dimensions = ("email", "high", draw(_categories) or "unknown", "g", "b", "ann")
    return Resolution(draw(times_ms), dimensions, draw(st.booleans()), draw(st.one_of(st.none(), times_ms)))


@st.composite
def _answers(draw: st.DrawFn) -> NpsAnswer:
    survey, channel = draw(st.sampled_from(["v1", "v2", "v3"])), draw(st.sampled_from(["email", "app"]))
    return NpsAnswer(survey, draw(times_ms), channel, "unknown", draw(_ratings))


@st.composite
def _words(draw: st.DrawFn, uid: str) -> Word:
    by_survey = {answer.survey_id: answer for answer in draw(st.lists(_answers(), max_size=2))}
    answers = tuple(by_survey.values())
    match draw(st.integers(0, 6)):
        case 0:
            return Withdrawn(draw(times_ms), uid)
        case 1 | 2:
            return ChatContact(draw(times_ms), uid, draw(_resolutions()), answers)
        case _:
            return TicketContact(draw(times_ms), uid, draw(_categories), draw(_resolutions()), answers)


@st.composite
def relationship_stories(draw: st.DrawFn) -> list[RelationshipEvent]:
    """What one customer is told, in the order of the telling: several words of a ticket or chat, of which the last
    stands and many say that what was opened is resolved, and each answer of its own once."""
    story: list[RelationshipEvent] = []
    for place in range(draw(st.integers(0, 10))):
        if draw(st.integers(0, 3)) == 0:
            answer = draw(_answers())
            story.append(Answered(answer.time_ms, f"e{place}", answer))
            continue
        uid = draw(st.sampled_from(["t:1", "t:2", "t:3", "c:1", "c:2"]))
        known = next((event for event in reversed(story) if event.uid == uid), None)
        if isinstance(known, TicketContact | ChatContact) and known.resolution is None and draw(st.booleans()):
            story.append(replace(known, resolution=draw(_resolutions())))
        else:
            story.append(draw(_words(uid)))
    return story
