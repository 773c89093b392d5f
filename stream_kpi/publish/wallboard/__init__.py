"""The web wallboard: boards of a few big numbers, live in a browser, from the same snapshot as /metrics."""

from stream_kpi.publish.wallboard.handlers import wallboard_routes

__all__ = ["wallboard_routes"]
