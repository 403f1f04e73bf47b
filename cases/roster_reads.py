"""Reading rosters: where one stands, and what became of its rows, each defect in the sender's words and language."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.context import Context
from cases.keys import get_data_key
from cases.roster_columns import Header
from cases.roster_file import RosterSheet
from domain.actors import Actor
from domain.errors import FieldError, Refused
from domain.identity_numbers import mask_identity_number
from domain.languages import Language
from domain.roster import DAYS, LINE_LIMIT, RowResult
from domain.written_days import FORMS
from store.encryption import DataKey
from store.tables import roster_rows, rosters
from texts.files import file_sentence
from texts.problems import FIELD_ERRORS, PROBLEMS, field_message, problem_detail
from texts.roster import allowed, open_ended

# Of these a reader sees enough to find the cell again; the rest of a row is whole to the employer that sent it.
_MASKED: Final = frozenset({"identity_number", "permit_card_number", "email", "phone"})
_SHOWN_AT_END: Final = 2


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


def open_head(key: DataKey, roster: Mapping[Any, Any]) -> SheetHead:
    """Return the head of a roster."""
    if roster["head"] is None:
        return _UNKNOWN
    head = json.loads(key.open("rosters", "head", str(roster["roster_id"]), roster["head"]))
    return SheetHead(head["header_row"], [Header(*header) for header in head["headers"]])


def open_row(key: DataKey, roster_id: UUID, number: int, sealed: bytes) -> dict[str, str]:
    """Return the cells of a sealed row."""
    cells: dict[str, str] = json.loads(key.open("roster_rows", "body", f"{roster_id}/{number}", sealed))
    return cells


async def get_roster(context: Context, actor: Actor, roster_id: UUID) -> dict[str, Any]:
    """Return a roster with its totals.

    Raises:
        Refused: `not_found` when the caller's tenant has none of this id.
    """
    async with context.database.begin(actor.tenant) as connection:
        roster, _, head = await find_roster(context, connection, roster_id)
        return roster_view(roster, await count_results(connection, roster_id), head)


async def get_rows(
    context: Context,
    actor: Actor,
    roster_id: UUID,
    *,
    after: int | None = None,
    limit: int = 50,
    language: Language = Language.EN,
) -> tuple[list[dict[str, Any]], int | None]:
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
        _, key, head = await find_roster(context, connection, roster_id)
        found = (await connection.execute(query)).mappings().all()
    items = [row_view(row, key, head, language) for row in found[:limit]]
    return items, items[-1]["row"] if len(found) > limit else None


async def find_roster(
    context: Context, connection: AsyncConnection, roster_id: UUID
) -> tuple[Mapping[Any, Any], DataKey | None, SheetHead]:
    """Return a roster with its key, which is gone once the roster was emptied, and its head.

    Raises:
        Refused: `not_found` when the caller's tenant has no roster of this id.
    """
    query = select(rosters).where(rosters.c.roster_id == roster_id)
    roster = (await connection.execute(query)).mappings().one_or_none()
    if roster is None:
        raise Refused("not_found", "You have no roster of this id.")
    if roster["emptied_at"] is not None:
        return roster, None, _UNKNOWN
    key = await get_data_key(context, connection, roster["key_id"])
    return roster, key, open_head(key, roster)


async def count_results(connection: AsyncConnection, roster_id: UUID) -> dict[str, int]:
    """Return how many rows have each result."""
    query = (
        select(roster_rows.c.result, func.count().label("rows"))
        .where(roster_rows.c.roster_id == roster_id, roster_rows.c.result.is_not(None))
        .group_by(roster_rows.c.result)
    )
    return {row.result: row.rows for row in await connection.execute(query)}


def roster_view(roster: Mapping[Any, Any], counts: Mapping[str, int], head: SheetHead) -> dict[str, Any]:
    """Return a roster as its employer sees it; columns that are not read stand there as they were written."""
    roster_id = str(roster["roster_id"])
    at = f"/v1/rosters/{roster_id}"
    return {
        "id": roster_id,
        "act": roster["act"],
        "dry_run": roster["dry_run"],
        "on_defect": roster["on_defect"],
        "status": roster["status"],
        "reason": roster["reason"],
        "received_at": roster["at"].isoformat(),
        "header_row": head.header_row,
        "columns": [{"header": header.written, "column": header.column} for header in head.headers],
        "totals": {"rows": roster["totals"]["rows"], **{result.value: counts.get(result, 0) for result in RowResult}},
        "links": {"self": at, "rows": f"{at}/rows", "annotated": f"{at}/annotated"},
    }


def row_view(row: Mapping[Any, Any], key: DataKey | None, head: SheetHead, language: Language) -> dict[str, Any]:
    """Return what became of a row, with the cell of each defect as the sheet has it."""
    errors = row["errors"]
    cells: Mapping[str, str] = {}
    if errors and key is not None and row["body"]:
        cells = open_row(key, row["roster_id"], row["row"], row["body"])
    return {
        "row": row["row"],
        "sheet_row": head.header_row + row["row"],
        "result": row["result"],
        "reference": row["reference"],
        "errors": [_error_view(error, cells, head, language) for error in errors],
    }


def stored_errors(errors: Collection[FieldError]) -> list[dict[str, str]]:
    """Return the errors of a row as they are kept: codes and names of sentences, nothing of what the row holds."""
    return [
        {
            "field": error.field,
            "code": str(error.code),
            "message": file_sentence(error, Language.EN) if error.words else error.message,
            **({"words": error.words} if error.words else {}),
        }
        for error in errors
    ]


def message_of(error: Mapping[str, str], language: Language) -> str:
    """Return the sentence of a kept error in a language."""
    code, words = error["code"], error.get("words", "")
    if words:
        return file_sentence(FieldError(error["field"], code, "", words), language)
    if language is Language.EN:
        return error["message"]
    if code in FIELD_ERRORS:
        return field_message(code, language)
    return problem_detail(code, language) if code in PROBLEMS else error["message"]


def _error_view(
    error: Mapping[str, str], cells: Mapping[str, str], head: SheetHead, language: Language
) -> dict[str, Any]:
    column = error["field"]
    value = cells.get(column)
    return {
        "field": column,
        "code": error["code"],
        "message": message_of(error, language),
        "header": head.header_of(column),
        "value": masked(column, value) if value else None,
        "allowed": allowed_in(column, language),
    }


def masked(column: str, value: str) -> str:
    """Return a value of a column as it is shown: what tells of a person is hidden but for its ends."""
    value = value[:LINE_LIMIT]
    if column == "identity_number":
        return mask_identity_number(value)
    if column in _MASKED:
        shown = value[-_SHOWN_AT_END:] if len(value) > 2 * _SHOWN_AT_END else ""
        return "*" * (len(value) - len(shown)) + shown
    return value


def allowed_in(column: str, language: Language) -> list[str]:
    """Return what a column may hold: its words, or the forms in which a day is taken; none for free text."""
    if column in DAYS:
        return [*FORMS, open_ended(language)] if column == "contract_end" else list(FORMS)
    return allowed(column, language)
