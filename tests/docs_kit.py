"""The blocks of code of the documentation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

LANGUAGES = {"sh", "console", "json", "toml", "text"}
"""``sh``: each line is a command; ``console``: those after a ``$ ``, and what they print."""
_FENCE = re.compile(r"^```(\w*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """What stands between two fences."""

    language: str
    file: str
    """What the reader is to call it, if anything: the word after the language."""
    text: str


class Step(NamedTuple):
    """Commands that are run in one shell."""

    commands: tuple[str, ...]
    output: str | None
    """What the page says that they print, an ellipsis standing for anything; None where it says nothing."""


def pages(repository: Path) -> list[Path]:
    """What is read by those who use it. Decisions are of their day: what was run then need not run today."""
    docs = repository / "docs"
    return [repository / "README.md", *(page for page in sorted(docs.rglob("*.md")) if page.parent.name != "decisions")]


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks of a page, from its top to its end."""
    return [Block(*found) for found in _FENCE.findall(text)]


def steps_of(block: Block) -> list[Step]:
    """What a block tells its reader to run: all lines of ``sh`` at once, each command of ``console`` for itself."""
    if block.language == "sh":
        return [Step(tuple(line for line in block.text.splitlines() if line), None)]
    if block.language != "console":
        return []
    _, *parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    return [Step((command,), output) for command, _, output in (part.partition("\n") for part in parts)]
