"""Fingerprints of all that steers what workflows ask of the engine: calls, code, constants, timeouts, messages.

    python -m tests.workflows.fingerprints

writes those of the code as it is now: after a change behind `workflow.patched`, or of nothing that a history knows.
"""

import ast
import copy
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.workflows.reach import WORKFLOWS, reached

FINGERPRINTS: Final = Path(__file__).parent / "fingerprints.json"
# What is sent, and by which names; of the other modules below, workflows take words that these name.
MESSAGES: Final = "domain.messages"
# Reading the time or the run changes no history; whatever else is asked of these does.
_HARMLESS: Final = frozenset(
    {"workflow.now", "workflow.info", "workflow.info().get_current_history_length", "workflow.set_current_details",
     "workflow.all_handlers_finished", "workflow.unsafe.imports_passed_through", "workflow.is_failure_exception",
     "workflow.logger.error"}
)  # fmt: skip
# Said for people's eyes; Temporal keeps it beside the history and compares it with nothing.
_TOLD: Final = frozenset({"summary", "static_summary", "static_details", "details"})
_TELLING: Final = ("workflow.set_current_details(", "workflow.logger.")

# Calls of the class's own methods too, since their order is the order of what they ask.
_ASKING: Final = ("workflow.", "asyncio.", "self._")


def fingerprints() -> dict[str, list[str]]:
    """Return the fingerprints by file and class; those of a file's constants and functions by the file alone."""
    found: dict[str, list[str]] = {}
    for path in sorted(WORKFLOWS.glob("*.py")):
        body = _without_words(ast.parse(path.read_text(encoding="utf-8"))).body
        found[path.name] = list(_loose(body))
        for node in body:
            if isinstance(node, ast.ClassDef):
                found[f"{path.name}:{node.name}"] = [*_fields(node), *_lines(node)]
    body = _without_words(ast.parse(reached()[MESSAGES].read_text(encoding="utf-8"))).body
    found[MESSAGES] = list(_loose(body))
    for node in body:
        if isinstance(node, ast.ClassDef):
            found[f"{MESSAGES}:{node.name}"] = [*_fields(node), *_lines(node)]
    return {name: lines for name, lines in found.items() if lines}


class _Words(ast.NodeTransformer):
    """Takes out what is said to people: docstrings, summaries, details, lines of the log."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Drop docstrings, and calls that only tell."""
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        if is_text or ast.unparse(node).startswith(_TELLING):
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Drop what is told beside a call."""
        node.keywords = [each for each in node.keywords if each.arg not in _TOLD]
        return self.generic_visit(node)


def _without_words(tree: ast.Module) -> ast.Module:
    without: ast.Module = _Words().visit(copy.deepcopy(tree))
    return without


def _loose(body: list[ast.stmt]) -> Iterator[str]:
    """Yield constants by their value and functions by their code."""
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield f"{', '.join(map(ast.unparse, targets))} = {ast.unparse(node.value)}"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_outside(node):
            yield f"{node.name}: code {_digest(node)}"


def _is_outside(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function works with Temporal's client, which no workflow has."""
    return any(each.annotation is not None and ast.unparse(each.annotation) == "Client" for each in node.args.args)


def _fields(node: ast.ClassDef) -> Iterator[str]:
    """Yield what a message carries: the fields of a class and what they are where they are not given."""
    for field in node.body:
        if isinstance(field, ast.AnnAssign | ast.Assign):
            yield ast.unparse(field)


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
        # What is asked in which order depends on every condition between, so the rest of the code counts too.
        yield f"{method.name}: code {_digest(method)}"


def _digest(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return a short hash of the code as Python writes it: without comments, spacing and what is said to people."""
    return hashlib.sha256(ast.unparse(node).encode()).hexdigest()[:16]


def _calls(statement: ast.stmt) -> Iterator[ast.Call]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name not in _HARMLESS and name.startswith(_ASKING):
                yield node


def write() -> None:
    """Write the fingerprints of the code as it is now."""
    FINGERPRINTS.write_text(json.dumps(fingerprints(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
