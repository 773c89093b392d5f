"""``python -m stream_kpi.publish.grafana`` writes the dashboards; with ``--check`` it changes nothing and exits 1 if
one is out of date, or is one that nothing makes any more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from stream_kpi.publish.grafana.boards import boards

COMMAND: Final = "python -m stream_kpi.publish.grafana"
_FOLDER: Final = Path(__file__).resolve().parents[3] / "deploy" / "grafana" / "dashboards"
"""It holds nothing but generated files."""


def documents() -> dict[str, str]:
    """Every dashboard's JSON by the name of its file."""
    encoder = JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False)
    return {f"{name}.json": encoder.encode(board.build()) + "\n" for name, board in boards().items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or compare them (``--check``): 0 if all is well, 1 if one is out of date."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args(arguments).check
    wanted = {_FOLDER / name: text for name, text in documents().items()}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    left_over = sorted(set(_FOLDER.glob("*")) - wanted.keys())
    if check and (stale or left_over):
        sys.stderr.write(f"out of date: {', '.join(path.name for path in (*stale, *left_over))}; run {COMMAND}\n")
        return 1
    if not check:
        _FOLDER.mkdir(parents=True, exist_ok=True)
        for path in stale:
            path.write_text(wanted[path], encoding="utf-8")
        for path in left_over:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
