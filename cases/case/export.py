"""The cases of an employer as a table for its own lists: where each stands, and on which day what expires."""

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, tuple_

from cases.case.reading import CaseReading, read_cases
from cases.case.reads import where_stage
from cases.case.view import case_view
from cases.shared.context import Context
from domain.actors import Actor
from domain.errors import Defect, Refused
from domain.languages import Language
from domain.spreadsheets import defused
from domain.stages import Destination, Stage
from store.tables import registrations

Position = tuple[datetime, str]
MOST_ROWS: Final = 5_000  # of one answer; the next one goes on where it ends
_AT_ONCE: Final = 100
_CASE: Final = (
    "reference", "client_reference", "name_zh", "name_en", "identity_number", "stage", "holder", "due_on", "due_kind",
    "accepted_on", "registration_number", "contract_start", "contract_end", "permit_card_valid_until", "ended_on",
    "end_reason",
)  # fmt: skip
_PERMIT: Final = ("stage", "authority_number", "valid_from", "valid_until", "card_lost_on")
COLUMNS: Final = (*_CASE, *(f"{place.lower()}_{name}" for place in Destination for name in _PERMIT))
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
        yield (_MARK + _written([COLUMNS])).encode()
        for start in range(0, len(self.references), _AT_ONCE):
            async with self.context.database.begin(self.actor.tenant) as connection:
                some = self.references[start : start + _AT_ONCE]
                cases = await read_cases(self.context, connection, some, self.actor)
            yield _written([_row(case, self.actor) for case in cases]).encode()


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
    r = registrations.c
    query = select(r.reference, r.updated_at).where(r.employer_id == actor.employer_id)
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


def _row(case: CaseReading, actor: Actor) -> list[str]:
    """Return one case as its employer may see it; names are whole to the employer that gave them."""
    view = case_view(case, actor, Language.EN)
    given = _given(case)
    person, employment = given.get("person", {}), given.get("employment", {})
    values: dict[str, Any] = {
        "reference": view.reference,
        "client_reference": view.client_reference,
        "stage": view.stage,
        "holder": view.holder,
        "due_kind": view.due_kind,
        "registration_number": view.registration_number,
        "ended_on": view.ended_on,
        "end_reason": view.end_reason,
        **{name: person.get(name) for name in ("name_zh", "name_en", "permit_card_valid_until")},
        **{name: employment.get(name) for name in ("contract_start", "contract_end")},
        "identity_number": view.person.identity_number,
        "due_on": view.due_at.date() if view.due_at else None,
        "accepted_on": view.accepted_at.date(),
    }
    for permit in view.permits:
        values |= {f"{permit.destination.lower()}_{name}": getattr(permit, name) for name in _PERMIT}
    return [defused(str(values.get(name) or "")) for name in COLUMNS]


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
