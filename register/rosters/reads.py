"""Reading rosters: where one stands, and what became of its rows, each defect in the sender's words and language."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.keys.data import get_data_key
from cases.shared.context import Context
from cases.shared.pages import cut
from domain.actors import Actor
from domain.errors import FieldError, Refused
from domain.languages import Language
from domain.roster import LINE_LIMIT, OnDefect, RosterStatus, RowResult
from register.rosters.columns import Header
from register.rosters.file import RosterSheet
from register.rosters.kinds import RosterKind, kind_of
from register.rosters.views import RosterColumnView, RosterErrorView, RosterRowView, RosterShown
from store.encryption import DataKey
from store.rows.rosters import RosterLineRow, RosterRow
from store.tables import roster_rows, rosters
from texts.problems import FIELD_ERRORS, PROBLEMS, field_message, particular_sentence, problem_detail


class SheetHead(NamedTuple):
    """The head of a roster as it was sent: the line of its headers, and each with the column that it means."""

    header_row: int
    headers: Sequence[Header]

    def header_of(self, column: str) -> str | None:
        """Return the header that a column has in the sheet."""
        return next((header.written for header in self.headers if header.column == column), None)


# A roster from before heads were kept began with its headers.
_UNKNOWN: Final = SheetHead(1, ())


def seal_head(key: DataKey, roster_id: UUID, sheet: RosterSheet) -> bytes:
    """Return the head of a roster, sealed under its key: people write what they like above a column."""
    content = json.dumps({"header_row": sheet.header_row, "headers": sheet.headers}, ensure_ascii=False)
    return key.seal("rosters", "head", str(roster_id), content.encode())


def open_head(key: DataKey, roster: RosterRow) -> SheetHead:
    """Return the head of a roster."""
    if roster.head is None:
        return _UNKNOWN
    head = json.loads(key.open("rosters", "head", str(roster.roster_id), roster.head))
    return SheetHead(head["header_row"], [Header(*header) for header in head["headers"]])


def open_row(key: DataKey, roster_id: UUID, number: int, sealed: bytes) -> dict[str, str]:
    """Return the cells of a sealed row."""
    cells: dict[str, str] = json.loads(key.open("roster_rows", "body", f"{roster_id}/{number}", sealed))
    return cells


async def get_roster(context: Context, actor: Actor, roster_id: UUID) -> RosterShown:
    """Return a roster with its totals.

    Raises:
        Refused: `not_found` when the caller's tenant has none of this id.
    """
    async with context.database.begin(actor.tenant) as connection:
        roster, _, head = await find_roster(context, connection, roster_id)
        return roster_view(roster, await count_results(connection, roster_id), head, context.clock())


async def get_rows(
    context: Context,
    actor: Actor,
    roster_id: UUID,
    *,
    after: int | None = None,
    limit: int = 50,
    language: Language = Language.EN,
) -> tuple[list[RosterRowView], int | None]:
    """Return a page of a roster's rows by number, and the number the next page begins after.

    Raises:
        Refused: `not_found` when the caller's tenant has no roster of this id.
    """
    query = (
        select(roster_rows)
        .where(roster_rows.c.roster_id == roster_id, roster_rows.c.row > (after or 0))
        .order_by(roster_rows.c.row)
        .limit(limit + 1)
    )
    async with context.database.begin(actor.tenant) as connection:
        roster, key, head = await find_roster(context, connection, roster_id)
        found = RosterLineRow.all_of(await connection.execute(query))
    page, last = cut(found, limit, lambda line: line.row)
    kind = kind_of(context, roster.act)
    return [row_view(line, key, head, kind, language) for line in page], last


async def find_roster(
    context: Context, connection: AsyncConnection, roster_id: UUID
) -> tuple[RosterRow, DataKey | None, SheetHead]:
    """Return a roster with its key, which is gone once the roster was emptied, and its head.

    Raises:
        Refused: `not_found` when the caller's tenant has no roster of this id.
    """
    query = select(rosters).where(rosters.c.roster_id == roster_id)
    roster = RosterRow.one_of(await connection.execute(query))
    if roster is None:
        raise Refused("not_found", "You have no roster of this id.")
    if roster.emptied_at is not None:
        return roster, None, _UNKNOWN
    key = await get_data_key(context, connection, roster.key_id)
    return roster, key, open_head(key, roster)


async def count_results(connection: AsyncConnection, roster_id: UUID) -> dict[str, int]:
    """Return how many rows have each result."""
    query = (
        select(roster_rows.c.result, func.count().label("rows"))
        .where(roster_rows.c.roster_id == roster_id, roster_rows.c.result.is_not(None))
        .group_by(roster_rows.c.result)
    )
    return {row.result: row.rows for row in await connection.execute(query)}


def roster_view(roster: RosterRow, counts: Mapping[str, int], head: SheetHead, now: datetime) -> RosterShown:
    """Return a roster as its employer sees it; columns that are not read stand there as they were written."""
    return RosterShown(
        id=str(roster.roster_id),
        act=roster.act,
        dry_run=roster.dry_run,
        on_defect=OnDefect(roster.on_defect),
        status=RosterStatus(roster.status),
        reason=roster.reason,
        resumes_at=roster.resumes_at if roster.resumes_at is not None and now < roster.resumes_at else None,
        received_at=roster.at,
        header_row=head.header_row,
        columns=[RosterColumnView(header=header.written, column=header.column) for header in head.headers],
        totals={"rows": roster.totals["rows"], **{result.value: counts.get(result, 0) for result in RowResult}},
    )


def row_view(
    row: RosterLineRow, key: DataKey | None, head: SheetHead, kind: RosterKind, language: Language
) -> RosterRowView:
    """Return what became of a row, with the cell of each defect as the sheet has it."""
    cells: Mapping[str, str] = {}
    if row.errors and key is not None and row.body:
        cells = open_row(key, row.roster_id, row.row, row.body)
    return RosterRowView(
        row=row.row,
        sheet_row=head.header_row + row.row,
        result=None if row.result is None else RowResult(row.result),
        reference=row.reference,
        errors=[_error_view(error, cells, head, kind, language) for error in row.errors],
    )


def stored_errors(errors: Collection[FieldError]) -> list[dict[str, Any]]:
    """Return the errors of a row as they are kept: codes and names of sentences, nothing of what the row holds."""
    return [
        replace(error, message=particular_sentence(error.words, Language.EN, error.about)).as_kept()
        if error.words
        else error.as_kept()
        for error in errors
    ]


def message_of(error: Mapping[str, Any], language: Language) -> str:
    """Return the sentence of a kept error in a language."""
    kept = FieldError.from_kept(error)
    if kept.words:
        return particular_sentence(kept.words, language, kept.about)
    if language is not Language.EN and kept.code in FIELD_ERRORS:
        return field_message(kept.code, language)
    if kept.code in PROBLEMS and (language is not Language.EN or not kept.message):
        return problem_detail(kept.code, language)
    return kept.message


def _error_view(
    error: Mapping[str, Any], cells: Mapping[str, str], head: SheetHead, kind: RosterKind, language: Language
) -> RosterErrorView:
    column = error["field"]
    value = cells.get(column)
    return RosterErrorView(
        field=column,
        code=error["code"],
        message=message_of(error, language),
        header=head.header_of(column),
        value=masked(value, column, kind) if value else None,
        allowed=error.get("allowed") or kind.allowed(column, language),
    )


def masked(value: str, column: str, kind: RosterKind) -> str:
    """Return a value of a column as it is shown: what tells of a person is hidden but for its ends.

    A reader sees enough to find the cell again; the rest of a row is whole to the employer that sent it.
    """
    value = value[:LINE_LIMIT]
    mask = kind.columns[column].mask if column in kind.columns else None
    return value if mask is None else mask(value)
