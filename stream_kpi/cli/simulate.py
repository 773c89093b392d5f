"""``stream-kpi simulate``: a support team's events as JSON lines, for `compute`, `produce` and tests."""

from stream_kpi.simulator.command import simulate

__all__ = ["simulate"]
