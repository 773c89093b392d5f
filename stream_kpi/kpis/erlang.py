"""How many agents a queue needs: Erlang C, and Erlang A where customers abandon (pure).

Both take Poisson arrivals and exponential handle times. In Erlang C nobody abandons; in Erlang A (M/M/n+M, Palm;
Garnett, Mandelbaum and Reiman 2002) patience is exponential too. The load is in erlangs: arrivals a second times the
mean handle time. The service level is the share of all arrivals that are answered within X.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, exp, isqrt, log
from sys import float_info

_RESCALE = 1e200
_PRECISION = 1e-16


def agents_required(
    load_erlangs: float, handle_s: float, answer_within_s: float, target: float, patience_s: float | None = None
) -> int:
    """The fewest agents with whom the share ``target`` (below 1) of arrivals is answered within ``answer_within_s``,
    at least 1. ``patience_s`` is the mean time that a customer waits before abandoning; None: nobody abandons."""
    if patience_s is None:
        return _fewest(
            int(load_erlangs), load_erlangs, lambda n: erlang_c(n, load_erlangs, handle_s, answer_within_s) >= target
        )
    return _fewest(  # n agents answer n / load of the arrivals at most
        int(load_erlangs * target),
        load_erlangs,
        lambda n: erlang_a(n, load_erlangs, handle_s, answer_within_s, patience_s) >= target,
    )


def erlang_c(agents: int, load_erlangs: float, handle_s: float, answer_within_s: float) -> float:
    """The service level when nobody abandons; 0 where the agents cannot keep up, as the queue grows without end."""
    if agents <= load_erlangs:
        return 0.0
    utilisation = load_erlangs / agents
    waits = 1 / ((1 - utilisation) * _inverse_erlang_b(agents, load_erlangs) + utilisation)
    return 1 - waits * exp(-(agents - load_erlangs) * answer_within_s / handle_s)


def erlang_a(agents: int, load_erlangs: float, handle_s: float, answer_within_s: float, patience_s: float) -> float:
    """The service level when customers abandon; ``patience_s``, ``handle_s`` and the load are above 0.

    With E for the weight of the states in which an agent is free, relative to that of one free agent, and S the series
    of :func:`_log_series`, an arrival waits with probability y S(s, y) / (E + y S(s, y)); those answered after a wait
    of up to X weigh y (S(s + 1, y) - e^(y - yu) u^(s + 1) S(s + 1, yu)), u = e^(-X / patience).
    """
    arrivals_in_patience = load_erlangs * patience_s / handle_s  # y
    handled_in_patience = agents * patience_s / handle_s  # s
    waited = answer_within_s / patience_s
    still_patient = exp(-waited)  # u
    log_y = log(arrivals_in_patience)
    free = log(_inverse_erlang_b(agents - 1, load_erlangs))
    waiting = log_y + _log_series(handled_in_patience, arrivals_in_patience)
    answered = log_y + _log_series(handled_in_patience + 1, arrivals_in_patience)
    answered_late = (
        log_y
        + arrivals_in_patience * (1 - still_patient)
        - (handled_in_patience + 1) * waited
        + _log_series(handled_in_patience + 1, arrivals_in_patience * still_patient)
    )
    greatest = max(free, waiting)
    in_time = exp(free - greatest) + exp(answered - greatest) - exp(answered_late - greatest)
    return in_time / (exp(free - greatest) + exp(waiting - greatest))


def _fewest(too_few: int, load_erlangs: float, reaches: Callable[[int], bool]) -> int:
    """The least number above ``too_few`` that reaches what every greater one does. It lies near the load, by the
    square-root rule."""
    enough = max(too_few + 1, ceil(load_erlangs))
    step = isqrt(enough)
    while not reaches(enough):
        too_few = enough
        enough += step
        step *= 2
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if reaches(middle):
            enough = middle
        else:
            too_few = middle
    return enough


def _inverse_erlang_b(agents: int, load_erlangs: float) -> float:
    """1 / the share of arrivals that find all agents busy when nobody can wait."""
    inverse = 1.0
    for n in range(1, agents + 1):
        inverse = 1 + inverse * n / load_erlangs
    return min(inverse, float_info.max)


def _log_series(s: float, y: float) -> float:
    """The logarithm of the sum over k >= 0 of y^k / (s (s + 1) ... (s + k)), an incomplete gamma function. The sum
    itself may be too great for a float."""
    term = total = 1.0
    scale = -log(s)
    k = 0
    while term > total * _PRECISION:  # terms rise until s + k exceeds y, then fall
        k += 1
        term *= y / (s + k)
        total += term
        if total > _RESCALE:
            term /= _RESCALE
            total /= _RESCALE
            scale += log(_RESCALE)
    return scale + log(total)
