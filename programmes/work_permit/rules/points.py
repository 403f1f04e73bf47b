"""Points: each item by its table in the pack, the total and its class, and what one item more would give."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from policy.pack import Pack
from policy.packs import PackSource
from policy.standing import ParameterStatus, least
from policy.table import Row, Table
from programmes.work_permit.rules.claims import Claims, PointItem, WorkPermitCategory

PACKS: Final = PackSource("work_permit", package="programmes.work_permit", folder="packs/work_permit")
ELSEWHERE: Final = "elsewhere"  # the row of the table of places for those that it does not name
# From which total on a class is reached, best first; any total is C.
_FROM: Final = {WorkPermitCategory.A: "a_points_from", WorkPermitCategory.B: "b_points_from"}


class WorkPermitItemPoints(BaseModel):
    """The points of one item; a standing of `unconfirmed` or `sample` is no law."""

    model_config = ConfigDict(frozen=True)

    code: PointItem
    points: int
    reference: str
    standing: ParameterStatus


class WorkPermitNextClass(BaseModel):
    """An item that alone lifts the total to the next class: so many points more, and what it would have to be."""

    model_config = ConfigDict(frozen=True)

    code: PointItem
    more: int
    to: WorkPermitCategory
    value: str


class WorkPermitPoints(BaseModel):
    """Points: the items, since two tables can give one total, the total, and the class that it reaches.

    `standing` is that of the least confirmed value that the class rests on.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)

    pack: str
    total: int
    category: Annotated[WorkPermitCategory, Field(alias="class")]
    standing: ParameterStatus
    items: tuple[WorkPermitItemPoints, ...]
    next: Annotated[
        tuple[WorkPermitNextClass, ...],
        Field(description="Empty in class A, and where no item alone reaches the next class."),
    ]

    def of(self, item: PointItem) -> int:
        """Return the points of an item."""
        return next(each.points for each in self.items if each.code is item)


def score(given: Claims, pack: Pack, on: date) -> WorkPermitPoints:
    """Return the points of what is said by the tables of a pack; ages are those of the day, which is the acceptance."""
    items = tuple(_item(item, given, pack, on) for item in PointItem)
    total = sum(item.points for item in items)
    category = next((each for each in _FROM if total >= points_from(each, pack)), WorkPermitCategory.C)
    bounds = [pack.parameter(name).status for name in _FROM.values()]
    return WorkPermitPoints(
        pack=f"{pack.name}/{pack.version}",
        total=total,
        category=category,
        standing=least([*(item.standing for item in items), *bounds]),
        items=items,
        next=_next(items, total, category, given, pack, on),
    )


def points_from(category: WorkPermitCategory, pack: Pack) -> int:
    """Return the total from which on a class is reached; only A and B are reached by points."""
    return pack.integer(_FROM[category])


def unsaid(given: Claims, on: date) -> tuple[PointItem, ...]:
    """Return the items of which nothing is said, or proved; they count nothing."""
    return tuple(item for item in PointItem if given.figure(item, on) is None)


def most_of(item: PointItem, pack: Pack) -> int:
    """Return the most points that an item can give."""
    return max(row.integer for row in pack.table(item.value).rows)


def rescored(given: Claims, kept: Pack, other: Pack, on: date) -> dict[PointItem, tuple[int, int]]:
    """Return the points of items that another version scores otherwise, before and then.

    It says what if, and decides nothing: the version of the acceptance does.
    """
    before, then = score(given, kept, on), score(given, other, on)
    both = {item: (before.of(item), then.of(item)) for item in PointItem}
    return {item: points for item, points in both.items() if points[0] != points[1]}


def _item(item: PointItem, given: Claims, pack: Pack, on: date) -> WorkPermitItemPoints:
    table = pack.table(item.value)
    row = _row(table, given.figure(item, on))
    if row is None:
        standing, why = least(each.status for each in table.rows), "nothing is said of it, or no row is for it"
        return WorkPermitItemPoints(code=item, points=0, reference=why, standing=standing)
    return WorkPermitItemPoints(code=item, points=row.integer, reference=row.reference, standing=row.status)


def _row(table: Table, figure: Decimal | str | None) -> Row | None:
    """Return the row of a table for a figure, a name, or a place by its own, its city's or its province's number."""
    if figure is None:
        return None
    if isinstance(figure, Decimal):
        return table.at(figure)
    around = (f"{figure[:4]}00", f"{figure[:2]}0000", ELSEWHERE) if figure.isdigit() else ()
    return next((row for row in map(table.named, (figure, *around)) if row is not None), None)


def _next(
    items: Sequence[WorkPermitItemPoints],
    total: int,
    category: WorkPermitCategory,
    given: Claims,
    pack: Pack,
    on: date,
) -> tuple[WorkPermitNextClass, ...]:
    """Return each item that alone reaches the next class, with the least more that its table has for it.

    There is none in A, nor where several items together are needed. Years only pass, so of ages those to come count.
    """
    if category is WorkPermitCategory.A:
        return ()
    to = WorkPermitCategory.B if category is WorkPermitCategory.C else WorkPermitCategory.A
    short, found = points_from(to, pack) - total, []
    age = given.figure(PointItem.AGE, on)
    for item in items:
        rows = pack.table(item.code.value).rows
        if item.code is PointItem.AGE:
            rows = tuple(row for row in rows if isinstance(age, Decimal) and row.begins > age)
        enough = [row for row in rows if row.integer - item.points >= short]
        if enough:
            row = min(enough, key=lambda row: row.integer)
            value = str(row.least or row.of)
            found.append(WorkPermitNextClass(code=item.code, more=row.integer - item.points, to=to, value=value))
    return tuple(found)
