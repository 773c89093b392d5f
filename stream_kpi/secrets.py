"""Secrets are in files that the settings name: never in the settings, a repr or a log."""

from __future__ import annotations

from pathlib import Path

from stream_kpi.errors import WRONG_USAGE, UserError

LONGEST_BYTES = 4_096


def secret_of(key: str, path: Path) -> str:
    """Return the one line of the file that ``key`` of the settings names, without its end. Raises UserError, ``key =
    value: what is allowed``, which does not quote the file."""
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST_BYTES + 1).decode().rstrip("\r\n")
    except OSError as error:
        raise refused(key, path, f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError:
        # Not chained: that error holds the bytes.
        raise refused(key, path, "must be a file of text in UTF-8") from None
    if len(text.encode()) > LONGEST_BYTES or len(text.splitlines()) != 1:
        raise refused(key, path, f"must be a file of one line, of 1 to {LONGEST_BYTES} bytes")
    return text


def refused(key: str, value: object, allowed: str) -> UserError:
    """Return the error for a file that is not what its setting needs."""
    return UserError(f"{key} = {value}: {allowed}", WRONG_USAGE)
