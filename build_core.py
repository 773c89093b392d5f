"""Compiles the modules that every event passes through, in place, with mypyc: ``python build_core.py``; ``--clean``
takes the compiled ones away again, and pure Python runs. See docs/decisions/0009-compiled-core.md.

Exit status: 0 done; 1 there is no compiler here, or it does not compile, and nothing compiled is left behind.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PURE_PYTHON = (
    # Classes of msgspec cannot be compiled; compiled modules use them as they are.
    "contribution.py",
    "course.py",
    "config.py",
    "events.py",
    "history.py",
    "options.py",
    "policy.py",
    "promise.py",
    "transition.py",
    "__init__.py",
)
BESIDE_LIFECYCLES = (
    "stream_kpi/entities.py",
    "stream_kpi/events/partitioner.py",
    "stream_kpi/events/times.py",
    "stream_kpi/exchange.py",
    "stream_kpi/intake.py",
)
COMPILED_ANYHOW = Path("stream_kpi/lifecycles/ticket/contribution.py")
"""It makes what the module of the same name above it defines."""
GROUP = "stream_kpi.core"
"""One library holds all modules, ``stream_kpi/core__mypyc.*.so``; those beside the sources only name it."""
HIDDEN = [] if sys.platform == "win32" else ["-fvisibility=hidden"]
"""Nobody else calls the library's functions by name: a compiler that knows this calls them directly, or not at all."""


def sources() -> list[Path]:
    """What is compiled, below the root."""
    lifecycles = [path.relative_to(ROOT) for path in sorted((ROOT / "stream_kpi" / "lifecycles").rglob("*.py"))]
    chosen = [path for path in lifecycles if path.name not in PURE_PYTHON or path == COMPILED_ANYHOW]
    return [*map(Path, BESIDE_LIFECYCLES), *chosen]


def libraries() -> list[Path]:
    """What has been compiled, below the root."""
    return [path.relative_to(ROOT) for pattern in ("*.so", "*.pyd") for path in (ROOT / "stream_kpi").rglob(pattern)]


def clean() -> None:
    """Let pure Python run."""
    for library in libraries():
        (ROOT / library).unlink()


def build() -> None:
    """Compile. Raises FileNotFoundError without a compiler, SystemExit when mypyc finds an error, and setuptools'
    errors when the compiler does."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "").split()
    if compiler and shutil.which(compiler[0]) is None:
        raise FileNotFoundError(f"there is no C compiler ({compiler[0]})")

    from mypyc.build import mypycify
    from setuptools import Distribution

    os.chdir(ROOT)
    # Nothing of pyproject.toml: strictness is what `make check` is for, and its plugins need not be installed here.
    options = ["--config-file=", "--ignore-missing-imports"]
    extensions = mypycify([*options, *map(str, sources())], debug_level="0", target_dir="build/mypyc", group_name=GROUP)
    for extension in extensions:
        extension.extra_compile_args += HIDDEN
    command = Distribution({"name": "stream-kpi", "packages": [], "ext_modules": extensions}).get_command_obj(
        "build_ext"
    )
    command.inplace = True
    command.build_lib = command.build_temp = "build/mypyc"
    command.ensure_finalized()
    command.run()
    for library in libraries():  # one that is as it was keeps its time, and would pass for older than its source
        (ROOT / library).touch()


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clean", action="store_true", help="take what has been compiled away")
    only_clean = parser.parse_args().clean
    clean()
    if only_clean:
        return 0
    try:
        build()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, pure Python runs
        clean()
        sys.stderr.write(f"stream-kpi is not compiled and runs as pure Python, slower: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
