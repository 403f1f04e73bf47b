"""A checkout as root has it in its own home: behind a folder that no other user may enter, with its own environment."""

import shutil
import site
import sys
import venv
from pathlib import Path

from sandbox.stack.postgres import binaries

ROOT = Path(__file__).parents[2]
NOT_RUN = ("tests", "bench", "docs", "deploy", "results")


def closed_checkout(parent: Path) -> Path:
    """Copy this checkout into a folder closed to all others and return the Python of its environment."""
    parent.mkdir(mode=0o700)
    checkout = parent / "hetao"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".*", *NOT_RUN))
    venv.create(checkout / ".venv", symlinks=True)
    python = checkout / ".venv" / "bin" / "python"
    python.with_name("temporal").symlink_to(Path(sys.executable).with_name("temporal"))
    (packages,) = (checkout / ".venv" / "lib").glob("python3*/site-packages")
    # PostgreSQL's programs lie behind the closed folder; all else is read by us and may stay where it is.
    theirs = binaries().parents[2]
    for part in (binaries().parents[1].name, f"{binaries().parents[1].name}.libs"):
        shutil.copytree(theirs / part, packages / part, ignore=shutil.ignore_patterns("include", "pginstall"))
    (packages / "all-else.pth").write_text("\n".join([str(checkout), *site.getsitepackages()]) + "\n")
    return python
