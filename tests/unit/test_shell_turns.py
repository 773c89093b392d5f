"""Whose turn it is when several have long work to do."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from itertools import pairwise

import pytest

from stream_kpi.shell.turns import Turns

STEPS = 5
ONE_STEP = 0.0
"""So short that a turn is one step."""


def writing(name: str, said: list[str]) -> Generator[None, None, str]:
    for _ in range(STEPS):
        said.append(name)
        yield
    return name


async def test_what_the_steps_come_to_is_what_is_returned() -> None:
    done = await Turns().take(writing("a", []))
    assert done.result == "a"


async def test_two_that_work_have_turns_one_after_the_other_and_the_loop_goes_round_between_any_two() -> None:
    said: list[str] = []
    lasting = Turns()
    working = asyncio.gather(lasting.take(writing("a", said), ONE_STEP), lasting.take(writing("b", said), ONE_STEP))
    while not working.done():
        said.append("round")
        await asyncio.sleep(0)
    assert [name for name in said if name != "round"] == ["a", "b"] * STEPS
    assert not {("a", "b"), ("b", "a")} & set(pairwise(said))


async def test_what_goes_wrong_in_a_step_is_raised_and_others_work_on() -> None:
    def failing() -> Generator[None, None, None]:
        yield
        raise ZeroDivisionError

    lasting = Turns()
    with pytest.raises(ZeroDivisionError):
        await lasting.take(failing())
    assert (await lasting.take(writing("a", []))).result == "a"


async def test_one_that_rests_leaves_the_turns_meanwhile_to_the_others() -> None:
    said: list[str] = []
    lasting = Turns()
    resting = asyncio.create_task(lasting.take(writing("a", said), ONE_STEP, rest=1e9))
    await lasting.take(writing("b", said), ONE_STEP)
    assert said.count("a") == 1
    assert said.count("b") == STEPS
    resting.cancel()
