"""The examples of docs/adding-a-programme.md, of toy and badge: `python -m tests.programmes.guide` writes them."""

import ast
import re
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "adding-a-programme.md"
ROOMS: Final = Path(__file__).parent
TOY: Final = ROOMS / "toy"
# A comment that names a file of a programme of the tests, and what of it; then the example.
_EXAMPLE: Final = re.compile(r"(<!-- (toy|badge): (\S+)(?: (\w+))? -->\n```\w+\n)(.*?)(```\n)", re.DOTALL)


def _named(node: ast.stmt) -> str | None:
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.target)
    return getattr(node, "name", None)


def example(room: str, file: str, name: str | None) -> str:
    """Return what a file of a room has under a name, or the whole file.

    Raises:
        LookupError: the file has nothing of the name.
    """
    source = (ROOMS / room / file).read_text(encoding="utf-8")
    if name is None:
        return source
    for node in ast.parse(source).body:
        if _named(node) == name:
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(each.lineno for each in decorators)])
            return "\n".join(source.splitlines()[first - 1 : node.end_lineno]) + "\n"
    raise LookupError(f"{file} has no {name}")


def written(page: str) -> str:
    """Return the page with its examples as the toy has them."""
    return _EXAMPLE.sub(lambda found: found[1] + example(found[2], found[3], found[4]) + found[6], page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
