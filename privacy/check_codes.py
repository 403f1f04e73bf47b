"""Check codes: issued for a case in force by whoever owns it, by its person, or by staff; answered to anyone.

Whoever shows a code is told whether the case is in force, its number, a masked name and days: nothing of progress, and
nothing of a refusal. A code that is wrong, withdrawn, or of a person who was erased finds no row, so that all of them
are answered alike.
"""

import secrets
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid4

from pydantic import Field
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.in_force import InForce
from cases.case.reading import CaseReading, read_cases
from cases.case.signers import need_unconflicted, signature_of
from cases.keys.data import add_data_key
from cases.programme import programme
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from domain.actors import PARK, Actor, Role, system
from domain.acts import Act
from domain.check_codes import CODE_BITS, code_from, find_code
from domain.clock import day_of
from domain.errors import Defect, Refused
from domain.masks import mask_name
from domain.views import Told, View
from privacy.own_cases import need_own
from privacy.sign_in import Session
from store.ledger import Entry, append, begin_chain
from store.rows.people import CheckCodeRow
from store.tables import check_codes

_C: Final = check_codes.c
_MOST: Final = 20  # that hold at a time, of one case
_MOST_SHOWN: Final = 100
_STAFF: Final = "park"
# Held, so that codes asked for at once are counted one after the other.
_HOLD: Final = text("SELECT reference FROM cases WHERE reference = :reference FOR UPDATE")


class CheckCodeView(View):
    """A check code that was issued; the code itself is shown once, to whoever asked for it."""

    id: str
    reference: str
    by: str = Field(description="Which side issued it: `employer`, `person` or `park`.")
    issued_at: Told
    withdrawn_at: Told | None


class IssuedCheckCodeView(CheckCodeView):
    """A check code as it is issued."""

    code: str = Field(
        description="Shown once, and kept as a hash alone; give it to whoever shall see whether the case is in force.",
        examples=["7K2M9-QXA4B-0CDE1-FGH2J-K"],
    )


class CheckCodesView(View):
    """Check codes of a case, the newest first."""

    items: list[CheckCodeView]


class CheckedPartView(View):
    """A part of the case that is in force."""

    what: str = Field(description="What it is, as a code: a destination, or a part of the programme.")
    valid_from: date | None
    valid_until: date | None


class CheckedView(View):
    """What anyone who shows a code is told, and no more."""

    programme: str
    in_force: bool
    as_of: Told = Field(description="When the register was looked at.")
    number: str | None = Field(description="The number of the approval or certificate; null where none is in force.")
    name: str | None = Field(description="The name, masked, as `曹○○`; null where nothing is in force.")
    parts: list[CheckedPartView] = Field(description="The permits that are in force, with their days.")


async def issue(
    context: Context, actor: Actor, session: Session | None, reference: str, idempotency: Idempotency
) -> Reply:
    """Issue a code for a case that is in force.

    Raises:
        Refused: `case_unknown` for a case that is not the caller's; `wrong_stage` where nothing is in force, or too
            many codes hold; `facts_erased`; `role_not_allowed` for one who declared a conflict of interest.
    """
    at = context.clock()
    reading = await _need_case(context, actor, session, reference, acts=True)
    if not _in_force(reading, at).holds:
        raise Refused("wrong_stage", words="nothing_to_check")
    reading.given()  # of a person who was erased there is no name to show

    async def write(connection: AsyncConnection) -> Done:
        await connection.execute(_HOLD, {"reference": reference})
        holding = select(func.count()).where(_C.reference == reference, _C.withdrawn_at.is_(None))
        if (await connection.execute(holding)).scalar_one() >= _MOST:
            raise Refused("wrong_stage", words="check_codes_many")
        code = code_from(secrets.randbits(CODE_BITS))
        row = CheckCodeRow(
            code_id=uuid4(),
            code_hash=_hash(context, find_code(code) or ""),
            reference=reference,
            party=_party(actor),
            issued_by=signature_of(actor),
            issued_at=at,
        )
        await connection.execute(insert(check_codes).values(row.filled()))
        entry = Entry(Act.CHECK_CODE_ISSUED, actor, at, reference=reference, employer_id=reading.employer_id)
        await begin_chain(connection, _chain(row.code_id), [entry])
        shown = IssuedCheckCodeView(**_view(row).model_dump(), code=code)
        return Done(Reply(Progress.MADE, shown.as_json()), await add_data_key(context, connection), reference)

    return (await once(context, actor, idempotency, write, tenant=PARK)).reply


async def withdraw(
    context: Context, actor: Actor, session: Session | None, reference: str, code_id: UUID, idempotency: Idempotency
) -> Reply:
    """Withdraw a code: from the answer on it finds nothing. Each side withdraws its own, and staff any.

    Raises:
        Refused: `case_unknown`; `not_found` for a code that the caller's side did not issue; `already_decided`;
            `role_not_allowed` for one who declared a conflict of interest.
    """
    at = context.clock()
    reading = await _need_case(context, actor, session, reference, acts=True)

    async def write(connection: AsyncConnection) -> Done:
        query = select(check_codes).where(_C.code_id == code_id, _C.reference == reference).with_for_update()
        row = CheckCodeRow.one_of(await connection.execute(query))
        if row is None or not _is_shown(actor, row):
            raise Refused("not_found", "The case has no check code of yours of this id.")
        if row.withdrawn_at is not None:
            raise Refused("already_decided", words="check_code_over")
        await connection.execute(update(check_codes).where(_C.code_id == code_id).values(withdrawn_at=at))
        row.change(withdrawn_at=at)
        entry = Entry(Act.CHECK_CODE_WITHDRAWN, actor, at, reference=reference, employer_id=reading.employer_id)
        await append(connection, _chain(code_id), [entry])
        return Done(Reply(Progress.APPLIED, _view(row).as_json()), await add_data_key(context, connection), reference)

    return (await once(context, actor, idempotency, write, tenant=PARK)).reply


async def list_codes(context: Context, actor: Actor, session: Session | None, reference: str) -> list[CheckCodeView]:
    """Return the codes of a case, the newest first: to each side its own, to staff all.

    Raises:
        Refused: `case_unknown`.
    """
    await _need_case(context, actor, session, reference)
    query = select(check_codes).where(_C.reference == reference).order_by(_C.issued_at.desc(), _C.code_id)
    if not actor.is_inside:
        query = query.where(_C.party == _party(actor))
    async with context.database.begin() as connection:
        rows = CheckCodeRow.all_of(await connection.execute(query.limit(_MOST_SHOWN)))
    return [_view(row) for row in rows]


async def check(context: Context, text_of_code: str, correlation_id: str) -> CheckedView:
    """Return what anyone who shows a code is told.

    A text that has not the shape of one is looked up all the same, so that it takes as long as any other.

    Raises:
        Refused: `not_found`, alike for whatever finds nothing.
    """
    at, code = context.clock(), find_code(text_of_code)
    query = select(_C.reference).where(_C.code_hash == _hash(context, code or ""), _C.withdrawn_at.is_(None))
    async with context.database.begin() as connection:
        reference = (await connection.execute(query)).scalar_one_or_none()
        if reference is None or code is None:
            raise _unknown()
        found = await read_cases(context, connection, [reference], system("check", correlation_id))
    if not found:
        raise _unknown()
    reading, shown = found[0], _in_force(found[0], at)
    try:
        name = mask_name(reading.subject.name_zh) if shown.holds else None
    except (Defect, Refused):
        raise _unknown() from None
    parts = [CheckedPartView(what=p.what, valid_from=p.valid_from, valid_until=p.valid_until) for p in shown.parts]
    return CheckedView(
        programme=reading.row.programme,
        in_force=shown.holds,
        as_of=at,
        number=shown.number,
        name=name,
        parts=parts,
    )


async def _need_case(
    context: Context, actor: Actor, session: Session | None, reference: str, *, acts: bool = False
) -> CaseReading:
    """Return a case that is the actor's to show: the owner's, the person's, or any to staff.

    Whoever of the park `acts` may have declared no conflict of interest.
    """
    async with context.database.begin(actor.tenant) as connection:
        if actor.role is Role.PERSON and session is not None:
            return (await need_own(context, connection, session, actor, reference)).reading
        found = await read_cases(context, connection, [reference], actor)
        if found and acts and actor.is_inside:
            await need_unconflicted(connection, actor, [reference])
    if not found or not (actor.is_inside or found[0].is_of(actor)):
        raise Refused("case_unknown", "There is no case of this reference.")
    return found[0]


def _in_force(reading: CaseReading, at: datetime) -> InForce:
    return programme(reading.context, reading.row.programme).in_force(reading, day_of(at))


def _party(actor: Actor) -> str:
    return _STAFF if actor.is_inside else actor.role.value


def _is_shown(actor: Actor, row: CheckCodeRow) -> bool:
    return actor.is_inside or row.party == _party(actor)


def _hash(context: Context, code: str) -> bytes:
    return context.keyring.lookup_hash("check_code", code)


def _unknown() -> Refused:
    return Refused("not_found", words="check_code_unknown")


def _view(row: CheckCodeRow) -> CheckCodeView:
    return CheckCodeView(
        id=str(row.code_id),
        reference=row.reference,
        by=row.party,
        issued_at=row.issued_at,
        withdrawn_at=row.withdrawn_at,
    )


def _chain(code_id: UUID) -> str:
    return f"check_code/{code_id}"
