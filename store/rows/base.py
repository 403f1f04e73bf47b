"""What every row is: made of what PostgreSQL returned as JSON, and given back as a document of its columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from sqlalchemy import Date, LargeBinary, Result, Row, Table, Uuid
from sqlalchemy.dialects.postgresql import TIMESTAMP

Parse = Callable[[Any], Any]


@dataclass(slots=True, kw_only=True)
class TableRow:
    """A row of a table; each field is a column of its name."""

    TABLE: ClassVar[Table]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the row of PostgreSQL's JSON, its values with the types of the columns; further ones are left out."""
        return cls(**{name: _parsed(values[name], parse) for name, parse in _columns(cls) if name in values})

    @classmethod
    def from_mapping(cls, values: Mapping[Any, Any]) -> Self:
        """Return the row of a mapping that has the columns as the driver read them; further ones are left out."""
        return cls(**{name: values[name] for name, _ in _columns(cls) if name in values})

    @classmethod
    def from_row(cls, row: Row[Any]) -> Self:
        """Return the row of one that a query returned, whose columns the driver read; further ones are left out."""
        return cls.from_mapping(dict(row._mapping))

    @classmethod
    def all_of(cls, result: Result[Any]) -> list[Self]:
        """Return the rows that a query returned."""
        return [cls.from_mapping(row) for row in result.mappings()]

    @classmethod
    def one_of(cls, result: Result[Any]) -> Self | None:
        """Return the only row that a query returned, or None where it returned none.

        Raises:
            MultipleResultsFound: where it returned more.
        """
        row = result.mappings().one_or_none()
        return None if row is None else cls.from_mapping(row)

    def document(self) -> dict[str, Any]:
        """Return the columns by name; what they hold is not copied."""
        return {name: getattr(self, name) for name, _ in _columns(type(self))}

    def filled(self) -> dict[str, Any]:
        """Return the columns that hold something, for an insert: None given to a JSON column would be JSON's null."""
        return {name: value for name, value in self.document().items() if value is not None}

    def change(self, **values: Any) -> None:
        """Set columns by name.

        Raises:
            AttributeError: for a name that is no column.
        """
        for name, value in values.items():
            setattr(self, name, value)


def from_json(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row that came as JSON, with others' columns beside its own, with the types of its table's columns."""
    return {name: _parsed(value, _parser(table, name) if name in table.c else None) for name, value in values.items()}


_COLUMNS: Final[dict[type[TableRow], tuple[tuple[str, Parse | None], ...]]] = {}


def _columns(row: type[TableRow]) -> tuple[tuple[str, Parse | None], ...]:
    """Return the columns of a kind of row, with what makes their values of JSON; found out once."""
    known = _COLUMNS.get(row)
    if known is None:
        known = _COLUMNS[row] = tuple((each.name, _parser(row.TABLE, each.name)) for each in fields(row))
    return known


def _parsed(value: Any, parse: Parse | None) -> Any:
    return value if parse is None or value is None else parse(value)


def _parser(table: Table, name: str) -> Parse | None:
    kind = table.c[name].type
    return next((parse for type_, parse in _PARSERS.items() if isinstance(kind, type_)), None)


def _bytes(value: str) -> bytes:
    return bytes.fromhex(value.removeprefix("\\x"))


_PARSERS: Final[dict[type[Any], Parse]] = {
    TIMESTAMP: datetime.fromisoformat,
    Date: date.fromisoformat,
    Uuid: UUID,
    LargeBinary: _bytes,
}
