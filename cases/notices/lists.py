"""The notices of one reader across all cases, with their texts: what an employer was told, letters whole."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, or_, select, tuple_
from sqlalchemy.sql import ColumnElement

from cases.case.view import moment
from cases.notices.letters import BlockedError, open_texts
from cases.notices.marks import read_at, unread_by
from cases.shared.context import Context
from domain.actors import Actor
from domain.errors import Defect, KeyUnknown
from domain.notices import Channel, DeliveryStatus, NoticeKind, Recipient
from store.case_rows import Row
from store.delivery_rows import sealed_notice
from store.tables import data_keys, notices, registrations

Position = tuple[datetime, str]
_APPROVED = NoticeKind.REGISTRATION_APPROVED.value
_ABOUT_AN_EMPLOYER = "employer/"


async def list_own(
    context: Context,
    actor: Actor,
    *,
    kind: NoticeKind | None = None,
    reference: str | None = None,
    unread: bool = False,
    after: Position | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], Position | None]:
    """Return a page of an employer's notices with their texts, the newest first, and the position of the next page.

    An approval that can still be recalled is not among them, nor is what was never sent.
    """
    n, r = notices.c, registrations.c
    query = (
        select(
            *(n[name] for name in ("notice_id", "reference", "destination", "kind", "recipient", "language")),
            *(n[name] for name in ("status", "at", "body")),
            r.end_reason,
            *(data_keys.c[name].label(f"notice_{name}") for name in ("key_id", "kek_id", "wrapped")),
        )
        .select_from(notices)
        .join(data_keys, data_keys.c.key_id == n.key_id)
        .join(registrations, r.reference == n.reference, isouter=True)
        .where(told_to(actor))
        .order_by(n.at.desc(), n.notice_id.desc())
        .limit(limit + 1)
    )
    if kind is not None:
        query = query.where(n.kind == kind.value)
    if reference is not None:
        query = query.where(n.reference == reference)
    if unread:
        query = query.where(unread_by(actor))
    if after is not None:
        query = query.where(tuple_(n.at, n.notice_id) < tuple_(after[0], UUID(after[1])))
    async with context.database.begin(actor.tenant) as connection:
        rows = [dict(row) for row in (await connection.execute(query)).mappings()]
        page = rows[:limit]
        read = await read_at(connection, actor, [row["notice_id"] for row in page])
    items = [_view(row, _mail(context, row)) | {"read_at": moment(read.get(row["notice_id"]))} for row in page]
    return items, (page[-1]["at"], str(page[-1]["notice_id"])) if len(rows) > limit else None


def told_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition of what an employer was told: not what was never sent, nor what can still be recalled."""
    n, r = notices.c, registrations.alias("of_notice").c
    waits = exists().where(
        r.reference == n.reference,
        r.stage == "approved",
        r.settled.is_(False),
        or_(n.kind == _APPROVED, n.occasion.startswith(f"{_APPROVED}/", autoescape=True)),
    )
    is_own = and_(n.employer_id == actor.employer_id, n.recipient == Recipient.EMPLOYER.value)
    is_known = n.kind.in_([each.value for each in NoticeKind])
    return and_(is_own, is_known, n.status != DeliveryStatus.SUPPRESSED.value, ~waits)


def _mail(context: Context, row: Row) -> dict[str, Any]:
    """Return subject and text of a notice's mail; nothing after an erasure, or where its key cannot be opened."""
    try:
        texts = open_texts(context, sealed_notice(row))
    except (BlockedError, Defect, KeyUnknown):
        return {}
    return dict(texts.get(Channel.MAIL.value) or {})


def _view(row: Row, mail: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["notice_id"]),
        "kind": row["kind"],
        "reference": None if row["reference"].startswith(_ABOUT_AN_EMPLOYER) else row["reference"],
        "destination": row["destination"] or None,
        "recipient": row["recipient"],
        "language": row["language"],
        "status": row["status"],
        "at": moment(row["at"]),
        "subject": mail.get("subject"),
        "text": mail.get("text"),
    }
