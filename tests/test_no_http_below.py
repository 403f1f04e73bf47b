"""Neither the register nor what concerns a person knows HTTP: no status and no URL (the API speaks it)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [path for room in ("register", "privacy") for path in sorted((ROOT / room).rglob("*.py"))]


def _http(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="Reply"), args=[first, *_]):
                if any(isinstance(each, ast.Constant) and isinstance(each.value, int) for each in ast.walk(first)):
                    yield f"line {node.lineno}: a status"
            case ast.Constant(value=str(text)) if text.startswith(("/v1/", "http://", "https://")):
                yield f"line {node.lineno}: a URL"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_http_is_spoken_below_the_api(path: Path) -> None:
    assert list(_http(ast.parse(path.read_text()))) == []


def test_the_search_finds_what_it_looks_for() -> None:
    code = 'Reply(202 if late else 200, view)\nReply(Progress.APPLIED, {"self": f"/v1/rosters/{id}"})\n"/v1/me"'
    assert sorted(_http(ast.parse(code))) == ["line 1: a status", "line 2: a URL", "line 3: a URL"]
