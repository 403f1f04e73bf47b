"""Kept answers on their way to a case: by themselves once it is there, or by two signatures to another one."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, open_case
from cases.case.signers import need_another, need_no_conflict, signature_of
from cases.keys.data import add_data_key
from cases.notices.compose import Telling, tell
from cases.shared.context import Context
from cases.shared.idempotency import Idempotency, Progress, Reply, find_known, remember
from cases.shared.inboxes import Received
from domain.actors import Actor, system
from domain.acts import Act
from domain.answers import AuthorityAnswer
from domain.clock import day_of
from domain.decisions import ConfirmationAction
from domain.errors import Refused, Unavailable
from domain.lost_answers import AttachmentConfirmation, AttachmentRequest, LostAnswerState
from domain.notices import NoticeKind
from domain.stages import Destination
from programmes.talent_permit.authority import lost as lost_answers
from programmes.talent_permit.authority.known_entries import named_here
from programmes.talent_permit.authority.outcomes import Said, receive_together
from store.case_rows import Row
from store.tables import lost_answers as stored
from store.tables import permits

ATTACHED: Final = "attached"
_MOST: Final = 100
_S: Final = stored.c
_log = structlog.get_logger(__name__)


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
        answer = await lost_answers.read(context, connection, row)
    named = await named_here(context, answer) or answer

    async def settle(_file: CaseFile, connection: AsyncConnection) -> None:
        attached = named.reference if named is not answer else None
        values = {"state": LostAnswerState.APPLIED.value, "attached_to": attached, "decided_at": context.clock()}
        await _settle(context, connection, answer_id, values)

    said = Said(system("lost_answer"), named, source=row["source"])
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
        known = await find_known(context, connection, actor, idempotency)
        if known is not None and known.reply is not None:
            return known.reply
        row = await _hold(connection, answer_id)
        if row["state"] == LostAnswerState.PROPOSED:
            raise Refused("wrong_stage", "A proposal waits for its second signature; it has to be decided first.")
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
        answer = await lost_answers.read(context, connection, row)
        reply = Reply(Progress.STORED, lost_answers.view(row | values, answer))
        await _remember(context, connection, actor, idempotency, reply)
        return reply


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
    async with context.database.begin() as connection:
        known = await find_known(context, connection, actor, idempotency)
        if known is not None and known.reply is not None:
            return known.reply, None
        row = await _find(connection, answer_id)
        if row["state"] != LostAnswerState.PROPOSED:
            raise Refused("wrong_stage", "Nothing waits for a second signature.")
        need_another(actor, row["proposed_by"])
        answer = await lost_answers.read(context, connection, row)
    if request.action is ConfirmationAction.REJECT:
        return await _reject(context, actor, row, answer, idempotency), None
    decided = {
        "state": LostAnswerState.ATTACHED.value,
        "decided_by": signature_of(actor),
        "decided_at": at,
    }
    reply = Reply(Progress.APPLIED, lost_answers.view(row | decided))

    async def settle(file: CaseFile, connection: AsyncConnection) -> None:
        held = await _hold(connection, answer_id)
        if (held["state"], held["attached_to"]) != (LostAnswerState.PROPOSED, file.reference):
            raise Refused("wrong_stage", "Nothing waits for a second signature.")
        _need_permit(file, actor, held)
        _record(file, Act.ANSWER_ATTACHED, actor, at, held)
        await _settle(context, connection, answer_id, decided)
        await _remember(context, connection, actor, idempotency, reply)

    named = answer.model_copy(update={"case": f"{row['attached_to']}/{row['destination']}"})
    # The authority's word, which both signers vouch for by rows of their own.
    said = Said(system("lost_answer", actor.correlation_id), named, source=ATTACHED)
    (received,) = await receive_together(context, [said], first=settle)
    return reply, received


async def _reject(context: Context, actor: Actor, row: Row, answer: AuthorityAnswer, idempotency: Idempotency) -> Reply:
    at = context.clock()
    async with open_case(context, row["attached_to"]) as (file, connection):
        held = await _hold(connection, row["answer_id"])
        if (held["state"], held["attached_to"]) != (LostAnswerState.PROPOSED, file.reference):
            raise Refused("wrong_stage", "Nothing waits for a second signature.")
        need_no_conflict(file, actor)
        values: dict[str, Any] = {
            "state": LostAnswerState.KEPT.value,
            "attached_to": None,
            "proposed_by": None,
            "proposed_at": None,
        }
        await connection.execute(update(stored).where(_S.answer_id == row["answer_id"]).values(values))
        _record(file, Act.ANSWER_ATTACH_REJECTED, actor, at, row)
        reply = Reply(Progress.APPLIED, lost_answers.view(row | values, answer))
        await _remember(context, connection, actor, idempotency, reply)
        return reply


def _need_permit(file: CaseFile, actor: Actor, row: Row) -> None:
    need_no_conflict(file, actor)
    if Destination(row["destination"]) not in file.permits:
        raise Refused("wrong_stage", "The case follows no permit of this destination yet.")


def _ask_for_signature(file: CaseFile, row: Row, at: datetime) -> None:
    """Tell those who may give the second signature what waits and until when; not whoever proposed it."""
    due = file.calendar.deadline(day_of(at), file.context.limits.signature_days)
    facts = {"due_on": day_of(due.at), "due_provisional": due.provisional}
    occasion = f"{row['answer_id']}/{at.isoformat()}"
    tell(file, Telling(NoticeKind.ATTACHMENT_PROPOSED, at, occasion, Destination(row["destination"]), facts))


def _record(file: CaseFile, act: Act, actor: Actor, at: Any, row: Row) -> None:
    about = f"{row['reference']}/{row['destination']}"
    detail = {"lost_answer": str(row["answer_id"]), "about": about, "outcome_id": row["outcome_id"]}
    file.record(act, actor, at, destination=row["destination"], **detail)


async def _settle(context: Context, connection: AsyncConnection, answer_id: UUID, values: dict[str, Any]) -> None:
    await connection.execute(update(stored).where(_S.answer_id == answer_id).values(values))
    await lost_answers.take_away(connection, answer_id, context.clock())


async def _find(connection: AsyncConnection, answer_id: UUID) -> Row:
    query = select(stored).where(_S.answer_id == answer_id)
    found = (await connection.execute(query)).mappings().one_or_none()
    if found is None:
        raise Refused("not_found", "No answer of this id is kept.")
    row = dict(found)
    if row["body"] is None:
        raise Refused("already_decided", "A case has this answer.")
    return row


async def _hold(connection: AsyncConnection, answer_id: UUID) -> Row:
    """Lock a kept answer, after its case, and return it."""
    await connection.execute(select(_S.answer_id).where(_S.answer_id == answer_id).with_for_update())
    return await _find(connection, answer_id)


async def _remember(
    context: Context, connection: AsyncConnection, actor: Actor, idempotency: Idempotency, reply: Reply
) -> None:
    key = await add_data_key(context, connection)
    await remember(context, connection, actor, idempotency, reply=reply, key=key)
