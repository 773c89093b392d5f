"""Surveys: what a customer thinks follows from how long the customer waited."""

from __future__ import annotations

import math
from functools import partial

import msgspec

from stream_kpi.events.topics import TopicKind
from stream_kpi.simulator.world import World

KINDS = {"csat": 88.0, "ces": 8.0, "nps": 4.0}
SCALES = {"csat": (1, 5), "ces": (1, 7), "nps": (0, 10)}


class Experience(msgspec.Struct):
    """What decides a customer's opinion."""

    waited_ms: int
    """For the first answer."""
    bearable_ms: int
    """The wait that such a customer expects."""
    resolved: bool = True
    setbacks: int = 0
    """Reopenings and transfers."""


def score_of(world: World, experience: Experience, kind: str) -> int:
    """A score on the kind's scale: lower the longer the wait, with every setback, and when nothing was resolved."""
    impatience = math.log2(1 + experience.waited_ms / experience.bearable_ms)
    satisfaction = 0.93 - 0.2 * impatience - 0.15 * experience.setbacks - (0.0 if experience.resolved else 0.4)
    satisfaction = min(max(satisfaction + world.random.gauss(0.0, 0.2), 0.0), 1.0)
    scale_min, scale_max = SCALES[kind]
    return round(scale_min + satisfaction * (scale_max - scale_min))


def ask(world: World, topic: TopicKind, prefix: str, subject: str, experience: Experience, answer_share: float) -> None:
    """Send a survey now (``<prefix>.survey_sent``); some answer, few of them change their mind later."""
    kind = world.choose(KINDS)
    survey_id = f"{subject}-{kind}-{world.now_ms // 1000}"
    world.emit(topic, f"{prefix}.survey_sent", subject, {"survey_id": survey_id, "kind": kind})
    if not world.chance(answer_share):
        return
    delay_ms = world.span_ms(25 * 60_000, 1.2)
    world.after(delay_ms, partial(_answer, world, topic, prefix, subject, survey_id, kind, experience))
    if world.chance(0.04):
        again_ms = delay_ms + world.span_ms(2 * 3_600_000)
        world.after(again_ms, partial(_answer, world, topic, prefix, subject, survey_id, kind, experience))


def _answer(
    world: World, topic: TopicKind, prefix: str, subject: str, survey_id: str, kind: str, experience: Experience
) -> None:
    scale_min, scale_max = SCALES[kind]
    data = {
        "survey_id": survey_id,
        "kind": kind,
        "score": score_of(world, experience, kind),
        "scale_min": scale_min,
        "scale_max": scale_max,
    }
    world.emit(topic, f"{prefix}.survey_answered", subject, data)
