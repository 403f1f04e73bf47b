"""The cases of an employer as a table for its own lists: where each stands, and on which day what expires."""

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, tuple_

from cases.case.parties import owned_by
from cases.case.reading import CaseReading, read_cases
from cases.case.reads import where_stage
from cases.case.shows import views_in, views_of
from cases.case.view import case_view
from cases.shared.context import Context
from domain.actors import Actor
from domain.errors import Defect, Refused
from domain.languages import Language
from domain.spreadsheets import defused
from domain.stages import Stage
from store.tables import cases

Position = tuple[datetime, str]
MOST_ROWS: Final = 5_000  # of one answer; the next one goes on where it ends
_AT_ONCE: Final = 100
_MARK: Final = "\ufeff"  # by which spreadsheets know UTF-8


@dataclass(frozen=True, slots=True)
class CaseExport:
    """An export that has begun: which cases, and where the next one begins if there are more."""

    context: Context
    actor: Actor
    references: tuple[str, ...]
    next_position: Position | None

    async def lines(self) -> AsyncGenerator[bytes]:
        """Yield the file in pieces, each read in a transaction of its own, so that a slow reader holds none."""
        columns = _columns(self.context)
        yield (_MARK + _written([columns])).encode()
        for start in range(0, len(self.references), _AT_ONCE):
            async with self.context.database.begin(self.actor.tenant) as connection:
                some = self.references[start : start + _AT_ONCE]
                cases = await read_cases(self.context, connection, some, self.actor)
            yield _written([_row(case, self.actor, columns) for case in cases]).encode()


async def begin_export(
    context: Context,
    actor: Actor,
    *,
    programme: str | None = None,
    stage: Stage | None = None,
    after: Position | None = None,
    most: int = MOST_ROWS,
) -> CaseExport:
    """Return an export of the caller's own cases, or those of a programme, ordered by the time of their last change."""
    r = cases.c
    query = select(r.reference, r.updated_at).where(owned_by(actor))
    if programme is not None:
        query = query.where(r.programme == programme)
    query = where_stage(query, actor, stage).order_by(r.updated_at, r.reference).limit(most + 1)
    if after is not None:
        query = query.where(tuple_(r.updated_at, r.reference) > tuple_(*after))
    async with context.database.begin(actor.tenant) as connection:
        rows = (await connection.execute(query)).all()
    page = rows[:most]
    position = (page[-1].updated_at, page[-1].reference) if len(rows) > most else None
    return CaseExport(context, actor, tuple(row.reference for row in page), position)


def _columns(context: Context) -> tuple[str, ...]:
    """Return the columns of the table: those of each programme, the ones that they share once."""
    return tuple(dict.fromkeys(column for code in context.programmes for column in views_in(context, code).columns))


def _row(case: CaseReading, actor: Actor, columns: Sequence[str]) -> list[str]:
    """Return one case as its employer may see it; names are whole to the employer that gave them."""
    view = case_view(case, actor, Language.EN)
    given = _given(case)
    person = case.form.subject_of(given) if given else None
    values: dict[str, object] = {
        "reference": view.reference,
        "client_reference": view.client_reference,
        "stage": view.stage,
        "holder": view.holder,
        "due_kind": view.due_kind,
        "registration_number": view.registration_number,
        "ended_on": view.ended_on,
        "end_reason": view.end_reason,
        "name_zh": person and person.name_zh,
        "name_en": person and person.name_en,
        "identity_number": view.person.identity_number,
        "due_on": view.due_at.date() if view.due_at else None,
        "accepted_on": view.accepted_at.date(),
    }
    values |= views_of(case).cells(view, given)
    return [defused(str(values.get(name) or "")) for name in columns]


def _given(case: CaseReading) -> dict[str, Any]:
    """Return what the employer gave; nothing after an erasure, or where it cannot be opened."""
    try:
        given: dict[str, Any] = case.given()
    except (Defect, Refused):
        return {}
    return given


def _written(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
