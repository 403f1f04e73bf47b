"""Taking in an answer of the authority, by callback or poll: once, in any order, for a known case only (P9 to P27)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from cases import answering, commands, inbox
from cases.applying import take_answer, take_early
from cases.case_file import CaseFile, open_case
from cases.context import Context
from cases.idempotency import Reply
from domain.actors import Actor
from domain.acts import Act
from domain.answers import AnswerState, AuthorityAnswer, Outcome
from domain.commands import CommandKind
from domain.errors import Refused
from store.case_rows import Beside
from store.ledger import Entry, append
from store.tables import incidents

_SEEN: Final = """
    SELECT jsonb_build_object('status', m.status, 'body', m.answer) FROM messages_seen m
    WHERE m.message_id = CAST(:message_id AS text)
"""
_KNOWN: Final = """
    EXISTS (SELECT FROM answers x WHERE x.outcome_id = CAST(:outcome_id AS text) OR (x.reference = :reference
    AND x.destination = CAST(:destination AS text) AND x.content_hash = CAST(:content_hash AS bytea)))
"""
_SPOKEN = {
    AnswerState.STORED: (200, "recorded"),
    AnswerState.APPLIED: (200, "recorded"),
    AnswerState.RECORDED: (200, "recorded"),
    AnswerState.EARLY: (202, "held"),
    AnswerState.HELD: (202, "held"),
}


@dataclass(frozen=True, slots=True)
class Received:
    """What became of an answer: the reply, and the command that the case's workflow has to hear of."""

    reply: Reply
    reference: str
    command_id: UUID | None = None


async def receive(
    context: Context,
    actor: Actor,
    answer: AuthorityAnswer,
    *,
    message_id: str | None = None,
    body: bytes = b"",
    source: str = "callback",
) -> Received:
    """Take in one answer.

    Raises:
        Refused: `case_unknown`, with a line for the operator, where the park has no such permit.
    """
    try:
        async with open_case(context, answer.reference, beside=_beside(context, answer, message_id)) as (file, _):
            if file.row["seen"] is not None:
                return Received(Reply(**file.row["seen"]), answer.reference)
            received = _take(file, actor, answer, context.clock(), source)
            if message_id is not None:
                _remember(file, message_id, body, received.reply, context.clock())
            return received
    except Refused as refusal:
        if refusal.code != "case_unknown":
            raise
        await _unknown(context, actor, answer)
        raise
    except IntegrityError:
        # The same answer by callback and by poll at once: the other one is stored by now.
        return Received(Reply(200, {"status": "already_recorded"}), answer.reference)


def _beside(context: Context, answer: AuthorityAnswer, message_id: str | None) -> Beside:
    """Return what is read with the case: whether the message, and whether the answer, came before."""
    values = {
        "message_id": message_id,
        "outcome_id": answer.outcome_id,
        "destination": answer.destination.value,
        "content_hash": inbox.keyed_hash(context, answer),
    }
    return Beside((("seen", _SEEN), ("is_known", _KNOWN)), values)


def _take(file: CaseFile, actor: Actor, answer: AuthorityAnswer, at: datetime, source: str) -> Received:
    if file.row["is_known"]:
        return Received(Reply(200, {"status": "already_recorded"}), file.reference)
    if answer.destination not in file.permits:
        raise Refused("case_unknown", "No permit of this destination is followed.")
    state = answering.judge(file, answer)
    waits = any(a["state"] == AnswerState.STORED and a["destination"] == answer.destination for a in file.answers)
    # `accepted` wakes no workflow, and a case whose workflow has closed has none to hear of it.
    is_heard = answer.outcome is not Outcome.ACCEPTED and not file.is_finished()
    kept = inbox.keep(file, answer, AnswerState.STORED, at, source)
    command_id = None
    if is_heard and (state is AnswerState.APPLIED or waits):
        # The workflow has to hear of it, so it is applied there, in the order of its command.
        file.record(Act.ANSWER_RECEIVED, actor, at, **_detail(answer, source))
        command_id = commands.store(file, actor, CommandKind.ANSWER, {"answer_id": str(kept["answer_id"])}, at)
        status, word = _SPOKEN[AnswerState.STORED]
    else:
        take_answer(file, actor, at, kept)
        take_early(file, actor, at, answer.destination)
        status, word = _SPOKEN[AnswerState(kept["state"])]
    return Received(Reply(status, {"status": word}), file.reference, command_id)


def _remember(file: CaseFile, message_id: str, body: bytes, reply: Reply, at: datetime) -> None:
    """Keep the first answer to a message, which a repeat of it gets again."""
    body_hash = file.context.keyring.lookup_hash("message", body.hex())
    seen = {"message_id": message_id, "body_hash": body_hash, "status": reply.status, "answer": reply.body, "at": at}
    file.add_row("messages_seen", seen)


async def _unknown(context: Context, actor: Actor, answer: AuthorityAnswer) -> None:
    """Write down an answer about a case that the park does not have, and show it to the operator (P27)."""
    await note_refused(context, actor, "case_unknown", answer.outcome.value)


async def note_refused(context: Context, actor: Actor, code: str, outcome: str | None = None) -> None:
    """Write a ledger row and a line for the operator for a refused callback; nothing else changes."""
    at = context.clock()
    async with context.database.begin() as connection:
        entry = Entry(
            Act.ANSWER_REFUSED, actor, at, outcome="refused", reason_codes=(code,), detail={"answered": outcome}
        )
        await append(connection, f"request/{uuid4()}", [entry])
        await connection.execute(
            insert(incidents).values(
                incident_id=uuid4(), kind="authority_answer", step="receive", reason=code, state="open", at=at
            )
        )


def _detail(answer: AuthorityAnswer, source: str) -> dict[str, Any]:
    return {
        "destination": answer.destination.value,
        "outcome": answer.outcome.value,
        "outcome_id": answer.outcome_id,
        "occurred_at": answer.occurred_at.isoformat(),
        "source": source,
    }
