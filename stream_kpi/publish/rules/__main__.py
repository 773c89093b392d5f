"""``python -m stream_kpi.publish.rules`` writes the rules, their tests and the runbooks; with ``--check`` it changes
nothing and exits 1 if one is out of date, or is one that no alert has any more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from stream_kpi.publish.rules.documents import COMMAND, documents

_REPOSITORY: Final = Path(__file__).resolve().parents[3]
_FOLDERS: Final = ("deploy/prometheus/rules", "deploy/prometheus/tests", "docs/runbooks")
"""They hold nothing but generated files."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or compare them (``--check``): 0 if all is well, 1 if one is out of date."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args(arguments).check
    wanted = {_REPOSITORY / name: text for name, text in documents().items()}
    found = {path for folder in _FOLDERS for path in (_REPOSITORY / folder).glob("*")}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    left_over = sorted(found - wanted.keys())
    if check and (stale or left_over):
        names = ", ".join(str(path.relative_to(_REPOSITORY)) for path in (*stale, *left_over))
        sys.stderr.write(f"out of date: {names}; run {COMMAND}\n")
        return 1
    if not check:
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        for path in left_over:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
