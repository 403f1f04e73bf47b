"""Premises in the Park as dated data: read, recorded by supervisors, and loaded from a file."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Select, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.keys.data import add_data_key
from cases.shared.calendar import set_cursor
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from cases.shared.pages import cut
from domain.actors import Actor
from domain.acts import Act
from domain.dated import Span, place
from domain.employers import PremisesEntry, PremisesRequest
from domain.spellings import REGISTER_LOCK, Cursor
from policy.addresses import fold_address
from register.conflicts import need_unconflicted_premises
from register.views import PremisesView
from store.ledger import Entry, append
from store.rows.people import PremisesRow
from store.tables import premises

Position = tuple[str, str]

_LOCK: Final = text(f"SELECT pg_advisory_xact_lock(hashtextextended('{REGISTER_LOCK}', 0))")
# Its value changes with each version of premises that is recorded.
CURSOR: Final = Cursor.PREMISES
_ONE_DAY: Final = timedelta(days=1)


async def lock_register(connection: AsyncConnection) -> None:
    """Let one writer at a time change employers and premises, until the transaction ends."""
    await connection.execute(_LOCK)


async def put_premises(context: Context, actor: Actor, request: PremisesRequest, idempotency: Idempotency) -> Reply:
    """Record premises from a day on; the version before ends the day before, one of the same day is replaced.

    Raises:
        Refused: `role_not_allowed` for one who declared a conflict of interest on a live case of an employer there.
    """

    async def write(connection: AsyncConnection) -> Done:
        await lock_register(connection)
        await need_unconflicted_premises(connection, actor, {entry.code for entry in request.premises})
        at = context.clock()
        for entry in request.premises:
            await record_premises(connection, actor, entry, at)
        codes = sorted({entry.code for entry in request.premises})
        rows = await _rows(connection, _select().where(premises.c.code.in_(codes)))
        reply = Reply(Progress.APPLIED, {"items": [_view(row).as_json() for row in rows]})
        return Done(reply, await add_data_key(context, connection))

    return (await once(context, actor, idempotency, write)).reply


async def find_premises(
    context: Context, connection: AsyncConnection, version: str | None, site: str
) -> list[PremisesEntry]:
    """Return the premises whose code or address a work site names, in all their versions.

    Args:
        context: the collaborators.
        connection: a transaction.
        version: the value of the cursor `premises`; the shelf is filled again where it has another, or where there is
            none yet.
        site: a code or an address as it was written.
    """
    shelf = context.premises
    if version is None or shelf.version != version:
        shelf.entries = {}
        for p in await _rows(connection, _select()):
            entry = PremisesEntry(code=p.code, address=p.address, valid_from=p.valid_from, valid_to=p.valid_to)
            for name in (f"code {p.code.lower()}", f"address {p.folded}"):
                shelf.entries.setdefault(name, []).append(entry)
        shelf.version = version or ""
    by_code = shelf.entries.get(f"code {site.strip().lower()}", [])
    by_address = shelf.entries.get(f"address {fold_address(site)}", [])
    return by_code + [entry for entry in by_address if entry not in by_code]


async def get_premises(
    context: Context, actor: Actor, *, on: date | None = None, after: Position | None = None, limit: int = 50
) -> tuple[list[PremisesView], Position | None]:
    """Return a page of premises by code and first day, of one day only where it is named, and where the next begins."""
    query = _select().limit(limit + 1)
    if on is not None:
        query = query.where(premises.c.valid_from <= on, or_(premises.c.valid_to.is_(None), premises.c.valid_to >= on))
    if after is not None:
        begin = (after[0], date.fromisoformat(after[1]))
        query = query.where(tuple_(premises.c.code, premises.c.valid_from) > begin)
    async with context.database.begin(actor.tenant) as connection:
        rows = await _rows(connection, query)
    page, position = cut(rows, limit, lambda row: (row.code, row.valid_from.isoformat()))
    return [_view(row) for row in page], position


async def load_premises(
    connection: AsyncConnection, actor: Actor, entries: Iterable[PremisesEntry], at: datetime
) -> int:
    """Record the premises of a file that are not there yet and return how many; what is there stays as it is."""
    rows = await connection.execute(select(premises.c.code, premises.c.valid_from))
    there = {(row.code, row.valid_from) for row in rows}
    new = [entry for entry in entries if (entry.code, entry.valid_from) not in there]
    for entry in new:
        await record_premises(connection, actor, entry, at)
    return len(new)


async def record_premises(connection: AsyncConnection, actor: Actor, entry: PremisesEntry, at: datetime) -> None:
    """Write one version of premises in its place among the others, with its ledger row; the same again is nothing."""
    rows = await _rows(connection, _select().where(premises.c.code == entry.code))
    placement = place([Span(row.valid_from, row.valid_to) for row in rows], Span(entry.valid_from, entry.valid_to))
    new = PremisesRow(
        code=entry.code,
        valid_from=entry.valid_from,
        valid_to=placement.valid_to,
        address=entry.address,
        folded=fold_address(entry.address),
    )
    if new in rows:
        return
    if placement.closed:
        earlier = update(premises).where(premises.c.code == entry.code, premises.c.valid_from.in_(placement.closed))
        await connection.execute(earlier.values(valid_to=entry.valid_from - _ONE_DAY))
    statement = upsert(premises).values(new.document())
    replaced = {name: statement.excluded[name] for name in ("valid_to", "address", "folded")}
    await connection.execute(statement.on_conflict_do_update(index_elements=list(premises.primary_key), set_=replaced))
    await set_cursor(connection, CURSOR, uuid4().hex, at)
    detail = {
        "code": entry.code,
        "valid_from": entry.valid_from.isoformat(),
        "valid_to": placement.valid_to.isoformat() if placement.valid_to else None,
        "content": sha256(entry.address.encode()).hexdigest(),
    }
    await append(connection, f"premises/{entry.code}", [Entry(Act.PREMISES_RECORDED, actor, at, detail=detail)])


def _select() -> Select[Any]:
    return select(premises).order_by(premises.c.code, premises.c.valid_from)


async def _rows(connection: AsyncConnection, query: Select[Any]) -> list[PremisesRow]:
    return PremisesRow.all_of(await connection.execute(query))


def _view(row: PremisesRow) -> PremisesView:
    return PremisesView(code=row.code, address=row.address, valid_from=row.valid_from, valid_to=row.valid_to)
