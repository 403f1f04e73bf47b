"""Reading cases: one, a page of them, and the person fields that a purpose opens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import literal_column, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from cases.case.file import load_case
from cases.case.parties import owned_by
from cases.case.reading import read_cases
from cases.case.row import OneCase
from cases.case.signers import need_no_conflict
from cases.case.view import case_view
from cases.case.views import AnyCaseView
from cases.shared.accesses import note_access, record_access
from cases.shared.context import Context, forms_of
from cases.shared.pages import Position, cut
from domain.actors import Actor, Role
from domain.acts import Act
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.forms import Form
from domain.identity_numbers import normalise_identity_number
from domain.languages import Language
from domain.purposes import Purpose
from domain.stages import Stage
from store.ledger import Entry
from store.tables import cases

# Whoever asks for changes since the last one it saw would miss a row that is written first and committed last, so the
# list ends before the oldest transaction that has written. Asked before the rows, so that nothing falls in between.
_HORIZON: Final = text(
    "SELECT least(min(xact_start), clock_timestamp()) FROM pg_stat_activity"
    " WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()"
)

# Both in the words of an index.
_NEEDS_EMPLOYER: Final = text("cases.holder = 'employer'")
_SHOWN_STAGE: Final[ColumnElement[str]] = literal_column(
    "CASE WHEN cases.stage = 'awaiting_confirmation' OR cases.stage = 'approved'"
    " AND NOT cases.settled THEN 'under_review' ELSE cases.stage END"
)


async def get_case(
    context: Context, actor: Actor, reference: str, language: Language = Language.ZH_HANS
) -> AnyCaseView:
    """Return one case; another tenant's is not found."""
    async with context.database.begin(actor.tenant) as connection:
        found = await read_cases(context, connection, [reference], actor)
        if not found:
            raise Refused("case_unknown", "There is no case of this reference.")
        shown = [(each.reference, each.employer_id) for each in found]
        await record_access(connection, actor, "case", shown, context.clock())
        return case_view(found[0], actor, language)


async def list_cases(
    context: Context,
    actor: Actor,
    *,
    programme: str | None = None,
    stage: Stage | None = None,
    needs: str | None = None,
    client_reference: str | None = None,
    updated_after: datetime | None = None,
    q: str | None = None,
    within: str | None = None,
    employer_id: str | None = None,
    after: Position | None = None,
    limit: int = 50,
    short: bool = False,
    language: Language = Language.ZH_HANS,
) -> tuple[list[AnyCaseView], Position | None]:
    """Return a page of cases ordered by time of change and reference, and the position of the next page.

    Short ones have no findings that pass, which are most of what a case says. `within` says within which cases `q` is
    looked up where they are not an employer's.

    Raises:
        Refused: `invalid` where the park's people look for a person without saying at which employer.
    """
    r = cases.c
    query = select(r.reference, r.updated_at).order_by(r.updated_at, r.reference).limit(limit + 1)
    if not actor.is_inside:
        query = query.where(owned_by(actor))
    if employer_id is not None:
        query = query.where(r.employer_id == employer_id)
    if programme is not None:
        query = query.where(r.programme == programme)
    query = where_stage(query, actor, stage)
    if needs == "employer":
        query = query.where(_NEEDS_EMPLOYER)
    if client_reference is not None:
        query = query.where(r.client_reference == client_reference)
    if updated_after is not None:
        query = query.where(r.updated_at > updated_after)
    if q is not None:
        query = query.where(_matches(context, within or actor.employer_id or employer_id, q))
    if after is not None:
        query = query.where(tuple_(r.updated_at, r.reference) > tuple_(*after))
    async with context.database.begin(actor.tenant) as connection:
        if updated_after is not None:
            query = query.where(r.updated_at < (await connection.execute(_HORIZON)).scalar_one())
        rows = (await connection.execute(query)).all()
        page, position = cut(rows, limit, lambda row: (row.updated_at, row.reference))
        found = await read_cases(context, connection, [row.reference for row in page], actor)
        shown = [(each.reference, each.employer_id) for each in found]
        await record_access(connection, actor, "cases", shown, context.clock())
        items = [case_view(each, actor, language, short=short) for each in found]
    return items, position


async def open_person(
    context: Context, actor: Actor, reference: str, fields: tuple[str, ...], purpose: Purpose | None
) -> dict[str, Any]:
    """Open person fields of a case; a ledger act, for which all but the employer that gave them state a purpose.

    Raises:
        Refused: `purpose_missing`; `invalid` for a field that is not known; `role_not_allowed` for one who declared a
            conflict of interest.
    """
    _need_fields(fields, [name for form in forms_of(context) for name in opened_fields(form)])
    if purpose is None and actor.role is not Role.EMPLOYER:
        raise Refused("purpose_missing", "Say in the header Purpose what the fields are opened for.")
    async with context.database.begin(actor.tenant) as connection:
        file = await load_case(context, connection, reference, lock=False)
        need_no_conflict(file, actor)
        await record_read(connection, actor, [file], fields, purpose, context.clock())
        _need_fields(fields, opened_fields(file.form))
        given, parts = file.application.model_dump(mode="json"), file.form.fields_by_part()
    return {name: given[part][name] for part, names in parts.items() for name in names if name in fields}


def opened_fields(form: type[Form]) -> tuple[str, ...]:
    """Return the fields of a form that a purpose opens."""
    return tuple(name for names in form.fields_by_part().values() for name in names)


def _need_fields(fields: tuple[str, ...], known: Sequence[str]) -> None:
    if not fields or not set(fields) <= set(known):
        errors = [FieldError("fields", "unknown_value", f"Known fields: {', '.join(known)}.")]
        raise Refused("invalid", "Name the fields to open.", errors)


async def record_read(
    connection: AsyncConnection,
    actor: Actor,
    cases: Sequence[OneCase],
    fields: tuple[str, ...],
    purpose: Purpose | None,
    at: datetime,
) -> None:
    """Write one access row that lists the cases read, in a chain of its own so that reading locks no case."""
    employers = {case.employer_id for case in cases}
    entry = Entry(
        act=Act.PERSONAL_DATA_READ,
        actor=actor,
        at=at,
        employer_id=employers.pop() if len(employers) == 1 else None,
        purpose=purpose.value if purpose else "own_data",
        detail={"cases": [case.reference for case in cases], "fields": list(fields)},
    )
    await note_access(connection, entry)


def where_stage(query: Any, actor: Actor, stage: Stage | None) -> Any:
    """Filter by the stage as the reader sees it: an outsider sees an approval that settles as under review."""
    if stage is None:
        return query
    if actor.role in (Role.EMPLOYER, Role.PERSON):
        return query.where(stage.value == _SHOWN_STAGE)
    return query.where(cases.c.stage == stage.value)


def _matches(context: Context, employer_id: str | None, q: str) -> Any:
    """Match an exact whole name or an exact last four, by the keyed hashes of an employer, which has to be known."""
    if employer_id is None:
        message = "A person is looked for within one employer: name it by employer_id."
        raise Refused("invalid", message, [FieldError("employer_id", FieldCode.REQUIRED, message)])
    r = cases.c
    name = context.keyring.lookup_hash(f"name/{employer_id}", q)
    last_four = context.keyring.lookup_hash(f"last_four/{employer_id}", normalise_identity_number(q))
    return or_(r.name_hash == name, r.last_four_hash == last_four)
