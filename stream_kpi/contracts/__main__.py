"""``python -m stream_kpi.contracts [--check]``: exit status 1 when ``--check`` finds a file that is not up to date."""

from __future__ import annotations

import argparse
import sys

from stream_kpi.contracts.documents import stale, write


def main() -> int:
    """Write the generated files, or compare them."""
    parser = argparse.ArgumentParser(prog="python -m stream_kpi.contracts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a file is stale")
    check = parser.parse_args().check
    changed = stale() if check else write()
    for path in changed:
        sys.stdout.write(f"{path}\n")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
