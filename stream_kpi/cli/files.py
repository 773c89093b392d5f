"""Input files: lines of JSON, plain or gzip, and one sentence for whatever is wrong with them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from stream_kpi.errors import WRONG_USAGE, UserError

_GZIP_MAGIC = b"\x1f\x8b"


class Line(NamedTuple):
    """One line that is not blank."""

    number: int
    """From 1, blank lines counted."""
    text: bytes
    """Without the line's end."""
    read_bytes: int
    """How far the file has been read: of its size on disk, for progress."""


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a file, gzip or not (its content decides, not its name).

    Raises UserError: missing, unreadable, empty, or gzip that is cut short or damaged, with the line.
    """
    number = 0
    try:
        with path.open("rb") as file:
            packed = file.peek(2)[:2] == _GZIP_MAGIC
            lines = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if packed else file
            for number, text in enumerate(lines, start=1):
                if stripped := text.strip():
                    yield Line(number, stripped, file.tell())
    except EOFError as error:
        raise UserError(f"{path} line {number + 1}: the gzip file is cut short", WRONG_USAGE) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path} line {number + 1}: the gzip file is damaged ({error})", WRONG_USAGE) from error
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}", WRONG_USAGE) from error
    if number == 0:
        raise UserError(f"{path}: the file is empty", WRONG_USAGE)
