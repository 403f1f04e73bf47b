"""Workbooks of rosters: the template with its drop-downs, and a roster as it was sent with what became of each row."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.accesses import note_access
from cases.shared.context import Context
from domain.actors import Actor
from domain.acts import Act
from domain.errors import Refused
from domain.languages import Language
from register.rosters.columns import Header
from register.rosters.file import EXTRA, UNREAD
from register.rosters.kinds import RosterKind, kind_of
from register.rosters.reads import SheetHead, find_roster, message_of, open_row
from store.encryption import DataKey
from store.ledger import Entry
from store.rows.rosters import RosterLineRow
from store.tables import roster_rows
from texts.roster import ANNOTATIONS, RESULTS

_AT_ONCE: Final = 1_000
_WIDTH: Final = 18
_WIDE: Final = 60
_WIDTHS: Final = (_WIDTH, 8, _WIDE, _WIDE)  # of the explanations
_Line = tuple[Sequence[str], Sequence[int]]  # cells, and the places of those to be marked


async def template(context: Context, actor: Actor, act: str, language: Language) -> bytes:
    """Return an empty roster in a language: cells of text, drop-downs where words are chosen, and explanations."""
    kind = kind_of(context, act)
    columns = list(kind.columns)
    title = [_title(column, kind, language) + ("*" if column in kind.required else "") for column in columns]
    lists = [[at, kind.allowed(column, language)] for at, column in enumerate(columns) if column in kind.words.values]
    lines = [
        *_sheet("Roster", [_WIDTH] * len(columns), [(title, ())], lists=lists),
        *_sheet(_word("explanations", language), _WIDTHS, _explanations(kind, language), wrapped=True),
    ]
    return await _written(context, actor, lines)


async def annotated(context: Context, actor: Actor, roster_id: UUID, language: Language) -> bytes:
    """Return a roster whole as it was sent, with what became of each row and what is to be mended; a ledger act.

    Raises:
        Refused: `not_found` when the caller's tenant has no roster of this id; `facts_erased` once it was emptied.
    """
    async with context.database.begin(actor.tenant) as connection:
        roster, key, head = await find_roster(context, connection, roster_id)
        if key is None:
            raise Refused("facts_erased", "The rows of this roster were erased when their time was over.")
        rows = [row async for row in _rows(connection, roster_id)]
        kind = kind_of(context, roster.act)
        if not head.headers:
            head = SheetHead(head.header_row, [Header(name, name) for name in kind.columns])
        entry = Entry(
            act=Act.PERSONAL_DATA_READ,
            actor=actor,
            at=context.clock(),
            employer_id=actor.employer_id,
            purpose="own_data",
            detail={
                "roster_id": str(roster_id),
                "cases": sorted({row.reference for row in rows if row.reference is not None}),
                "fields": [header.column for header in head.headers if header.column is not None],
            },
        )
        await note_access(connection, entry)
    lines = await asyncio.to_thread(lambda: list(_annotated(rows, key, head, kind, language)))
    return await _written(context, actor, lines)


async def _written(context: Context, actor: Actor, lines: Iterable[str]) -> bytes:
    return await context.apart.run("write_workbook", "\n".join(lines).encode(), {}, whose=actor.tenant)


async def _rows(connection: AsyncConnection, roster_id: UUID) -> AsyncIterator[RosterLineRow]:
    """Yield the rows of a roster, some at a time, so that nothing else waits long for them."""
    after = 0
    while True:
        query = (
            select(roster_rows)
            .where(roster_rows.c.roster_id == roster_id, roster_rows.c.row > after)
            .order_by(roster_rows.c.row)
            .limit(_AT_ONCE)
        )
        page = RosterLineRow.all_of(await connection.execute(query))
        for row in page:
            yield row
        if len(page) < _AT_ONCE:
            return
        after = page[-1].row


def _annotated(
    rows: Sequence[RosterLineRow], key: DataKey, head: SheetHead, kind: RosterKind, language: Language
) -> Iterator[str]:
    """Yield the lines of a sheet with the roster: its own columns, then what to mend, result, case and row."""
    added = [_word(name, language) for name in ("to_mend", "result", "reference", "sheet_row")]
    title = [header.written or _word("column", language) for header in head.headers]
    lines: list[_Line] = [([*title, *added], ())]
    for row in rows:
        cells = open_row(key, row.roster_id, row.row, row.body) if row.body else {}
        wrong = {error["field"] for error in row.errors}
        given = [_cell(cells, at, header) for at, header in enumerate(head.headers)]
        told = [
            "\n".join(_to_mend(error, head, kind, language) for error in row.errors),
            RESULTS[row.result].in_language(language) if row.result else "",
            row.reference or "",
            str(head.header_row + row.row),
        ]
        marked = [at for at, header in enumerate(head.headers) if header.column in wrong]
        lines.append(([*given, *told, *([cells[EXTRA]] if EXTRA in cells else [])], marked))
    yield from _sheet("Roster", [_WIDTH] * len(title) + [_WIDE, _WIDTH, _WIDTH, _WIDTH], lines)


def _cell(cells: Mapping[str, str], at: int, header: Header) -> str:
    return cells.get(f"{UNREAD}{at}" if header.column is None else header.column, "")


def _to_mend(error: Mapping[str, str], head: SheetHead, kind: RosterKind, language: Language) -> str:
    column = error["field"]
    name = head.header_of(column) or (_title(column, kind, language) if column in kind.words.columns else "")
    message = message_of(error, language)
    words = kind.allowed(column, language) if error.get("words") in ("words_unknown", "date_unclear") else []
    listed = f" [{' / '.join(words)}]" if words else ""
    mark = ": " if language is Language.EN else "："
    return f"{name}{mark if name else ''}{message}{listed}"


def _explanations(kind: RosterKind, language: Language) -> list[_Line]:
    lines: list[_Line] = [([_word(name, language) for name in ("column", "required", "how")], ())]
    for column in kind.columns:
        words = kind.allowed(column, language)
        help_ = kind.words.columns[column].help.in_language(language)
        needed = "*" if column in kind.required else ""
        lines.append(([_title(column, kind, language), needed, help_, " / ".join(words)], ()))
    return lines


def _sheet(
    name: str, widths: Sequence[int], lines: Sequence[_Line], *, lists: Sequence[Any] = (), wrapped: bool = False
) -> Iterator[str]:
    """Yield a sheet as `cases.files.written` takes it."""
    about = {"name": name, "widths": widths, "lines": len(lines), "lists": lists, "wrapped": wrapped}
    yield json.dumps(about)
    yield from map(json.dumps, lines)


def _title(column: str, kind: RosterKind, language: Language) -> str:
    return kind.words.columns[column].header.in_language(language)


def _word(name: str, language: Language) -> str:
    return ANNOTATIONS[name].in_language(language)
