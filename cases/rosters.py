"""Rosters: a file of an employer taken on, kept sealed row by row, and what became of each row."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.context import Context
from cases.idempotency import Idempotency, Reply, find_known, remember
from cases.keys import add_data_key
from cases.roster_file import read_roster
from cases.view import moment
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.errors import Refused
from domain.roster import OnDefect, RosterAct, RosterStatus, RowResult
from domain.stages import Standing
from store.case_rows import load_employer
from store.encryption import DataKey
from store.ledger import Entry, append
from store.tables import roster_intake, roster_rows, rosters

_COLUMNS: Final = ("roster_id", "row", "body")
_TAKE: Final = text("""
    WITH taken AS (DELETE FROM roster_intake WHERE roster_id = :roster_id RETURNING roster_id, row, body)
    INSERT INTO roster_rows (roster_id, row, employer_id, body)
    SELECT roster_id, row, :employer_id, body FROM taken
""")

Rows = Sequence[tuple[int, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class RosterFile:
    """A file as it was sent, and what it asks for."""

    content: bytes = field(repr=False)
    content_type: str
    filename: str
    act: RosterAct
    dry_run: bool
    on_defect: OnDefect


async def receive(context: Context, actor: Actor, file: RosterFile, idempotency: Idempotency) -> Reply:
    """Take a roster on and answer with it; its rows are checked and done in the background.

    Raises:
        Refused: `body_too_large`, `media_type_unknown` or `invalid` for a file that cannot be read;
            `employer_not_in_good_standing`; those of a repeated key.
    """
    rows = await asyncio.to_thread(read_roster, file.content, file.content_type, file.filename, file.act)
    async with context.database.begin(actor.tenant) as connection:
        known = await find_known(context, connection, actor, idempotency)
        if known is not None and known.reply is not None:
            return known.reply
        at = context.clock()
        await _check_employer(context, connection, actor, file.act)
        key = await add_data_key(context, connection)
        roster: dict[str, Any] = {
            "roster_id": uuid4(),
            "employer_id": actor.employer_id,
            "act": file.act.value,
            "dry_run": file.dry_run,
            "on_defect": file.on_defect.value,
            "actor": actor.model_dump(mode="json"),
            "status": RosterStatus.CHECKING.value,
            "totals": {"rows": len(rows)},
            "reason": None,
            "resumes_at": None,
            "key_id": key.key_id,
            "at": at,
        }
        await connection.execute(insert(rosters).values(roster))
        await _copy(connection, roster, key, rows)
        detail = {
            "roster_id": str(roster["roster_id"]),
            "act": roster["act"],
            "dry_run": file.dry_run,
            "rows": len(rows),
            "content": key.ledger_hash(file.content),
        }
        entry = Entry(Act.ROSTER_RECEIVED, actor, at, employer_id=actor.employer_id, detail=detail)
        await append(connection, f"roster/{roster['roster_id']}", [entry])
        reply = Reply(202, _view(roster, {}, at), {"Location": f"/v1/rosters/{roster['roster_id']}"})
        await remember(context, connection, actor, idempotency, reply=reply, key=key)
        return reply


async def get_roster(context: Context, actor: Actor, roster_id: UUID) -> dict[str, Any]:
    """Return a roster with its totals.

    Raises:
        Refused: `not_found` when the caller's tenant has none of this id.
    """
    async with context.database.begin(actor.tenant) as connection:
        roster = await _get(connection, roster_id)
        return _view(roster, await count_results(connection, roster_id), context.clock())


async def get_rows(
    context: Context, actor: Actor, roster_id: UUID, *, after: int | None = None, limit: int = 50
) -> tuple[list[dict[str, Any]], int | None]:
    """Return a page of a roster's rows by number, without what they hold, and the number the next page begins after.

    Raises:
        Refused: `not_found` when the caller's tenant has no roster of this id.
    """
    query = (
        select(roster_rows.c.row, roster_rows.c.result, roster_rows.c.reference, roster_rows.c.errors)
        .where(roster_rows.c.roster_id == roster_id, roster_rows.c.row > (after or 0))
        .order_by(roster_rows.c.row)
        .limit(limit + 1)
    )
    async with context.database.begin(actor.tenant) as connection:
        await _get(connection, roster_id)
        found = (await connection.execute(query)).mappings().all()
    # Names of columns come quoted, as a kind of text that is no plain key of JSON.
    items = [{str(name): value for name, value in row.items()} for row in found[:limit]]
    return items, items[-1]["row"] if len(found) > limit else None


async def count_results(connection: AsyncConnection, roster_id: UUID) -> dict[str, int]:
    """Return how many rows have each result."""
    query = (
        select(roster_rows.c.result, func.count().label("rows"))
        .where(roster_rows.c.roster_id == roster_id, roster_rows.c.result.is_not(None))
        .group_by(roster_rows.c.result)
    )
    return {row.result: row.rows for row in await connection.execute(query)}


async def _check_employer(context: Context, connection: AsyncConnection, actor: Actor, act: RosterAct) -> None:
    employer = await load_employer(connection, actor.employer_id or "")
    if employer is None:
        raise Refused("employer_not_in_good_standing", "The park has no employer of this id on its register.")
    today = day_of(context.clock())
    held = [s["standing"] for s in employer["standings"] if s["valid_from"] <= today]
    if act is RosterAct.REGISTER and held and held[-1] != Standing.GOOD:
        raise Refused("employer_not_in_good_standing", "The employer's standing does not allow new submissions.")


async def _copy(connection: AsyncConnection, roster: Mapping[str, Any], key: DataKey, rows: Rows) -> None:
    """Write the rows, each sealed for its place under the roster's key."""
    records = await asyncio.to_thread(_sealed, roster, key, rows)
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    await driver.copy_records_to_table(roster_intake.name, records=records, columns=_COLUMNS)
    await connection.execute(_TAKE, {"roster_id": roster["roster_id"], "employer_id": roster["employer_id"]})


def _sealed(roster: Mapping[str, Any], key: DataKey, rows: Rows) -> list[tuple[Any, ...]]:
    roster_id = roster["roster_id"]
    return [(roster_id, n, seal_row(key, roster_id, n, cells)) for n, cells in rows]


def seal_row(key: DataKey, roster_id: UUID, number: int, cells: Mapping[str, str]) -> bytes:
    """Return the cells of a row sealed for its place."""
    content = json.dumps(cells, ensure_ascii=False).encode()
    return key.seal("roster_rows", "body", f"{roster_id}/{number}", content)


def open_row(key: DataKey, roster_id: UUID, number: int, sealed: bytes) -> dict[str, str]:
    """Return the cells of a sealed row."""
    cells: dict[str, str] = json.loads(key.open("roster_rows", "body", f"{roster_id}/{number}", sealed))
    return cells


async def _get(connection: AsyncConnection, roster_id: UUID) -> Mapping[Any, Any]:
    row = (await connection.execute(select(rosters).where(rosters.c.roster_id == roster_id))).mappings().one_or_none()
    if row is None:
        raise Refused("not_found", "You have no roster of this id.")
    return row


def _view(roster: Mapping[Any, Any], counts: Mapping[str, int], now: datetime) -> dict[str, Any]:
    roster_id, resumes_at = str(roster["roster_id"]), roster["resumes_at"]
    return {
        "id": roster_id,
        "act": roster["act"],
        "dry_run": roster["dry_run"],
        "on_defect": roster["on_defect"],
        "status": roster["status"],
        "reason": roster["reason"],
        "resumes_at": moment(resumes_at) if resumes_at is not None and now < resumes_at else None,
        "received_at": roster["at"].isoformat(),
        "totals": {"rows": roster["totals"]["rows"], **{result.value: counts.get(result, 0) for result in RowResult}},
        "links": {"self": f"/v1/rosters/{roster_id}", "rows": f"/v1/rosters/{roster_id}/rows"},
    }
