"""The pure core never asks the time and does no I/O (import-linter holds it to its imports)."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

CLOCKS = {
    ("time", name)
    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time")
} | {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}
INPUT_AND_OUTPUT = {"open", "print", "input"}


def pure_files(repository: Path) -> list[Path]:
    """What pyproject.toml's import contract calls the pure core."""
    contracts = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    files: list[Path] = []
    for module in contracts[0]["source_modules"]:
        path = repository / module.replace(".", "/")
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    return files


def impurities(source: str) -> list[str]:
    """Every call of a clock, and of what reads or writes, with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found.append(f"line {node.lineno}: from time import")
        elif isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
            if (owner, node.attr) in CLOCKS:
                found.append(f"line {node.lineno}: {owner}.{node.attr}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in INPUT_AND_OUTPUT:
            found.append(f"line {node.lineno}: {node.func.id}()")
    return found


def test_the_pure_core_never_asks_the_time_and_does_no_input_or_output(repository: Path) -> None:
    files = pure_files(repository)
    assert len(files) > 20
    found = {str(file): impurities(file.read_text()) for file in files}
    assert {file: lines for file, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "import time\nclock = time.monotonic",
        "from time import time",
        "from datetime import datetime\ndatetime.now(UTC)",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import date\ndate.today()",
        "open('x')",
        "print(1)",
    ],
)
def test_what_is_impure_is_found(source: str) -> None:
    assert impurities(source)
