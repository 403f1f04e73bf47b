"""What was asked of a case, in the words of those who asked: contests, changes, decisions and their notes."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from cases.case.reading import CaseReading, read_cases
from cases.case.reads import record_read
from cases.case.signers import need_unconflicted
from cases.case.view import moment
from cases.shared.context import Context
from cases.shared.pages import cut
from domain.actors import Actor, Role
from domain.errors import Defect, Refused
from domain.purposes import Purpose
from store.rows.work import CommandRow
from store.tables import commands

# What the engine and the authority's answers set going carries nobody's words.
_NOT_PEOPLE: Final = (Role.SYSTEM.value, Role.AUTHORITY.value)
_FIELDS: Final = ("requests",)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRequest:
    """Something that was asked of a case; its time with China's offset."""

    id: str
    kind: str
    role: str
    subject: str
    at: str | None
    state: str
    # What was asked, with its notes; None where there is nothing to read any more.
    content: Any


async def list_requests(
    context: Context,
    actor: Actor,
    reference: str,
    purpose: Purpose | None,
    *,
    after: int | None = None,
    limit: int = 50,
) -> tuple[list[CaseRequest], int | None]:
    """Return a page of what people asked of a case, oldest first, opened; the reading is a ledger act.

    Raises:
        Refused: `purpose_missing`; `case_unknown`; `facts_erased` after an erasure; `role_not_allowed` for one who
            declared a conflict of interest.
    """
    if purpose is None:
        raise Refused("purpose_missing", "Say in the header Purpose what the requests are opened for.")
    c = commands.c
    query = select(commands).where(c.reference == reference, c.actor["role"].astext.not_in(_NOT_PEOPLE))
    query = query.order_by(c.seq).limit(limit + 1)
    if after is not None:
        query = query.where(c.seq > after)
    async with context.database.begin(actor.tenant) as connection:
        found = await read_cases(context, connection, [reference], actor)
        if not found:
            raise Refused("case_unknown", "There is no case of this reference.")
        await need_unconflicted(connection, actor, [reference])
        rows = CommandRow.all_of(await connection.execute(query))
        page, last = cut(rows, limit, lambda row: row.seq)
        items = [_view(found[0], row) for row in page]
        await record_read(connection, actor, found, _FIELDS, purpose, context.clock())
    return items, last


def _view(case: CaseReading, row: CommandRow) -> CaseRequest:
    return CaseRequest(
        id=str(row.command_id),
        kind=row.kind,
        role=row.actor["role"],
        subject=row.actor["subject"],
        at=moment(row.at),
        state=row.state,
        content=_content(case, row),
    )


def _content(case: CaseReading, row: CommandRow) -> Any:
    """Return the body of a request; nothing of one under the key of an identity number that was corrected since."""
    if row.body is None:
        return None
    try:
        return case.open("commands", "body", str(row.command_id), row.body)
    except Defect:
        return None
