"""Rosters: a file of an employer taken on, and kept sealed row by row."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.incidents.not_loaded import UnknownEmployer, refuse_unknown
from cases.keys.data import add_data_key
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.errors import Refused
from domain.roster import OnDefect, RosterStatus
from domain.stages import Standing
from register.rosters.file import read_roster, roster_sheet
from register.rosters.kinds import RosterKind, kind_of
from register.rosters.reads import open_head, roster_view, seal_head
from store.case_rows import load_employer
from store.encryption import DataKey
from store.ledger import Entry, append
from store.rows.rosters import RosterRow
from store.tables import roster_intake, rosters

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
    act: str
    dry_run: bool
    on_defect: OnDefect
    encoding: str | None = None


async def receive(context: Context, actor: Actor, file: RosterFile, idempotency: Idempotency) -> Reply:
    """Take a roster on and answer with it; its rows are checked and done in the background.

    Raises:
        Refused: `body_too_large`, `media_type_unknown` or `invalid` for a file that cannot be read;
            `employer_not_in_good_standing`; those of a repeated key.
    """
    try:
        return await _receive(context, actor, file, idempotency)
    except UnknownEmployer:
        raise await refuse_unknown(context) from None


async def _receive(context: Context, actor: Actor, file: RosterFile, idempotency: Idempotency) -> Reply:
    whose = actor.employer_id or ""
    kind = kind_of(context, file.act)
    read = await read_roster(
        context.apart, file.content, file.content_type, file.filename, kind, whose=whose, encoding=file.encoding
    )
    sheet = await asyncio.to_thread(roster_sheet, read, kind)

    async def write(connection: AsyncConnection) -> Done:
        at = context.clock()
        await _check_employer(context, connection, actor, kind)
        key = await add_data_key(context, connection)
        roster = RosterRow(
            roster_id=uuid4(),
            employer_id=whose,
            act=file.act,
            dry_run=file.dry_run,
            on_defect=file.on_defect.value,
            actor=actor.model_dump(mode="json"),
            status=RosterStatus.CHECKING.value,
            totals={"rows": len(sheet.rows)},
            key_id=key.key_id,
            at=at,
        )
        roster.head = seal_head(key, roster.roster_id, sheet)
        await connection.execute(insert(rosters).values(roster.filled()))
        await _copy(connection, roster, key, sheet.rows)
        detail = {
            "roster_id": str(roster.roster_id),
            "act": roster.act,
            "dry_run": file.dry_run,
            "rows": len(sheet.rows),
            "content": key.ledger_hash(file.content),
        }
        entry = Entry(Act.ROSTER_RECEIVED, actor, at, employer_id=actor.employer_id, detail=detail)
        await append(connection, f"roster/{roster.roster_id}", [entry])
        reply = Reply(Progress.STORED, roster_view(roster, {}, open_head(key, roster), at).as_json())
        return Done(reply, key)

    return (await once(context, actor, idempotency, write)).reply


async def _check_employer(context: Context, connection: AsyncConnection, actor: Actor, kind: RosterKind) -> None:
    employer = await load_employer(connection, actor.employer_id or "")
    if employer is None:
        raise UnknownEmployer
    today = day_of(context.clock())
    if kind.roster.asks is None and employer.standing_on(today) is not Standing.GOOD:
        raise Refused("employer_not_in_good_standing", "The employer's standing does not allow new submissions.")


async def _copy(connection: AsyncConnection, roster: RosterRow, key: DataKey, rows: Rows) -> None:
    """Write the rows, each sealed for its place under the roster's key."""
    records = await asyncio.to_thread(_sealed, roster, key, rows)
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    await driver.copy_records_to_table(roster_intake.name, records=records, columns=_COLUMNS)
    await connection.execute(_TAKE, {"roster_id": roster.roster_id, "employer_id": roster.employer_id})


def _sealed(roster: RosterRow, key: DataKey, rows: Rows) -> list[tuple[Any, ...]]:
    return [(roster.roster_id, n, seal_row(key, roster.roster_id, n, cells)) for n, cells in rows]


def seal_row(key: DataKey, roster_id: UUID, number: int, cells: Mapping[str, str]) -> bytes:
    """Return the cells of a row sealed for its place."""
    content = json.dumps(cells, ensure_ascii=False).encode()
    return key.seal("roster_rows", "body", f"{roster_id}/{number}", content)
