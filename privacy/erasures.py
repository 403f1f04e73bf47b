"""Asking for an erasure: proposed by a supervisor, done with a second signature, or refused in the ledger."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.signers import need_unconflicted, signature_of
from cases.decisions.second_signature import SecondSignature
from cases.keys.data import add_data_key
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from domain.actors import PARK, Actor
from domain.acts import Act
from domain.erasure import ErasureConfirmation, ErasureReason, ErasureRefused, ErasureRequest, ErasureState
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from privacy.erasing import Erasing, check_may_be_erased, erase, hold_person
from privacy.erasure_views import ErasureView
from privacy.holding import HeldCase
from record.case import need_case
from store.ledger import Entry, append
from store.rows.people import ErasureRow
from store.tables import cases, erasures

_SIGNING: Final = SecondSignature()
_GROWN: Final = text("UPDATE cases SET version = version + 1 WHERE reference = :reference")


class _Case(NamedTuple):
    """What is read of the case that an erasure is asked for by."""

    reference: str
    person_id: UUID
    employer_id: str
    stage: str
    round: int
    erased_at: datetime | None


async def propose(
    context: Context, actor: Actor, reference: str, request: ErasureRequest, idempotency: Idempotency
) -> Reply:
    """Propose to erase the person of a case; the second signature does it.

    Raises:
        Refused: `case_unknown`; `facts_erased`; `wrong_stage` while a proposal waits; `invalid` for the engine's own
            reason.
        ErasureRefused: with a ledger row that says what keeps the person.
    """
    if request.reason is ErasureReason.RETENTION_OVER:
        wrong = FieldError("reason", FieldCode.UNKNOWN_VALUE, "The engine itself erases what was kept long enough.")
        raise Refused("invalid", "This reason is the engine's own.", [wrong])
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        case, cases = await _hold(connection, reference)
        await need_unconflicted(connection, actor, [each.reference for each in cases])
        await check_may_be_erased(context, connection, cases)
        _SIGNING.need_none(await _waiting(connection, case.person_id))
        row = ErasureRow(
            erasure_id=uuid4(),
            person_id=case.person_id,
            reference=reference,
            reason=request.reason.value,
            state=ErasureState.PROPOSED.value,
            proposed_by=signature_of(actor),
            proposed_at=at,
        )
        await connection.execute(insert(erasures).values(row.filled()))
        await _record(connection, Act.ERASURE_PROPOSED, actor, case, row)
        reply = Reply(Progress.STORED, erasure_view(row).as_json())
        # A key of its own outlives the person's.
        return Done(reply, await add_data_key(context, connection))

    try:
        return (await once(context, actor, idempotency, write, tenant=PARK)).reply
    except ErasureRefused as refused:
        await note_refused(context, actor, reference, request.reason.value, refused)
        raise


async def confirm(
    context: Context, actor: Actor, reference: str, request: ErasureConfirmation, idempotency: Idempotency
) -> Reply:
    """Give or refuse the second signature on an erasure; given, the person is erased with the answer.

    Raises:
        Refused: `case_unknown`; `facts_erased`; `wrong_stage` where nothing waits; `same_signer` for the proposer;
            `role_not_allowed` for one who declared a conflict of interest.
        ErasureRefused: with a ledger row that says what keeps the person.
        Unavailable: when the list of erasures cannot be written.
    """
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        case, cases = await _hold(connection, reference)
        await need_unconflicted(connection, actor, [each.reference for each in cases])
        row = _SIGNING.need_waiting(await _waiting(connection, case.person_id))
        is_given = _SIGNING.is_given(actor, row.proposed_by, request.action)
        state = ErasureState.DONE if is_given else ErasureState.REJECTED
        decided = {"state": state.value, "decided_by": signature_of(actor), "decided_at": at}
        row.change(**decided)
        await connection.execute(update(erasures).where(erasures.c.erasure_id == row.erasure_id).values(decided))
        reply = Reply(Progress.APPLIED, erasure_view(row).as_json())
        # A key of its own outlives the person's.
        key = await add_data_key(context, connection)
        if not is_given:
            await _record(connection, Act.ERASURE_REJECTED, actor, case, row)
            return Done(reply, key)
        erasing = Erasing(row.erasure_id, row.person_id, ErasureReason(row.reason), actor, at)
        return Done(reply, key, last=lambda: erase(context, connection, erasing))

    try:
        return (await once(context, actor, idempotency, write, tenant=PARK)).reply
    except ErasureRefused as refused:
        await note_refused(context, actor, reference, None, refused)
        raise


async def list_erasures(context: Context, reference: str) -> list[ErasureView]:
    """Return the erasures that were asked for or done on a case, the newest first."""
    e, r = erasures.c, cases.c
    async with context.database.begin() as connection:
        await need_case(connection, reference)
        query = (
            select(erasures)
            .join(cases, r.person_id == e.person_id)
            .where(r.reference == reference)
            .order_by(e.proposed_at.desc(), e.erasure_id)
            .limit(100)
        )
        return [erasure_view(row) for row in ErasureRow.all_of(await connection.execute(query))]


def erasure_view(row: ErasureRow) -> ErasureView:
    """Return an erasure as staff sees it."""
    return ErasureView(
        id=str(row.erasure_id),
        reference=row.reference,
        reason=ErasureReason(row.reason),
        state=ErasureState(row.state),
        proposed_by=row.proposed_by["subject"],
        proposed_at=row.proposed_at,
        decided_by=row.decided_by["subject"] if row.decided_by else None,
        decided_at=row.decided_at,
    )


async def note_refused(
    context: Context, actor: Actor, reference: str, reason: str | None, refused: ErasureRefused
) -> None:
    """Write down that an erasure was refused, and why, in a chain of its own that names the case."""
    entry = Entry(
        Act.ERASURE_REFUSED,
        actor,
        context.clock(),
        reference=reference,
        outcome="refused",
        reason_codes=(refused.code,),
        detail={"asked": reason, "kept_by": refused.kept.value},
    )
    async with context.database.begin() as connection:
        await append(connection, f"erasure/{uuid4()}", [entry])


async def _hold(connection: AsyncConnection, reference: str) -> tuple[_Case, list[HeldCase]]:
    """Hold the person of a case with all its cases, and return the case and all of them.

    Raises:
        Refused: `case_unknown`; `facts_erased`.
    """
    r = cases.c
    query = select(r.reference, r.person_id, r.employer_id, r.stage, r.round, r.erased_at).where(
        r.reference == reference
    )
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        raise Refused("case_unknown", "There is no case of this reference.")
    held = await hold_person(connection, found.person_id)
    # Again, now that nobody else changes it.
    case = _Case(*(await connection.execute(query)).one())
    if case.person_id != found.person_id:
        raise Refused("in_progress", "The case is moving to another person; ask again in a moment.")
    if case.erased_at is not None:
        raise Refused("facts_erased", "The person of this case was erased.")
    return case, held


async def _waiting(connection: AsyncConnection, person_id: UUID) -> ErasureRow | None:
    e = erasures.c
    query = select(erasures).where(e.person_id == person_id, e.state == ErasureState.PROPOSED.value)
    return ErasureRow.one_of(await connection.execute(query))


async def _record(connection: AsyncConnection, act: Act, actor: Actor, case: _Case, row: ErasureRow) -> None:
    """Write an act on an erasure into the chain of its case, and show that the chain has grown."""
    entry = Entry(
        act,
        actor,
        row.decided_at or row.proposed_at,
        reference=case.reference,
        employer_id=case.employer_id,
        outcome=row.state,
        reason_codes=(row.reason,),
        detail={"stage": case.stage, "round": case.round, "erasure_id": str(row.erasure_id)},
    )
    await connection.execute(_GROWN, {"reference": case.reference})
    await append(connection, case.reference, [entry])
