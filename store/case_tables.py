"""Tables that a programme keeps beside those of any case: their rows are loaded, written and hashed with the case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from domain.data_map import DataRow
from domain.spellings import Place
from store.rows.base import TableRow


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CaseTable:
    """A table of a programme, declared: each of its rows is of one case, by `reference`, and bears its `employer_id`.

    Attributes:
        row: the class of its rows.
        key: the column by which rows of one case differ; None where a case has one row.
        sealed: the columns that are sealed under the person's key, each with the place that its values are bound to.
        emptied: what an erasure leaves in columns that are not sealed, as SQL, by column.
        data: what the data map says of its columns.
    """

    row: type[TableRow]
    key: str | None = None
    sealed: Mapping[str, Place] = field(default_factory=dict)
    emptied: Mapping[str, str] = field(default_factory=dict)
    data: tuple[DataRow, ...] = ()

    @property
    def table(self) -> Table:
        """The table."""
        return self.row.TABLE

    @property
    def name(self) -> str:
        """Its name."""
        return self.row.TABLE.name

    def key_of(self, row: TableRow) -> str | None:
        """Return what tells a row from the others of its case."""
        return None if self.key is None else str(getattr(row, self.key))


# Each with the code of its programme.
OwnTables = tuple[tuple[str, CaseTable], ...]
OwnRows = dict[str, list[TableRow]]


def select_own(own: OwnTables) -> str:
    """Return the columns of a query of cases `r` that have, as JSON, the rows of each table where its programme has it.

    Begins with a comma where there are any.
    """
    return "".join(
        f", CASE WHEN r.programme = '{code}' THEN (SELECT jsonb_agg(to_jsonb(x)) FROM {each.name} x"
        f" WHERE x.reference = r.reference) END AS own_{number}"
        for number, (code, each) in enumerate(own)
    )


def read_own(own: OwnTables, found: Mapping[str, Any]) -> OwnRows:
    """Return the rows that such a query found of one case, by table."""
    mine = [(number, each) for number, (code, each) in enumerate(own) if code == found["programme"]]
    return {each.name: read_rows(each, found[f"own_{number}"]) for number, each in mine}


def read_rows(table: CaseTable, found: Sequence[Mapping[str, Any]] | None) -> list[TableRow]:
    """Return rows that came as JSON."""
    return [table.row.from_json(values) for values in found or ()]
