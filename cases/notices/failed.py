"""Deliveries that failed, for whoever has to reach the reader in another way."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, tuple_

from cases.notices.reads import delivery_view
from cases.shared.accesses import record_access
from cases.shared.context import Context
from domain.actors import Actor
from domain.notices import Channel, DeliveryStatus, NoticeKind, Recipient
from store.tables import deliveries, notices

Position = tuple[datetime, str]
_FAILED: Final = DeliveryStatus.FAILED.value


async def list_failed(
    context: Context,
    actor: Actor,
    *,
    channel: Channel | None = None,
    kind: NoticeKind | None = None,
    recipient: Recipient | None = None,
    employer_id: str | None = None,
    unreached: bool = False,
    after: Position | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], Position | None]:
    """Return a page of failed deliveries with their notices, the newest first.

    `unreached` leaves out those whose reader was reached by another channel, or may still be.
    """
    d, n = deliveries.c, notices.c
    columns = (n.kind, n.reference, n.destination, n.recipient, n.language, n.at, n.status.label("notice_status"))
    query = select(deliveries, *columns).join(notices, n.notice_id == d.notice_id).where(d.status == _FAILED)
    for column, value in ((n.kind, kind), (n.recipient, recipient), (d.employer_id, employer_id)):
        if value is not None:
            query = query.where(column == value)
    if unreached:
        query = query.where(n.status == _FAILED)
    if after is not None:
        query = query.where(tuple_(d.settled_at, d.delivery_id) < tuple_(after[0], UUID(after[1])))
    query = query.order_by(d.settled_at.desc(), d.delivery_id.desc()).limit(limit + 1)
    async with context.database.begin(actor.tenant) as connection:
        found: list[dict[str, Any]] = []
        # The index has each channel by its time, so that channels are walked one by one.
        for each in [channel] if channel is not None else Channel:
            found += map(dict, (await connection.execute(query.where(d.channel == each.value))).mappings())
        rows = sorted(found, key=lambda row: (row["settled_at"], row["delivery_id"]), reverse=True)[: limit + 1]
        page = rows[:limit]
        shown = [(row["reference"], row["employer_id"]) for row in page]
        await record_access(connection, actor, "notices", shown, context.clock())
    items = [_view(row) for row in page]
    return items, (page[-1]["settled_at"], str(page[-1]["delivery_id"])) if len(rows) > limit else None


def _view(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **delivery_view(row),
        "notice_id": str(row["notice_id"]),
        "notice_status": row["notice_status"],
        "kind": row["kind"],
        "reference": row["reference"],
        "destination": row["destination"] or None,
        "recipient": row["recipient"],
        "employer_id": row["employer_id"],
    }
