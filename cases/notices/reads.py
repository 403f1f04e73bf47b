"""Reading the notices of a case: who was told what, by which channel, and how far each delivery got."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import select, tuple_

from cases.notices.views import NoticeDeliveryView, NoticeView, delivery_view, destination_of
from cases.shared.accesses import record_access
from cases.shared.context import Context
from cases.shared.pages import Position, cut
from domain.actors import Actor
from domain.clock import to_the_second
from domain.errors import Refused
from domain.languages import Language
from domain.notices import DeliveryStatus, Recipient
from store.rows.notices import DeliveryRow
from store.tables import cases, deliveries, notices


class _Told(NamedTuple):
    """A notice as far as staff is shown it with its case."""

    notice_id: UUID
    destination: str
    kind: str
    recipient: str
    language: str
    status: str
    at: datetime


_COLUMNS: Final = tuple(notices.c[name] for name in _Told._fields)


async def list_notices(
    context: Context, actor: Actor, reference: str, *, after: Position | None = None, limit: int = 50
) -> tuple[list[NoticeView], Position | None]:
    """Return a page of a case's notices by time, each with its deliveries and without its text.

    Raises:
        Refused: `not_found` when the caller's tenant has no case of this reference.
    """
    n = notices.c
    query = select(*_COLUMNS).where(n.reference == reference).order_by(n.at, n.notice_id).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(n.at, n.notice_id) > tuple_(after[0], UUID(after[1])))
    async with context.database.begin(actor.tenant) as connection:
        known = select(cases.c.employer_id).where(cases.c.reference == reference)
        employer_id = (await connection.execute(known)).scalar_one_or_none()
        if employer_id is None:
            raise Refused("not_found", "There is no case of this reference.")
        await record_access(connection, actor, "notices", [(reference, employer_id)], context.clock())
        rows = [_Told(*row) for row in await connection.execute(query)]
        page, position = cut(rows, limit, lambda row: (row.at, str(row.notice_id)))
        d = deliveries.c
        sent = select(deliveries).where(d.notice_id.in_([row.notice_id for row in page])).order_by(d.delivery_id)
        by_notice: dict[UUID, list[NoticeDeliveryView]] = {row.notice_id: [] for row in page}
        for found in await connection.execute(sent):
            delivery = DeliveryRow.from_row(found)
            by_notice[delivery.notice_id].append(delivery_view(delivery))
    items = [_notice_view(row, by_notice[row.notice_id]) for row in page]
    return items, position


def _notice_view(row: _Told, sent: list[NoticeDeliveryView]) -> NoticeView:
    return NoticeView(
        id=str(row.notice_id),
        kind=row.kind,
        recipient=Recipient(row.recipient),
        destination=destination_of(row.destination),
        language=Language(row.language),
        status=DeliveryStatus(row.status),
        at=to_the_second(row.at),
        deliveries=sent,
    )
