"""Kept answers on their way to a case: by themselves once it is there, or by two signatures to another one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, open_case
from cases.case.signers import need_no_conflict, nothing_waits, signature_of
from cases.decisions.second_signature import SecondSignature
from cases.keys.data import add_data_key
from cases.notices.compose import Telling, tell
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once_in
from cases.shared.inboxes import Received
from domain.actors import Actor, system
from domain.acts import Act
from domain.clock import day_of
from domain.errors import Refused, Unavailable, need
from domain.lost_answers import LostAnswerState
from programmes.talent_permit.authority import lost
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.authority.known_entries import named_here
from programmes.talent_permit.authority.lost_views import AttachmentConfirmation, AttachmentRequest
from programmes.talent_permit.authority.outcomes import Said, receive_together
from programmes.talent_permit.notices import PermitNotice
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.tables import permit_rows, permits
from store.rows.authority import LostAnswerRow
from store.tables import lost_answers as stored

ATTACHED: Final = "attached"
_MOST: Final = 100
_S: Final = stored.c
_SIGNING: Final = SecondSignature()
_log = structlog.get_logger(__name__)
_Act = Callable[[CaseFile, AsyncConnection, LostAnswerRow], Awaitable[Reply]]


async def take_found(context: Context) -> list[Received]:
    """Take in kept answers whose permit the register follows by now; return those whose workflow has to hear of it.

    Followed is also the permit for which the entry of before stands, under whatever reference that was sent. One that
    cannot be taken in keeps no other out, and is tried again with the next look.
    """
    waiting = _S.state.in_([LostAnswerState.KEPT.value, LostAnswerState.PROPOSED.value])
    p = permits.c
    of_permit = (p.reference == _S.reference) & (p.destination == _S.destination)
    of_entry = p.entry_case == _S.reference + "/" + _S.destination
    joined = [
        select(_S.answer_id, _S.occurred_at).join(permits, followed).where(waiting)
        for followed in (of_permit, of_entry)
    ]
    either = union(*joined).subquery()
    query = select(either.c.answer_id).order_by(either.c.occurred_at).limit(_MOST)
    async with context.database.begin() as connection:
        found = (await connection.execute(query)).scalars().all()
    heard: list[Received] = []
    for answer_id in found:
        try:
            received = await _take(context, answer_id)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one answer, the others are taken
            _log.error("lost_answer_not_taken", answer_id=str(answer_id), error=type(error).__name__)
            continue
        if received.command_id is not None:
            heard.append(received)
    return heard


async def _take(context: Context, answer_id: UUID) -> Received:
    async with context.database.begin() as connection:
        row = await _find(connection, answer_id)
        answer = await lost.read(context, connection, row)
    named = await named_here(context, answer) or answer

    async def settle(_file: CaseFile, connection: AsyncConnection) -> None:
        attached = named.reference if named is not answer else None
        values = {"state": LostAnswerState.APPLIED.value, "attached_to": attached, "decided_at": context.clock()}
        await _settle(context, connection, answer_id, values)

    said = Said(system("lost_answer"), named, source=row.source)
    (received,) = await receive_together(context, [said], first=settle)
    return received


async def propose(
    context: Context, actor: Actor, answer_id: UUID, request: AttachmentRequest, idempotency: Idempotency
) -> Reply:
    """Propose that a kept answer belongs to a case; the second signature applies it there.

    Raises:
        Refused: `not_found`; `already_decided` for an answer that a case has; `wrong_stage` while a proposal waits, or
            where the case follows no permit of the destination; `case_unknown`; `role_not_allowed` for one who declared
            a conflict of interest on the case.
    """
    at = context.clock()
    async with open_case(context, request.reference) as (file, connection):

        async def write(connection: AsyncConnection) -> Done:
            row = await _hold(connection, answer_id)
            _SIGNING.need_none(row.attached_to if row.state == LostAnswerState.PROPOSED else None)
            _need_permit(file, actor, row)
            values = {
                "state": LostAnswerState.PROPOSED.value,
                "attached_to": file.reference,
                "proposed_by": signature_of(actor),
                "proposed_at": at,
            }
            await connection.execute(update(stored).where(_S.answer_id == answer_id).values(values))
            _record(file, Act.ANSWER_ATTACH_PROPOSED, actor, at, row)
            _ask_for_signature(file, row, at)
            answer = await lost.read(context, connection, row)
            row.change(**values)
            reply = Reply(Progress.STORED, lost.view(row, answer).as_json())
            return Done(reply, await add_data_key(context, connection))

        return (await once_in(context, connection, actor, idempotency, write)).reply


async def confirm(
    context: Context, actor: Actor, answer_id: UUID, request: AttachmentConfirmation, idempotency: Idempotency
) -> tuple[Reply, Received | None]:
    """Give or refuse the second signature; given, the answer is taken in as one about the case that was named.

    Returns:
        The answer, and what the workflow of the case has to hear of.

    Raises:
        Refused: `not_found`; `wrong_stage` where nothing waits; `same_signer`; those of `propose`.
    """
    at = context.clock()
    found: list[tuple[LostAnswerRow, AuthorityAnswer, bool]] = []

    async def look(connection: AsyncConnection) -> Done:
        """Keep nothing yet: what waits may be another's by the time that its case is held."""
        row = await _find(connection, answer_id)
        proposed_by = _SIGNING.need_waiting(row.proposed_by if row.state == LostAnswerState.PROPOSED else None)
        is_given = _SIGNING.is_given(actor, proposed_by, request.action)
        found.append((row, await lost.read(context, connection, row), is_given))
        return Done(Reply(Progress.NOTHING))

    async with context.database.begin() as connection:
        first = await once_in(context, connection, actor, idempotency, look)
    if first.is_repeated:
        return first.reply, None
    ((row, answer, is_given),) = found
    signing = _Signing(context, actor, idempotency, row, at)
    if not is_given:
        return await signing.reject(answer), None
    decided = {"state": LostAnswerState.ATTACHED.value, "decided_by": signature_of(actor), "decided_at": at}
    attached = replace(row)
    attached.change(**decided)
    reply = Reply(Progress.APPLIED, lost.view(attached).as_json())

    async def attach(file: CaseFile, connection: AsyncConnection, held: LostAnswerRow) -> Reply:
        _need_permit(file, actor, held)
        _record(file, Act.ANSWER_ATTACHED, actor, at, held)
        await _settle(context, connection, answer_id, decided)
        return reply

    async def settle(file: CaseFile, connection: AsyncConnection) -> None:
        await signing.keep(file, connection, attach)

    named = answer.model_copy(update={"case": f"{row.attached_to}/{row.destination}"})
    # The authority's word, which both signers vouch for by rows of their own.
    said = Said(system("lost_answer", actor.correlation_id), named, source=ATTACHED)
    (received,) = await receive_together(context, [said], first=settle)
    return reply, received


@dataclass(frozen=True, slots=True)
class _Signing:
    """A second signature, given or withheld, on its way into the case that was proposed."""

    context: Context
    actor: Actor
    idempotency: Idempotency
    row: LostAnswerRow
    at: datetime

    async def keep(self, file: CaseFile, connection: AsyncConnection, act: _Act) -> Reply:
        """Act on what was proposed, while the case is held, and keep the answer.

        Raises:
            Refused: `wrong_stage` where it no longer waits; `in_progress` where the same request did so meanwhile.
        """

        async def write(connection: AsyncConnection) -> Done:
            held = await _hold(connection, self.row.answer_id)
            if (held.state, held.attached_to) != (LostAnswerState.PROPOSED, file.reference):
                raise nothing_waits()
            reply = await act(file, connection, held)
            return Done(reply, await add_data_key(self.context, connection))

        done = await once_in(self.context, connection, self.actor, self.idempotency, write)
        if done.is_repeated:
            raise Refused("in_progress", "The same request was answered meanwhile; ask again for its answer.")
        return done.reply

    async def reject(self, answer: AuthorityAnswer) -> Reply:
        """Let the answer be as it was kept."""

        async def give_back(file: CaseFile, connection: AsyncConnection, held: LostAnswerRow) -> Reply:
            need_no_conflict(file, self.actor)
            kept = {"state": LostAnswerState.KEPT.value, "attached_to": None, "proposed_by": None, "proposed_at": None}
            await connection.execute(update(stored).where(_S.answer_id == held.answer_id).values(kept))
            _record(file, Act.ANSWER_ATTACH_REJECTED, self.actor, self.at, held)
            held.change(**kept)
            return Reply(Progress.APPLIED, lost.view(held, answer).as_json())

        async with open_case(self.context, need(self.row.attached_to, "attached_to")) as (file, connection):
            return await self.keep(file, connection, give_back)


def _need_permit(file: CaseFile, actor: Actor, row: LostAnswerRow) -> None:
    need_no_conflict(file, actor)
    if Destination(row.destination) not in permit_rows(file):
        raise Refused("wrong_stage", "The case follows no permit of this destination yet.")


def _ask_for_signature(file: CaseFile, row: LostAnswerRow, at: datetime) -> None:
    """Tell those who may give the second signature what waits and until when; not whoever proposed it."""
    due = file.calendar.deadline(day_of(at), file.context.limits.signature_days)
    facts = {"due_on": day_of(due.at), "due_provisional": due.provisional}
    occasion = f"{row.answer_id}/{at.isoformat()}"
    tell(file, Telling(PermitNotice.ATTACHMENT_PROPOSED, at, occasion, Destination(row.destination), facts))


def _record(file: CaseFile, act: Act, actor: Actor, at: Any, row: LostAnswerRow) -> None:
    about = f"{row.reference}/{row.destination}"
    detail = {"lost_answer": str(row.answer_id), "about": about, "outcome_id": row.outcome_id}
    file.record(act, actor, at, destination=row.destination, **detail)


async def _settle(context: Context, connection: AsyncConnection, answer_id: UUID, values: dict[str, Any]) -> None:
    await connection.execute(update(stored).where(_S.answer_id == answer_id).values(values))
    await lost.take_away(connection, answer_id, context.clock())


async def _find(connection: AsyncConnection, answer_id: UUID) -> LostAnswerRow:
    query = select(stored).where(_S.answer_id == answer_id)
    row = LostAnswerRow.one_of(await connection.execute(query))
    if row is None:
        raise Refused("not_found", "No answer of this id is kept.")
    if row.body is None:
        raise Refused("already_decided", "A case has this answer.")
    return row


async def _hold(connection: AsyncConnection, answer_id: UUID) -> LostAnswerRow:
    """Lock a kept answer, after its case, and return it."""
    await connection.execute(select(_S.answer_id).where(_S.answer_id == answer_id).with_for_update())
    return await _find(connection, answer_id)
