"""Rows as classes have the columns of their tables, and say the same of a row whichever way it was read."""

from dataclasses import fields
from datetime import UTC, datetime
from importlib import import_module
from pkgutil import iter_modules
from uuid import UUID

import pytest

from programmes import own_tables
from store import rows
from store.rows import people
from store.rows.base import TableRow

# What PostgreSQL derives or notes by itself, and no code of ours reads.
_DERIVED = {"live", "recorded_at", "cause_step", "cause_reason", "cause_place", "cause_id"}
# What statements alone read: the turn of an employer among others, and until when a roster is at work.
_OF_STATEMENTS = {"employers": {"turn"}, "rosters": {"lease_until"}}
_KINDS = [
    each
    for found in iter_modules(rows.__path__)
    for each in vars(import_module(f"{rows.__name__}.{found.name}")).values()
    if isinstance(each, type) and issubclass(each, TableRow) and hasattr(each, "TABLE")
] + [each.row for _, each in own_tables()]


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.__name__)
def test_a_row_has_the_columns_of_its_table(kind: type[TableRow]) -> None:
    known, columns = {each.name for each in fields(kind)}, set(kind.TABLE.c.keys())
    assert known <= columns
    assert columns - known <= _DERIVED | _OF_STATEMENTS.get(kind.TABLE.name, set())
    optional = {column.name for column in kind.TABLE.c if column.nullable and not column.primary_key}
    said = {each.name for each in fields(kind) if "None" in str(each.type)}
    assert optional & {each.name for each in fields(kind)} <= said


def test_there_are_rows_for_every_module_of_tables_that_has_a_case() -> None:
    assert rows.__doc__
    assert len(_KINDS) >= 32


def test_a_column_that_is_none_of_the_row_is_refused() -> None:
    row = people.PremisesRow(code="A", valid_from=None, address="", folded="")  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        row.change(colour="red")


def test_an_insert_leaves_out_what_is_empty() -> None:
    row = people.ErasureRow(
        erasure_id=UUID(int=1),
        person_id=UUID(int=2),
        reference="HT-1",
        reason="person_asked",
        state="proposed",
        proposed_by={"issuer": "i", "subject": "s", "role": "supervisor"},
        proposed_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    assert "decided_by" not in row.filled()
    assert row.document()["decided_by"] is None
