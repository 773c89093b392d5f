"""Where ``stream-kpi`` and ``python -m stream_kpi`` begin."""

from __future__ import annotations

import signal
import sys

INTERRUPTED = 130
"""Exit status after Ctrl-C, except of the commands that are ended so."""
ENDED_BY_SIGNAL = ("demo", "worker")


def main() -> int:
    """Run the command line and return its exit status. Ctrl-C is no error while the program is still loading, either;
    nor is SIGTERM for the commands that run until then."""
    ends_so = sys.argv[1:2] and sys.argv[1] in ENDED_BY_SIGNAL
    try:
        if ends_so:
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        from stream_kpi.cli.main import main as command_line  # noqa: PLC0415 - loading it can be interrupted

        return command_line()
    except KeyboardInterrupt:
        return 0 if ends_so else INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
