"""Between rooms go rows and views with names of their own; what is only a mapping is JSON as it lies in a column."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_ROOMS = ("cases", "record", "privacy", "register", "programmes", "activities", "workflows", "temporal")
# The aggregate seals the columns of any table again, whichever they are.
_AGGREGATE = ROOT / "cases/case/identity.py"
FILES = [path for room in _ROOMS for path in sorted((ROOT / room).rglob("*.py")) if path != _AGGREGATE]


def _rows(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            # `store.rows` reads a row once, into the class of its table.
            case ast.Call(func=ast.Attribute(attr="mappings")):
                yield f"line {node.lineno}: a row as a mapping"
            case ast.Attribute(attr="_mapping"):
                yield f"line {node.lineno}: a row as a mapping"
            # What is read in the statement of a case is asked for by its subquery.
            case ast.Subscript(value=ast.Attribute(attr="beside")):
                yield f"line {node.lineno}: what a subquery found, by its name"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_row_is_read_by_the_names_of_its_columns(path: Path) -> None:
    assert list(_rows(ast.parse(path.read_text()))) == []


def test_the_search_finds_rows_that_are_read_by_name() -> None:
    code = 'row = found.mappings().one()\ndict(row._mapping)\nfile.beside["known"]\nfile.beside.of(KNOWN)\nrow.at'
    assert [each[:6] for each in sorted(_rows(ast.parse(code)))] == ["line 1", "line 2", "line 3"]
