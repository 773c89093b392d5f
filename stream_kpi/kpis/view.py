"""What a formula sees (defined beside the windows)."""

from stream_kpi.windows.view import AgeSummary, View, Window

__all__ = ["AgeSummary", "View", "Window"]
