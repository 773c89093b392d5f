"""Hatch's build hook: wheels and editable installations get the compiled core where there is a C compiler.

``HATCH_BUILD_NO_HOOKS=true pip install ...`` chooses pure Python.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledCore(BuildHookInterface[Any]):
    """Runs build_core.py, and puts what it has made into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 Hatch gives it
        """Before the wheel is put together; ``version`` is editable or standard."""
        command = [sys.executable, "build_core.py"]
        built = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        if built.returncode != 0:
            self.app.display_warning((built.stderr or built.stdout).rstrip())
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["artifacts"] += ["*.so", "*.pyd"]
