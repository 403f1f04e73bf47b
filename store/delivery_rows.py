"""Leasing of deliveries that are due, fairly by employer, with what sending them needs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, Uuid

from domain.spellings import DIGEST_LOCK
from store.encryption import WrappedKey
from store.joined_keys import key_id_of

_UUIDS: Final = ARRAY(Uuid)
# One that another's message carries is taken with that one.
_FREE: Final = (
    "d.status = 'queued' AND d.carried_by IS NULL AND d.next_attempt <= :at"
    " AND (d.lease_until IS NULL OR d.lease_until <= :at)"
)

_ANY_DUE: Final = text(f"SELECT EXISTS (SELECT 1 FROM deliveries d WHERE d.channel = :channel AND {_FREE})")


# What sending a delivery needs: the sealed text of its notice, and where the address of its reader is sealed.
def _letter_of(source: str) -> str:
    return f"""
    SELECT d.delivery_id, d.notice_id, d.employer_id, d.channel, d.webhook_id, d.carried_by, d.message_hash,
           d.lease_until, d.traceparent, d.next_attempt,
           n.reference, n.kind, n.recipient, n.language, n.body, n.at,
           nk.key_id AS notice_key_id, nk.kek_id AS notice_kek_id, nk.wrapped AS notice_wrapped,
           r.programme, r.facts_version, r.end_reason, a.body AS application,
           pk.key_id AS person_key_id, pk.kek_id AS person_kek_id, pk.wrapped AS person_wrapped,
           e.contact, ek.key_id AS employer_key_id, ek.kek_id AS employer_kek_id, ek.wrapped AS employer_wrapped,
           w.url, w.secrets, w.state AS webhook_state
    FROM {source} d
    JOIN notices n ON n.notice_id = d.notice_id
    JOIN data_keys nk ON nk.key_id = n.key_id
    LEFT JOIN cases r ON n.recipient = 'person' AND r.reference = n.reference
    LEFT JOIN applications a ON a.reference = r.reference AND a.version = r.facts_version
    LEFT JOIN persons p ON p.person_id = r.person_id
    LEFT JOIN data_keys pk ON pk.key_id = {key_id_of("r")}
    LEFT JOIN employers e ON n.recipient = 'employer' AND e.employer_id = d.employer_id
    LEFT JOIN data_keys ek ON ek.key_id = e.key_id
    LEFT JOIN webhooks w ON w.webhook_id = d.webhook_id
"""


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
    ), chosen AS MATERIALIZED (
        SELECT delivery_id FROM picked ORDER BY turn, next_attempt, delivery_id LIMIT CAST(:places AS bigint)
    ), leased AS (
        UPDATE deliveries SET lease_until = :until WHERE delivery_id IN (
            SELECT delivery_id FROM chosen UNION ALL
            SELECT f.delivery_id FROM chosen c JOIN deliveries f ON f.carried_by = c.delivery_id
            WHERE f.status = 'queued'
        ) RETURNING *
    )
    SELECT due.digests, letter.* FROM (
        SELECT :channel = 'mail' AND EXISTS (SELECT 1 FROM deliveries d
            WHERE d.channel = 'mail' AND d.digest AND {_FREE}) AS digests
    ) due LEFT JOIN ({_letter_of("leased")}) letter ON true
    ORDER BY letter.next_attempt, letter.delivery_id
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

_PART: Final = text(
    "UPDATE deliveries SET carried_by = NULL, message_hash = NULL WHERE delivery_id = ANY(:ids)"
).bindparams(bindparam("ids", type_=_UUIDS))
_LETTERS: Final = text(
    f"{_letter_of('deliveries')} WHERE d.delivery_id = ANY(:ids) ORDER BY d.next_attempt, d.delivery_id"
).bindparams(bindparam("ids", type_=_UUIDS))

# Mail to a person that still waits although the time for SMS instead has come, and that no SMS follows yet.
_MAIL_LATE: Final = text(
    """
    SELECT d.delivery_id, d.give_up_at FROM deliveries d JOIN notices n ON n.notice_id = d.notice_id
    WHERE d.channel = 'mail' AND d.status = 'queued' AND d.carried_by IS NULL AND d.give_up_at <= :begun_with
      AND (d.give_up_at, d.delivery_id) > (:after_time, :after_id)
      AND n.recipient = 'person' AND n.kind = ANY(:kinds)
      AND NOT EXISTS (SELECT 1 FROM deliveries s WHERE s.notice_id = d.notice_id AND s.channel = 'sms')
    ORDER BY d.give_up_at, d.delivery_id LIMIT :most
    """
).bindparams(bindparam("kinds", type_=ARRAY(Text)), bindparam("after_id", type_=Uuid))


_WITH_CARRIED: Final = text(
    "SELECT delivery_id FROM deliveries WHERE delivery_id = ANY(:ids)"
    " UNION SELECT delivery_id FROM deliveries WHERE carried_by = ANY(:ids)"
).bindparams(bindparam("ids", type_=_UUIDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedNotice:
    """A notice as far as opening its texts needs it; of one to a person, how the person's case ended."""

    notice_id: UUID
    recipient: str
    body: bytes
    key: WrappedKey
    end_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A delivery with its notice and where the address of its reader is sealed: of a person, an employer, a webhook."""

    delivery_id: UUID
    notice: SealedNotice
    employer_id: str
    channel: str
    carried_by: UUID | None
    message_hash: str | None
    lease_until: datetime | None
    traceparent: str | None
    reference: str
    kind: str
    language: str
    at: datetime
    # What the employer gave last of the person, and its version.
    application: bytes | None
    programme: str | None
    facts_version: int | None
    person_key: WrappedKey | None
    contact: bytes | None
    employer_key: WrappedKey | None
    webhook_id: UUID | None
    url: bytes | None
    secrets: bytes | None
    webhook_state: str | None

    @property
    def message_id(self) -> UUID:
        """The id under which its message goes out: that of the delivery that carries it."""
        return self.carried_by or self.delivery_id


async def is_any_due(connection: AsyncConnection, channel: str, at: datetime) -> bool:
    """Return whether a delivery of a channel is due, digests among them, for much less than leasing would cost."""
    return bool((await connection.execute(_ANY_DUE, {"channel": channel, "at": at})).scalar_one())


async def lease(
    connection: AsyncConnection, channel: str, at: datetime, until: datetime, places: int
) -> tuple[list[Letter], bool]:
    """Lease deliveries of a channel that are due; return them as letters, and whether digests are there to lease."""
    given = {"channel": channel, "at": at, "until": until, "places": places}
    rows = (await connection.execute(_LEASE, given)).all()
    return [_letter(row) for row in rows if row.delivery_id is not None], bool(rows[0].digests)


async def lease_digests(
    connection: AsyncConnection, at: datetime, until: datetime, *, digests: int, notices_each: int
) -> list[list[UUID]]:
    """Lease the mails of employers that take one a day, each with all the notices of its morning."""
    leased: list[list[UUID]] = []
    for due in (await connection.execute(_DIGESTS_DUE, {"at": at, "most": digests})).all():
        name = f"{DIGEST_LOCK}{due.employer_id}/{due.give_up_at.isoformat()}"
        # Somebody else who is putting together the same mail takes all of it.
        if not (await connection.execute(_LOCK_DIGEST, {"name": name})).scalar_one():
            continue
        given = {"at": at, "until": until, "employer_id": due.employer_id, "give_up_at": due.give_up_at}
        found = await connection.execute(_LEASE_DIGEST, {**given, "most": notices_each})
        leased.append(list(found.scalars()))
    return [each for each in leased if each]


async def part(connection: AsyncConnection, ids: Collection[UUID]) -> None:
    """Let deliveries go out each with a message of its own."""
    await connection.execute(_PART, {"ids": list(ids)})


async def letters(connection: AsyncConnection, ids: Collection[UUID]) -> list[Letter]:
    """Return deliveries with their notices, sealed, and where the address of each is sealed."""
    return [_letter(row) for row in await connection.execute(_LETTERS, {"ids": list(ids)})]


def _letter(row: Row[Any]) -> Letter:
    return Letter(
        delivery_id=row.delivery_id,
        notice=sealed_notice(row),
        employer_id=row.employer_id,
        channel=row.channel,
        carried_by=row.carried_by,
        message_hash=row.message_hash,
        lease_until=row.lease_until,
        traceparent=row.traceparent,
        reference=row.reference,
        kind=row.kind,
        language=row.language,
        at=row.at,
        application=row.application,
        programme=row.programme,
        facts_version=row.facts_version,
        person_key=_key(row.person_key_id, row.person_kek_id, row.person_wrapped),
        contact=row.contact,
        employer_key=_key(row.employer_key_id, row.employer_kek_id, row.employer_wrapped),
        webhook_id=row.webhook_id,
        url=row.url,
        secrets=row.secrets,
        webhook_state=row.webhook_state,
    )


def sealed_notice(row: Row[Any]) -> SealedNotice:
    """Return the notice of a row that has it with its key's columns, which are named `notice_key_id` and so on."""
    return SealedNotice(
        notice_id=row.notice_id,
        recipient=row.recipient,
        body=row.body,
        key=WrappedKey(row.notice_key_id, row.notice_kek_id, row.notice_wrapped),
        end_reason=row.end_reason,
    )


def _key(key_id: UUID | None, kek_id: str, wrapped: bytes | None) -> WrappedKey | None:
    return None if key_id is None else WrappedKey(key_id, kek_id, wrapped)


async def with_carried(connection: AsyncConnection, ids: Collection[UUID]) -> list[UUID]:
    """Return deliveries with those that their messages carry."""
    return list((await connection.execute(_WITH_CARRIED, {"ids": list(ids)})).scalars())


async def mail_late(
    connection: AsyncConnection, begun_with: datetime, kinds: Collection[str], after: tuple[datetime, UUID], most: int
) -> list[tuple[datetime, UUID]]:
    """Return the next mails, in order of their time to give up, that an SMS should follow."""
    given = {"begun_with": begun_with, "kinds": list(kinds), "after_time": after[0], "after_id": after[1], "most": most}
    return [(row.give_up_at, row.delivery_id) for row in await connection.execute(_MAIL_LATE, given)]
