"""Asking for a joining of two persons, or for its undoing: proposed by staff, done with a second signature.

Who proposes may withdraw it until it is signed, and does not sign; whoever else of staff signs or rejects it. Who
declared a conflict of interest on a case of either person does none of this.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.signers import is_same, need_unconflicted, signature_of
from cases.decisions.second_signature import SecondSignature
from cases.keys.data import get_data_key
from cases.shared.accesses import record_access
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from cases.shared.persons import find_by_own_document
from domain.actors import PARK, Actor
from domain.acts import Act
from domain.documents import parse_document
from domain.erasure import ErasureState
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.joinings import (
    JoiningConfirmation,
    JoiningKind,
    JoiningReason,
    JoiningRequest,
    JoiningState,
    NamedPerson,
    PartingReason,
    PartingRequest,
)
from domain.notices import Channel
from domain.parties import PERSON_PREFIX
from domain.references import find_reference
from privacy.holding import HeldCase, find_holder, hold_persons
from privacy.joining import Signed, join, part
from privacy.joining_views import JoiningView
from store.encryption import DataKey
from store.ledger import Entry, append
from store.rows.people import JoiningRow
from store.tables import cases, data_keys, erasures, legal_holds, person_joinings, persons

_SIGNING: Final = SecondSignature()
_J: Final = person_joinings.c
_GROWN: Final = text("UPDATE cases SET version = version + 1 WHERE reference = :reference")
_MOST: Final = 100


async def propose(context: Context, actor: Actor, request: JoiningRequest, idempotency: Idempotency) -> Reply:
    """Propose that two persons are one; the second signature joins them.

    Raises:
        Refused: `invalid`, by the field, for a person who is not there, and for the same one twice; `facts_erased`;
            `live_registration_exists` where both have a live case of one programme; `legal_hold`; `wrong_stage` while
            another proposal about one of them waits; `role_not_allowed` for one who declared a conflict of interest.
    """

    async def write(connection: AsyncConnection) -> Done:
        kept = await _find(context, connection, "kept", request.kept)
        joined = await _find(context, connection, "joined", request.joined)
        if kept == joined:
            raise _wrong("joined", "Both are the same person of the register already.", "same_person")
        held = await hold_persons(connection, [kept, joined])
        await need_unconflicted(connection, actor, [each.reference for each in held])
        row = JoiningRow(
            joining_id=uuid4(),
            kind=JoiningKind.JOINING.value,
            kept_id=kept,
            joined_id=joined,
            kept_reference=_named(request.kept, kept, held),
            joined_reference=_named(request.joined, joined, held),
            reason=request.reason.value,
            state=JoiningState.PROPOSED.value,
            proposed_by=signature_of(actor),
            proposed_at=context.clock(),
        )
        await _need_still_theirs(connection, row)
        await _need_joinable(connection, row, held)
        return await _add(context, connection, actor, row, request.proof)

    return (await once(context, actor, idempotency, write, tenant=PARK)).reply


async def propose_parting(
    context: Context, actor: Actor, joining_id: UUID, request: PartingRequest, idempotency: Idempotency
) -> Reply:
    """Propose that two who were joined are two after all; the second signature parts them.

    Raises:
        Refused: `not_found`; `wrong_stage` for one that did not take effect, was undone, or whose persons another
            proposal waits about; `facts_erased`; `role_not_allowed` for one who declared a conflict of interest.
    """

    async def write(connection: AsyncConnection) -> Done:
        joining = await _need(connection, joining_id)
        held = await _hold(connection, joining)
        joining = await _need(connection, joining_id)
        await need_unconflicted(connection, actor, [each.reference for each in held])
        if joining.kind != JoiningKind.JOINING or joining.state != JoiningState.DONE:
            raise Refused("wrong_stage", "Only a joining that took effect, and was not undone, can be undone.")
        row = JoiningRow(
            joining_id=uuid4(),
            kind=JoiningKind.PARTING.value,
            undoes=joining_id,
            kept_id=joining.kept_id,
            joined_id=joining.joined_id,
            kept_reference=joining.kept_reference,
            joined_reference=joining.joined_reference,
            reason=request.reason.value,
            state=JoiningState.PROPOSED.value,
            proposed_by=signature_of(actor),
            proposed_at=context.clock(),
        )
        await _need_readable(connection, row)
        return await _add(context, connection, actor, row, request.proof)

    return (await once(context, actor, idempotency, write, tenant=PARK)).reply


async def confirm(
    context: Context, actor: Actor, joining_id: UUID, request: JoiningConfirmation, idempotency: Idempotency
) -> Reply:
    """Give or refuse the second signature; given, the two are joined, or parted, with the answer.

    Raises:
        Refused: `not_found`; `wrong_stage` where it does not wait any more; `same_signer` for the proposer; the others
            as `propose`, where the cases changed since.
    """
    rung: list[Channel] = []

    async def write(connection: AsyncConnection) -> Done:
        row = await _need(connection, joining_id)
        held = await _hold(connection, row)
        row = await _need(connection, joining_id)
        await need_unconflicted(connection, actor, [each.reference for each in held])
        _SIGNING.need_waiting(row if row.state == JoiningState.PROPOSED else None)
        # The cases of both and the proposal tell the same moment, by which an audit holds them against each other.
        at = context.clock()
        if not _SIGNING.is_given(actor, row.proposed_by, request.action):
            return await _end(context, connection, actor, row, JoiningState.REJECTED, at)
        signed = Signed(row, actor, at)
        if row.kind == JoiningKind.JOINING:
            await _need_still_theirs(connection, row)
            await _need_joinable(connection, row, held, but=row.joining_id)
            rung.extend(await _join(context, connection, signed, held))
        else:
            await _need_readable(connection, row, but=row.joining_id)
            rung.extend(await _part(context, connection, signed, held))
        return await _end(context, connection, actor, row, JoiningState.DONE, at)

    reply = (await once(context, actor, idempotency, write, tenant=PARK)).reply
    context.bells.ring(rung)
    return reply


async def withdraw(context: Context, actor: Actor, joining_id: UUID, idempotency: Idempotency) -> Reply:
    """Take back what the actor proposed, before it is signed.

    Raises:
        Refused: `not_found`; `wrong_stage` where it does not wait any more; `role_not_allowed` for whoever did not
            propose it, who rejects it instead.
    """

    async def write(connection: AsyncConnection) -> Done:
        row = await _need(connection, joining_id)
        await _hold(connection, row)
        row = await _need(connection, joining_id)
        _SIGNING.need_waiting(row if row.state == JoiningState.PROPOSED else None)
        if not is_same(actor, row.proposed_by):
            raise Refused("role_not_allowed", words="withdrawn_by_proposer")
        return await _end(context, connection, actor, row, JoiningState.WITHDRAWN, context.clock())

    return (await once(context, actor, idempotency, write, tenant=PARK)).reply


async def get_joining(context: Context, actor: Actor, joining_id: UUID) -> JoiningView:
    """Return a joining or a parting, with what proves it.

    Raises:
        Refused: `not_found`.
    """
    async with context.database.begin() as connection:
        row = await _need(connection, joining_id)
        return (await _views(context, connection, actor, [row]))[0]


async def list_joinings(
    context: Context, actor: Actor, *, state: JoiningState | None = None, reference: str | None = None
) -> list[JoiningView]:
    """Return what was proposed, the newest first, at most 100: all of it, of a state, or about the person of a case."""
    query = select(person_joinings).order_by(_J.proposed_at.desc(), _J.joining_id).limit(_MOST)
    if state is not None:
        query = query.where(_J.state == state.value)
    async with context.database.begin() as connection:
        if reference is not None:
            whose = select(cases.c.person_id).where(cases.c.reference == (find_reference(reference) or ""))
            query = query.where(or_(_J.kept_id.in_(whose), _J.joined_id.in_(whose)))
        return await _views(context, connection, actor, JoiningRow.all_of(await connection.execute(query)))


async def _join(
    context: Context, connection: AsyncConnection, signed: Signed, held: Sequence[HeldCase]
) -> list[Channel]:
    try:
        async with connection.begin_nested():
            return await join(context, connection, signed, held)
    except IntegrityError as error:
        raise Refused("in_progress", "A case of one of them is being taken on; ask again in a moment.") from error


async def _part(
    context: Context, connection: AsyncConnection, signed: Signed, held: Sequence[HeldCase]
) -> list[Channel]:
    joining = await _need(connection, signed.row.undoes or signed.row.joining_id)
    if joining.state != JoiningState.DONE or joining.decided_at is None:
        raise Refused("wrong_stage", "The joining was undone.")
    holder = await find_holder(connection, joining.joined_id)
    rung = await part(context, connection, signed, held, holder=holder, joined_at=joining.decided_at)
    undone = update(person_joinings).where(_J.joining_id == joining.joining_id)
    await connection.execute(undone.values(state=JoiningState.UNDONE.value))
    return rung


async def _find(context: Context, connection: AsyncConnection, field: str, named: NamedPerson) -> UUID:
    """Return the person who is named.

    Raises:
        Refused: `invalid`, by the field; `facts_erased`.
    """
    if named.document is not None:
        given = named.document
        document = parse_document(given.kind.value, given.number, given.place)
        person_id = await find_by_own_document(context, connection, document)
        if person_id is None:
            raise _wrong(f"{field}.document", "The register knows nobody by this document.", "nobody_by_document")
        return person_id
    reference = find_reference(named.reference or "")
    query = select(cases.c.person_id, cases.c.erased_at).where(cases.c.reference == (reference or ""))
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        raise _wrong(f"{field}.reference", "There is no case of this reference.", "no_such_case")
    if found.erased_at is not None:
        raise _erased()
    person: UUID = found.person_id
    return person


def _wrong(field: str, said: str, words: str) -> Refused:
    error = FieldError(field, FieldCode.UNKNOWN_VALUE, said, words=words)
    return Refused("invalid", said, [error])


def _erased() -> Refused:
    return Refused("facts_erased", "One of the two persons was erased.")


def _named(named: NamedPerson, person_id: UUID, held: Sequence[HeldCase]) -> str | None:
    """Return the case by which a person is named, or of one who was named by a document their newest live one."""
    theirs = [each for each in held if each.person_id == person_id]
    given = find_reference(named.reference) if named.reference else None
    if given is not None:
        return given
    return max(theirs, key=lambda each: (each.live, each.reference)).reference if theirs else None


async def _need(connection: AsyncConnection, joining_id: UUID) -> JoiningRow:
    row = JoiningRow.one_of(await connection.execute(select(person_joinings).where(_J.joining_id == joining_id)))
    if row is None:
        raise Refused("not_found", "There is no joining of this id.")
    return row


async def _hold(connection: AsyncConnection, row: JoiningRow) -> list[HeldCase]:
    """Hold both persons, and of one who was joined to another since, also that one."""
    holder = await find_holder(connection, row.kept_id)
    return await hold_persons(connection, list({row.kept_id, row.joined_id, holder}))


async def _need_still_theirs(connection: AsyncConnection, row: JoiningRow) -> None:
    """Refuse where one of them was joined to somebody, or the case that names one became another's, since."""
    p, r = persons.c, cases.c
    moved = select(p.person_id).where(p.person_id.in_([row.kept_id, row.joined_id]), p.joined_to.is_not(None))
    if (await connection.execute(moved)).first() is not None:
        raise Refused("wrong_stage", "One of the two was joined to another person since; propose it anew.")
    named = {row.kept_reference: row.kept_id, row.joined_reference: row.joined_id}
    found = await connection.execute(select(r.reference, r.person_id).where(r.reference.in_([n for n in named if n])))
    if any(named[each.reference] != each.person_id for each in found):
        raise Refused("wrong_stage", "A case by which they are named is another person's since; propose it anew.")


async def _need_joinable(
    connection: AsyncConnection, row: JoiningRow, held: Sequence[HeldCase], *, but: UUID | None = None
) -> None:
    """Refuse where the two may not be joined now.

    Raises:
        Refused: as `propose`.
    """
    await _need_readable(connection, row, but=but)
    live = {each.programme: each.reference for each in held if each.live and each.person_id == row.kept_id}
    for each in held:
        if each.live and each.person_id == row.joined_id and each.programme in live:
            both = sorted((live[each.programme], each.reference))
            raise Refused(
                "live_registration_exists",
                f"{both[0]} and {both[1]} are both live in one programme; one of them has to end first.",
                [
                    FieldError(
                        "joined",
                        FieldCode.UNKNOWN_VALUE,
                        f"{both[0]} and {both[1]} are both live; one of them has to end first.",
                        words="both_live",
                        about=f"{both[0]}, {both[1]}",
                    )
                ],
            )
    own = next((e.reference for e in held if e.person_id == row.joined_id and _is_own(e)), None)
    if own is not None:
        # Every row of such a case bears its owner, who stays.
        said = f"{own} is the joined person's own case, which keeps its owner: name that person as the one who is kept."
        raise Refused("wrong_stage", said)
    h = legal_holds.c
    stands = select(h.hold_id).where(h.reference.in_([each.reference for each in held]), h.released_at.is_(None))
    if (await connection.execute(stands)).first() is not None:
        raise Refused("legal_hold", "A legal hold stands on a case of one of them; release it first.")


def _is_own(case: HeldCase) -> bool:
    return case.employer_id.startswith(PERSON_PREFIX)


async def _need_readable(connection: AsyncConnection, row: JoiningRow, *, but: UUID | None = None) -> None:
    """Refuse where one of the two was erased, or another proposal about one of them waits."""
    both, p = [row.kept_id, row.joined_id], persons.c
    gone = select(p.person_id).join(data_keys, data_keys.c.key_id == p.key_id)
    gone = gone.where(p.person_id.in_(both), data_keys.c.wrapped.is_(None))
    if (await connection.execute(gone)).first() is not None:
        raise _erased()
    waits = select(_J.joining_id).where(
        _J.state == JoiningState.PROPOSED.value, or_(_J.kept_id.in_(both), _J.joined_id.in_(both))
    )
    waits = waits if but is None else waits.where(_J.joining_id != but)
    _SIGNING.need_none((await connection.execute(waits)).first())
    e = erasures.c
    erasing = select(e.erasure_id).where(e.person_id.in_(both), e.state == ErasureState.PROPOSED.value)
    _SIGNING.need_none((await connection.execute(erasing)).first())


async def _add(context: Context, connection: AsyncConnection, actor: Actor, row: JoiningRow, proof: str) -> Done:
    key = await _key_of(context, connection, row.kept_id)
    row.proof = key.seal("person_joinings", "proof", str(row.joining_id), json.dumps(proof).encode())
    await connection.execute(insert(person_joinings).values(row.filled()))
    await _record(connection, Act.JOINING_PROPOSED, actor, row)
    return Done(Reply(Progress.STORED, joining_view(row, proof).as_json()), key)


async def _end(
    context: Context, connection: AsyncConnection, actor: Actor, row: JoiningRow, state: JoiningState, at: datetime
) -> Done:
    decided = {"state": state.value, "decided_by": signature_of(actor), "decided_at": at}
    row.change(**decided)
    await connection.execute(update(person_joinings).where(_J.joining_id == row.joining_id).values(decided))
    if state is not JoiningState.DONE:
        act = Act.JOINING_REJECTED if state is JoiningState.REJECTED else Act.JOINING_WITHDRAWN
        await _record(connection, act, actor, row)
    view = joining_view(row, await _proof(context, connection, row))
    return Done(Reply(Progress.APPLIED, view.as_json()), await _answer_key(context, connection, row))


async def _answer_key(context: Context, connection: AsyncConnection, row: JoiningRow) -> DataKey | None:
    """Return the key that seals the answer for a repeat; none of somebody who was erased, whose repeat acts anew."""
    try:
        return await _key_of(context, connection, row.kept_id)
    except Refused:
        return None


async def _key_of(context: Context, connection: AsyncConnection, person_id: UUID) -> DataKey:
    query = select(persons.c.key_id).where(persons.c.person_id == person_id)
    return await get_data_key(context, connection, (await connection.execute(query)).scalar_one())


async def _proof(context: Context, connection: AsyncConnection, row: JoiningRow) -> str | None:
    if row.proof is None:
        return None
    try:
        key = await _key_of(context, connection, row.kept_id)
    except Refused:
        return None
    said: str = json.loads(key.open("person_joinings", "proof", str(row.joining_id), row.proof))
    return said


async def _record(connection: AsyncConnection, act: Act, actor: Actor, row: JoiningRow) -> None:
    """Write an act on a proposal into the chains of the cases that name the two, and show that these have grown."""
    r = cases.c
    named = {row.kept_reference: "kept", row.joined_reference: "joined"}
    query = select(r.reference, r.employer_id, r.stage, r.round).where(r.reference.in_([n for n in named if n]))
    for case in await connection.execute(query.order_by(r.reference)):
        entry = Entry(
            act,
            actor,
            row.decided_at or row.proposed_at,
            reference=case.reference,
            employer_id=case.employer_id,
            outcome=row.kind,
            reason_codes=(row.reason,),
            detail={
                "stage": case.stage,
                "round": case.round,
                "joining_id": str(row.joining_id),
                "as": named[case.reference],
            },
        )
        await connection.execute(_GROWN, {"reference": case.reference})
        await append(connection, case.reference, [entry])


async def _views(
    context: Context, connection: AsyncConnection, actor: Actor, rows: Sequence[JoiningRow]
) -> list[JoiningView]:
    """Return rows as staff and auditors see them; showing them is a reading of the cases that they name."""
    named = {name for row in rows for name in (row.kept_reference, row.joined_reference) if name}
    query = select(cases.c.reference, cases.c.employer_id).where(cases.c.reference.in_(named))
    shown = [(each.reference, each.employer_id) for each in await connection.execute(query)]
    await record_access(connection, actor, "joinings", shown, context.clock())
    return [joining_view(row, await _proof(context, connection, row)) for row in rows]


def joining_view(row: JoiningRow, proof: str | None) -> JoiningView:
    """Return a joining or a parting as staff and auditors see it."""
    is_joining = row.kind == JoiningKind.JOINING
    return JoiningView(
        id=str(row.joining_id),
        kind=JoiningKind(row.kind),
        undoes=str(row.undoes) if row.undoes else None,
        kept=row.kept_reference,
        joined=row.joined_reference,
        reason=JoiningReason(row.reason) if is_joining else PartingReason(row.reason),
        proof=proof,
        state=JoiningState(row.state),
        proposed_by=row.proposed_by["subject"],
        proposed_at=row.proposed_at,
        decided_by=row.decided_by["subject"] if row.decided_by else None,
        decided_at=row.decided_at,
    )
