"""Which notices somebody has read: one mark for each reader, at the first time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from cases.case.signers import holder_of
from cases.keys.data import add_data_key
from cases.notices.views import NoticeRead
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from cases.shared.views import document
from domain.actors import Actor
from domain.clock import to_the_second
from domain.errors import Refused
from store.tables import notice_reads, notices

_R: Final = notice_reads.c


def unread_by(actor: Actor) -> ColumnElement[bool]:
    """Return the condition of notices that a reader has not marked as read."""
    return ~exists().where(_R.notice_id == notices.c.notice_id, _R.subject == holder_of(actor))


async def read_at(connection: AsyncConnection, actor: Actor, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Return since when notices count as read, of those that do."""
    query = select(_R.notice_id, _R.read_at).where(_R.notice_id.in_(ids), _R.subject == holder_of(actor))
    return {row.notice_id: row.read_at for row in await connection.execute(query)}


async def mark_read(
    context: Context, actor: Actor, notice_id: UUID, told: ColumnElement[bool], idempotency: Idempotency
) -> Reply:
    """Note that somebody has read a notice that was told to them.

    Raises:
        Refused: `not_found` where no notice of this id was.
    """
    at = context.clock()

    async def write(connection: AsyncConnection) -> Done:
        query = select(notices.c.employer_id).where(notices.c.notice_id == notice_id, told)
        employer_id = (await connection.execute(query)).scalar_one_or_none()
        if employer_id is None:
            raise Refused("not_found", "No notice of this id is to you.")
        row = {"notice_id": notice_id, "subject": holder_of(actor), "employer_id": employer_id, "read_at": at}
        await connection.execute(upsert(notice_reads).values(row).on_conflict_do_nothing())
        since = (await read_at(connection, actor, [notice_id]))[notice_id]
        reply = Reply(Progress.APPLIED, document(NoticeRead(id=str(notice_id), read_at=to_the_second(since))))
        return Done(reply, await add_data_key(context, connection))

    return (await once(context, actor, idempotency, write)).reply
