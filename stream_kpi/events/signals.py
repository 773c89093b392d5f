"""Events of ``business.signals.v1``; the subject is whatever the signal is about."""

from __future__ import annotations

from typing import Literal

from stream_kpi.events.envelope import (
    Amount,
    Currency,
    Data,
    Event,
    Id,
    RequiredText,
    SurveyAnsweredData,
    SurveySentData,
    Text,
    Time,
    check_currency,
    checked_time_ms,
)
from stream_kpi.events.rejection import InvalidEventError, Reason

MAX_PERIOD_MS = 3_653 * 86_400_000
"""Of a cost, which has a share on each of its days: a year mistyped must not cost a shard minutes."""


class VisitStartedData(Data, frozen=True, gc=False, kw_only=True):
    """Who came, and how."""

    visitor_id: Id
    channel: Text | None = None


class VisitStarted(Event, frozen=True, gc=False, kw_only=True, tag="visit.started"):
    """A visitor came to the site."""

    data: VisitStartedData


class ConversionCompletedData(Data, frozen=True, gc=False, kw_only=True):
    """Who did what was hoped for."""

    visitor_id: Id
    goal: RequiredText
    channel: Text | None = None


class ConversionCompleted(Event, frozen=True, gc=False, kw_only=True, tag="conversion.completed"):
    """A visitor reached a goal."""

    data: ConversionCompletedData


class SignupCompletedData(Data, frozen=True, gc=False, kw_only=True):
    """Who signed up."""

    user_id: Id
    channel: Text | None = None
    plan: Text | None = None


class SignupCompleted(Event, frozen=True, gc=False, kw_only=True, tag="signup.completed"):
    """A user signed up."""

    data: SignupCompletedData


class ActivityPerformedData(Data, frozen=True, gc=False, kw_only=True):
    """Who did what."""

    user_id: Id
    action: RequiredText
    plan: Text | None = None
    visitor_id: Id | None = None


class ActivityPerformed(Event, frozen=True, gc=False, kw_only=True, tag="activity.performed"):
    """A user used the product."""

    data: ActivityPerformedData


class CustomerSurveySentData(SurveySentData, frozen=True, gc=False, kw_only=True):
    """A survey of a customer, of no ticket or chat."""

    customer_id: Id
    channel: Text | None = None
    category: Text | None = None
    plan: Text | None = None


class SurveySent(Event, frozen=True, gc=False, kw_only=True, tag="survey.sent"):
    """A customer was asked to rate."""

    data: CustomerSurveySentData


class CustomerSurveyAnsweredData(SurveyAnsweredData, frozen=True, gc=False, kw_only=True):
    """A customer's answer."""

    customer_id: Id
    channel: Text | None = None
    category: Text | None = None
    plan: Text | None = None


class SurveyAnswered(Event, frozen=True, gc=False, kw_only=True, tag="survey.answered"):
    """A customer rated, or rated anew."""

    data: CustomerSurveyAnsweredData


class SocialMentionData(Data, frozen=True, gc=False, kw_only=True):
    """Where, and in what mood."""

    network: RequiredText
    sentiment: Literal["positive", "neutral", "negative"] | None = None
    author_id: Id | None = None


class SocialMention(Event, frozen=True, gc=False, kw_only=True, tag="social.mention"):
    """Somebody mentioned the organisation; the subject is the mention."""

    data: SocialMentionData


class SocialRepliedData(Data, frozen=True, gc=False, kw_only=True):
    """What was replied to."""

    mention: Id
    agent_id: Id | None = None
    network: Text | None = None


class SocialReplied(Event, frozen=True, gc=False, kw_only=True, tag="social.replied"):
    """A mention was replied to."""

    data: SocialRepliedData


class CostRecordedData(Data, frozen=True, gc=False, kw_only=True):
    """What was spent; it is spread evenly over [period_start, period_end). Refused with ``unknown_currency`` or
    ``invalid_time`` (also a period that does not end after it starts, or is longer than ten years)."""

    kind: Literal["support", "acquisition"]
    amount: Amount
    currency: Currency
    period_start: Time
    period_end: Time
    channel: Text | None = None
    group: Text | None = None

    def __post_init__(self) -> None:
        """Check what the types do not say."""
        check_currency(self.currency)
        length_ms = checked_time_ms(self.period_end) - checked_time_ms(self.period_start)
        if length_ms <= 0:
            raise InvalidEventError(Reason.INVALID_TIME, f"period_end {self.period_end} is not after period_start")
        if length_ms > MAX_PERIOD_MS:
            raise InvalidEventError(Reason.INVALID_TIME, f"the period up to {self.period_end} is over ten years long")


class CostRecorded(Event, frozen=True, gc=False, kw_only=True, tag="cost.recorded"):
    """A cost was booked."""

    data: CostRecordedData


SignalWire = (
    VisitStarted
    | ConversionCompleted
    | SignupCompleted
    | ActivityPerformed
    | SurveySent
    | SurveyAnswered
    | SocialMention
    | SocialReplied
    | CostRecorded
)
"""Every type of the topic."""
