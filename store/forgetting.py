"""What an erasure takes away, in one statement: the keys and whatever names a person outside what they seal."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.case_tables import CaseTable, OwnTables

# Of answers the id stands in place of the hash of their content, which has to be there and unlike any other; of a
# caller's key an empty hash says that its answer was erased (`cases.shared.idempotency`).
_FORGET: Final = """
    WITH given AS (
        SELECT CAST(:keys AS uuid[]) AS keys, CAST(:persons AS uuid[]) AS persons,
            CAST(:references AS text[]) AS refs, CAST(:at AS timestamptz) AS at
    ), destroyed AS (
        UPDATE data_keys k SET wrapped = NULL, destroyed_at = given.at FROM given WHERE k.key_id = ANY(given.keys)
    ), unknown AS (
        UPDATE persons p SET identity_hash = NULL FROM given WHERE p.person_id = ANY(given.persons)
    ), unshown AS (
        DELETE FROM person_documents d USING given WHERE d.person_id = ANY(given.persons)
    ), registered AS (
        UPDATE cases r SET erased_at = given.at, version = r.version + 1, updated_at = clock_timestamp(),
            name_hash = NULL, last_four_hash = NULL, client_reference = NULL, open_points = NULL
        FROM given WHERE r.reference = ANY(given.refs)
    ), answered AS (
        UPDATE answers a SET body = '', content_hash = uuid_send(a.answer_id)
        FROM given WHERE a.reference = ANY(given.refs)
    ), lost AS (
        UPDATE lost_answers l SET body = NULL, content_hash = uuid_send(l.answer_id)
        FROM given WHERE l.reference = ANY(given.refs) OR l.attached_to = ANY(given.refs)
    ), told AS (
        UPDATE notices n SET body = '', status = CASE n.status WHEN 'queued' THEN 'suppressed' ELSE n.status END
        FROM given WHERE n.reference = ANY(given.refs)
    ), objected AS (
        UPDATE objections o SET body = '', answer = NULL, address_hash = NULL
        FROM given WHERE o.reference = ANY(given.refs)
    ), undelivered AS (
        UPDATE deliveries d SET status = 'suppressed', next_attempt = NULL, lease_until = NULL
        FROM given, notices n WHERE n.reference = ANY(given.refs) AND d.notice_id = n.notice_id
        AND d.status = 'queued'
    ), repeated AS (
        UPDATE idempotency i SET answer = NULL, body_hash = ''
        FROM given WHERE i.reference = ANY(given.refs) OR i.key_id = ANY(given.keys)
    ), checked AS (
        DELETE FROM check_codes c USING given WHERE c.reference = ANY(given.refs)
    ), drafted AS (
        DELETE FROM drafts d USING given WHERE d.reference = ANY(given.refs) OR d.document_hashes && ARRAY(
            SELECT p.lookup_hash FROM person_documents p WHERE p.person_id = ANY(given.persons)
            UNION SELECT p.identity_hash FROM persons p
            WHERE p.person_id = ANY(given.persons) AND p.identity_hash IS NOT NULL)
        OR d.owner IN (SELECT 'document/' || encode(p.lookup_hash, 'hex') FROM person_documents p
            WHERE p.person_id = ANY(given.persons))
        RETURNING d.key_id
    ), undrafted AS (
        UPDATE data_keys k SET wrapped = NULL, destroyed_at = given.at FROM given, drafted
        WHERE k.key_id = drafted.key_id AND NOT EXISTS (SELECT FROM employers e WHERE e.key_id = k.key_id)
    ), linked AS (
        DELETE FROM sign_in_links l USING given WHERE l.person_id = ANY(given.persons)
    ), signed_in AS (
        DELETE FROM person_sessions s USING given WHERE s.person_id = ANY(given.persons)
    ), proposed AS (
        UPDATE erasures e SET state = 'done', decided_at = given.at
        FROM given WHERE e.person_id = ANY(given.persons) AND e.state = 'proposed'
    ), joined AS (
        UPDATE person_joinings j SET proof = NULL,
            state = CASE j.state WHEN 'proposed' THEN 'lapsed' ELSE j.state END,
            decided_at = CASE j.state WHEN 'proposed' THEN given.at ELSE j.decided_at END
        FROM given WHERE j.kept_id = ANY(given.persons) OR j.joined_id = ANY(given.persons)
    )
    UPDATE deadlines d SET state = 'cancelled' FROM given
    WHERE d.reference = ANY(given.refs) AND d.state = 'waiting'
"""
# Before this comes what tables of programmes lose.
_LAST: Final = "\n    )\n    UPDATE deadlines"


@cache
def statement(own: OwnTables) -> TextClause:
    """Return the statement, with what it takes out of these tables of programmes."""
    emptied = "".join(
        f"\n    ), emptied_{each.name} AS (\n        UPDATE {each.name} own SET {_emptied(each)}"
        " FROM given WHERE own.reference = ANY(given.refs)"
        for each in dict.fromkeys(table for _, table in own)
        if each.emptied
    )
    return text(_FORGET.replace(_LAST, emptied + _LAST))


def _emptied(table: CaseTable) -> str:
    return ", ".join(f"{column} = {value}" for column, value in table.emptied.items())


async def forget(
    connection: AsyncConnection,
    *,
    keys: Sequence[UUID],
    persons: Sequence[UUID],
    references: Sequence[str],
    at: datetime,
    own: OwnTables,
) -> None:
    """Destroy these keys and empty what else names these persons and is about these cases.

    The caller holds the persons' rows and the cases', and writes the ledger rows in the same transaction.
    """
    given = {"keys": list(keys), "persons": list(persons), "references": list(references), "at": at}
    await connection.execute(statement(own), given)
