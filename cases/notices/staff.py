"""The notices that a member of staff finds in the inbox: own ones and those of the queue, in the reader's language."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, and_, exists, func, or_, select, tuple_
from sqlalchemy.sql import ColumnElement

from cases.case.signers import holder_of
from cases.notices.compose import respoken
from cases.notices.letters import BlockedError, open_texts
from cases.notices.marks import read_at, unread_by
from cases.notices.views import ReadNoticeView, destination_of
from cases.programme import programme_at
from cases.shared.accesses import record_access
from cases.shared.context import Context
from cases.shared.pages import Position, cut
from domain.actors import Actor, Role
from domain.acts import Act
from domain.clock import to_the_second
from domain.errors import Defect, KeyUnknown
from domain.languages import Language
from domain.notices import Channel, DeliveryStatus, NoticeKind, Recipient
from domain.words import Words
from store.delivery_rows import SealedNotice
from store.encryption import WrappedKey
from store.rows.notices import NoticeRow
from store.tables import conflicts, data_keys, ledger, notices
from texts.notices import render

Condition = ColumnElement[bool]
_N: Final = notices.c
_OWN: Final = (Recipient.PROPOSER, Recipient.HOLDER)


class _Told(NamedTuple):
    """A notice to staff, with the key under which its texts are sealed."""

    notice: NoticeRow
    key: WrappedKey


async def list_own(
    context: Context,
    actor: Actor,
    language: Language,
    *,
    kind: str | None = None,
    reference: str | None = None,
    unread: bool = False,
    after: Position | None = None,
    limit: int = 50,
) -> tuple[list[ReadNoticeView], Position | None]:
    """Return a page of the notices to a member of staff, the newest first, in their language."""
    filters = [_concerns(context.words, actor)]
    if kind is not None:
        filters.append(_N.kind == kind)
    if reference is not None:
        filters.append(_N.reference == reference)
    if unread:
        filters.append(unread_by(actor))
    if after is not None:
        filters.append(tuple_(_N.at, _N.notice_id) < tuple_(after[0], UUID(after[1])))
    async with context.database.begin(actor.tenant) as connection:
        parts = _told_to(context.words, actor)
        found = [_read(row) for told in parts for row in await connection.execute(_page(told, filters, limit + 1))]
        rows = sorted(found, key=lambda row: (row.notice.at, row.notice.notice_id), reverse=True)[: limit + 1]
        page, position = cut(rows, limit, lambda row: (row.notice.at, str(row.notice.notice_id)))
        read = await read_at(connection, actor, [row.notice.notice_id for row in page])
        shown = [(row.notice.reference, row.notice.employer_id) for row in page]
        await record_access(connection, actor, "notices", shown, context.clock())
    items = [_view(context, row, language, read.get(row.notice.notice_id)) for row in page]
    return items, position


def told_to(words: Words, actor: Actor) -> Condition:
    """Return the condition of the notices to a member of staff."""
    return or_(*_told_to(words, actor)) & _concerns(words, actor)


def _told_to(words: Words, actor: Actor) -> list[Condition]:
    """Return what is told to a member of staff, each part as the index of the inbox has it.

    A supervisor may do all that an officer may, and is told what officers are told unless it is told to both.
    """
    me = holder_of(actor)
    told = [and_(_N.subject == me, _N.recipient == recipient.value) for recipient in _OWN]
    everybody = [Recipient.PARK, Recipient.SUPERVISORS if actor.role is Role.SUPERVISOR else Recipient.OFFICERS]
    told += [and_(_N.subject == "", _N.recipient == recipient.value) for recipient in everybody]
    if actor.role is Role.SUPERVISOR:
        officers = and_(_N.subject == "", _N.recipient == Recipient.OFFICERS.value)
        told.append(and_(officers, _N.kind.in_(_to_officers_alone(words))))
    return told


def _to_officers_alone(words: Words) -> tuple[str, ...]:
    plans = words.notices.items()
    return tuple(
        str(kind)
        for kind, plan in plans
        if Recipient.OFFICERS in plan.recipients and Recipient.SUPERVISORS not in plan.recipients
    )


def _concerns(words: Words, actor: Actor) -> Condition:
    """Return the condition of what concerns a reader: no case that they are barred from, no proposal of their own."""
    c = conflicts.c
    conflicted = exists().where(c.reference == _N.reference, c.subject == holder_of(actor))
    # What asks for a second signature, and the acts that propose what it asks for.
    asking = {
        NoticeKind.SECOND_SIGNATURE_REQUESTED: words.proposals(),
        **{kind: [str(act) for act in plan.asks_after] for kind, plan in words.notices.items() if plan.asks_after},
    }
    own = [and_(_N.kind == str(kind), _proposed_by(actor, acts)) for kind, acts in asking.items()]
    return ~conflicted & ~or_(*own)


def _proposed_by(actor: Actor, acts: Collection[str]) -> Condition:
    """Return the condition that the newest proposal before a notice is a member of staff's own, or signed by them."""
    x, y = ledger.c, ledger.alias("proposal").c

    def before(row: Any, *further: str) -> list[Condition]:
        return [
            row.chain == _N.reference,
            row.act.in_(sorted({*acts, *map(str, further)})),
            row.destination.is_not_distinct_from(func.nullif(_N.destination, "")),
            row.at <= _N.at,
        ]

    newest = select(y.seq).where(*before(y)).order_by(y.seq.desc()).limit(1).correlate(notices).scalar_subquery()
    mine = (x.actor_issuer == actor.issuer, x.actor_subject == actor.subject)
    return exists().where(*before(x, Act.SIGNED), x.seq >= newest, *mine).correlate(notices)


def _page(told: Condition, filters: list[Condition], limit: int) -> Select[Any]:
    k = data_keys.c
    query = select(notices, k.kek_id, k.wrapped).join(data_keys, k.key_id == _N.key_id)
    return query.where(told, *filters).order_by(_N.at.desc(), _N.notice_id.desc()).limit(limit)


def _read(row: Row[Any]) -> _Told:
    return _Told(NoticeRow.from_row(row), WrappedKey(row.key_id, row.kek_id, row.wrapped))


def _view(context: Context, told: _Told, language: Language, read: datetime | None) -> ReadNoticeView:
    row = told.notice
    subject, text, spoken = _texts(context, told, language)
    return ReadNoticeView(
        id=str(row.notice_id),
        kind=row.kind,
        reference=row.reference,
        destination=destination_of(row.destination),
        recipient=Recipient(row.recipient),
        language=spoken,
        status=DeliveryStatus(row.status),
        at=to_the_second(row.at),
        subject=subject,
        text=text,
        read_at=to_the_second(read),
    )


def _texts(context: Context, told: _Told, language: Language) -> tuple[str | None, str | None, Language]:
    """Return subject and text in the reader's language where its facts were kept, else as it was written.

    Nothing after an erasure.
    """
    row = told.notice
    sealed = SealedNotice(notice_id=row.notice_id, recipient=row.recipient, body=row.body, key=told.key)
    try:
        body = open_texts(context, sealed)
    except (BlockedError, Defect, KeyUnknown):
        body = {}
    if "facts" in body:
        kind, recipient = row.kind, Recipient(row.recipient)
        programme = programme_at(context, row.reference)
        facts = respoken(programme.notice_facts.model_validate(body["facts"]), language)
        said = render(kind, recipient, Channel.INBOX, language, facts, programme.texts)
        return said.subject, said.text, language
    kept = body.get(Channel.INBOX.value, {})
    return kept.get("subject"), kept.get("text"), Language(row.language)
