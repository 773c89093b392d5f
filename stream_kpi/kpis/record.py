"""KPI records: what leaves for the values topic, the live store and `compute`; one evaluation of a view (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import quote

import msgspec

from stream_kpi.kpis.catalogue import AREA_MEASURES
from stream_kpi.kpis.formulas import MeanDuration, Result
from stream_kpi.kpis.rows import CLASS, Kpi, KpiKind
from stream_kpi.kpis.scope import DEFAULTS, Scope
from stream_kpi.kpis.view import View, Window
from stream_kpi.lifecycles.facts import TOTAL, Cut
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.histogram import Stats, cumulative_buckets

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MEASURES: Final = {area.value: measures for area, measures in AREA_MEASURES.items()}
"""By the area's name: an enum's member hashes in Python."""


class RecordWindow(msgspec.Struct, frozen=True):
    """Which window: its kind, and its bounds as RFC 3339 (``start`` None: an instant, or nothing happened yet)."""

    kind: str
    start: str | None
    end: str


class KpiRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one KPI, in one window, of one cut. Field order is that of the JSON.

    ``cut`` names at most one dimension, and of a distribution also the ``class``, after it.
    ``samples`` is None for sums of money, whose movements are not counted. ``interval``, the Wilson 95 % interval of a
    ratio, is left out of the JSON where there is none.
    """

    kpi: str
    unit: str
    window: RecordWindow
    cut: dict[str, str]
    value: float | int | None
    stats: Stats | None
    numerator: float | int | None
    denominator: float | int | None
    samples: int | None
    clock: str | None
    currency: str | None
    variant: dict[str, str]
    as_of: str
    revision: int
    final: bool
    interval: tuple[float, float] | msgspec.UnsetType = msgspec.UNSET


class KpiHistogram(msgspec.Struct, frozen=True, kw_only=True):
    """How the durations of a KPI are distributed: exact cumulative counts by upper bound in seconds, infinity last."""

    kpi: str
    clock: str | None
    cut: dict[str, str]
    buckets: tuple[tuple[float, int], ...]
    sum_s: float


@lru_cache(maxsize=4096)
def timestamp(epoch_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds and ``Z``."""
    text = (_EPOCH + timedelta(milliseconds=epoch_ms)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def record_key(record: KpiRecord) -> bytes:
    """The record's identity, ``kpi|window|cut|clock|currency|variant``: a later record with it replaces this one.

    The window is its kind, with ``@start`` where windows of a kind follow each other (tumbling, month). Cut and variant
    are ``name=value`` joined by ``&``, by name, percent-escaped; what is absent is empty.
    """
    window = record.window
    kind = f"{window.kind}@{window.start}" if _follows(window.kind) else window.kind
    cut, variant = _pairs(record.cut), _pairs(record.variant)
    return f"{record.kpi}|{kind}|{cut}|{record.clock or ''}|{record.currency or ''}|{variant}".encode()


def cut_of(record: KpiRecord) -> Cut:
    """The cut that the record is of; its class is none."""
    for name, value in record.cut.items():
        if name != CLASS:
            return name, value
    return TOTAL


def class_of(record: KpiRecord) -> str | None:
    """The class of a distribution's record."""
    return record.cut.get(CLASS)


def cut_text(record: KpiRecord) -> str:
    """Cut and class for people: ``channel=email``, ``channel=email class=poor``, empty for the total."""
    return " ".join([f"{name}={value}" for name, value in record.cut.items()])


def variant_text(record: KpiRecord) -> str:
    """What tells the record from the row's own for people: ``preset=amazon``, empty where there is nothing."""
    return " ".join([f"{name}={value}" for name, value in record.variant.items()])


def _follows(kind: str) -> bool:
    return kind == "month" or kind.startswith("tumbling:")


def _pairs(named: dict[str, str]) -> str:
    if len(named) < 2:
        for item in named.items():
            return _pair(*item)
        return ""
    return "&".join([_pair(*item) for item in sorted(named.items())])


@lru_cache(maxsize=65_536)
def _pair(name: str, value: str) -> str:
    return f"{quote(name, safe='')}={quote(value, safe='')}"


def evaluate(
    rows: Sequence[Kpi],
    view: View,
    cuts: Iterable[Cut] | None = None,
    *,
    as_of_ms: int | None = None,
    options: Options = DEFAULTS,
) -> Iterator[KpiRecord]:
    """The records of the rows in one window, cut by cut, by default over all cuts of the view.

    Any row is evaluated in any kind of window (for those published live pass ``live_rows(kind)``), but under an instant
    only rows that stand at one. A row that stands has the window ``instant`` at the view's end; under tumbling windows
    and months it keeps that window, and its value is the one at the window's end. ``as_of_ms`` is the moment of the
    evaluation, by default the window's end; revisions start at 0.

    Rows whose formula ``reads_total`` change with the total: where only changed cuts are passed and the total is one of
    them, those rows are to be evaluated over all cuts.
    """
    evaluation = Evaluation(RowsByCut(rows), view, as_of_ms=as_of_ms, options=options)
    for cut in view.cuts() if cuts is None else cuts:
        yield from evaluation.records(cut)


class RowsByCut:
    """Rows by the dimensions that have them, sorted out once for many evaluations."""

    def __init__(self, rows: Iterable[Kpi]) -> None:
        self.rows = tuple(rows)
        self._standing: RowsByCut | None = None
        self._of_dimension: dict[str, list[tuple[tuple[str, ...], Kpi]]] = {}

    @property
    def standing(self) -> RowsByCut:
        """Those that are values at an instant."""
        if self._standing is None:
            self._standing = RowsByCut(kpi for kpi in self.rows if kpi.stands)
        return self._standing

    def of(self, scope: Scope) -> Iterator[Kpi]:
        """The rows that the cut belongs to and whose area knows anything of it; at the total, all."""
        if not scope.cut:
            yield from self.rows
            return
        known: dict[str, bool] = {}
        for areas, kpi in self._in(scope.cut[0]):
            for area in areas:
                if area not in known:
                    known[area] = any(scope.knows(measure) for measure in _MEASURES[area])
                if known[area]:
                    yield kpi
                    break

    def _in(self, dimension: str) -> list[tuple[tuple[str, ...], Kpi]]:
        found = self._of_dimension.get(dimension)
        if found is None:
            found = self._of_dimension[dimension] = [
                (tuple([area.value for area in (kpi.area, *kpi.beside)]), kpi)
                for kpi in self.rows
                if dimension in kpi.cuts
            ]
        return found


class Evaluation:
    """One window, evaluated cut by cut as :func:`evaluate` says; what all cuts compare with is read once."""

    def __init__(
        self, rows: RowsByCut, view: View, *, as_of_ms: int | None = None, options: Options = DEFAULTS
    ) -> None:
        self._rows = rows.standing if view.window.kind == "instant" else rows
        self._view = view
        self._options = options
        self._as_of = timestamp(view.window.end_ms if as_of_ms is None else as_of_ms)
        self._windows = _Windows(view.window)
        self._total = Scope(view, TOTAL, options=options)

    def records(self, cut: Cut) -> list[KpiRecord]:
        """The records of one cut."""
        scope = Scope(self._view, cut, self._total, self._options) if cut else self._total
        named = {cut[0]: cut[1]} if cut else {}
        return [
            _record(kpi, named, result, self._windows, self._as_of)
            for kpi in self._rows.of(scope)
            for result in kpi.formula.results(scope)
        ]


def histograms(rows: Sequence[Kpi], view: View, cuts: Iterable[Cut] = (TOTAL,)) -> Iterator[KpiHistogram]:
    """The distribution of every duration of the rows in one window."""
    for cut in cuts:
        scope = Scope(view, cut)
        for kpi in rows:
            formula = kpi.formula
            if isinstance(formula, MeanDuration):
                yield KpiHistogram(
                    kpi=kpi.id,
                    clock=kpi.clock,
                    cut={cut[0]: cut[1]} if cut else {},
                    buckets=tuple(cumulative_buckets(scope.inside, formula.measure, scope.ordered)),
                    sum_s=scope.inside.get(formula.measure.slot, 0) / 1_000,
                )


class _Windows:
    """The view's window as records state it."""

    def __init__(self, window: Window) -> None:
        start = None if window.start_ms is None else timestamp(window.start_ms)
        end = timestamp(window.end_ms)
        self.inside = RecordWindow(window.kind, start, end)
        self.standing = self.inside if _follows(window.kind) else RecordWindow("instant", None, end)
        self.final = window.final


def _record(kpi: Kpi, named: dict[str, str], result: Result, windows: _Windows, as_of: str) -> KpiRecord:
    return KpiRecord(
        kpi=kpi.id,
        unit=(result.currency if kpi.kind is KpiKind.MONEY else None) or kpi.unit,
        window=windows.standing if kpi.stands else windows.inside,
        cut=named if result.of_class is None else {**named, CLASS: result.of_class},
        value=result.value,
        stats=result.stats,
        numerator=result.numerator,
        denominator=result.denominator,
        samples=result.samples,
        clock=kpi.clock,
        currency=result.currency,
        variant=kpi.variant,
        as_of=as_of,
        revision=0,
        final=windows.final,
        interval=msgspec.UNSET if result.interval is None else result.interval,
    )
