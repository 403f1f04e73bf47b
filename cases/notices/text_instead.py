"""The SMS that follows a mail which failed for good, or was not sent in time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.bundles import carry_all
from cases.notices.letters import BlockedError, address_of, open_texts
from cases.shared.context import Context
from domain.clock import CHINA
from domain.errors import Defect
from domain.notices import INBOX_ONLY, Channel, DeliveryStatus, Recipient, fallback_channel
from domain.spellings import NOTICE_ID
from store import delivery_rows, settling_rows
from store.rows.notices import DeliveryRow
from store.settling_rows import SettlingNotice

_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=CHINA)
_SWEPT_AT_ONCE: Final = 200


def carry_as_the_mails(instead: Sequence[tuple[DeliveryRow, DeliveryRow]]) -> None:
    """Let one SMS stand for those in place of mails that one message carried; each comes with its mail."""
    by_message: dict[UUID, list[DeliveryRow]] = {}
    for mail, row in instead:
        by_message.setdefault(mail.message_id, []).append(row)
    for rows in by_message.values():
        carry_all(rows)


def _with_fallback(context: Context) -> frozenset[str]:
    """Return the kinds whose mail to a person an SMS follows."""
    plans = context.words.notices.items()
    return frozenset(str(kind) for kind, plan in plans if plan.recipients.get(Recipient.PERSON, INBOX_ONLY).fallback)


async def fallback(
    context: Context, connection: AsyncConnection, notice: SettlingNotice, at: datetime
) -> tuple[DeliveryRow, DeliveryRow] | None:
    """Return a mail that failed for good with the SMS that follows it, where the person has a phone."""
    mail = next((row for row in notice.deliveries if row.channel == Channel.MAIL), None)
    if mail is None or mail.status != DeliveryStatus.FAILED or notice.kind not in _with_fallback(context):
        return None
    opened = {Channel(row.channel) for row in notice.deliveries}
    if notice.recipient != Recipient.PERSON or Channel.SMS in opened:
        return None
    text = await _text(context, connection, mail.delivery_id, opened, at)
    return None if text is None else (mail, text)


async def _text(
    context: Context, connection: AsyncConnection, mail_id: UUID, opened: set[Channel], at: datetime
) -> DeliveryRow | None:
    """Return the delivery of the SMS in a mail's place, or None where none can reach the person."""
    (letter,) = await delivery_rows.letters(connection, [mail_id])
    try:
        reachable = {Channel.SMS} if open_texts(context, letter.notice).get(Channel.SMS.value) else set()
        address_of(context, letter, Channel.SMS)
    except (BlockedError, Defect):
        return None
    plan = context.words.notices[letter.kind]
    if fallback_channel(plan, Recipient(letter.notice.recipient), reachable, opened) is None:
        return None
    notice_id = letter.notice.notice_id
    return DeliveryRow(
        # The same id however often the mail's end is looked at, so that there is one SMS.
        delivery_id=uuid5(NAMESPACE_URL, f"{NOTICE_ID}{notice_id}/sms"),
        notice_id=notice_id,
        employer_id=letter.employer_id,
        channel=Channel.SMS.value,
        after=mail_id,
        status=DeliveryStatus.QUEUED.value,
        next_attempt=at,
        give_up_at=at + context.limits.notice_retry,
        traceparent=letter.traceparent,
    )


async def text_instead(context: Context, at: datetime) -> int:
    """Open an SMS for every mail to a person that was not sent in time, and return how many.

    Raises:
        Unavailable: when PostgreSQL is away.
    """
    begun = at + context.limits.notice_retry - context.limits.sms_after_mail
    opened, after = 0, (_LONG_AGO, UUID(int=0))
    while True:
        async with context.database.begin() as connection:
            page = await delivery_rows.mail_late(connection, begun, _with_fallback(context), after, _SWEPT_AT_ONCE)
            if not page:
                return opened
            instead: list[tuple[DeliveryRow, DeliveryRow]] = []
            ids = await delivery_rows.with_carried(connection, [each for _, each in page])
            await settling_rows.lock(connection, ids, ())
            for notice in (await settling_rows.read(connection, ids, ())).notices:
                channels = {Channel(row.channel) for row in notice.deliveries}
                mails = [row for row in notice.deliveries if row.channel == Channel.MAIL and row.status == "queued"]
                for mail in mails:
                    text = await _text(context, connection, mail.delivery_id, channels, at)
                    instead += [(mail, text)] if text else []
            carry_as_the_mails(instead)
            await settling_rows.write(connection, added=[text for _, text in instead])
        opened += len(instead)
        if len(page) < _SWEPT_AT_ONCE:
            return opened
        after = page[-1]
