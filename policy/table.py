"""Tables of a pack: rows by name or by steps of a figure, each with its value, where it comes from and its standing."""

from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from policy.standing import ParameterStatus


def _decimal_text(text: str) -> str:
    try:
        if not Decimal(text).is_finite():
            raise ValueError("a figure is wanted, as text")
    except InvalidOperation:
        raise ValueError("a figure is wanted, as text") from None
    return text


class Row(BaseModel):
    """One row: for what is called `of`, or for a figure of at least `least`, up to the next row's.

    Attributes:
        also: further names of what is called `of`, as papers have them.
        since, until: the first and the last day on which the row holds, both in; None where nothing bounds it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: StrictStr | None = None
    least: Annotated[StrictStr, AfterValidator(_decimal_text)] | None = None
    value: StrictInt | StrictStr
    reference: str = Field(min_length=1)
    status: ParameterStatus
    also: tuple[StrictStr, ...] = ()
    since: date | None = None
    until: date | None = None

    @model_validator(mode="after")
    def _by_one(self) -> Self:
        if (self.of is None) is (self.least is None):
            raise ValueError("a row is for a name (of) or from a figure on (least)")
        if self.of is None and (self.also or self.since or self.until):
            raise ValueError("only a row for a name has other names, or days on which it holds")
        if self.since and self.until and self.until < self.since:
            raise ValueError("a row ends before it begins")
        return self

    def holds_on(self, day: date) -> bool:
        """Whether the row holds on a day."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)

    @property
    def integer(self) -> int:
        """The value, where it is a whole number."""
        if not isinstance(self.value, int):
            raise TypeError("The value of the row is no whole number.")
        return self.value

    @property
    def decimal(self) -> Decimal:
        """The value as an exact figure."""
        return Decimal(self.value)

    @property
    def begins(self) -> Decimal:
        """The figure from which a row of steps holds."""
        if self.least is None:
            raise TypeError("The row is for a name, not from a figure on.")
        return Decimal(self.least)


class Table(BaseModel):
    """Rows of one kind: by names that differ, or by figures that rise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: str | None = None
    rows: tuple[Row, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        named = [row for row in self.rows if row.of is not None]
        names = [name for row in named for name in (row.of, *row.also)]
        if named and len(named) != len(self.rows):
            raise ValueError("rows are all for names or all from figures on")
        if len(set(names)) != len(names):
            raise ValueError("two rows are for one name")
        begins = [row.begins for row in self.rows] if not names else []
        if any(later <= earlier for earlier, later in pairwise(begins)):
            raise ValueError("a row begins at or below the one before it")
        return self

    def named(self, name: str) -> Row | None:
        """Return the row for a name; None where there is none, and who asks says what that means."""
        return next((row for row in self.rows if row.of == name), None)

    def at(self, figure: Decimal) -> Row | None:
        """Return the row in which a figure lies, compared exactly; None below the first."""
        return next((row for row in reversed(self.rows) if row.begins <= figure), None)
