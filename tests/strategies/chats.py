"""Stories of one chat, for properties: events at few distinct instants, so that ties, waits that end on the deadline
to the millisecond, short abandons and clocks that run ahead are all common."""

from __future__ import annotations

from hypothesis import strategies as st

from stream_kpi.lifecycles.chat.events import (
    Accepted,
    AgentWrote,
    ChatEvent,
    CustomerWrote,
    Ended,
    Left,
    Queued,
    SurveyAnswered,
    SurveySent,
    Transferred,
)

START_MS = 1_700_000_000_000
_WEEK_MS = 7 * 86_400_000
_OFFSETS_MS = (
    *(-1_000, 0, 4_999, 5_000, 20_000, 20_001, 59_999, 60_000, 60_001, 90_000),
    *(120_000, 179_999, 180_000, 600_000, 1_800_000, 2_400_000),
    *(_WEEK_MS - 1_000, _WEEK_MS, _WEEK_MS + 1, _WEEK_MS + 600_000),
)

times_ms = st.sampled_from([START_MS + offset_ms for offset_ms in _OFFSETS_MS])
"""Instants of a story: the edges of a short abandon, of the service level's X, of a silence, of the trailing half hour
and of a survey's week among them."""

_agents = st.sampled_from(["ann", "bob"])
_queues = st.sampled_from([None, "sales", "support"])
_channels = st.sampled_from(["chat", "voice"])
_reasons = st.sampled_from(["abandoned", "abandoned", "callback", "flowout", "timeout", "voicemail", "blocked"])

_surveys = st.sampled_from(["v1", "v1", "v2"])
_survey_kinds = st.sampled_from(["csat", "csat", "csat", "ces", "nps"])


@st.composite
def _events(draw: st.DrawFn, uid: str) -> ChatEvent:
    time_ms = draw(times_ms)
    match draw(st.integers(0, 14)):
        case 0 | 1 | 2:
            return Accepted(time_ms, uid, draw(_agents), draw(_queues))
        case 3 | 4 | 5:
            return Left(time_ms, uid, draw(_reasons))
        case 6 | 7:
            return Ended(time_ms, uid, draw(st.sampled_from(["customer", "agent", "system"])), 1_500)
        case 8:
            return Transferred(time_ms, uid, draw(_queues), draw(st.sampled_from([None, "ann", "bob"])))
        case 9 | 10:
            return CustomerWrote(time_ms, uid)
        case 11 | 12:
            return AgentWrote(time_ms, uid)
        case 13:
            return SurveyAnswered(time_ms, uid, draw(_surveys), draw(_survey_kinds), draw(st.integers(1, 5)), 1, 5)
        case _:
            return SurveySent(time_ms, uid, draw(_surveys), draw(_survey_kinds))


@st.composite
def chat_stories(draw: st.DrawFn, *, max_events: int = 6) -> list[ChatEvent]:
    """The events of one chat, each once, in the order of their making: nearly always queued once, at times never or
    twice."""
    story: list[ChatEvent] = [
        Queued(draw(times_ms) if i else START_MS, f"q{i}", "sales", draw(_channels), None, "billing", None)
        for i in range(draw(st.sampled_from([1, 1, 1, 1, 2, 0])))
    ]
    return story + [draw(_events(f"e{i}")) for i in range(draw(st.integers(0, max_events)))]
