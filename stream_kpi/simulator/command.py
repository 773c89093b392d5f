"""``stream-kpi simulate``: a simulated span as JSON lines."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from stream_kpi.events.rejection import InvalidEventError
from stream_kpi.events.times import event_time_ms
from stream_kpi.simulator.disorder import disorder
from stream_kpi.simulator.simulation import Simulation
from stream_kpi.simulator.world import SimulatedEvent

_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)", re.ASCII)
_FACTOR = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def time_argument_ms(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 time; typer.BadParameter when it is none."""
    try:
        return event_time_ms(text)
    except InvalidEventError as error:
        raise typer.BadParameter(str(error)) from None


def span_argument_ms(text: str) -> int:
    """Milliseconds of ``10m``, ``1.5h``, ``90s``, ``500ms`` or ``2d``; typer.BadParameter for anything else."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a span like 10m, 90s, 1.5h, 500ms or 2d")
    return int(float(match[1]) * _UNIT_MS[match[2]])


def pace_argument(text: str) -> tuple[int, float]:
    """The moment (epoch ms) and the factor of ``8@2026-03-02T14:00:00Z``; typer.BadParameter when it is none."""
    factor, _, moment = text.partition("@")
    if _FACTOR.fullmatch(factor) is None or float(factor) == 0:
        raise typer.BadParameter(f"{text!r} is not FACTOR@RFC3339 with a factor above 0, like 8@2026-03-02T14:00:00Z")
    return time_argument_ms(moment), float(factor)


def simulated(
    from_ms: int,
    until_ms: int,
    seed: int,
    late_within_ms: int = 0,
    duplicate_share: float = 0.0,
    paces: Sequence[tuple[int, float]] = (),
) -> Iterator[SimulatedEvent]:
    """The events of a span, disordered when asked for. From the moment (epoch ms) of each of ``paces`` on, agents' work
    takes its factor times as long as usual."""
    events = _at_paces(Simulation(seed, from_ms), until_ms, paces)
    if late_within_ms or duplicate_share:
        return disorder(events, seed, late_within_ms, duplicate_share)
    return events


def _at_paces(simulation: Simulation, until_ms: int, paces: Sequence[tuple[int, float]]) -> Iterator[SimulatedEvent]:
    for moment_ms, factor in sorted(paces):
        yield from simulation.events_until(min(moment_ms, until_ms))
        simulation.slow_down(factor)
    yield from simulation.events_until(until_ms)


def simulate(
    from_time: Annotated[str, typer.Option("--from", metavar="RFC3339", help="First moment of the span.")],
    until: Annotated[str, typer.Option(metavar="RFC3339", help="The moment just after the span.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed and span give the same events.")] = 1,
    late_within: Annotated[
        str, typer.Option("--disorder", metavar="SPAN", help="Let events arrive up to this late, out of order.")
    ] = "0s",
    duplicates: Annotated[float, typer.Option(min=0, max=1, help="Share of the events that arrive twice.")] = 0.0,
    slow_down: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FACTOR@RFC3339",
            help="From that moment on agents' work takes so many times as long as usual; again for each change.",
        ),
    ] = None,
) -> None:
    """Print a support team's simulated events as CloudEvents, one a line."""
    from_ms, until_ms = time_argument_ms(from_time), time_argument_ms(until)
    if until_ms <= from_ms:
        raise typer.BadParameter(f"--until {until} is not after --from {from_time}")
    paces = [pace_argument(text) for text in slow_down or ()]
    write = sys.stdout.buffer.write
    for event in simulated(from_ms, until_ms, seed, span_argument_ms(late_within), duplicates, paces):
        write(event.value)
        write(b"\n")
    sys.stdout.buffer.flush()
