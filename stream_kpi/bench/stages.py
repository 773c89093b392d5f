"""Where a profile's time goes, by part of the package."""

from __future__ import annotations

import cProfile
import pstats
from collections import Counter
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent
ELSEWHERE = "elsewhere"


def stage_of(file: str) -> str | None:
    """``events``, ``lifecycles/ticket``, ``windows``, ``shard.py``...; None for code that is not ours."""
    try:
        parts = Path(file).relative_to(PACKAGE).parts
    except ValueError:
        return None
    return "/".join(parts[:2]) if parts[0] == "lifecycles" else parts[0]


def stages(profile: cProfile.Profile) -> dict[str, float]:
    """Seconds by stage, most first. What a builtin or a library takes belongs to the part that calls it."""
    statistics: Any = pstats.Stats(profile)
    seconds: Counter[str] = Counter()
    for (file, _, _), (_, _, own_s, _, callers) in statistics.stats.items():
        stage = stage_of(file)
        if stage is not None:
            seconds[stage] += own_s
            continue
        for (caller_file, _, _), (_, _, called_s, _) in callers.items():
            seconds[stage_of(caller_file) or ELSEWHERE] += called_s
    return dict(seconds.most_common())
