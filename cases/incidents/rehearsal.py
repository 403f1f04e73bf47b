"""Cases whose steps fail because somebody rehearses what an operator does then; the embedded stack alone knows any."""

from pathlib import Path

from cases.shared.context import Context
from domain.errors import Defect


def check(context: Context, reference: str) -> None:
    """Fail the step of a case that is poisoned.

    Raises:
        Defect: `poisoned`, until the case is healed.
    """
    if context.poisoned is not None and reference in read(context.poisoned):
        raise Defect("poisoned")


def read(path: Path) -> set[str]:
    """Return the references of the cases that are poisoned."""
    try:
        return set(path.read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return set()


def write(path: Path, references: set[str]) -> None:
    """Replace the references, so that a step reads the old ones or the new ones."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text("\n".join(sorted(references)), encoding="utf-8")
    unfinished.replace(path)
