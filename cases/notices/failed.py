"""Deliveries that failed, for whoever has to reach the reader in another way."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select, tuple_

from cases.notices.views import FailedDelivery, delivery_view, destination_of
from cases.shared.accesses import record_access
from cases.shared.context import Context
from cases.shared.pages import Position, cut
from domain.actors import Actor
from domain.notices import Channel, DeliveryStatus, Recipient
from store.rows.notices import DeliveryRow
from store.tables import deliveries, notices

_FAILED: Final = DeliveryStatus.FAILED.value


@dataclass(frozen=True, slots=True)
class _Failed:
    """A delivery that failed, with what is told of its notice."""

    delivery: DeliveryRow
    settled_at: datetime
    kind: str
    reference: str
    destination: str
    recipient: str
    notice_status: str


async def list_failed(
    context: Context,
    actor: Actor,
    *,
    channel: Channel | None = None,
    kind: str | None = None,
    recipient: Recipient | None = None,
    employer_id: str | None = None,
    unreached: bool = False,
    after: Position | None = None,
    limit: int = 50,
) -> tuple[list[FailedDelivery], Position | None]:
    """Return a page of failed deliveries with their notices, the newest first.

    `unreached` leaves out those whose reader was reached by another channel, or may still be.
    """
    d, n = deliveries.c, notices.c
    columns = (n.kind, n.reference, n.destination, n.recipient, n.status.label("notice_status"))
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
        found: list[_Failed] = []
        # The index has each channel by its time, so that channels are walked one by one.
        for each in [channel] if channel is not None else Channel:
            found += map(_read, await connection.execute(query.where(d.channel == each.value)))
        rows = sorted(found, key=lambda row: (row.settled_at, row.delivery.delivery_id), reverse=True)[: limit + 1]
        page, position = cut(rows, limit, lambda row: (row.settled_at, str(row.delivery.delivery_id)))
        shown = [(row.reference, row.delivery.employer_id) for row in page]
        await record_access(connection, actor, "notices", shown, context.clock())
    items = [_view(row) for row in page]
    return items, position


def _read(row: Row[Any]) -> _Failed:
    return _Failed(
        delivery=DeliveryRow.from_row(row),
        settled_at=row.settled_at,
        kind=row.kind,
        reference=row.reference,
        destination=row.destination,
        recipient=row.recipient,
        notice_status=row.notice_status,
    )


def _view(row: _Failed) -> FailedDelivery:
    return FailedDelivery(
        **asdict(delivery_view(row.delivery)),
        notice_id=str(row.delivery.notice_id),
        notice_status=DeliveryStatus(row.notice_status),
        kind=row.kind,
        reference=row.reference,
        destination=destination_of(row.destination),
        recipient=Recipient(row.recipient),
        employer_id=row.delivery.employer_id,
    )
