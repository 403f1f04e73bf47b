"""The notices of one reader across all cases, with their texts: what an employer was told, letters whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, exists, or_, select, tuple_
from sqlalchemy.sql import ColumnElement

from cases.notices.letters import BlockedError, open_texts
from cases.notices.marks import read_at, unread_by
from cases.notices.views import ReadNoticeView, destination_of
from cases.shared.context import Context
from cases.shared.pages import Position, cut
from domain.actors import Actor
from domain.clock import to_the_second
from domain.errors import Defect, KeyUnknown
from domain.languages import Language
from domain.notices import Channel, DeliveryStatus, NoticeKind, Recipient
from domain.words import Words
from store.delivery_rows import SealedNotice, sealed_notice
from store.tables import cases, data_keys, notices

_APPROVED = NoticeKind.REGISTRATION_APPROVED.value
_ABOUT_AN_EMPLOYER = "employer/"


@dataclass(frozen=True, slots=True)
class _Told:
    """A notice to an employer, its texts sealed."""

    notice: SealedNotice
    kind: str
    reference: str
    destination: str
    language: str
    status: str
    at: datetime


async def list_own(
    context: Context,
    actor: Actor,
    *,
    kind: str | None = None,
    reference: str | None = None,
    unread: bool = False,
    after: Position | None = None,
    limit: int = 50,
) -> tuple[list[ReadNoticeView], Position | None]:
    """Return a page of an employer's notices with their texts, the newest first, and the position of the next page.

    An approval that can still be recalled is not among them, nor is what was never sent.
    """
    n, r = notices.c, cases.c
    query = (
        select(
            *(n[name] for name in ("notice_id", "reference", "destination", "kind", "recipient", "language")),
            *(n[name] for name in ("status", "at", "body")),
            r.end_reason,
            *(data_keys.c[name].label(f"notice_{name}") for name in ("key_id", "kek_id", "wrapped")),
        )
        .select_from(notices)
        .join(data_keys, data_keys.c.key_id == n.key_id)
        .join(cases, r.reference == n.reference, isouter=True)
        .where(told_to(context.words, actor))
        .order_by(n.at.desc(), n.notice_id.desc())
        .limit(limit + 1)
    )
    if kind is not None:
        query = query.where(n.kind == kind)
    if reference is not None:
        query = query.where(n.reference == reference)
    if unread:
        query = query.where(unread_by(actor))
    if after is not None:
        query = query.where(tuple_(n.at, n.notice_id) < tuple_(after[0], UUID(after[1])))
    async with context.database.begin(actor.tenant) as connection:
        rows = [_read(row) for row in await connection.execute(query)]
        page, position = cut(rows, limit, lambda row: (row.at, str(row.notice.notice_id)))
        read = await read_at(connection, actor, [row.notice.notice_id for row in page])
    items = [_view(row, _mail(context, row.notice), read.get(row.notice.notice_id)) for row in page]
    return items, position


def _read(row: Row[*tuple[Any, ...]]) -> _Told:
    return _Told(
        notice=sealed_notice(row),
        kind=row.kind,
        reference=row.reference,
        destination=row.destination,
        language=row.language,
        status=row.status,
        at=row.at,
    )


def told_to(words: Words, actor: Actor) -> ColumnElement[bool]:
    """Return the condition of what an employer was told: not what was never sent, nor what can still be recalled."""
    n, r = notices.c, cases.alias("of_notice").c
    waits = exists().where(
        r.reference == n.reference,
        r.stage == "approved",
        r.settled.is_(False),
        or_(n.kind == _APPROVED, n.occasion.startswith(f"{_APPROVED}/", autoescape=True)),
    )
    is_own = and_(n.employer_id == actor.employer_id, n.recipient == Recipient.EMPLOYER.value)
    is_known = n.kind.in_([str(each) for each in words.notices])
    return and_(is_own, is_known, n.status != DeliveryStatus.SUPPRESSED.value, ~waits)


def _mail(context: Context, notice: SealedNotice) -> Mapping[str, Any]:
    """Return subject and text of a notice's mail; nothing after an erasure, or where its key cannot be opened."""
    try:
        texts = open_texts(context, notice)
    except (BlockedError, Defect, KeyUnknown):
        return {}
    return texts.get(Channel.MAIL.value) or {}


def _view(row: _Told, mail: Mapping[str, Any], read: datetime | None) -> ReadNoticeView:
    return ReadNoticeView(
        id=str(row.notice.notice_id),
        kind=row.kind,
        reference=None if row.reference.startswith(_ABOUT_AN_EMPLOYER) else row.reference,
        destination=destination_of(row.destination),
        recipient=Recipient(row.notice.recipient),
        language=Language(row.language),
        status=DeliveryStatus(row.status),
        at=to_the_second(row.at),
        subject=mail.get("subject"),
        text=mail.get("text"),
        read_at=to_the_second(read),
    )
