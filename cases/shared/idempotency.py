"""Idempotent writes: one row for each key of a caller, written with the act, and its first answer again after that."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Update, insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from cases.shared.json_text import json_text
from domain.actors import Actor
from domain.errors import Refused, need
from store.case_rows import Beside, Subquery
from store.encryption import DataKey, WrappedKey, unwrap
from store.tables import idempotency

# Lock and row in one statement: should the first request end between the two, the insert of the second one is refused
# by the primary key, which answers the same.
_KNOWN: Final = """
    SELECT jsonb_build_object(
        'is_free', one.is_free, 'body_hash', encode(i.body_hash, 'hex'), 'reference', i.reference,
        'command_id', i.command_id, 'status', i.status, 'answer', encode(i.answer, 'hex'),
        'key_id', i.key_id, 'kek_id', k.kek_id, 'wrapped', encode(k.wrapped, 'hex'))
    FROM (SELECT pg_try_advisory_xact_lock(hashtextextended(concat_ws(' ',
        CAST(:idempotency_tenant AS text), CAST(:idempotency_subject AS text), CAST(:idempotency_route AS text),
        CAST(:idempotency_key AS text)), 0)) AS is_free) one
    LEFT JOIN idempotency i ON i.employer_id = CAST(:idempotency_tenant AS text)
        AND i.subject = CAST(:idempotency_subject AS text) AND i.route = CAST(:idempotency_route AS text)
        AND i.key = CAST(:idempotency_key AS text)
    LEFT JOIN data_keys k ON k.key_id = i.key_id
"""
_FIND: Final = text(f"SELECT ({_KNOWN}) AS known")


class KeptKey(NamedTuple):
    """What is kept of a key: the column of its row in hex; empty but for `is_free` where there is no row."""

    is_free: bool
    body_hash: str | None
    reference: str | None
    command_id: str | None
    status: int | None
    answer: str | None
    key_id: str | None
    kek_id: str | None
    wrapped: str | None


# What is known of an Idempotency-Key; reading it locks the key.
KEPT_KEY: Final = Subquery("known", _KNOWN, lambda found: KeptKey(**found))


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What names one write of a caller: the route, the key it sent and its body."""

    route: str
    key: str
    body: bytes

    def body_hash(self, context: Context) -> bytes:
        """Return the keyed hash of the body, so that no personal data can be guessed from the row."""
        return context.keyring.lookup_hash("body", hashlib.sha256(self.body).hexdigest())


class Progress(StrEnum):
    """How far what was asked has come."""

    APPLIED = "applied"
    MADE = "made"  # something that was not there before
    STORED = "stored"  # and is not applied yet: a workflow does so, or a second person signs
    PENDING = "pending"  # stored while the engine is away that would have applied it at once
    NOTHING = "nothing"  # there was nothing to do

    @property
    def kept(self) -> int:
        """The number by which it is kept with a key, which outlives this code."""
        return _KEPT[self]

    @classmethod
    def of_kept(cls, number: int) -> "Progress":
        """Return what a number that is kept stands for."""
        return _OF_KEPT[number]


_KEPT: Final = {Progress.APPLIED: 200, Progress.MADE: 201, Progress.STORED: 202, Progress.NOTHING: 204}
_OF_KEPT: Final = {number: progress for progress, number in _KEPT.items()}


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of what was asked, and what is shown of it: a view, or the members of one as its key has kept them.

    `because` says, as a code, why it is pending.
    """

    progress: Progress
    body: Any = None
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A key seen before: its first answer, or the command whose outcome is still to be answered."""

    reply: Reply | None
    reference: str | None
    command_id: UUID | None


@dataclass(frozen=True, slots=True)
class Done:
    """What an act came to: its answer, the key that seals it for a repeat, and the case and command it is about.

    Without a key nothing is kept, and a repeat acts anew. `last` is done after the answer is kept, as what nothing in
    the transaction may follow. `is_repeated` says that the act was done before.
    """

    reply: Reply
    key: DataKey | None = None
    reference: str | None = None
    command_id: UUID | None = None
    last: Callable[[], Awaitable[object]] | None = None
    is_repeated: bool = False


async def once(
    context: Context,
    actor: Actor,
    request: Idempotency,
    act: Callable[[AsyncConnection], Awaitable[Done]],
    *,
    tenant: str | None = None,
    case: str | None = None,
) -> Done:
    """Act in one transaction and keep the answer in it; for a key that was seen before return what it came to first.

    Args:
        context: the collaborators.
        actor: who asks.
        request: by which the write is known again.
        act: does it and says what it came to; not called for a key that was seen before.
        tenant: whose rows the transaction sees; the actor's where none is named.
        case: the reference of a case whose row it locks before it reads anything.

    Raises:
        Refused: as `read_known`, and as the act.
    """
    async with context.database.begin(actor.tenant if tenant is None else tenant, case=case) as connection:
        return await once_in(context, connection, actor, request, act)


async def once_in(
    context: Context,
    connection: AsyncConnection,
    actor: Actor,
    request: Idempotency,
    act: Callable[[AsyncConnection], Awaitable[Done]],
) -> Done:
    """Do the same in a transaction that is open; the key stays locked until it ends."""
    known = await _find(context, connection, actor, request)
    if known is not None and known.reply is not None:
        return Done(known.reply, reference=known.reference, command_id=known.command_id, is_repeated=True)
    done = await act(connection)
    if done.key is not None:
        row = key_row(
            context,
            actor,
            request,
            reference=done.reference,
            command_id=done.command_id,
            reply=done.reply,
            key=done.key,
        )
        await connection.execute(insert(idempotency).values(**row))
    if done.last is not None:
        await done.last()
    return done


async def _find(context: Context, connection: AsyncConnection, actor: Actor, request: Idempotency) -> Known | None:
    beside = asked_before(actor, request)
    found = (await connection.execute(_FIND, dict(beside.values))).scalar_one()
    return read_known(context, request, KEPT_KEY.read(found))


def asked_before(actor: Actor, request: Idempotency) -> Beside:
    """Return what `KEPT_KEY` asks, so that it is read with a case."""
    values = {
        "idempotency_tenant": actor.organisation,
        "idempotency_subject": f"{actor.issuer} {actor.subject}",
        "idempotency_route": request.route,
        "idempotency_key": request.key,
    }
    return Beside((KEPT_KEY,), values)


def read_known(context: Context, request: Idempotency, found: KeptKey) -> Known | None:
    """Return what came of a key, or None for a new one.

    Raises:
        Refused: `in_progress` while another request holds the key; `idempotency_key_reused` for another body;
            `facts_erased` for one whose answer was erased with its case.
    """
    if not found.is_free:
        raise Refused("in_progress", "The same request is still running; ask again in a moment.")
    if found.body_hash is None:
        return None
    if not found.body_hash:
        raise Refused("facts_erased", "The personal data of this case was erased, with the first answer.")
    if bytes.fromhex(found.body_hash) != request.body_hash(context):
        raise Refused("idempotency_key_reused", "This Idempotency-Key was used with another body; send a new key.")
    command_id = UUID(found.command_id) if found.command_id else None
    if found.answer is None:
        return Known(None, found.reference, command_id)
    wrapped = WrappedKey.of_hex(need(found.key_id, "key_id"), need(found.kek_id, "kek_id"), found.wrapped)
    key = unwrap(context.keyring, wrapped)
    content = json.loads(key.open("idempotency", "answer", request.key, bytes.fromhex(found.answer)))
    return Known(Reply(Progress.of_kept(need(found.status, "status")), content["body"]), found.reference, command_id)


def key_row(
    context: Context,
    actor: Actor,
    request: Idempotency,
    *,
    reference: str | None = None,
    command_id: UUID | None = None,
    reply: Reply | None = None,
    key: DataKey | None = None,
) -> dict[str, Any]:
    """Return the row of a new key."""
    answered = _sealed(request, reply, key) if reply is not None and key is not None else {}
    return {
        "employer_id": actor.organisation,
        "subject": f"{actor.issuer} {actor.subject}",
        "route": request.route,
        "key": request.key,
        "body_hash": request.body_hash(context),
        "reference": reference,
        "command_id": command_id,
        "at": context.clock(),
        **answered,
    }


async def keep_reply(
    connection: AsyncConnection,
    actor: Actor,
    request: Idempotency,
    reply: Reply,
    key: DataKey,
    *,
    beside: Update | None = None,
) -> None:
    """Keep the answer of a key whose act was stored before its outcome was known, the first one for good.

    `beside` is written in the same statement.
    """
    kept = (
        update(idempotency)
        .where(*_mine(actor, request), idempotency.c.answer.is_(None))
        .values(**_sealed(request, reply, key))
    )
    await connection.execute(kept if beside is None else kept.add_cte(beside.cte("beside")))


def _mine(actor: Actor, request: Idempotency) -> tuple[Any, ...]:
    return (
        idempotency.c.employer_id == actor.organisation,
        idempotency.c.subject == f"{actor.issuer} {actor.subject}",
        idempotency.c.route == request.route,
        idempotency.c.key == request.key,
    )


def _sealed(request: Idempotency, reply: Reply, key: DataKey) -> dict[str, Any]:
    content = json_text({"body": reply.body, "headers": {}})  # read so by versions before
    return {
        "status": reply.progress.kept,
        "answer": key.seal("idempotency", "answer", request.key, content),
        "key_id": key.key_id,
    }
