"""Reading the notices of a case: who was told what, by which channel, and how far each delivery got."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, tuple_

from cases.case.view import moment
from cases.shared.accesses import record_access
from cases.shared.context import Context
from domain.actors import Actor
from domain.errors import Refused
from store.case_rows import Row
from store.tables import deliveries, notices, registrations

Position = tuple[datetime, str]
_COLUMNS: Final = (
    *(notices.c[name] for name in ("notice_id", "destination", "kind", "recipient", "language", "status", "at")),
)


async def list_notices(
    context: Context, actor: Actor, reference: str, *, after: Position | None = None, limit: int = 50
) -> tuple[list[dict[str, Any]], Position | None]:
    """Return a page of a case's notices by time, each with its deliveries and without its text.

    Raises:
        Refused: `not_found` when the caller's tenant has no case of this reference.
    """
    n = notices.c
    query = select(*_COLUMNS).where(n.reference == reference).order_by(n.at, n.notice_id).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(n.at, n.notice_id) > tuple_(after[0], UUID(after[1])))
    async with context.database.begin(actor.tenant) as connection:
        known = select(registrations.c.employer_id).where(registrations.c.reference == reference)
        employer_id = (await connection.execute(known)).scalar_one_or_none()
        if employer_id is None:
            raise Refused("not_found", "There is no case of this reference.")
        await record_access(connection, actor, "notices", [(reference, employer_id)], context.clock())
        rows = [dict(row) for row in (await connection.execute(query)).mappings()]
        page = rows[:limit]
        d = deliveries.c
        sent = select(deliveries).where(d.notice_id.in_([row["notice_id"] for row in page])).order_by(d.delivery_id)
        by_notice: dict[UUID, list[dict[str, Any]]] = {row["notice_id"]: [] for row in page}
        for delivery in (await connection.execute(sent)).mappings():
            by_notice[delivery["notice_id"]].append(delivery_view(dict(delivery)))
    items = [_notice_view(row, by_notice[row["notice_id"]]) for row in page]
    return items, (page[-1]["at"], str(page[-1]["notice_id"])) if len(rows) > limit else None


def _notice_view(row: Row, sent: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": str(row["notice_id"]),
        "kind": row["kind"],
        "recipient": row["recipient"],
        "destination": row["destination"] or None,
        "language": row["language"],
        "status": row["status"],
        "at": moment(row["at"]),
        "deliveries": sent,
    }


def delivery_view(row: Row) -> dict[str, Any]:
    """Return one delivery of a notice as staff sees it."""
    return {
        "id": str(row["delivery_id"]),
        "message_id": str(row["carried_by"] or row["delivery_id"]),
        "channel": row["channel"],
        "status": row["status"],
        "attempts": row["attempts"],
        "reason": row["reason"],
        "next_attempt": moment(row["next_attempt"]),
        "sent_at": moment(row["sent_at"]),
        "settled_at": moment(row["settled_at"]),
    }
