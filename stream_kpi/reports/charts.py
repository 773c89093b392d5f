"""Inline SVG charts: they need no script and no file beside the page, and print as they are shown (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from stream_kpi.reports.content import Volumes

_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_MARGIN = 96, 22, 3
_WIDTH, _HEIGHT = 720, 200
_LEFT, _TOP, _BOTTOM = 46, 16, 20


def sparkline(values: Sequence[float | None], title: str) -> str:
    """The course of a value as a line, broken where there is none; empty with fewer than two values."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(known), max(known)
    step = (_SPARK_WIDTH - 2 * _SPARK_MARGIN) / (len(values) - 1)
    points = [
        None if value is None else (_SPARK_MARGIN + place * step, _spark_height(value, low, high))
        for place, value in enumerate(values)
    ]
    parts = [_run(run) for run in _runs(points)]
    last_x, last_y = next(point for point in reversed(points) if point is not None)
    parts.append(f'<circle class="last" cx="{last_x:.1f}" cy="{last_y:.1f}" r="2"/>')
    size = f'width="{_SPARK_WIDTH}" height="{_SPARK_HEIGHT}" viewBox="0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}"'
    return f'<svg class="spark" role="img" {size}><title>{escape(title)}</title>{"".join(parts)}</svg>'


def bars(volumes: Volumes) -> str:
    """Counts as bars that stand on each other, with their sum above and a scale."""
    sums = [sum(counts) for counts in zip(*(counts for _, counts in volumes.series), strict=True)]
    top = _scale_top(max(sums, default=0))
    floor_y = _HEIGHT - _BOTTOM
    unit = (floor_y - _TOP) / top
    slot = (_WIDTH - _LEFT) / max(len(sums), 1)
    parts = [f"<title>{escape(_described(volumes, sums))}</title>"]
    for tick in range(0, top + 1, max(top // 4, 1)):
        y = floor_y - tick * unit
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 6}" y="{y + 3:.1f}" text-anchor="end">{tick:,}</text>')
    for place, label in enumerate(volumes.labels):
        middle = _LEFT + (place + 0.5) * slot
        parts += _bar(volumes, place, middle - 0.36 * slot, 0.72 * slot, unit)
        parts.append(_text(middle, _HEIGHT - 6, label, "label"))
        if sums[place]:
            parts.append(_text(middle, floor_y - sums[place] * unit - 4, f"{sums[place]:,}", "sum"))
    return f'<svg class="bars" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(parts)}</svg>'


def _bar(volumes: Volumes, place: int, x: float, width: float, unit: float) -> Iterator[str]:
    y = float(_HEIGHT - _BOTTOM)
    for number, (name, counts) in enumerate(volumes.series):
        height = counts[place] * unit
        if height:
            y -= height
            told = escape(f"{volumes.labels[place]}, {name}: {counts[place]:,}")
            shape = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
            yield f'<rect class="series{number}" {shape}><title>{told}</title></rect>'


def _described(volumes: Volumes, sums: Sequence[int]) -> str:
    totals = ", ".join(f"{name} {sum(counts):,}" for name, counts in volumes.series)
    text = f"{volumes.title}: {totals}"
    if not any(sums):
        return text
    highest = max(range(len(sums)), key=sums.__getitem__)
    return f"{text}; most at {volumes.labels[highest]}, {sums[highest]:,}"


def _scale_top(greatest: int) -> int:
    """The least of 4, 8, 20, 40, 80, 200 ... that holds the greatest: four ticks of whole numbers."""
    if greatest <= 4:
        return 4
    power = int(10 ** int(math.log10(greatest)))
    steps = (4 * power // 10, 8 * power // 10, 2 * power, 4 * power, 8 * power, 20 * power)
    return next(step for step in steps if step >= greatest and step % 4 == 0)


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(text)}</text>'


def _spark_height(value: float, low: float, high: float) -> float:
    if high == low:
        return _SPARK_HEIGHT / 2
    return _SPARK_MARGIN + (_SPARK_HEIGHT - 2 * _SPARK_MARGIN) * (high - value) / (high - low)


def _runs(points: Sequence[tuple[float, float] | None]) -> Iterator[list[tuple[float, float]]]:
    """The points that follow each other without a gap."""
    run: list[tuple[float, float]] = []
    for point in (*points, None):
        if point is not None:
            run.append(point)
        elif run:
            yield run
            run = []


def _run(points: Sequence[tuple[float, float]]) -> str:
    if len(points) == 1:
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="1"/>'
    return f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'
