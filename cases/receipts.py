"""Receipts of the mail and SMS gateways: kept, and moving a status forward only."""

import re
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.context import Context
from cases.delivery_results import Leased, Outcome, Result, settle
from cases.idempotency import Reply
from domain.actors import system
from domain.errors import Refused
from domain.notices import Channel
from domain.webhooks import ReceiptRequest, ReceiptStatus
from store.tables import deliveries, messages_seen, receipts

# A Message-ID as mail goes out with it, in angle brackets or without, or the delivery id alone.
_DELIVERY_ID: Final = re.compile(r"<?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(@[^>]*>?)?")
_GATEWAYS: Final = (Channel.MAIL.value, Channel.SMS.value)


async def receive(context: Context, message_id: str, receipt: ReceiptRequest) -> Reply:
    """Take in one receipt; a message id seen before gets the first answer again and writes nothing.

    A receipt that comes late, twice or out of order is kept and changes nothing. One whose message is not known is not
    kept: it may be ahead of the gateway's own answer, and comes again.

    Raises:
        Refused: `not_found` when no delivery has this id.
    """
    seen_as, at = f"receipt/{message_id}", context.clock()
    async with context.database.begin() as connection:
        seen = select(messages_seen.c.status, messages_seen.c.answer).where(messages_seen.c.message_id == seen_as)
        if (known := (await connection.execute(seen)).one_or_none()) is not None:
            return Reply(known.status, known.answer)
        ids = await _deliveries(connection, receipt.id)
    if not ids:
        raise Refused("not_found", "No message has this id.")
    failed = receipt.status is ReceiptStatus.FAILED
    result = Result(
        Leased(tuple(ids), None),
        Outcome.FAILED if failed else Outcome.DELIVERED,
        reason="receipt_failed" if failed else None,
        is_receipt=True,
    )
    # Settled before it counts as seen: a crash in between lets the same receipt do its work when it comes again.
    await settle(context, [result], at, system("receipt"))
    reply = Reply(200, {"status": "recorded"})
    kept = {"status": receipt.status.value, "at": receipt.at}
    rows = [{"message_id": f"{message_id}/{n}", "delivery_id": each, **kept} for n, each in enumerate(ids)]
    body_hash = context.keyring.lookup_hash("message", receipt.model_dump_json())
    row = {"message_id": seen_as, "body_hash": body_hash, "status": reply.status, "answer": reply.body, "at": at}
    async with context.database.begin() as connection:
        await connection.execute(insert(receipts).values(rows).on_conflict_do_nothing())
        await connection.execute(insert(messages_seen).values(row).on_conflict_do_nothing())
    return reply


async def _deliveries(connection: AsyncConnection, given: str) -> list[UUID]:
    """Return the deliveries of a message: by the gateway's id, which a mail of many notices shares, or by our own."""
    d = deliveries.c
    by_gateway = (
        select(d.delivery_id)
        .where(d.provider_id == given.strip("<>"), d.channel.in_(_GATEWAYS))
        .order_by(d.delivery_id)
    )
    found = list((await connection.execute(by_gateway)).scalars())
    own = _DELIVERY_ID.fullmatch(given.lower())
    if found or own is None:
        return found
    by_id = select(d.delivery_id).where(d.delivery_id == UUID(own[1]), d.channel.in_(_GATEWAYS))
    return list((await connection.execute(by_id)).scalars())
