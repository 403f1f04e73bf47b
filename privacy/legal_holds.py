"""Legal holds on a case: placed and released by a supervisor, stronger than any erasure, shown to whoever may know."""

import json
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.signers import need_unconflicted, signature_of
from cases.keys.data import add_data_key, get_data_key
from cases.shared.accesses import record_access
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from domain.actors import PARK, Actor
from domain.acts import Act
from domain.erasure import HoldReason, LegalHoldRelease, LegalHoldRequest, ReleaseReason
from domain.errors import Refused
from privacy.erasure_views import LegalHoldView
from store.encryption import DataKey
from store.ledger import Entry, append
from store.rows.people import LegalHoldRow
from store.tables import cases, legal_holds, persons

_GROWN: Final = text("UPDATE cases SET version = version + 1 WHERE reference = :reference")


class _Case(NamedTuple):
    """What is read of a case to hold it, and the key of its person."""

    reference: str
    employer_id: str
    stage: str
    round: int
    key_id: UUID


async def place(
    context: Context, actor: Actor, reference: str, request: LegalHoldRequest, idempotency: Idempotency
) -> Reply:
    """Place a legal hold on a case, whatever its stage; nothing of its person is erased until all are released.

    Raises:
        Refused: `case_unknown`; `facts_erased` where there is nothing left to keep; `role_not_allowed` for one who
            declared a conflict of interest.
    """
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        case, key = await _case(context, connection, actor, reference)
        hold_id = uuid4()
        row = LegalHoldRow(
            hold_id=hold_id,
            reference=reference,
            employer_id=case.employer_id,
            reason=request.reason.value,
            paper=key.seal("legal_holds", "paper", str(hold_id), json.dumps(request.paper).encode()),
            placed_by=signature_of(actor),
            placed_at=at,
        )
        await connection.execute(insert(legal_holds).values(row.filled()))
        await _record(connection, Act.LEGAL_HOLD_PLACED, actor, case, row)
        return await _answer(context, connection, hold_view(row, key))

    return (await once(context, actor, idempotency, write, tenant=PARK, case=reference)).reply


async def release(
    context: Context,
    actor: Actor,
    reference: str,
    hold_id: UUID,
    request: LegalHoldRelease,
    idempotency: Idempotency,
) -> Reply:
    """Release a legal hold.

    Raises:
        Refused: `case_unknown`; `not_found` for a hold that the case does not have; `already_decided`;
            `role_not_allowed` for one who declared a conflict of interest.
    """
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        case, key = await _case(context, connection, actor, reference)
        h = legal_holds.c
        query = select(legal_holds).where(h.hold_id == hold_id, h.reference == reference)
        row = LegalHoldRow.one_of(await connection.execute(query))
        if row is None:
            raise Refused("not_found", "The case has no legal hold of this id.")
        if row.released_at is not None:
            raise Refused("already_decided", "The legal hold is released.")
        released = {"released_by": signature_of(actor), "release_reason": request.reason.value, "released_at": at}
        await connection.execute(update(legal_holds).where(h.hold_id == hold_id).values(released))
        row.change(**released)
        await _record(connection, Act.LEGAL_HOLD_RELEASED, actor, case, row)
        return await _answer(context, connection, hold_view(row, key))

    return (await once(context, actor, idempotency, write, tenant=PARK, case=reference)).reply


async def list_holds(context: Context, actor: Actor, reference: str) -> list[LegalHoldView]:
    """Return the legal holds of a case, the newest first; after an erasure without the numbers of their papers."""
    async with context.database.begin() as connection:
        case = await _find(connection, reference)
        await record_access(connection, actor, "legal_holds", [(reference, case.employer_id)], context.clock())
        try:
            key = await get_data_key(context, connection, case.key_id)
        except Refused:
            key = None
        h = legal_holds.c
        query = select(legal_holds).where(h.reference == reference).order_by(h.placed_at.desc(), h.hold_id).limit(100)
        return [hold_view(row, key) for row in LegalHoldRow.all_of(await connection.execute(query))]


def hold_view(row: LegalHoldRow, key: DataKey | None) -> LegalHoldView:
    """Return a legal hold as staff and auditors see it."""
    paper = None
    if key is not None:
        paper = json.loads(key.open("legal_holds", "paper", str(row.hold_id), row.paper))
    return LegalHoldView(
        id=str(row.hold_id),
        reference=row.reference,
        reason=HoldReason(row.reason),
        paper=paper,
        placed_by=row.placed_by["subject"],
        placed_at=row.placed_at,
        released_by=row.released_by["subject"] if row.released_by else None,
        release_reason=None if row.release_reason is None else ReleaseReason(row.release_reason),
        released_at=row.released_at,
    )


async def _case(context: Context, connection: AsyncConnection, actor: Actor, reference: str) -> tuple[_Case, DataKey]:
    """Return a case on which the actor may act, and the key of its person."""
    case = await _find(connection, reference)
    await need_unconflicted(connection, actor, [reference])
    return case, await get_data_key(context, connection, case.key_id)


async def _find(connection: AsyncConnection, reference: str) -> _Case:
    r = cases.c
    query = (
        select(r.reference, r.employer_id, r.stage, r.round, func.coalesce(r.joined_key, persons.c.key_id))
        .join(persons, persons.c.person_id == r.person_id)
        .where(r.reference == reference)
    )
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        raise Refused("case_unknown", "There is no case of this reference.")
    return _Case(*found)


async def _record(connection: AsyncConnection, act: Act, actor: Actor, case: _Case, row: LegalHoldRow) -> None:
    """Write an act on a hold into the chain of its case, which is held, and show that the chain has grown."""
    reason = row.release_reason or row.reason
    entry = Entry(
        act,
        actor,
        row.released_at or row.placed_at,
        reference=case.reference,
        employer_id=case.employer_id,
        reason_codes=(reason,),
        detail={"stage": case.stage, "round": case.round, "hold_id": str(row.hold_id)},
    )
    await connection.execute(_GROWN, {"reference": case.reference})
    await append(connection, case.reference, [entry])


async def _answer(context: Context, connection: AsyncConnection, view: LegalHoldView) -> Done:
    # Under a key of its own: the answer holds no more than the number of a paper, and goes with the keys of writes.
    return Done(Reply(Progress.APPLIED, view.as_json()), await add_data_key(context, connection), view.reference)
