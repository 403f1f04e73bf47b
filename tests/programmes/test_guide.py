"""The page that says how to add a programme: its examples are the toy's, and it names each field of the declaration."""

from dataclasses import fields

from cases.programme import Programme
from tests.programmes.guide import PAGE, TOY, written
from tests.programmes.toy.migration import PERSON_SEES
from tests.programmes.toy.programme import TOY as TOY_DECLARED

# What the declaration in the page shows, or its reader meets in the docstring alone.
_RARE = frozenset(
    {"leaving", "hears", "forget", "check", "by", "opened", "known_anew", "weigh_again", "has_died", "outlook"}
    | {"recounted", "asked", "told"}
)


def test_the_examples_are_the_toys() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page), "run python -m tests.programmes.guide"
    assert page.count("<!-- toy: ") + page.count("<!-- badge: ") == page.count("```python\n") + page.count("```yaml\n")


def test_the_page_has_each_field_of_the_declaration_but_rare_ones() -> None:
    page = PAGE.read_text(encoding="utf-8")
    missing = {each.name for each in fields(Programme) if f"`{each.name}" not in page and f"{each.name}=" not in page}
    assert missing <= _RARE


def test_the_migration_of_the_toy_says_what_its_declaration_says() -> None:
    (part,) = TOY_DECLARED.parts
    assert part.sees == PERSON_SEES


def test_the_page_names_each_file_of_the_toy() -> None:
    page = PAGE.read_text(encoding="utf-8")
    files = {path.name for path in TOY.glob("*.py")} - {"__init__.py"}
    assert {name for name in files if f"`{name}`" not in page} <= {"migration.py"}
