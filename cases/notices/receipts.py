"""Receipts of the mail and SMS gateways: kept, and moving a status forward only."""

import re
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.notices.results import receipt_result, settle
from cases.shared.context import Context
from cases.shared.idempotency import Progress, Reply
from domain.actors import system
from domain.notices import Channel
from domain.webhooks import ReceiptRequest
from store import settling_rows
from store.tables import deliveries, messages_seen

# A Message-ID as mail goes out with it, or the delivery id alone.
_DELIVERY_ID: Final = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(@.*)?")
_GATEWAYS: Final = (Channel.MAIL.value, Channel.SMS.value)


async def receive(context: Context, message_id: str, receipt: ReceiptRequest) -> Reply:
    """Take in one receipt; a message id seen before with equal content gets the first answer again and writes nothing.

    Other content under such an id counts as a message of its own. A receipt that comes twice, or `delivered` after a
    failure, is kept and changes nothing; a failure counts whenever it comes. One that is ahead of the gateway's own
    answer is `held` until the delivery that it is for is known.
    """
    about, hashed = receipt.id.strip("<>"), context.keyring.lookup_hash("message", receipt.model_dump_json())
    async with context.database.begin() as connection:
        m, own_id = messages_seen.c, f"{message_id}/{hashed.hex()[:16]}"
        names = [f"receipt/{message_id}", f"receipt/{own_id}"]
        seen = select(m.status, m.answer, m.body_hash).where(m.message_id.in_(names))
        known = (await connection.execute(seen)).all()
        if (same := next((each for each in known if each.body_hash == hashed), None)) is not None:
            return Reply(Progress.of_kept(same.status), same.answer)
        if known:
            message_id = own_id
        await settling_rows.lock_messages(connection, [about])
        ids = await _deliveries(connection, about)
        if not ids:
            return await _keep(context, connection, message_id, hashed, receipt, (None,))
    # Settled before it counts as seen: a crash in between lets the same receipt do its work when it comes again.
    await settle(context, [receipt_result(ids, receipt.status)], context.clock(), system("receipt"))
    async with context.database.begin() as connection:
        return await _keep(context, connection, message_id, hashed, receipt, ids)


async def _keep(
    context: Context,
    connection: AsyncConnection,
    message_id: str,
    hashed: bytes,
    receipt: ReceiptRequest,
    ids: tuple[UUID, ...] | tuple[None],
) -> Reply:
    """Keep a receipt and the answer to its message."""
    reply = Reply(Progress.APPLIED, {"status": "held" if ids == (None,) else "recorded"})
    kept = {"about": receipt.id.strip("<>"), "status": receipt.status.value, "at": receipt.at}
    rows = [{"message_id": f"{message_id}/{number}", "delivery_id": each, **kept} for number, each in enumerate(ids)]
    await settling_rows.keep_receipts(connection, rows)
    row = {
        "message_id": f"receipt/{message_id}",
        "body_hash": hashed,
        "status": reply.progress.kept,
        "answer": reply.body,
        "at": context.clock(),
    }
    await connection.execute(insert(messages_seen).values(row).on_conflict_do_nothing())
    return reply


async def _deliveries(connection: AsyncConnection, about: str) -> tuple[UUID, ...]:
    """Return the deliveries of a message: by the gateway's id, which those of one message share, or by our own."""
    d = deliveries.c
    by_gateway = select(d.delivery_id).where(d.provider_id == about, d.channel.in_(_GATEWAYS)).order_by(d.delivery_id)
    found = tuple((await connection.execute(by_gateway)).scalars())
    own = _DELIVERY_ID.fullmatch(about.lower())
    if found or own is None:
        return found
    carried = or_(d.delivery_id == UUID(own[1]), d.carried_by == UUID(own[1]))
    by_id = select(d.delivery_id).where(carried, d.channel.in_(_GATEWAYS)).order_by(d.delivery_id)
    return tuple((await connection.execute(by_id)).scalars())
