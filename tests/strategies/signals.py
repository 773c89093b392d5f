"""Stories of one visitor, user, mention, cost and survey, for properties: few instants around the edges of windows and
of due moments, so that ties, bounces undone to the millisecond and activity that touches are all common."""

from __future__ import annotations

from hypothesis import strategies as st

from stream_kpi.lifecycles.cost.events import CostEvent, Recorded
from stream_kpi.lifecycles.customer_survey.events import CustomerSurveyEvent, SurveyAnswered, SurveySent
from stream_kpi.lifecycles.mention.events import Mentioned, MentionEvent, Replied
from stream_kpi.lifecycles.user.events import Performed, SignedUp, UserEvent
from stream_kpi.lifecycles.visitor.events import Acted, Converted, Visited, VisitorEvent

START_MS = 1_772_319_600_000
"""1 March 2026, 00:00 in Berlin."""
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
_SHORT_MS = (-DAY_MS, -MINUTE_MS, -1, 0, 1, MINUTE_MS, 5 * MINUTE_MS - 1, 5 * MINUTE_MS, 20 * MINUTE_MS)
_HALF_HOUR_MS = (30 * MINUTE_MS, 30 * MINUTE_MS + 1, 40 * MINUTE_MS, 50 * MINUTE_MS, HOUR_MS, DAY_MS, 31 * DAY_MS)
_LONG_MS = (-2 * HOUR_MS, 0, 1, 12 * HOUR_MS, DAY_MS - 1, DAY_MS, DAY_MS + 1, 36 * HOUR_MS, 2 * DAY_MS, 7 * DAY_MS - 1)
_WEEKS_MS = (7 * DAY_MS, 7 * DAY_MS + 1, 8 * DAY_MS, 30 * DAY_MS, 31 * DAY_MS, 40 * DAY_MS)
VISITOR_INSTANTS_MS = [START_MS + offset_ms for offset_ms in (*_SHORT_MS, *_HALF_HOUR_MS)]
USER_INSTANTS_MS = [START_MS + offset_ms for offset_ms in (*_LONG_MS, *_WEEKS_MS)]
END_MS = START_MS + 100 * DAY_MS

_visits_ms = st.sampled_from(VISITOR_INSTANTS_MS)
_activities_ms = st.sampled_from(USER_INSTANTS_MS)
_plans = st.sampled_from([None, "pro", "pro", "team"])
_channels = st.sampled_from([None, "ads", "ads", "mail"])


@st.composite
def _visitor_events(draw: st.DrawFn, uid: str) -> VisitorEvent:
    time_ms = draw(_visits_ms)
    match draw(st.integers(0, 7)):
        case 0 | 1 | 2:
            return Visited(time_ms, uid, draw(_channels))
        case 3 | 4:
            return Converted(time_ms, uid, draw(st.sampled_from(["signup", "demo"])))
        case _:
            return Acted(time_ms, uid)


@st.composite
def visitor_stories(draw: st.DrawFn) -> list[VisitorEvent]:
    """The events of one visitor, each once, in the order of their making."""
    return [draw(_visitor_events(f"e{i}")) for i in range(draw(st.integers(0, 12)))]


@st.composite
def _user_events(draw: st.DrawFn, uid: str) -> UserEvent:
    time_ms = draw(_activities_ms)
    if draw(st.integers(0, 7)) == 0:
        return SignedUp(time_ms, uid, draw(_channels), draw(_plans))
    return Performed(time_ms, uid, draw(st.sampled_from(["login", "login", "invite"])), draw(_plans))


@st.composite
def user_stories(draw: st.DrawFn) -> list[UserEvent]:
    """The events of one user, each once, in the order of their making."""
    return [draw(_user_events(f"e{i}")) for i in range(draw(st.integers(0, 14)))]


@st.composite
def mention_stories(draw: st.DrawFn) -> list[MentionEvent]:
    """The events of one mention: nearly always mentioned once, at times never or twice."""
    sentiments = st.sampled_from([None, "positive", "neutral", "negative"])
    mentions = draw(st.sampled_from([1, 1, 1, 2, 0]))
    story: list[MentionEvent] = [Mentioned(draw(_visits_ms), f"m{i}", "x", draw(sentiments)) for i in range(mentions)]
    return story + [Replied(draw(_visits_ms), f"r{i}") for i in range(draw(st.integers(0, 3)))]


@st.composite
def cost_stories(draw: st.DrawFn) -> list[CostEvent]:
    """What was recorded under one cost id."""
    kinds, amounts = st.sampled_from(["support", "acquisition"]), st.integers(-10, 1_000)
    story: list[CostEvent] = []
    for i in range(draw(st.integers(0, 3))):
        start_ms, length_ms = draw(_activities_ms), draw(st.integers(1, 40 * DAY_MS))
        recorded = (draw(kinds), draw(amounts), draw(st.sampled_from([978, 840])), start_ms, start_ms + length_ms)
        story.append(Recorded(draw(_activities_ms), f"e{i}", *recorded))
    return story


@st.composite
def survey_stories(draw: st.DrawFn) -> list[CustomerSurveyEvent]:
    """The events of one survey: sent, perhaps reminded of, answered, and answered again, of one question or two."""
    kinds = st.sampled_from(["csat", "csat", "ces", "nps"])
    story: list[CustomerSurveyEvent] = []
    for i in range(draw(st.integers(0, 6))):
        time_ms, kind = draw(_activities_ms), draw(kinds)
        about = (draw(_channels), draw(st.sampled_from([None, "bill", "login"])))
        if draw(st.integers(0, 2)) == 0:
            story.append(SurveySent(time_ms, f"e{i}", "v", kind, *about))
        else:
            story.append(SurveyAnswered(time_ms, f"e{i}", "v", kind, draw(st.integers(0, 4)), 0, 4, *about))
    return story
