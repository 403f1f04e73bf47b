"""Rows as classes have the columns of their tables, and say the same of a row whichever way it was read."""

from dataclasses import fields
from datetime import UTC, datetime
from uuid import UUID

import pytest

from store import rows
from store.rows import authority, notices, people, register, rosters, rules, work
from store.rows.base import TableRow

# What PostgreSQL derives or notes by itself, and what statements alone read: turns and leases.
_DERIVED = {"live", "recorded_at", "cause_step", "cause_reason", "cause_place", "cause_id", "turn", "lease_until"}
_KINDS = [
    each
    for module in (authority, notices, people, register, rosters, rules, work)
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, TableRow) and each is not TableRow
]


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.__name__)
def test_a_row_has_the_columns_of_its_table(kind: type[TableRow]) -> None:
    named, columns = {each.name for each in fields(kind)}, set(kind.TABLE.c.keys())
    assert named <= columns
    assert columns - named <= _DERIVED
    optional = {column.name for column in kind.TABLE.c if column.nullable and not column.primary_key}
    said = {each.name for each in fields(kind) if "None" in str(each.type)}
    assert optional & {each.name for each in fields(kind)} <= said


def test_there_are_rows_for_every_module_of_tables_that_has_a_case() -> None:
    assert rows.__doc__
    assert len(_KINDS) == 25


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
        proposed_by={"role": "supervisor"},
        proposed_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    assert "decided_by" not in row.filled()
    assert row.document()["decided_by"] is None
