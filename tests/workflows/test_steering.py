"""Nothing that workflows reach can answer differently at a replay, and of the activities they have the names alone."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest
from temporalio import activity

from tests.workflows.reach import WORKFLOWS, loaded, reached
from tests.workflows.steering import complaints, kept, unordered_fields

REFUSED = {
    "a clock": "import time\ndef f() -> float: return time.monotonic_ns()",
    "a clock by its name": "from time import process_time",
    "a clock of datetime": "from datetime import datetime\ndef f(): return datetime.now()",
    "a day of today": "from datetime import date as d\ndef f(): return d.today()",
    "the zone of the host": "def f(at): return at.astimezone()",
    "the environment": "import os\ndef f(): return os.cpu_count()",
    "the environment by a part": "from os import path",
    "a file": "def f(): return open('x').read()",
    "a file by its path": "from pathlib import Path\ndef f(): return Path('x').read_text()",
    "an address": "def f(a): return id(a)",
    "a hash": "def f(a): return hash(a) % 2",
    "randomness": "import random",
    "an id": "from uuid import uuid4",
    "the order of a set": "def f():\n    for each in {'a', 'b'}: print_(each)",
    "the order of a set that was named": "SEEN = frozenset({'a'})\ndef f(): return [each for each in SEEN]",
    "the order of a set that was handed in": "def f(seen: set[str]): return list(seen)",
    "the order of a set of an object": "class A:\n    def f(self):\n        self.s = set()\n        ','.join(self.s)",
    "the order of what is left": "def f(a, b): return tuple(set(a) - b)",
    "the first of a set": "def f():\n    seen = {1, 2}\n    return seen.pop()",
    "an order of waiting": "import asyncio\nasync def f(ts): return await asyncio.wait(ts)",
    "another thread": "import asyncio\nasync def f(g): return await asyncio.to_thread(g)",
    "a count of all runs": "COUNT = 0\ndef f():\n    global COUNT\n    COUNT += 1",
    "a table that runs fill": "_SEEN: dict = {}\ndef f(a): _SEEN[a] = 1",
    "a list that runs fill": "_SEEN = []\ndef f(a): _SEEN.append(a)",
    "an attribute of what all share": "from workflows import timeouts\ndef f(): timeouts.X = 1",
    "a class that keeps": "class A:\n    seen = []",
    "answers that are kept": "from functools import lru_cache\n@lru_cache\ndef f(a): return a",
}  # fmt: skip
ALLOWED = """
from datetime import datetime, timedelta
NAMES = frozenset({"a", "b"})
class Case:
    def __init__(self) -> None:
        self.seen: dict[str, int] = {}
    def take(self, name: str) -> list[str]:
        self.seen[name] = len(NAMES)
        return sorted(NAMES) if name in NAMES else [each for each in self.seen]
"""
_MODULES = reached()


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_each_of_these_is_refused(source: str) -> None:
    assert complaints(source)


def test_what_answers_the_same_twice_is_allowed() -> None:
    assert not complaints(ALLOWED)


@pytest.mark.parametrize("name", _MODULES)
def test_what_workflows_reach_answers_the_same_twice(name: str) -> None:
    source = _MODULES[name].read_text(encoding="utf-8")
    assert not complaints(source, vars(loaded(name)))
    assert not unordered_fields(loaded(name))


def test_workflows_reach_the_domain_and_nothing_else_but_the_trace_they_are_in() -> None:
    assert {name.partition(".")[0] for name in _MODULES} == {"workflows", "domain", "temporal"}
    assert [name for name in _MODULES if name.startswith("temporal.")] == ["temporal.traces"]
    assert {"domain.messages", "workflows.timeouts", "domain.stages"} <= set(_MODULES)


def test_workflow_modules_keep_nothing_between_runs() -> None:
    # Without a sandbox the runs of a worker share the modules, so a module may hold constants and classes only.
    for name, path in _MODULES.items():
        if name.startswith("workflows"):
            assert not kept(loaded(name), path)


def test_workflows_have_step_classes_alone_of_the_activities() -> None:
    wrong = [complaint for path in sorted(WORKFLOWS.glob("*.py")) for complaint in _beyond_names(path)]
    assert not wrong


def test_a_function_of_the_activities_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text(
        "from activities.outward import is_later\nfrom activities.cases import CaseSteps\n"
        "import activities.cases\nSTEPS = CaseSteps(None)\n"
    )
    assert sorted(complaint.partition(": ")[2] for complaint in _beyond_names(path)) == [
        "CaseSteps is used otherwise than to name a step",
        "activities.outward.is_later is no class of steps",
        "imports activities.cases as a whole",
    ]


def _beyond_names(path: Path) -> list[str]:
    """Return where a file has more of the activities than `Steps.step`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    steps, wrong = set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.partition(".")[0] == "activities"]
            wrong += [f"{path.name}: imports {name} as a whole" for name in names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "activities":
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                if _is_class_of_steps(getattr(module, alias.name, None)):
                    steps.add(alias.asname or alias.name)
                else:
                    wrong.append(f"{path.name}: {node.module}.{alias.name} is no class of steps")
    named = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    named |= {id(each) for node in ast.walk(tree) for each in _annotations(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in steps and id(node) not in named:
            wrong.append(f"{path.name}: {node.id} is used otherwise than to name a step")
    return wrong


def _annotations(node: ast.AST) -> list[ast.AST]:
    annotation = getattr(node, "annotation", None)
    return list(ast.walk(annotation)) if annotation is not None else []


def _is_class_of_steps(each: object) -> bool:
    return inspect.isclass(each) and any(
        activity._Definition.from_callable(method) is not None for method in vars(each).values() if callable(method)
    )
