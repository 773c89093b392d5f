"""Names of the Prometheus families of a row (pure)."""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis.rows import TOTAL_CUT, Kpi, KpiKind

RESERVED_SUFFIXES: Final = ("_total", "_count", "_sum", "_bucket", "_info", "_created")
"""What no family's name ends in: Prometheus clients take such names apart."""


def samples_metric(kpi: Kpi, dimension: str) -> str:
    """The family of a row's sample counts, by a dimension ("" for the total)."""
    return f"kpi_{dimension}_{kpi.stem}_samples" if dimension else f"kpi_{kpi.stem}_samples"


def has_samples(kpi: Kpi) -> bool:
    """Whether a row has a family of sample counts: not where the value is the count, nor for movements of money."""
    return kpi.kind not in {KpiKind.COUNT, KpiKind.LEVEL} and kpi.formula.counts_samples


def distribution_metric(kpi: Kpi) -> str:
    """The histogram family of a duration, over everything since the start."""
    return f"kpi_{kpi.stem}_distribution_seconds"


def family_names(kpi: Kpi) -> list[str]:
    """Every name that is the row's: of its values and samples for the total and each cut, and of its distribution."""
    dimensions = ["" if cut == TOTAL_CUT else cut for cut in kpi.cuts]
    values = [kpi.cut_metric(dimension) if dimension else kpi.metric for dimension in dimensions]
    samples = [samples_metric(kpi, dimension) for dimension in dimensions]
    return [*values, *samples, *([distribution_metric(kpi)] if kpi.kind is KpiKind.DURATION else [])]
