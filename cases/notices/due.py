"""Deliveries that are due: leased fairly by employer and opened for sending; `settle` takes what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cases.case.bundles import TOGETHER, messages_of
from cases.notices.letters import BlockedError, address_of, only_address, open_texts, subscription_of
from cases.notices.results import STEP, by_delivery, count_of, locks_for, settle_in, settle_stranded
from cases.notices.results import Leased as Leased
from cases.notices.results import Outcome as Outcome
from cases.notices.results import Result as Result
from cases.notices.results import settle as settle
from cases.notices.text_instead import text_instead as text_instead
from cases.programme import programme_at
from cases.shared.context import Context
from domain.actors import system
from domain.errors import Defect, KeyUnknown
from domain.languages import Language
from domain.messages import DeliveryCount
from domain.notices import Channel, Recipient
from domain.references import find_reference
from domain.retries import is_quiet
from store import delivery_rows
from store.delivery_rows import Letter
from texts.notices import NoticeFacts, render_digest

LEASE: Final = timedelta(seconds=60)  # longer than the longest time that one message may take to send
MOST_DIGESTS: Final = 5
MOST_NOTICES_IN_DIGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Due:
    """One message to send: where to, what, and the leases that stand behind it.

    Its id is the first delivery's, so that it stays the same however often it is sent. `blocked` says why it cannot
    be sent at all, `dropped` that it is not to be sent any more, `unreadable` that what is kept for it cannot be opened
    now, which an operator may mend.
    """

    leased: Leased
    channel: Channel
    to: str = field(default="", repr=False)
    subject: str = ""
    text: str = field(default="", repr=False)
    html: str | None = field(default=None, repr=False)
    language: Language = Language.ZH_HANS
    keys: tuple[str, ...] = field(default=(), repr=False)
    webhook_id: UUID | None = None
    blocked: str | None = None
    dropped: bool = False
    unreadable: bool = False
    reference: str = ""
    # Where in which traces it was caused, that of the first delivery first.
    traceparents: tuple[str, ...] = ()

    @property
    def message_id(self) -> str:
        """The id under which the message goes out."""
        return str(min(self.leased.delivery_ids))


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of a channel did: the count of the results that it took, and the messages to send next."""

    count: DeliveryCount = field(default_factory=DeliveryCount)
    dues: tuple[Due, ...] = ()


async def lease(
    context: Context, channel: Channel, at: datetime, limit: int, *, length: timedelta = LEASE
) -> list[Due]:
    """Lease up to so many deliveries of a channel and return them opened; none of SMS in the quiet hours.

    A lease that is not settled in time is given again, and the message goes out again under the same id.

    Raises:
        Unavailable: when PostgreSQL is away.
    """
    return list((await take_turn(context, channel, (), at, limit, length=length)).dues)


async def take_turn(
    context: Context,
    channel: Channel,
    results: Sequence[Result],
    at: datetime,
    places: int,
    *,
    length: timedelta = LEASE,
) -> Turn:
    """Settle results as `settle` does and lease as `lease` does, both in one transaction where there are results.

    Raises:
        Unavailable: when PostgreSQL is away; the same results are then given again.
    """
    limits, by_id, actor = context.limits, by_delivery(results), system(STEP)
    if channel is Channel.SMS and is_quiet(at, limits.quiet_from, limits.quiet_until):
        places = 0
    if not by_id:
        return Turn(dues=tuple(await _lease_due(context, channel, at, places, length))) if places else Turn()
    async with context.database.begin(locks=locks_for(by_id), planned_once=True) as connection:
        stranded = await settle_in(context, connection, by_id, at, actor)
        rows: list[Letter] = []
        has_digests = False
        if places:
            rows, has_digests = await delivery_rows.lease(connection, channel.value, at, at + length, places)
    await settle_stranded(context, stranded, by_id, at, actor)
    dues = await _messages(context, rows, at)
    if has_digests:
        dues += await _lease_digests(context, at, length)
    return Turn(count_of(results), tuple(dues))


async def _lease_due(context: Context, channel: Channel, at: datetime, places: int, length: timedelta) -> list[Due]:
    """Lease what is due; a look that finds nothing, which is what most do, costs next to nothing."""
    async with context.database.statement() as connection:
        if not await delivery_rows.is_any_due(connection, channel.value, at):
            return []
    async with context.database.begin(planned_once=True) as connection:
        rows, has_digests = await delivery_rows.lease(connection, channel.value, at, at + length, places)
    dues = await _messages(context, rows, at)
    return dues + (await _lease_digests(context, at, length) if has_digests else [])


async def _lease_digests(context: Context, at: datetime, length: timedelta) -> list[Due]:
    """Lease the mails of employers that take one a day."""
    async with context.database.begin() as connection:
        digests = await delivery_rows.lease_digests(
            connection, at, at + length, digests=MOST_DIGESTS, notices_each=MOST_NOTICES_IN_DIGEST
        )
        ids = [each for digest in digests for each in digest]
        rows = {row.delivery_id: row for row in await delivery_rows.letters(connection, ids)} if ids else {}
    return [due for digest in digests for due in _digest(context, [rows[each] for each in digest])]


async def _messages(context: Context, rows: Sequence[Letter], at: datetime) -> list[Due]:
    """Return deliveries as the messages that they go out with.

    Where one of several cannot go, or not to the same address, each of the others goes by itself: what was written for
    all of them would tell of it. They are parted before anything is sent, so that none waits for one that is gone.
    """
    dues: list[Due] = []
    parted: list[UUID] = []
    for group in messages_of(rows):
        each = [_due(context, row, at) for row in group]
        whole = _together(context, group, each) if len(group) > 1 else None
        if whole is None:
            parted += [row.delivery_id for row in group if row.carried_by or row.message_hash]
        dues += [whole] if whole is not None else each
    if parted:
        async with context.database.begin() as connection:
            await delivery_rows.part(connection, parted)
    return dues


def _together(context: Context, rows: Sequence[Letter], each: Sequence[Due]) -> Due | None:
    """Return the one message of several deliveries, or None where they do not go together any more."""
    head = next((row for row in rows if row.carried_by is None), None)
    if head is None or any(due.dropped or due.blocked is not None for due in each) or len({due.to for due in each}) > 1:
        return None
    first = each[rows.index(head)]
    leased = Leased(tuple(row.delivery_id for row in rows), head.lease_until)
    if first.channel is not Channel.MAIL:
        return replace(first, leased=leased)  # an SMS says the same whatever happened
    text = open_texts(context, head.notice).get(TOGETHER)
    if text is None:
        return None
    return replace(
        first,
        leased=leased,
        traceparents=_traceparents(rows),
        subject=text["subject"],
        text=text["text"],
        html=text["html"],
    )


def _due(context: Context, row: Letter, at: datetime) -> Due:
    """Return one delivery ready to send, or why it is not."""
    leased = Leased((row.delivery_id,), row.lease_until)
    channel = Channel(row.channel)
    try:
        texts = open_texts(context, row.notice)
        text = texts.get(channel.value)
        if text is None:
            raise BlockedError("text_missing")
        url, keys = subscription_of(context, row, at) if channel is Channel.WEBHOOK else ("", ())
        to = url or only_address(texts, at) or address_of(context, row, channel)
        return Due(
            leased=leased,
            channel=channel,
            to=to,
            subject=text["subject"] or "",
            text=text["text"],
            html=text.get("html"),
            language=Language(row.language),
            keys=keys,
            webhook_id=row.webhook_id,
            reference=find_reference(row.reference or "") or "",
            traceparents=_traceparents([row]),
        )
    except (BlockedError, Defect, KeyUnknown) as error:
        return _blocked(leased, channel, error)


def _traceparents(rows: Sequence[Letter]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.traceparent for row in rows if row.traceparent))


def _blocked(leased: Leased, channel: Channel, error: Exception) -> Due:
    """Return a message that cannot be sent, with why; an error without a reason means that its text is missing."""
    return Due(
        leased=leased,
        channel=channel,
        blocked=getattr(error, "reason", "text_missing"),
        dropped=isinstance(error, BlockedError) and error.dropped,
        unreadable=isinstance(error, Defect | KeyUnknown),
    )


def _digest(context: Context, rows: Sequence[Letter]) -> list[Due]:
    """Return one mail for all notices of an employer's morning, in the order of their times."""
    opened: list[tuple[Letter, NoticeFacts, str]] = []
    blocked: list[Due] = []
    for row in sorted(rows, key=lambda row: (row.at, row.delivery_id)):
        try:
            programme = programme_at(context, row.reference or "")
            facts = programme.notice_facts.model_validate(open_texts(context, row.notice)["facts"])
            opened.append((row, facts, programme.texts))
        except (BlockedError, Defect, KeyUnknown, KeyError, ValueError) as error:
            blocked.append(_blocked(Leased((row.delivery_id,), row.lease_until), Channel.MAIL, error))
    if not opened:
        return blocked
    newest = opened[-1][0]
    leased = Leased(tuple(row.delivery_id for row, _, _ in opened), newest.lease_until)
    language = Language(newest.language)
    try:
        to = address_of(context, newest, Channel.MAIL)
        mail = render_digest(Recipient.EMPLOYER, language, [(row.kind, f, room) for row, f, room in opened])
    except (BlockedError, Defect, KeyUnknown) as error:
        return [*blocked, _blocked(leased, Channel.MAIL, error)]
    due = Due(
        leased,
        Channel.MAIL,
        to=to,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        language=language,
        traceparents=_traceparents([row for row, _, _ in reversed(opened)]),
    )
    return [*blocked, due]
