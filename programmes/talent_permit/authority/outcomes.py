"""Taking in an answer of the authority, by callback or poll: once, in any order, for a known case only (P9 to P27)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, open_case
from cases.commands import store as commands
from cases.incidents import refused_messages
from cases.shared.context import Context
from cases.shared.idempotency import Progress, Reply
from cases.shared.inboxes import Received
from domain.actors import Actor
from domain.acts import Act
from domain.answers import AnswerState
from domain.errors import Refused, Unavailable
from domain.incidents import IncidentKind
from programmes.talent_permit import running_on
from programmes.talent_permit.authority import applying, inbox, known_entries, lost
from programmes.talent_permit.authority.answers import AuthorityAnswer, Outcome
from programmes.talent_permit.authority.early import take_answer, take_early
from programmes.talent_permit.tables import permit_rows
from programmes.talent_permit.words import PermitCommand
from store.case_rows import Beside, Subquery
from store.rows.work import CommandRow

# What else is done in the transaction that takes answers in.
First = Callable[[CaseFile, AsyncConnection], Awaitable[None]]
_log = structlog.get_logger(__name__)


class _Seen(NamedTuple):
    """A message that came before: the hash of its body in hex, and what it was answered."""

    hash: str
    status: int
    body: Any


class _Known(NamedTuple):
    """An answer that is kept; the hash of its content in hex."""

    outcome_id: str
    reference: str
    destination: str
    digest: str


_SEEN: Final = Subquery(
    "seen",
    """
    SELECT jsonb_object_agg(m.message_id, jsonb_build_array(encode(m.body_hash, 'hex'), m.status, m.answer))
    FROM messages_seen m WHERE m.message_id = ANY(CAST(:message_ids AS text[]))
    """,
    lambda found: {message_id: _Seen(*said) for message_id, said in (found or {}).items()},
)
_KNOWN: Final = Subquery(
    "known_answers",
    """
    SELECT jsonb_agg(jsonb_build_array(x.outcome_id, x.reference, x.destination, encode(x.content_hash, 'hex')))
    FROM answers x WHERE x.reference = :reference OR x.outcome_id = ANY(CAST(:outcome_ids AS text[]))
    """,
    lambda found: [_Known(*answer) for answer in found or ()],
)
# A command before it is on its way to the workflow for so long; after that the sweeper may take its time with it.
_UNDER_WAY: Final = timedelta(seconds=5)
_SPOKEN = {
    AnswerState.STORED: (Progress.APPLIED, "recorded"),
    AnswerState.APPLIED: (Progress.APPLIED, "recorded"),
    AnswerState.RECORDED: (Progress.APPLIED, "recorded"),
    AnswerState.EARLY: (Progress.STORED, "held"),
    AnswerState.RENEWAL: (Progress.STORED, "held"),
    AnswerState.HELD: (Progress.STORED, "held"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as somebody brought it: by callback under a message id, or by the poll."""

    actor: Actor
    answer: AuthorityAnswer
    message_id: str | None = None
    body: bytes = field(default=b"", repr=False)
    source: str = "callback"


@dataclass(slots=True)
class _Kept:
    """What is kept already: messages by their ids, with hash and first answer, and answers by id and by content."""

    seen: dict[str, tuple[str, Reply]]
    outcome_ids: set[str]
    contents: set[tuple[str, str, str]]


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
        Refused: `case_unknown` where the park has no such permit, and the answer is kept; `facts_erased` where its
            person was erased; both with a line for the operator.
    """
    try:
        (received,) = await receive_together(context, [Said(actor, answer, message_id, body, source)])
    except Refused as refusal:
        if refusal.code == "case_unknown" and (named := await known_entries.named_here(context, answer)) is not None:
            return await receive(context, actor, named, message_id=message_id, body=body, source=source)
        if refusal.code in ("case_unknown", "facts_erased"):
            # About a case that the park does not have, or no longer knows anything of (P27). The first one is kept: a
            # restore may have taken the case, or its permit, away.
            about = (message_id, source) if refusal.code == "case_unknown" else None
            await _refuse(context, actor, refusal.code, answer, about)
        raise
    except IntegrityError:
        # The same answer by callback and by poll at once: the other one is stored by now.
        return Received(Reply(Progress.APPLIED, {"status": "already_recorded"}), answer.reference)
    return received


async def receive_each(context: Context, said: Sequence[Said]) -> list[Received | Exception]:
    """Take in answers about one case, together where all can be taken, and return what became of each."""
    if len(said) > 1:
        try:
            return list(await receive_together(context, said))
        except Unavailable as error:
            return [error] * len(said)
        except Exception as error:  # noqa: BLE001 - one that cannot be taken keeps no other out: each has its own try
            _log.info("answers_taken_one_by_one", count=len(said), error=type(error).__name__)
    return [await _receive_alone(context, each) for each in said]


async def _receive_alone(context: Context, said: Said) -> Received | Exception:
    try:
        return await receive(
            context, said.actor, said.answer, message_id=said.message_id, body=said.body, source=said.source
        )
    except Exception as error:  # noqa: BLE001 - handed to the one who asked
        return error


async def receive_together(context: Context, said: Sequence[Said], *, first: First | None = None) -> list[Received]:
    """Take in answers about one case in one transaction; where one cannot be taken, none of them is.

    Args:
        context: the collaborators.
        said: the answers.
        first: what else is done in the transaction, before they are taken in.

    Raises:
        Refused: as `receive`, but without a line for the operator.
    """
    async with open_case(context, said[0].answer.reference, beside=_beside(said)) as (file, connection):
        kept = _kept(file)
        if first is not None:
            await first(file, connection)
        return [_receive(file, each, kept, context.clock()) for each in said]


def _beside(said: Sequence[Said]) -> Beside:
    """Return what is read with the case: which of the messages, and which answers, came before."""
    values = {
        "message_ids": [each.message_id for each in said if each.message_id is not None],
        "outcome_ids": [each.answer.outcome_id for each in said],
    }
    return Beside((_SEEN, _KNOWN), values)


def _kept(file: CaseFile) -> _Kept:
    known = file.beside.of(_KNOWN)
    return _Kept(
        seen={
            message_id: (message.hash, Reply(Progress.of_kept(message.status), message.body))
            for message_id, message in file.beside.of(_SEEN).items()
        },
        outcome_ids={each.outcome_id for each in known},
        contents={(each.reference, each.destination, each.digest) for each in known},
    )


def _receive(file: CaseFile, said: Said, kept: _Kept, at: datetime) -> Received:
    seen = kept.seen.get(said.message_id or "")
    hashed = _message_hash(file.context, said.body)
    if seen is not None and seen[0] == hashed.hex():
        return Received(seen[1], file.reference)
    answer, about = said.answer, (file.reference, said.answer.destination.value)
    if any((*about, each.hex()) in kept.contents for each in inbox.accepted_hashes(file.context, answer)):
        received = Received(Reply(Progress.APPLIED, {"status": "already_recorded"}), file.reference)
    else:
        # Other content under an id that is known, of the message or of the outcome, contradicts what came first (P26).
        is_reused = seen is not None or answer.outcome_id in kept.outcome_ids
        received = _take(file, said, at, is_reused=is_reused)
        kept.outcome_ids.add(answer.outcome_id)
        kept.contents.add((*about, inbox.keyed_hash(file.context, answer).hex()))
    if said.message_id is not None and seen is None:
        _remember(file, said.message_id, hashed, received.reply, at)
        kept.seen[said.message_id] = (hashed.hex(), received.reply)
    return received


def _take(file: CaseFile, said: Said, at: datetime, *, is_reused: bool) -> Received:
    actor, answer, source = said.actor, said.answer, said.source
    if answer.destination not in permit_rows(file):
        raise Refused("case_unknown", "No permit of this destination is followed.")
    if running_on.has_moved(permit_rows(file)[answer.destination]):
        # It runs on under another case, which is found by the name that the authority has for its entry.
        raise Refused("case_unknown", "The permit of this destination is followed under another case.")
    if is_reused:
        kept = inbox.keep(file, answer, AnswerState.HELD, at, source)
        applying.hold(file, actor, at, answer, kept.answer_id)
        return Received(_reply(AnswerState.HELD), file.reference)
    state = applying.judge(file, answer)
    waits = any(a.state == AnswerState.STORED and a.destination == answer.destination for a in file.answers)
    # `accepted` wakes no workflow, and a case whose workflow has closed has none to hear of it.
    is_heard = answer.outcome is not Outcome.ACCEPTED and not file.is_finished()
    kept = inbox.keep(file, answer, AnswerState.STORED, at, source)
    if is_heard and (state is AnswerState.APPLIED or waits):
        # The workflow has to hear of it, so it is applied there, in the order of its command.
        file.record(Act.ANSWER_RECEIVED, actor, at, **_detail(answer, kept.answer_id, source))
        is_under_way = _is_step_under_way(file, at)
        stored = commands.store(file, actor, PermitCommand.ANSWER, {"answer_id": str(kept.answer_id)}, at)
        command_id = None if is_under_way else stored
        return Received(_reply(AnswerState.STORED), file.reference, command_id)
    take_answer(file, actor, at, kept)
    take_early(file, actor, at, answer.destination)
    return Received(_reply(AnswerState(kept.state)), file.reference)


def _reply(state: AnswerState) -> Reply:
    progress, word = _SPOKEN[state]
    return Reply(progress, {"status": word})


def _is_step_under_way(file: CaseFile, at: datetime) -> bool:
    """Whether the workflow is hearing of a command stored just before: its step applies all that is stored by then."""
    added = [row for row in file.added_rows("commands") if isinstance(row, CommandRow)]
    return any(at - command.at < _UNDER_WAY for command in (*file.commands, *added))


def _message_hash(context: Context, body: bytes) -> bytes:
    return context.keyring.lookup_hash("message", body.hex())


def _remember(file: CaseFile, message_id: str, body_hash: bytes, reply: Reply, at: datetime) -> None:
    """Keep the first answer to a message, which a repeat of it gets again."""
    seen = {
        "message_id": message_id,
        "body_hash": body_hash,
        "status": reply.progress.kept,
        "answer": reply.body,
        "at": at,
    }
    file.add_row("messages_seen", seen)


async def _refuse(
    context: Context, actor: Actor, code: str, answer: AuthorityAnswer, about: tuple[str | None, str] | None
) -> None:
    """Write down that an answer was refused, and keep it where it is said how it came."""
    at = context.clock()
    async with context.database.begin() as connection:
        kept = None
        if about is not None:
            kept = await lost.keep(context, connection, answer, at, message_id=about[0], source=about[1])
        detail = {"answered": answer.outcome.value, "kept": str(kept) if kept else None}
        await refused_messages.write(connection, actor, at, code, detail, kind=IncidentKind.AUTHORITY_ANSWER)


def _detail(answer: AuthorityAnswer, answer_id: UUID, source: str) -> dict[str, Any]:
    return {
        "destination": answer.destination.value,
        "outcome": answer.outcome.value,
        "outcome_id": answer.outcome_id,
        "answer_id": str(answer_id),
        "occurred_at": answer.occurred_at.isoformat(),
        "source": source,
    }
