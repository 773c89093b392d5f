"""Every link of the documentation to a file of this repository, and to a heading in it, leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]+))?\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_NAME_OF_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def pages(repository: Path) -> list[Path]:
    return [*repository.glob("*.md"), *(repository / "docs").rglob("*.md"), *(repository / "examples").rglob("*.md")]


def anchors(text: str) -> set[str]:
    """What GitHub makes of the headings of a page."""
    heads = [_NAME_OF_LINK.sub(r"\1", heading) for heading in _HEADING.findall(_FENCE.sub("", text))]
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def broken_links(page: Path) -> list[str]:
    broken = []
    for name, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / name if name else page
        if not target.exists():
            broken.append(f"{page}: there is no {name}")
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            broken.append(f"{page}: {name} has no heading {anchor}")
    return broken


def test_every_link_to_a_file_and_to_a_heading_leads_somewhere(repository: Path) -> None:
    found = pages(repository)
    assert {"README.md", "operations.md", "architecture.md"} <= {page.name for page in found}
    assert [line for page in found for line in broken_links(page)] == []


@pytest.mark.parametrize(
    ("link", "broken"),
    [
        ("(page.md)", 0),
        ("(#a-heading-of-it)", 0),
        ("(page.md#a-heading-of-it)", 0),
        ("(https://example.com/none)", 0),
        ("(none.md)", 1),
        ("(#none)", 1),
    ],
)
def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path, link: str, broken: int) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# A heading, of `it`\n\n[link]{link}\n", encoding="utf-8")
    assert len(broken_links(page)) == broken
