"""Text that came with events, made safe to be shown on a terminal."""

from __future__ import annotations

import json


def shown(text: str) -> str:
    """The text with everything escaped that a terminal would obey instead of showing it: control characters, and
    those that turn the direction of writing."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def shown_bytes(content: bytes | None) -> str:
    """The same of bytes that should be UTF-8; nothing is shown as ``-``."""
    return "-" if content is None else shown(content.decode(errors="backslashreplace"))


def json_line(value: object) -> str:
    """One line of JSON, in ASCII, so that nothing in it can move the cursor."""
    return json.dumps(value) + "\n"
