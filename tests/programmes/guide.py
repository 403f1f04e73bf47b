"""The examples of the page docs/adding-a-programme.md, from the toy: `python -m tests.programmes.guide` writes them."""

import ast
import re
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "adding-a-programme.md"
TOY: Final = Path(__file__).parent / "toy"
# A comment that names a file of the toy, and what of it; then the example.
_EXAMPLE: Final = re.compile(r"(<!-- toy: (\S+)(?: (\w+))? -->\n```\w+\n)(.*?)(```\n)", re.DOTALL)


def _named(node: ast.stmt) -> str | None:
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.target)
    return getattr(node, "name", None)


def example(file: str, name: str | None) -> str:
    """Return what a file of the toy has under a name, or the whole file.

    Raises:
        LookupError: the file has nothing of the name.
    """
    source = (TOY / file).read_text(encoding="utf-8")
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
    return _EXAMPLE.sub(lambda found: found[1] + example(found[2], found[3]) + found[5], page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
