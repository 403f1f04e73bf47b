"""Searching the ledger: pages of rows, newest first, and bounded counts of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Date,
    Select,
    and_,
    any_,
    cast,
    func,
    literal,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from domain.actors import Role
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from record.event_views import CountBy, CountsView, CountView, EventView, event_view
from store.rows.record import LedgerRow
from store.tables import cases, ledger, ledger_marks

# A page looks at no more rows than this, however few of them fit: what it costs does not grow with the ledger.
LOOKED_AT: Final = 1_000
MOST_COUNTED: Final = 200_000
MOST_KEYS: Final = 500
LONGEST_COUNT: Final = timedelta(days=92)

# Time, chain and number of the last row of a page, and the oldest transaction open when the first page was asked for.
Position = tuple[datetime, str, int, int]
Place = tuple[datetime, str, int]

_CHINA: Final = "Asia/Shanghai"
_HORIZON: Final = text("SELECT (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint")
_L: Final = ledger.c
_M: Final = ledger_marks.c


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rows: each that is given must hold; `begins` is included and `ends` is not."""

    act: str | None = None
    issuer: str | None = None
    subject: str | None = None
    role: Role | None = None
    employer_id: str | None = None
    case: str | None = None
    outcome: str | None = None
    reason_code: str | None = None
    rule_version: str | None = None
    destination: str | None = None
    begins: datetime | None = None
    ends: datetime | None = None

    def check(self) -> None:
        """Refuse a time range that is turned round."""
        if self.begins is not None and self.ends is not None and self.begins >= self.ends:
            wrong = FieldError("from", FieldCode.DATE_ORDER, "The time `from` must come before the time `to`.")
            raise Refused("invalid", "The time range is turned round.", [wrong])


async def search(
    context: Context, filters: Filters, after: Position | None = None, limit: int = 50
) -> tuple[list[EventView], Position | None]:
    """Return a page of rows, newest first, and the position of the next one, which there may be after an empty page.

    The pages show the ledger as it was below the oldest open transaction of the first page: what commits later belongs
    to a new search, so that nothing is missed or shown twice.

    Raises:
        Refused: `invalid` for a time range turned round, `case_unknown` for a case that there is not.
    """
    filters.check()
    async with context.database.begin() as connection:
        await need_case(connection, filters.case)
        below = after[3] if after is not None else await horizon(connection)
        rows, position = await read_page(connection, filters, below, after[:3] if after is not None else None, limit)
    return [event_view(row) for row in rows], None if position is None else (*position, below)


async def count(context: Context, filters: Filters, by: CountBy) -> CountsView:
    """Count the rows of a time range by one thing.

    Raises:
        Refused: `invalid` where there is no time range, where it is too long, or where too many rows fit.
    """
    check_range(filters, LONGEST_COUNT)
    async with context.database.begin() as connection:
        await need_case(connection, filters.case)
        below = await horizon(connection)
        wanted = _counted(filters, by, below).limit(MOST_COUNTED + 1).subquery()
        query = select(wanted.c.key, func.count()).group_by(wanted.c.key)
        found = [(key, int(number)) for key, number in (await connection.execute(query)).all()]
    total = sum(number for _, number in found)
    if total > MOST_COUNTED:
        raise too_many(f"More than {MOST_COUNTED} rows fit; narrow the time or filter further.")
    found.sort(key=lambda pair: (-pair[1], pair[0] or ""))
    kept, left = found[:MOST_KEYS], found[MOST_KEYS:]
    items = [CountView(key=None if key is None else str(key), count=number) for key, number in kept]
    return CountsView(by=by, total=total, items=items, others=sum(number for _, number in left))


def _counted(filters: Filters, by: CountBy, below: int) -> Select[Any] | CompoundSelect[Any]:
    """Return the query for the rows that fit, once for each value that they have."""
    fits = [*conditions(filters), _L.xid < below]
    if by is CountBy.REASON:
        return _marked("reason", filters).where(*fits)
    if by is CountBy.CASE:
        # A row that names its case may list it too, and is one row all the same.
        listed = _marked("case", filters).where(*fits, _L.reference.is_distinct_from(_M.value))
        own = select(_L.reference.label("key"), _L.chain, _L.seq).where(*fits, _L.reference.is_not(None))
        return union_all(own, listed)
    return select(_KEYS[by].label("key"), _L.chain, _L.seq).where(*fits)


def _marked(kind: str, filters: Filters) -> Select[Any]:
    marked = and_(_M.kind == kind, _M.at == _L.at, _M.chain == _L.chain, _M.seq == _L.seq)
    query = select(_M.value.label("key"), _L.chain, _L.seq).join(ledger_marks, marked)
    return query.where(*_in_time(filters, _M.at))


async def horizon(connection: AsyncConnection) -> int:
    """Return the oldest transaction that is still open: whatever lies below it has been committed or never will be."""
    return int((await connection.execute(_HORIZON)).scalar_one())


async def need_case(connection: AsyncConnection, reference: str | None) -> None:
    """Refuse a case that there is not."""
    if reference is None:
        return
    known = select(1).where(cases.c.reference == reference)
    if (await connection.execute(known)).first() is None:
        raise Refused("case_unknown", "There is no case of this reference.")


async def read_page(
    connection: AsyncConnection,
    filters: Filters,
    below: int,
    after: Place | None,
    limit: int,
    *,
    oldest_first: bool = False,
) -> tuple[list[LedgerRow], Place | None]:
    """Return rows in order of time, and where to go on; it looks at a bounded number of candidates.

    The candidates are the rows of that filter which as a rule leaves the fewest, in the order of its index.
    """
    lead = next((name for name in _LEADS if _leads(filters, name)), None)
    window = _window(filters, lead, below, after, oldest_first=oldest_first)
    w = window.subquery("w")
    rest = [w.c[column] == value for name, column, value in _plain(filters) if name != lead]
    if filters.reason_code is not None and lead != "reason_code":
        rest.append(literal(filters.reason_code) == any_(w.c.reason_codes))
    if rest:
        order = [w.c[name] if oldest_first else w.c[name].desc() for name in ("at", "chain", "seq")]
        query = select(w).where(*rest).order_by(*order).limit(limit + 1)
    else:  # each candidate fits, so that no more are read than are shown
        query = window.limit(limit + 1)
    rows = LedgerRow.all_of(await connection.execute(query))
    if len(rows) > limit:
        return rows[:limit], _place(rows[limit - 1])
    if not rest:
        return rows, None
    farthest = window.with_only_columns(_L.at, _L.chain, _L.seq).limit(1).offset(LOOKED_AT - 1)
    last = (await connection.execute(farthest)).one_or_none()
    return rows, None if last is None else (last.at, last.chain, last.seq)


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """Return what must hold of a row of the ledger for all filters together."""
    found = [_L[column] == value for _, column, value in _plain(filters)]
    found += _in_time(filters, _L.at)
    if filters.case is not None:
        found.append(_about_case(filters.case))
    if filters.reason_code is not None:
        found.append(literal(filters.reason_code) == any_(_L.reason_codes))
    return found


def too_many(message: str) -> Refused:
    """Return the refusal of a question that would look at too much."""
    return Refused("invalid", message, [FieldError("to", FieldCode.UNKNOWN_VALUE, message)])


def _window(filters: Filters, lead: str | None, below: int, after: Place | None, *, oldest_first: bool) -> Select[Any]:
    at, chain, seq = _L.at, _L.chain, _L.seq
    query = select(ledger).where(_L.xid < below)
    if lead == "case":
        query = query.where(_about_case(str(filters.case)))
    elif lead == "reason_code":
        at, chain, seq = _M.at, _M.chain, _M.seq
        query = query.join(ledger_marks, and_(_M.chain == _L.chain, _M.seq == _L.seq))
        query = query.where(_M.kind == "reason", _M.value == filters.reason_code)
    elif lead is not None:
        query = query.where(*(_L[column] == value for name, column, value in _plain(filters) if name == lead))
    query = query.where(*_in_time(filters, at))
    if after is not None:
        place, reached = tuple_(at, chain, seq), tuple_(literal(after[0], at.type), *after[1:])
        # Said twice, since only a comparison of times may use the index under row-level security.
        query = query.where(*((at >= after[0], place > reached) if oldest_first else (at <= after[0], place < reached)))
    order = (at, chain, seq)
    return query.order_by(*(order if oldest_first else (each.desc() for each in order))).limit(LOOKED_AT)


def _about_case(reference: str) -> ColumnElement[bool]:
    """Say that a row is of a case, or of a reading that showed it."""
    own = select(_L.chain, _L.seq).where(_L.reference == reference)
    read = select(_M.chain, _M.seq).where(_M.kind == "case", _M.value == reference)
    return tuple_(_L.chain, _L.seq).in_(union_all(own, read))


def _plain(filters: Filters) -> list[tuple[str, str, str]]:
    """Return the filters that a column answers: name, column and value of those that are given."""
    given = ((name, column, getattr(filters, name)) for name, column in _COLUMNS.items())
    return [(name, column, str(value)) for name, column, value in given if value is not None]


def _leads(filters: Filters, name: str) -> bool:
    # The engine itself does most acts, so its role leads no faster than time alone.
    return getattr(filters, name) is not None and not (name == "role" and filters.role is Role.SYSTEM)


def _in_time(filters: Filters, at: Any) -> list[ColumnElement[bool]]:
    found = [at >= filters.begins] if filters.begins is not None else []
    return found + ([at < filters.ends] if filters.ends is not None else [])


def _place(row: LedgerRow) -> Place:
    return row.at, row.chain, row.seq


def check_range(filters: Filters, longest: timedelta) -> None:
    """Refuse a question about all rows of a time range that has no range, or a longer one than may be asked for."""
    for name, value in (("from", filters.begins), ("to", filters.ends)):
        if value is None:
            missing = FieldError(name, FieldCode.REQUIRED, "Name the time range.")
            raise Refused("invalid", "A time range is required here.", [missing])
    filters.check()
    if filters.begins is not None and filters.ends is not None and filters.ends - filters.begins > longest:
        raise too_many(f"The time range is longer than {longest.days} days.")


_COLUMNS: Final = {
    "subject": "actor_subject",
    "issuer": "actor_issuer",
    "employer_id": "employer_id",
    "outcome": "outcome",
    "rule_version": "rule_version",
    "act": "act",
    "destination": "destination",
    "role": "actor_role",
}
# What leads, the one that as a rule leaves the fewest rows first; an issuer alone has no index and needs none.
_LEADS: Final = (
    "case", "reason_code", "subject", "employer_id", "outcome", "rule_version", "act", "destination", "role",
)  # fmt: skip
_KEYS: Final[dict[CountBy, ColumnElement[Any]]] = {
    CountBy.ACT: _L.act,
    CountBy.ACTOR: _L.actor_issuer + " " + _L.actor_subject,
    CountBy.ROLE: _L.actor_role,
    CountBy.EMPLOYER: _L.employer_id,
    CountBy.OUTCOME: _L.outcome,
    CountBy.RULE_VERSION: _L.rule_version,
    CountBy.DESTINATION: _L.destination,
    CountBy.DAY: cast(func.timezone(_CHINA, _L.at), Date),
    CountBy.MONTH: func.to_char(func.timezone(_CHINA, _L.at), "YYYY-MM"),
}
