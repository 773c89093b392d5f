"""Where ``stream-kpi`` and ``python -m stream_kpi`` begin."""

from __future__ import annotations

import signal
import sys

INTERRUPTED = 130
"""Exit status after Ctrl-C, except of the commands that run until then."""
ENDED_BY_SIGNAL = ("demo", "exporter", "worker")


def main() -> int:
    """Run the command line and return its exit status. Ctrl-C is no error while the program is still loading, either;
    nor is SIGTERM for the commands that run until then."""
    if sys.argv[1:2] and sys.argv[1] in ENDED_BY_SIGNAL:
        # SIGINT too: a shell starts what runs in its background with it ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _end)
    try:
        from stream_kpi.cli.main import main as command_line  # noqa: PLC0415 - loading it can be interrupted

        return command_line()
    except KeyboardInterrupt:
        return INTERRUPTED


def _end(_number: int, _frame: object) -> None:
    """Nothing has been started yet."""
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
