"""What a formula sees (defined beside the windows)."""

from stream_kpi.windows.ages import AgeSummary
from stream_kpi.windows.view import Trailing, View, Window

__all__ = ["AgeSummary", "Trailing", "View", "Window"]
