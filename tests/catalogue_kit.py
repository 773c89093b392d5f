"""The catalogue's rows by their ids."""

from __future__ import annotations

from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.rows import Kpi

_BY_ID = {kpi.id: kpi for kpi in catalogue()}


def kpi_by_id(kpi_id: str) -> Kpi:
    """The row of an id; KeyError if there is none."""
    return _BY_ID[kpi_id]
