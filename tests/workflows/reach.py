"""What the workflows reach: the modules of ours that run where they run, which is all but the activities."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

ROOT: Final = Path(__file__).parents[2]
WORKFLOWS: Final = ROOT / "workflows"
# Steps run outside of the workflow, whatever they import; of them workflows have the names alone (test_steering).
_OUTSIDE: Final = "activities"
# Runs in the worker, beside the workflows that it starts; none of them imports it.
_BESIDE: Final = frozenset({"ensured.py"})
_OURS: Final = frozenset(
    {"api", "cases", "cli", "console", "domain", "policy", "privacy", "programmes", "proof", "record", "register"}
    | {"sandbox", "settings", "store", "temporal", "texts", "worker", "workflows", _OUTSIDE}
)


def reached() -> dict[str, Path]:
    """Return the files by the name of their module, the workflows first, then what they import and so on."""
    found: dict[str, Path] = {}
    waiting = [_module_of(path) for path in sorted(WORKFLOWS.glob("*.py")) if path.name not in _BESIDE]
    while waiting:
        name = waiting.pop(0)
        path = _path_of(name)
        if path is not None and name not in found:
            found[name] = path
            waiting += [each for each in imports_of(path) if each.partition(".")[0] in _OURS - {_OUTSIDE}]
    return found


def imports_of(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports anywhere; of `from a import b` both `a` and `a.b`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def loaded(name: str) -> ModuleType:
    """Return a reached module as Python has it."""
    return importlib.import_module(name)


def _module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _path_of(name: str) -> Path | None:
    """Return the file of a module, or None where the name is of something within a module."""
    stem = ROOT / name.replace(".", "/")
    found = (each for each in (stem.with_suffix(".py"), stem / "__init__.py") if each.exists())
    return next(found, None)
