"""Visitors, users and mentions by hand. Minutes after T0."""

from __future__ import annotations

from typing import Any

from stream_kpi.lifecycles.options import Options
from tests.row_kit import at
from tests.shard_kit import event
from tests.walks.kit import Row, Walk

DAY = 1_440


def _signal(kind: str, subject: str, minute: float, **data: Any) -> bytes:
    return event(kind, subject, at(minute), f"{subject}/{kind}/{minute}", **data)


def _converted(visitor: str, minute: float) -> bytes:
    return _signal("conversion.completed", visitor, minute, visitor_id=visitor, goal="signup")


def _acted(user: str, minute: float) -> bytes:
    return _signal("activity.performed", user, minute, user_id=user, action="create_project")


def _mention(name: str, minute: float, replied_after: float | None, sentiment: str) -> list[bytes]:
    mention = _signal("social.mention", name, minute, network="x", sentiment=sentiment)
    if replied_after is None:
        return [mention]
    return [mention, _signal("social.replied", f"{name}/r", minute + replied_after, mention=name)]


VISITS = Walk(
    [
        *(_signal("visit.started", visitor, 0, visitor_id=visitor, channel="ads") for visitor in ("v1", "v2", "v3")),
        *(_signal("visit.started", "v4", 5, visitor_id="v4", channel="ads"), _converted("v1", 10)),
        _signal("visit.started", "v5", 45, visitor_id="v5", channel="ads"),  # not half an hour old
    ],
    [_converted("v2", 20)],
    {
        "conversion_rate": Row(1 / 5, 2 / 5, None),  # v1 of five; v1 v2
        "bounce_rate": Row(3 / 4, 2 / 4, None),  # v2 v3 v4 of v1 v2 v3 v4; v3 v4
    },
)
SIGN_UPS = Walk(
    [
        *(_signal("signup.completed", user, 0, user_id=user, plan="pro") for user in ("u1", "u2", "u3", "u4")),
        *(_acted("u1", 3 * DAY), _acted("u3", 7 * DAY + 1)),  # u3 is a minute too late
    ],
    [_acted("u2", 6 * DAY)],
    {"activation_rate": Row(1 / 4, 2 / 4, None)},  # u1 of four; u1 u2
    minute=8 * DAY,
    options=Options(activation_action="create_project"),
)
ACTIVITY = Walk(
    [_acted("u1", 50), _acted("u2", -3 * DAY), _acted("u3", -20 * DAY), _acted("u4", 10), _acted("u4", 40)],
    [_acted("u3", 20), _acted("u5", -25 * DAY)],
    {
        "dau": Row(2, 3, 0),  # u1 u4; u1 u3 u4
        "wau": Row(3, 4, 0),  # u1 u2 u4; u1 u2 u3 u4
        "mau": Row(4, 5, 0),  # u1 u2 u3 u4; all five
        "stickiness": Row(2 / 4, 3 / 5, None),
    },
)
MENTIONS = Walk(
    [
        *(*_mention("m1", 0, 10, "positive"), *_mention("m2", 5, 30, "positive")),
        *(*_mention("m3", 6, None, "neutral"), *_mention("m4", 7, None, "negative")),
    ],
    _mention("m5", 8, 50, "negative"),
    {
        "social_mentions": Row(4, 5, 0),
        "social_sentiment": Row(
            {"positive": 2 / 4, "neutral": 1 / 4, "negative": 1 / 4, "unknown": 0},
            {"positive": 2 / 5, "neutral": 1 / 5, "negative": 2 / 5, "unknown": 0},
            dict.fromkeys(("positive", "neutral", "negative", "unknown")),
        ),
        "social_response_time": Row(1_200, 1_800, None),  # (600 + 1800) / 2; (600 + 1800 + 3000) / 3
    },
)
WALKS = (VISITS, SIGN_UPS, ACTIVITY, MENTIONS)
