"""Errors that are the user's to mend: one line, no traceback, and the exit status that says which kind."""

from __future__ import annotations

OK = 0
CHECK_FAILED = 1
"""A check that was asked for (doctor, --strict, --check) failed."""
WRONG_USAGE = 2
"""A wrong option, setting or input file."""
NO_BROKER = 3
"""No broker answers, or none can be started."""
WRONG_TOPICS = 4
"""Topics are missing or have another partition count."""


class UserError(Exception):
    """Something the user can mend. The message names it and says what to do; the command line prints it, no more."""

    def __init__(self, message: str, exit_status: int = WRONG_USAGE) -> None:
        super().__init__(message)
        self.exit_status = exit_status
