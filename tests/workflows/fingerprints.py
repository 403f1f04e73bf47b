"""Fingerprints of workflow code: what each class asks of the engine, in the order of the source."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

WORKFLOWS: Final = Path(__file__).parents[2] / "workflows"
FINGERPRINTS: Final = Path(__file__).parent / "fingerprints.json"
# Reading the time or the run changes no history; whatever else is asked of these does.
_HARMLESS: Final = frozenset(
    {"workflow.now", "workflow.info", "workflow.info().get_current_history_length", "workflow.set_current_details",
     "workflow.all_handlers_finished", "workflow.unsafe.imports_passed_through", "workflow.is_failure_exception",
     "workflow.logger.error"}
)  # fmt: skip

# Calls of the class's own methods too, since their order is the order of what they ask.
_ASKING: Final = ("workflow.", "asyncio.", "self._")


def fingerprints() -> dict[str, list[str]]:
    """Return the fingerprint of every class in the workflow files, by file and class."""
    found = {}
    for path in sorted(WORKFLOWS.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found[f"{path.name}:{node.name}"] = list(_lines(node))
    return {name: lines for name, lines in found.items() if lines}


def _lines(node: ast.ClassDef) -> Iterator[str]:
    for method in node.body:
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in method.decorator_list:
            text = ast.unparse(decorator)
            if text.startswith("workflow."):
                yield f"@{text} {method.name}"
        calls = [call for statement in method.body for call in _calls(statement)]
        for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
            first = ast.unparse(call.args[0]) if call.args else ""
            yield f"{method.name}: {ast.unparse(call.func)}({first})"


def _calls(statement: ast.stmt) -> Iterator[ast.Call]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name not in _HARMLESS and name.startswith(_ASKING):
                yield node
