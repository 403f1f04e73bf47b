"""Idempotent writes: one row for each key of a caller, written with the act, and its first answer again after that."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.context import Context
from domain.actors import Actor
from domain.errors import Refused
from store.encryption import DataKey, WrappedKey, unwrap
from store.tables import data_keys, idempotency


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What names one write of a caller: the route, the key it sent and its body."""

    route: str
    key: str
    body: bytes

    def body_hash(self, context: Context) -> bytes:
        """Return the keyed hash of the body, so that no personal data can be guessed from the row."""
        return context.keyring.lookup_hash("body", hashlib.sha256(self.body).hexdigest())


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a caller: status, body and headers."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """A key seen before: its first answer, or the command whose outcome is still to be answered."""

    reply: Reply | None
    reference: str | None
    command_id: UUID | None


async def find_known(context: Context, connection: AsyncConnection, actor: Actor, request: Idempotency) -> Known | None:
    """Return what is known of the key, or None for a new one; the key stays locked until the transaction ends.

    Raises:
        Refused: `in_progress` while another request holds the key; `idempotency_key_reused` for another body.
    """
    name = f"{actor.tenant} {actor.issuer} {actor.subject} {request.route} {request.key}"
    # Lock and row in one statement: should the first request end between the two, the insert of the second one is
    # refused by the primary key, which answers the same.
    one = select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0)).label("is_free")).subquery()
    query = select(one.c.is_free, idempotency, data_keys.c.kek_id, data_keys.c.wrapped).select_from(
        one.outerjoin(idempotency, and_(*_mine(actor, request))).outerjoin(
            data_keys, data_keys.c.key_id == idempotency.c.key_id
        )
    )
    row = (await connection.execute(query)).one()
    if not row.is_free:
        raise Refused("in_progress", "The same request is still running; ask again in a moment.")
    if row.body_hash is None:
        return None
    if row.body_hash != request.body_hash(context):
        raise Refused("idempotency_key_reused", "This Idempotency-Key was used with another body; send a new key.")
    if row.answer is None:
        return Known(None, row.reference, row.command_id)
    key = unwrap(context.keyring, WrappedKey(row.key_id, row.kek_id, row.wrapped))
    content = json.loads(key.open("idempotency", "answer", request.key, row.answer))
    return Known(Reply(row.status, content["body"], content["headers"]), row.reference, row.command_id)


async def remember(
    context: Context,
    connection: AsyncConnection,
    actor: Actor,
    request: Idempotency,
    *,
    reference: str | None = None,
    command_id: UUID | None = None,
    reply: Reply | None = None,
    key: DataKey | None = None,
) -> None:
    """Write the row of a new key in the transaction of its act, with the answer where it is known already."""
    row = key_row(context, actor, request, reference=reference, command_id=command_id, reply=reply, key=key)
    await connection.execute(insert(idempotency).values(**row))


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
        "employer_id": actor.tenant,
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
    connection: AsyncConnection, actor: Actor, request: Idempotency, reply: Reply, key: DataKey
) -> None:
    """Keep the answer of a key whose act was stored before its outcome was known; the first answer stands."""
    await connection.execute(
        update(idempotency)
        .where(*_mine(actor, request), idempotency.c.answer.is_(None))
        .values(**_sealed(request, reply, key))
    )


def _mine(actor: Actor, request: Idempotency) -> tuple[Any, ...]:
    return (
        idempotency.c.employer_id == actor.tenant,
        idempotency.c.subject == f"{actor.issuer} {actor.subject}",
        idempotency.c.route == request.route,
        idempotency.c.key == request.key,
    )


def _sealed(request: Idempotency, reply: Reply, key: DataKey) -> dict[str, Any]:
    content = json.dumps({"body": reply.body, "headers": reply.headers}, ensure_ascii=False, default=str).encode()
    return {
        "status": reply.status,
        "answer": key.seal("idempotency", "answer", request.key, content),
        "key_id": key.key_id,
    }
