"""An employer's standing: set by a supervisor, and with a second signature where the employer left the Park."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.signers import given, need_reasons
from cases.decisions.second_signature import SecondSignature
from cases.keys.data import get_data_key
from cases.notices.employers import employer_chain, tell_employer
from cases.shared.context import Context, forms_of
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from domain.actors import Actor
from domain.acts import Act
from domain.decisions import GivenReason, PermitConfirmationRequest
from domain.employers import StandingRequest
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.notices import NoticeKind
from domain.reasons import Use
from domain.signatures import StandingSignature
from domain.stages import Standing
from register.conflicts import need_unconflicted_employer
from register.employers import standing_view
from store.encryption import DataKey
from store.ledger import Entry, append
from store.rows.people import StandingRow
from store.tables import employer_standings, employers

IN_FORCE: Final = "in_force"
PROPOSED: Final = "proposed"
REJECTED: Final = "rejected"
_LEFT: Final = SecondSignature()


async def propose_standing(
    context: Context, actor: Actor, employer_id: str, request: StandingRequest, idempotency: Idempotency
) -> Reply:
    """Set a standing at once, or propose `left_park` for a second signature; the answer holds the `change_id`.

    Raises:
        Refused: `not_found`; `already_decided` for the standing it has; `wrong_stage` while a proposal waits;
            `invalid` for a day before one on which a later standing holds; `role_not_allowed` for one who declared a
            conflict of interest on a live case of the employer.
    """

    async def write(connection: AsyncConnection) -> Done:
        key = await _lock(context, connection, employer_id)
        await need_unconflicted_employer(connection, actor, employer_id)
        at = context.clock()
        changes = await _changes(connection, employer_id)
        _check(changes, request)
        codes = need_reasons(request.reasons, Use.HOLD, forms_of(context), context.words.reasons, at_least_one=False)
        change_id = uuid4()
        needs_signature = request.standing is Standing.LEFT_PARK
        change = StandingRow(
            change_id=change_id,
            employer_id=employer_id,
            standing=request.standing.value,
            valid_from=request.valid_from,
            state=PROPOSED if needs_signature else IN_FORCE,
            proposed_by=_given(_signer(actor), key, f"{change_id}/proposed", request.reasons, request.note),
            at=at,
        )
        await connection.execute(insert(employer_standings).values(change.filled()))
        act = Act.STANDING_PROPOSED if needs_signature else Act.STANDING_SET
        await _record(connection, actor, at, act, change, reasons=codes)
        if not needs_signature:
            await _tell(context, connection, change, at, request.reasons)
        reply = Reply(Progress.STORED if needs_signature else Progress.APPLIED, standing_view(change).as_json())
        return Done(reply, key)

    return (await once(context, actor, idempotency, write)).reply


async def confirm_standing(
    context: Context, actor: Actor, employer_id: str, request: PermitConfirmationRequest, idempotency: Idempotency
) -> Reply:
    """Give or refuse the second signature on the proposal that waits.

    Raises:
        Refused: `not_found`; `wrong_stage` where nothing was proposed, `already_decided` where nothing waits any more;
            `same_signer` for the proposer; `role_not_allowed` for one who declared a conflict of interest on a live
            case of the employer; those of a wrong reason.
    """

    async def write(connection: AsyncConnection) -> Done:
        key = await _lock(context, connection, employer_id)
        await need_unconflicted_employer(connection, actor, employer_id)
        at = context.clock()
        change = _waiting(await _changes(connection, employer_id))
        confirmed = _LEFT.is_given(actor, change.proposed_by, request.action)
        codes = need_reasons(
            request.reasons, Use.REJECT, forms_of(context), context.words.reasons, at_least_one=not confirmed
        )
        state, signature = IN_FORCE if confirmed else REJECTED, _signature(actor, at, key, change, request)
        change.change(state=state, confirmed_by=signature)
        one = update(employer_standings).where(employer_standings.c.change_id == change.change_id)
        await connection.execute(one.values(state=state, confirmed_by=signature))
        act = Act.STANDING_SET if confirmed else Act.STANDING_REJECTED
        await _record(connection, actor, at, act, change, reasons=codes)
        reply = Reply(Progress.APPLIED, standing_view(change).as_json())
        return Done(reply, key)

    return (await once(context, actor, idempotency, write)).reply


async def _lock(context: Context, connection: AsyncConnection, employer_id: str) -> DataKey:
    """Lock the employer's row, so that a registration being taken on is stored before the standing or sees it."""
    query = select(employers.c.key_id).where(employers.c.employer_id == employer_id).with_for_update()
    key_id = (await connection.execute(query)).scalar_one_or_none()
    if key_id is None:
        raise Refused("not_found", "The register has no employer of this id.")
    return await get_data_key(context, connection, key_id)


async def _changes(connection: AsyncConnection, employer_id: str) -> list[StandingRow]:
    query = (
        select(employer_standings)
        .where(employer_standings.c.employer_id == employer_id)
        .order_by(employer_standings.c.valid_from, employer_standings.c.at)
    )
    return StandingRow.all_of(await connection.execute(query))


def _check(changes: list[StandingRow], request: StandingRequest) -> None:
    _LEFT.need_none(next((change for change in changes if change.state == PROPOSED), None))
    held = [change for change in changes if change.state == IN_FORCE]
    last = held[-1] if held else None
    if request.standing == (last.standing if last else Standing.GOOD):
        raise Refused("already_decided", f"The employer's standing is {request.standing} already.")
    if last is not None and request.valid_from < last.valid_from:
        wrong = FieldError("valid_from", FieldCode.DATE_ORDER, "A standing set before holds from a later day.")
        raise Refused("invalid", "The standing would begin before the one that it follows.", [wrong])


def _waiting(changes: list[StandingRow]) -> StandingRow:
    """Return the proposal that waits; the newest one that was decided tells what became of it otherwise."""
    proposals = [change for change in changes if change.standing == Standing.LEFT_PARK]
    waiting = next((change for change in proposals if change.state == PROPOSED), None)
    if waiting is None and proposals:
        raise Refused("already_decided", "The proposal has its second signature, or was rejected.")
    return _LEFT.need_waiting(waiting)


def _signature(
    actor: Actor, at: datetime, key: DataKey, change: StandingRow, request: PermitConfirmationRequest
) -> StandingSignature:
    """Return who decided, when and with which codes."""
    signature: StandingSignature = {**_signer(actor), "at": at.isoformat(), "reasons": given(request.reasons)}
    return _given(signature, key, str(change.change_id), request.reasons, request.note)


def _signer(actor: Actor) -> StandingSignature:
    return {"issuer": actor.issuer, "subject": actor.subject, "role": actor.role.value}


def _given(
    signature: StandingSignature, key: DataKey, place: str, reasons: Sequence[GivenReason], note: str | None
) -> StandingSignature:
    """Return a signature with the reasons given for it; free text is sealed and written in hexadecimal."""
    signed: StandingSignature = {**signature, "reasons": given(reasons)} if reasons else signature
    notes = {"note": note, "reasons": [reason.note for reason in reasons]}
    if note is None and not any(notes["reasons"] or ()):
        return signed
    text = json.dumps(notes, ensure_ascii=False).encode()
    return {**signed, "notes": key.seal("employer_standings", "notes", place, text).hex()}


async def _record(
    connection: AsyncConnection, actor: Actor, at: datetime, act: Act, change: StandingRow, reasons: Iterable[str] = ()
) -> None:
    entry = Entry(
        act,
        actor,
        at,
        employer_id=change.employer_id,
        outcome=change.standing,
        reason_codes=tuple(reasons),
        detail={"change_id": str(change.change_id), "valid_from": change.valid_from.isoformat()},
    )
    await append(connection, employer_chain(change.employer_id), [entry])


async def _tell(
    context: Context, connection: AsyncConnection, change: StandingRow, at: datetime, reasons: Sequence[GivenReason]
) -> None:
    """Tell the employer once that it was suspended or reinstated (R20)."""
    suspended = change.standing == Standing.SUSPENDED
    await tell_employer(
        context,
        connection,
        change.employer_id,
        NoticeKind.EMPLOYER_SUSPENDED if suspended else NoticeKind.EMPLOYER_REINSTATED,
        occasion=str(change.change_id),
        at=at,
        facts={"from_on": change.valid_from},
        reasons=reasons,
    )
