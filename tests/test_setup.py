"""`make setup` takes the uv that is there where it fits, and installs one of its own where not."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout, and a folder of programs where Python makes environments whose pip notes what it is asked."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "programs").mkdir()
    pip = "mkdir -p .tools/bin; printf '#!/bin/sh\\necho \"$@\" > asked; touch .tools/bin/uv' > .tools/bin/pip"
    program(tmp_path / "programs", "python3", f'[ "$2" = venv ] && {pip} && chmod +x .tools/bin/pip')
    return tmp_path


def set_up(machine: Path) -> None:
    path = f"{machine / 'programs'}:/usr/bin:/bin"
    subprocess.run(["make", ".tools/bin/uv"], cwd=machine, env=os.environ | {"PATH": path}, check=True)


def test_a_uv_that_fits_is_used(machine: Path) -> None:
    there = program(machine / "programs", "uv", "exit 0")
    set_up(machine)
    assert (machine / ".tools" / "bin" / "uv").resolve() == there
    assert not (machine / "asked").exists()


def test_a_uv_that_is_too_old_is_left_alone_and_one_that_fits_installed(machine: Path) -> None:
    program(machine / "programs", "uv", "exit 2")
    set_up(machine)
    assert not (machine / ".tools" / "bin" / "uv").is_symlink()
    assert "uv==" in (machine / "asked").read_text()
