"""Erlang C and Erlang A against what is published of them, and against each other.

Published: Call Centre Helper's worked example (200 calls an hour of 180 s, 80 % in 20 s); the comparison of Erlang C
with Erlang A in Gans, Koole and Mandelbaum, "Telephone Call Centers" (2003), section 4.2.2 (48 calls a minute of one
minute, 50 agents, patience of two minutes); delay probabilities of M/M/n from the textbooks' tables.
"""

from __future__ import annotations

from math import exp, factorial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_kpi.kpis.erlang import agents_required, erlang_a, erlang_c

FOR_EVER_S = 1e9


@pytest.mark.parametrize(
    ("agents", "load_erlangs", "waits"), [(1, 0.5, 0.5), (2, 1, 1 / 3), (3, 2, 4 / 9), (5, 4, 0.5541), (10, 8, 0.4092)]
)
def test_erlang_c_is_the_probability_of_waiting_of_the_tables(agents: int, load_erlangs: float, waits: float) -> None:
    assert 1 - erlang_c(agents, load_erlangs, 180, 0) == pytest.approx(waits, abs=5e-5)


def test_erlang_c_is_its_textbook_sum() -> None:
    n, load = 14, 10.0
    top = load**n / factorial(n) * n / (n - load)
    waits = top / (sum(load**k / factorial(k) for k in range(n)) + top)
    assert erlang_c(n, load, 180, 20) == pytest.approx(1 - waits * exp(-(n - load) * 20 / 180), rel=1e-12)


def test_call_centre_helpers_example_takes_14_agents() -> None:
    assert 1 - erlang_c(14, 10, 180, 0) == pytest.approx(0.174, abs=5e-4)
    assert erlang_c(14, 10, 180, 20) == pytest.approx(0.888, abs=5e-4)
    assert erlang_c(13, 10, 180, 20) < 0.8
    assert agents_required(10, 180, 20, 0.8) == 14


def test_50_agents_without_and_with_abandonment_do_as_gans_koole_and_mandelbaum_say() -> None:
    assert erlang_c(50, 48, 60, 58.1) == pytest.approx(0.9, abs=1e-3)  # the 90th percentile of the wait is 58.1 s
    abandoned = 1 - erlang_a(50, 48, 60, FOR_EVER_S, 120)
    assert abandoned == pytest.approx(0.031, abs=5e-4)
    assert 48 * (1 - abandoned) / 50 == pytest.approx(0.93, abs=5e-3)  # the agents' utilisation


def test_erlang_a_is_the_sum_over_the_states_of_the_queue() -> None:
    n, load, patience = 6, 7.0, 3.0  # in handle times; overloaded, which Erlang C cannot take
    weights = [1.0]
    for k in range(1, 400):
        weights.append(weights[-1] * load / (min(k, n) + max(0, k - n) / patience))
    abandoning = sum(weight * max(0, k - n) / patience for k, weight in enumerate(weights)) / sum(weights) / load
    assert erlang_a(n, load, 60, FOR_EVER_S, 180) == pytest.approx(1 - abandoning, rel=1e-9)
    assert erlang_a(n, load, 60, 0, 180) == pytest.approx(sum(weights[:n]) / sum(weights), rel=1e-9)


@given(st.integers(1, 200), st.floats(0.01, 0.98), st.floats(0, 120))
def test_where_all_wait_nearly_for_ever_erlang_a_is_erlang_c(agents: int, utilisation: float, within_s: float) -> None:
    load = agents * utilisation
    assert erlang_a(agents, load, 300, within_s, 1e7) == pytest.approx(erlang_c(agents, load, 300, within_s), abs=2e-3)


@settings(deadline=None)  # an hour's patience of a hundred arrivals a second is a long sum
@given(st.floats(0.001, 3_000), st.floats(30, 3_600), st.floats(0, 600), st.floats(0.5, 0.99), st.floats(5, 3_600))
def test_one_agent_fewer_than_required_is_too_few(
    load: float, handle_s: float, within_s: float, target: float, patience_s: float
) -> None:
    n = agents_required(load, handle_s, within_s, target)
    assert erlang_c(n, load, handle_s, within_s) >= target
    assert n == 1 or erlang_c(n - 1, load, handle_s, within_s) < target
    n = agents_required(load, handle_s, within_s, target, patience_s)
    assert 0 <= erlang_a(n, load, handle_s, within_s, patience_s) <= 1 + 1e-9
    assert erlang_a(n, load, handle_s, within_s, patience_s) >= target
    assert n == 1 or erlang_a(n - 1, load, handle_s, within_s, patience_s) < target


def test_a_queue_with_any_arrivals_takes_an_agent_and_one_that_cannot_keep_up_serves_nobody() -> None:
    assert agents_required(0.001, 180, 20, 0.8) == agents_required(0.001, 180, 20, 0.8, 60) == 1
    assert erlang_c(10, 10, 180, 20) == 0
