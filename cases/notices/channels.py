"""The health of each channel: what waits, what went out and what failed, read from indexes over what is recent."""

from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from cases.notices.views import ChannelHealth, ChannelView
from cases.shared.context import Context
from domain.actors import Actor
from domain.notices import Channel

# The inbox is read where it lies, so that nothing waits there.
CHANNELS: Final = (Channel.MAIL, Channel.SMS, Channel.WEBHOOK)
RECENT: Final = timedelta(hours=1)

_HEALTH: Final = text(
    """
    SELECT c.channel, q.queued, q.due, q.oldest,
        (SELECT count(*) FROM deliveries d WHERE d.channel = c.channel AND d.sent_at > :since) AS sent,
        f.failed, f.last_reason AS failed_reason,
        (SELECT d.reason FROM deliveries d WHERE d.channel = c.channel AND d.status = 'queued' AND d.reason IS NOT NULL
         ORDER BY d.next_attempt DESC LIMIT 1) AS waiting_reason
    FROM unnest(:channels) WITH ORDINALITY AS c(channel, place)
    CROSS JOIN LATERAL (
        SELECT count(*) AS queued, count(*) FILTER (WHERE d.next_attempt <= :at) AS due,
            min(d.give_up_at) FILTER (WHERE d.next_attempt <= :at) AS oldest
        FROM deliveries d WHERE d.channel = c.channel AND d.status = 'queued'
    ) q
    CROSS JOIN LATERAL (
        SELECT count(*) AS failed, (array_agg(d.reason ORDER BY d.settled_at DESC))[1] AS last_reason
        FROM deliveries d WHERE d.channel = c.channel AND d.status = 'failed' AND d.settled_at > :since
    ) f
    ORDER BY c.place
    """
).bindparams(bindparam("channels", type_=ARRAY(Text)))


async def health(context: Context, actor: Actor) -> ChannelHealth:
    """Return for each channel what is queued, since when the oldest due one waits, and how the last hour went.

    `last_error` is the code of what now waits for another attempt, else of what last failed for good.
    """
    at = context.clock()
    given = {"channels": [channel.value for channel in CHANNELS], "at": at, "since": at - RECENT}
    async with context.database.begin(actor.tenant) as connection:
        rows = (await connection.execute(_HEALTH, given)).all()
    items = []
    for row in rows:
        # A delivery gives up so long after it was due for the first time.
        oldest = row.oldest - context.limits.notice_retry if row.oldest else None
        items.append(
            ChannelView(
                channel=row.channel,
                queued=row.queued,
                due=row.due,
                oldest_due_since=oldest,
                oldest_due_seconds=max(0, int((at - oldest).total_seconds())) if oldest else None,
                sent_last_hour=row.sent,
                failed_last_hour=row.failed,
                last_error=row.waiting_reason or row.failed_reason,
            )
        )
    return ChannelHealth(at=at, channels=items)
