"""``pip install .``, as somebody does who has only pip and a C compiler."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from build_core import sources


def test_pip_compiles_the_core_where_there_is_a_c_compiler(repository: Path, tmp_path: Path) -> None:
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no C compiler ({compiler})")
    # Neither with what is compiled here nor with what is installed: mypy finds that through the interpreter, also in
    # pip's own build environment.
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    copy = shutil.copytree(
        repository,
        tmp_path / "source",
        ignore=shutil.ignore_patterns(".*", "build", "tests", "docs", "*.so", "*.pyd", "__pycache__"),
    )
    wheels = tmp_path / "wheels"
    command = [str(python), "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), str(copy)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = wheels.iterdir()
    libraries = {name.split(".")[0] for name in zipfile.ZipFile(wheel).namelist() if name.endswith((".so", ".pyd"))}
    assert libraries == {"stream_kpi/core__mypyc", *(path.with_suffix("").as_posix() for path in sources())}
