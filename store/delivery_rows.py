"""Leasing of deliveries that are due, fairly by employer, and reading and writing what sending them needs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, Uuid

from store.case_rows import Row
from store.tables import deliveries, notices, receipts

_UUIDS: Final = ARRAY(Uuid)
_FREE: Final = "d.status = 'queued' AND d.next_attempt <= :at AND (d.lease_until IS NULL OR d.lease_until <= :at)"

_ANY_DUE: Final = text(f"SELECT EXISTS (SELECT 1 FROM deliveries d WHERE d.channel = :channel AND {_FREE})")

# Each employer that has something due gets an equal share of the places, and with more employers than places those go
# first whose oldest waits longest; what an employer leaves of its share is there for the next round.
# The employers are found one index probe each, so that one with a hundred thousand rows costs no more than others.
_LEASE: Final = text(
    f"""
    WITH RECURSIVE waiting AS (
        (SELECT employer_id FROM deliveries WHERE channel = :channel AND status = 'queued' ORDER BY employer_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.employer_id FROM deliveries d WHERE d.channel = :channel AND d.status = 'queued'
                AND d.employer_id > w.employer_id ORDER BY d.employer_id LIMIT 1)
        FROM waiting w WHERE w.employer_id IS NOT NULL
    ), heads AS MATERIALIZED (
        SELECT w.employer_id FROM waiting w CROSS JOIN LATERAL (SELECT 1 FROM deliveries d
            WHERE d.channel = :channel AND d.employer_id = w.employer_id AND NOT d.digest AND {_FREE} LIMIT 1) one
    ), picked AS MATERIALIZED (
        SELECT l.delivery_id, l.next_attempt,
               row_number() OVER (PARTITION BY h.employer_id ORDER BY l.next_attempt, l.delivery_id) AS turn
        FROM heads h CROSS JOIN LATERAL (
            SELECT d.delivery_id, d.next_attempt FROM deliveries d
            WHERE d.channel = :channel AND d.employer_id = h.employer_id AND NOT d.digest AND {_FREE}
            ORDER BY d.next_attempt
            LIMIT (SELECT (CAST(:places AS bigint) + count(*) - 1) / greatest(count(*), 1) FROM heads)
            FOR UPDATE SKIP LOCKED
        ) l
    )
    UPDATE deliveries SET lease_until = :until WHERE delivery_id IN (
        SELECT delivery_id FROM picked ORDER BY turn, next_attempt, delivery_id LIMIT CAST(:places AS bigint)
    ) RETURNING delivery_id
    """
)

_DIGESTS_DUE: Final = text(
    f"""
    SELECT d.employer_id, d.give_up_at FROM deliveries d WHERE d.channel = 'mail' AND d.digest AND {_FREE}
    GROUP BY d.employer_id, d.give_up_at ORDER BY d.give_up_at, d.employer_id LIMIT :most
    """
)
_LOCK_DIGEST: Final = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
_LEASE_DIGEST: Final = text(
    f"""
    UPDATE deliveries SET lease_until = :until WHERE delivery_id IN (
        SELECT d.delivery_id FROM deliveries d
        WHERE d.channel = 'mail' AND d.employer_id = :employer_id AND d.digest AND d.give_up_at = :give_up_at
        AND {_FREE}
        ORDER BY d.delivery_id LIMIT :most FOR UPDATE SKIP LOCKED
    ) RETURNING delivery_id
    """
)

_LETTERS: Final = text(
    """
    SELECT d.delivery_id, d.notice_id, d.employer_id, d.channel, d.webhook_id, d.digest, d.lease_until, d.give_up_at,
           n.reference, n.kind, n.recipient, n.language, n.body, n.at,
           nk.key_id AS notice_key_id, nk.kek_id AS notice_kek_id, nk.wrapped AS notice_wrapped,
           r.facts_version, r.end_reason, a.body AS application,
           pk.key_id AS person_key_id, pk.kek_id AS person_kek_id, pk.wrapped AS person_wrapped,
           e.contact, ek.key_id AS employer_key_id, ek.kek_id AS employer_kek_id, ek.wrapped AS employer_wrapped,
           w.url, w.secrets, w.state AS webhook_state
    FROM deliveries d
    JOIN notices n ON n.notice_id = d.notice_id
    JOIN data_keys nk ON nk.key_id = n.key_id
    LEFT JOIN registrations r ON n.recipient = 'person' AND r.reference = n.reference
    LEFT JOIN applications a ON a.reference = r.reference AND a.version = r.facts_version
    LEFT JOIN persons p ON p.person_id = r.person_id
    LEFT JOIN data_keys pk ON pk.key_id = p.key_id
    LEFT JOIN employers e ON n.recipient = 'employer' AND e.employer_id = d.employer_id
    LEFT JOIN data_keys ek ON ek.key_id = e.key_id
    LEFT JOIN webhooks w ON w.webhook_id = d.webhook_id
    WHERE d.delivery_id = ANY(:ids)
    ORDER BY d.next_attempt, d.delivery_id
    """
).bindparams(bindparam("ids", type_=_UUIDS))

_LOCK_NOTICES: Final = text(
    """
    SELECT n.notice_id FROM notices n
    WHERE n.notice_id IN (SELECT notice_id FROM deliveries WHERE delivery_id = ANY(:ids))
    ORDER BY n.notice_id FOR UPDATE
    """
).bindparams(bindparam("ids", type_=_UUIDS))
_OF_NOTICES: Final = text(
    """
    SELECT d.*, n.reference, n.destination, n.kind, n.recipient, n.occasion, n.text_hash, n.status AS notice_status
    FROM deliveries d JOIN notices n ON n.notice_id = d.notice_id WHERE d.notice_id = ANY(:notices)
    """
).bindparams(bindparam("notices", type_=_UUIDS))

# Mail to a person that still waits although the time for SMS instead has come, and that no SMS follows yet.
_MAIL_LATE: Final = text(
    """
    SELECT d.delivery_id, d.give_up_at FROM deliveries d JOIN notices n ON n.notice_id = d.notice_id
    WHERE d.channel = 'mail' AND d.status = 'queued' AND d.give_up_at <= :begun_with
      AND (d.give_up_at, d.delivery_id) > (:after_time, :after_id)
      AND n.recipient = 'person' AND n.kind = ANY(:kinds)
      AND NOT EXISTS (SELECT 1 FROM deliveries s WHERE s.notice_id = d.notice_id AND s.channel = 'sms')
    ORDER BY d.give_up_at, d.delivery_id LIMIT :most
    """
).bindparams(bindparam("kinds", type_=ARRAY(Text)), bindparam("after_id", type_=Uuid))

# Whoever looks for a message of the gateway, and whoever learns its id, look one after the other.
_LOCK_MESSAGES: Final = text(
    """
    SELECT pg_advisory_xact_lock(hashtextextended('message/' || id, 0))
    FROM (SELECT id FROM unnest(:ids) AS id ORDER BY id) AS ids
    """
).bindparams(bindparam("ids", type_=ARRAY(Text)))
_EARLY: Final = text(
    "SELECT about, status FROM receipts WHERE delivery_id IS NULL AND about = ANY(:ids) ORDER BY recorded_at DESC"
).bindparams(bindparam("ids", type_=ARRAY(Text)))

_HOLD_UP: Final = text(
    """
    UPDATE deliveries SET next_attempt = least(greatest(next_attempt, :until), give_up_at)
    WHERE channel = 'webhook' AND employer_id = :employer_id AND status = 'queued' AND webhook_id = :webhook_id
    AND lease_until IS NULL
    """
).bindparams(bindparam("webhook_id", type_=Uuid))

_WRITTEN: Final = (
    "status",
    "next_attempt",
    "attempts",
    "lease_until",
    "provider_id",
    "reason",
    "sent_at",
    "settled_at",
)
_UPDATE: Final = (
    update(deliveries)
    .where(deliveries.c.delivery_id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in _WRITTEN})
)
_UPDATE_NOTICE: Final = (
    update(notices).where(notices.c.notice_id == bindparam("b_id")).values(status=bindparam("b_status"))
)


async def lease(connection: AsyncConnection, channel: str, at: datetime, until: datetime, places: int) -> list[UUID]:
    """Lease deliveries of a channel that are due, and return their ids; digests are leased by `lease_digests`."""
    given = {"channel": channel, "at": at}
    if not (await connection.execute(_ANY_DUE, given)).scalar_one():
        return []
    found = await connection.execute(_LEASE, {**given, "until": until, "places": places})
    return list(found.scalars())


async def lease_digests(
    connection: AsyncConnection, at: datetime, until: datetime, *, digests: int, notices_each: int
) -> list[list[UUID]]:
    """Lease the mails of employers that take one a day, each with all the notices of its morning."""
    leased: list[list[UUID]] = []
    for due in (await connection.execute(_DIGESTS_DUE, {"at": at, "most": digests})).all():
        name = f"digest/{due.employer_id}/{due.give_up_at.isoformat()}"
        # Somebody else who is putting together the same mail takes all of it.
        if not (await connection.execute(_LOCK_DIGEST, {"name": name})).scalar_one():
            continue
        given = {"at": at, "until": until, "employer_id": due.employer_id, "give_up_at": due.give_up_at}
        found = await connection.execute(_LEASE_DIGEST, {**given, "most": notices_each})
        leased.append(list(found.scalars()))
    return [each for each in leased if each]


async def letters(connection: AsyncConnection, ids: Collection[UUID]) -> list[Row]:
    """Return deliveries with their notices, sealed, and where the address of each is sealed."""
    return [dict(row) for row in (await connection.execute(_LETTERS, {"ids": list(ids)})).mappings()]


async def lock_notices(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, list[Row]]:
    """Lock the notices of these deliveries and return all the deliveries of each.

    The lock is taken by a statement of its own, so that the rows are those that the previous holder wrote.
    """
    locked = (await connection.execute(_LOCK_NOTICES, {"ids": list(ids)})).scalars().all()
    rows: dict[UUID, list[Row]] = {notice_id: [] for notice_id in locked}
    for row in (await connection.execute(_OF_NOTICES, {"notices": list(locked)})).mappings():
        rows[row["notice_id"]].append(dict(row))
    return rows


async def mail_late(
    connection: AsyncConnection, begun_with: datetime, kinds: Collection[str], after: tuple[datetime, UUID], most: int
) -> list[tuple[datetime, UUID]]:
    """Return the next mails, in order of their time to give up, that an SMS should follow."""
    given = {"begun_with": begun_with, "kinds": list(kinds), "after_time": after[0], "after_id": after[1], "most": most}
    return [(row.give_up_at, row.delivery_id) for row in await connection.execute(_MAIL_LATE, given)]


async def write(connection: AsyncConnection, changed: Sequence[Row], statuses: Mapping[UUID, str]) -> None:
    """Write changed deliveries and the statuses of their notices."""
    if changed:
        values = [{"b_id": row["delivery_id"], **{f"b_{name}": row[name] for name in _WRITTEN}} for row in changed]
        await connection.execute(_UPDATE, values)
    if statuses:
        await connection.execute(
            _UPDATE_NOTICE, [{"b_id": notice_id, "b_status": status} for notice_id, status in statuses.items()]
        )


async def add(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Add deliveries; one that is there already is left as it is."""
    if rows:
        columns: list[dict[str, Any]] = [{k: v for k, v in row.items() if k in deliveries.c} for row in rows]
        await connection.execute(insert(deliveries).values(columns).on_conflict_do_nothing())


async def hold_up(connection: AsyncConnection, employer_id: str, webhook_id: UUID, until: datetime) -> None:
    """Let what waits for one subscription wait until a moment at least, but not beyond its own end."""
    given = {"employer_id": employer_id, "webhook_id": webhook_id, "until": until}
    await connection.execute(_HOLD_UP, given)


async def lock_messages(connection: AsyncConnection, provider_ids: Collection[str]) -> None:
    """Lock the gateway's ids of messages until the transaction ends."""
    await connection.execute(_LOCK_MESSAGES, {"ids": sorted(provider_ids)})


async def early_receipts(connection: AsyncConnection, provider_ids: Collection[str]) -> dict[str, str]:
    """Lock the gateway's ids and return the status of each that a receipt came for before the id was known."""
    if not provider_ids:
        return {}
    await lock_messages(connection, provider_ids)
    rows = await connection.execute(_EARLY, {"ids": sorted(provider_ids)})
    # The first receipt stands, so that it is read last.
    return {row.about: row.status for row in rows}


async def keep_receipts(connection: AsyncConnection, rows: Sequence[Mapping[str, object]]) -> None:
    """Keep receipts; one kept before is left as it is."""
    await connection.execute(insert(receipts).values(list(rows)).on_conflict_do_nothing())


async def assign_receipts(connection: AsyncConnection, deliveries_of: Mapping[str, UUID]) -> None:
    """Note which delivery the receipts were for that came early."""
    for about, delivery_id in deliveries_of.items():
        early = update(receipts).where(receipts.c.about == about, receipts.c.delivery_id.is_(None))
        await connection.execute(early.values(delivery_id=delivery_id))
