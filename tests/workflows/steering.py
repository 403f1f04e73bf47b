"""Finds what would let a workflow ask for something else at its replay: clocks, files, addresses, sets, kept state."""

import ast
import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Set
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, Final, get_args

from pydantic import BaseModel

# What modules that workflows reach may import beside ours; all else (time, os, random, pathlib ...) is refused whole.
_ALLOWED: Final = frozenset(
    {"asyncio", "collections.abc", "datetime", "enum", "typing", "uuid.UUID", "pydantic"}
    | {"temporalio.workflow", "temporalio.client", "temporalio.common", "temporalio.exceptions", "temporalio.service"}
    # What they say depends on nothing but what they are given, and steers nothing: who waits, a changed copy, a line of
    # a log, the trace that a step is in.
    | {"contextlib", "dataclasses.replace", "structlog", "opentelemetry", "re"}
)
# Which of ours may be imported is looked at by test_steering and by the contracts of lint-imports.
_OURS: Final = frozenset(
    (
        "activities api cases console domain policy privacy programmes proof record register store temporal texts "
        "workflows"
    ).split()
)
_BUILTINS: Final = frozenset(
    "id hash open input print breakpoint exec eval compile globals locals vars dir __import__".split()
)
# Named whole: what else asyncio has waits by the clock of the process, or in the order of a set.
_ASYNCIO: Final = frozenset({"asyncio.Lock", "asyncio.Task", "asyncio.create_task", "asyncio.CancelledError"})
_CLOCKS: Final = frozenset(
    f"datetime.{kind}.{reading}"
    for kind in ("datetime", "date")
    for reading in "now utcnow today fromtimestamp".split()
)
_IN_ORDER: Final = frozenset("list tuple iter next enumerate zip map filter reversed max min".split())
_OF_ORDER: Final = frozenset({"join", "fromkeys", "extend", "gather"})
_SET_NAMES: Final = frozenset({"set", "frozenset", "Set", "AbstractSet", "MutableSet"})
_MUTATING: Final = frozenset(
    "add append extend insert remove discard pop popitem clear update setdefault sort reverse".split()
)


def complaints(source: str, known: Mapping[str, Any] | None = None) -> list[str]:
    """Return what a module may not do, each as `line: what`; `known` are its names as Python has them."""
    tree = ast.parse(source)
    found = _Finder(tree, known or {})
    found.visit(tree)
    return sorted(found.complaints, key=lambda each: int(each.partition(":")[0]))


class _Finder(ast.NodeVisitor):
    """Goes through one module."""

    def __init__(self, tree: ast.Module, known: Mapping[str, Any]) -> None:
        self.complaints: list[str] = []
        self._full: dict[str, str] = {}
        self._constants = {name.id for node in tree.body for name in _targets(node) if isinstance(name, ast.Name)}
        self._sets = {name for name, value in known.items() if isinstance(value, Set)}
        self._sets |= _named_sets(tree)

    def _complain(self, node: ast.AST, what: str) -> None:
        self.complaints.append(f"{getattr(node, 'lineno', 0)}: {what}")

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._take_import(node, alias.name, alias.asname or alias.name.partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self._take_import(node, f"{node.module}.{alias.name}", alias.asname or alias.name)

    def _take_import(self, node: ast.stmt, full: str, name: str) -> None:
        self._full[name] = full
        if full.partition(".")[0] in _OURS:
            return
        parts = full.split(".")
        if not any(".".join(parts[:length]) in _ALLOWED for length in range(1, len(parts) + 1)):
            self._complain(node, f"imports {full}")
        elif full in _CLOCKS or (full.startswith("asyncio.") and full not in _ASYNCIO):
            self._complain(node, full)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in _BUILTINS and node.id not in self._full:
            self._complain(node, node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        full = self._resolve(node)
        if full in _CLOCKS or (full.startswith("asyncio.") and full not in _ASYNCIO):
            self._complain(node, full)
        elif node.attr == "astimezone" or node.attr in ("__hash__", "__dict__"):
            self._complain(node, node.attr)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = ast.unparse(node.func)
        last = name.rpartition(".")[2]
        if name in _IN_ORDER or ("." in name and last in _OF_ORDER):
            for each in node.args:
                self._refuse_order(each)
        if last == "pop" and isinstance(node.func, ast.Attribute):
            self._refuse_order(node.func.value)
        if last in _MUTATING and isinstance(node.func, ast.Attribute) and name != "workflow.update":
            self._refuse_kept(node.func.value)
        if last in ("cache", "lru_cache"):
            self._complain(node, f"{name} keeps answers between runs")
        self.generic_visit(node)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self._refuse_order(node.iter)
        self.generic_visit(node)

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self._refuse_order(node.iter)
        self.generic_visit(node)

    def visit_Starred(self, node: ast.Starred) -> None:
        self._refuse_order(node.value)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self._complain(node, f"keeps {', '.join(node.names)}")

    visit_Nonlocal = visit_Global  # noqa: N815

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for statement in ast.walk(node):
            targets = _targets(statement) if isinstance(statement, ast.stmt) else ()
            for target in (*targets, *(statement.targets if isinstance(statement, ast.Delete) else ())):
                if isinstance(target, ast.Subscript | ast.Attribute):
                    self._refuse_kept(target.value)
        for decorator in node.decorator_list:
            if ast.unparse(decorator).rpartition(".")[2] in ("cache", "lru_cache", "cached_property"):
                self._complain(node, "keeps answers between runs")
        self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for statement in node.body:
            value = getattr(statement, "value", None)
            is_field = any(ast.unparse(base).endswith(("Model", "Message", "Asked")) for base in node.bases)
            if isinstance(value, ast.List | ast.Dict | ast.Set) and not is_field:
                self._complain(statement, "a class keeps what its objects share")
        self.generic_visit(node)

    def _resolve(self, node: ast.Attribute) -> str:
        first, _, rest = ast.unparse(node).partition(".")
        return f"{self._full.get(first, first)}.{rest}"

    def _refuse_order(self, node: ast.expr) -> None:
        if self._is_set(node):
            self._complain(node, f"the order of the set {ast.unparse(node)}")

    def _refuse_kept(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name) and node.id in self._constants | set(self._full):
            self._complain(node, f"changes {node.id}, which all runs share")

    def _is_set(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Set | ast.SetComp):
            return True
        if isinstance(node, ast.BinOp):
            return self._is_set(node.left) or self._is_set(node.right)
        if isinstance(node, ast.Call):
            return ast.unparse(node.func) in ("set", "frozenset")
        return ast.unparse(node) in self._sets


def _targets(node: ast.stmt) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign):
        yield from node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        yield node.target


def _named_sets(tree: ast.Module) -> set[str]:
    """Return what is given a set or said to be one, such as `seen` or `self._seen`; by name, wherever in the module."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None and _says_set(node.annotation):
            found.add(node.arg)
        elif isinstance(node, ast.AnnAssign) and _says_set(node.annotation):
            found.add(ast.unparse(node.target))
        elif isinstance(node, ast.Assign):
            is_made = isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in ("set", "frozenset")
            if is_made or isinstance(node.value, ast.Set | ast.SetComp):
                found |= {ast.unparse(target) for target in node.targets}
    return found


def _says_set(annotation: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id in _SET_NAMES for node in ast.walk(annotation))


def kept(module: ModuleType, path: Path) -> list[str]:
    """Return the names under which a module of workflows keeps what a run could change."""
    kinds = (list, dict, set, bytearray, deque, count, asyncio.Lock, asyncio.Event, asyncio.Queue)
    return [
        f"{path.name}: {name}"
        for name, value in vars(module).items()
        if isinstance(value, kinds) and not name.startswith("__")
    ]


def unordered_fields(module: ModuleType) -> list[str]:
    """Return the fields of messages that are sets, whose order in a payload would differ from worker to worker."""
    found = []
    for name, model in vars(module).items():
        if isinstance(model, type) and issubclass(model, BaseModel):
            for field, info in model.model_fields.items():
                if _holds_set(info.annotation):
                    found.append(f"{name}.{field}")
    return found


def _holds_set(annotation: Any) -> bool:
    return annotation in (set, frozenset) or any(
        _holds_set(each) for each in (getattr(annotation, "__origin__", None), *get_args(annotation)) if each
    )
