"""Settling of deliveries: one statement to lock, one to read what stands, one to write what became of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, bindparam, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, Uuid

from domain.spellings import MESSAGE_LOCK
from store.case_rows import LedgerEnd, Row
from store.database import dump_json
from store.rows.notices import DeliveryRow
from store.tables import deliveries, ledger, receipts

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
_UUIDS: Final = ARRAY(Uuid)
_TEXTS: Final = ARRAY(Text)

# The chains are put together in a query of their own: under row-level security a name made from a row's own columns
# reaches no index.
_READ: Final = text(
    """
    WITH asked AS MATERIALIZED (SELECT DISTINCT notice_id FROM deliveries WHERE delivery_id = ANY(:ids))
    SELECT
        (SELECT jsonb_agg(to_jsonb(d) || jsonb_build_object(
             'reference', n.reference, 'destination', n.destination, 'kind', n.kind, 'recipient', n.recipient,
             'occasion', n.occasion, 'text_hash', n.text_hash, 'notice_status', n.status)
             ORDER BY d.notice_id, d.delivery_id)
         FROM deliveries d JOIN notices n ON n.notice_id = d.notice_id
         WHERE d.notice_id = ANY(ARRAY(SELECT notice_id FROM asked))) AS deliveries,
        (SELECT jsonb_object_agg(e.chain, jsonb_build_array(e.seq, encode(e.hash, 'hex'))) FROM (
             SELECT DISTINCT ON (x.chain) x.chain, x.seq, x.hash FROM ledger x
             WHERE x.chain = ANY(ARRAY(SELECT 'notice/' || notice_id FROM asked))
             ORDER BY x.chain, x.seq DESC) e) AS ends,
        -- A failure counts whenever it was told, so that it comes last.
        (SELECT jsonb_object_agg(x.about, x.status ORDER BY x.status = 'failed', x.recorded_at DESC) FROM receipts x
         WHERE x.delivery_id IS NULL AND x.about = ANY(:messages)) AS early
    """
).bindparams(bindparam("ids", type_=_UUIDS), bindparam("messages", type_=_TEXTS))

_MOVED: Final = ("status", "next_attempt", "attempts", "lease_until", "provider_id", "reason", "sent_at", "settled_at")
_ADDED: Final = (
    "delivery_id", "notice_id", "employer_id", "channel", "after", "carried_by", "status", "next_attempt", "give_up_at",
    "traceparent",
)  # fmt: skip
# What PostgreSQL fills by itself.
_LEDGER: Final = tuple(name for name in ledger.c.keys() if name not in ("recorded_at", "xid"))  # noqa: SIM118

_HOLD_UP: Final = text(
    """
    UPDATE deliveries SET next_attempt = least(greatest(next_attempt, :until), give_up_at)
    WHERE channel = 'webhook' AND employer_id = :employer_id AND status = 'queued' AND webhook_id = :webhook_id
    AND lease_until IS NULL
    """
).bindparams(bindparam("webhook_id", type_=Uuid))


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlingNotice:
    """A notice with all its deliveries, as far as settling those needs it."""

    notice_id: UUID
    # Empty of a webhook's test.
    reference: str
    destination: str
    kind: str
    recipient: str
    occasion: str
    text_hash: str
    status: str
    deliveries: list[DeliveryRow]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands, read under its locks.

    The end of each notice's chain, and the status of each message that a receipt came for before its id was known.
    """

    notices: list[SettlingNotice]
    ends: Mapping[str, LedgerEnd]
    early: Mapping[str, str]


def chain_of(notice_id: UUID) -> str:
    """Return the ledger's chain of a notice."""
    return f"notice/{notice_id}"


def locks(ids: Collection[UUID], messages: Collection[str]) -> list[str]:
    """Return the statements that lock the notices of deliveries and the gateway's ids of messages.

    They are statements of their own, and have no parameters so that they can go with the beginning of a transaction:
    what is read afterwards is what the previous holder wrote.
    """
    named = ", ".join(f"'{UUID(int=each.int)}'" for each in ids)
    notices = (
        "SELECT FROM notices WHERE notice_id IN"
        f" (SELECT notice_id FROM deliveries WHERE delivery_id IN ({named})) ORDER BY notice_id FOR UPDATE"
    )
    return [*_message_locks(messages), *([notices] if named else [])]


def _message_locks(messages: Collection[str]) -> list[str]:
    """Whoever looks for a message of the gateway, and whoever learns its id, look one after the other."""
    keys = sorted(
        int.from_bytes(sha256(f"{MESSAGE_LOCK}{each}".encode()).digest()[:8], signed=True) for each in messages
    )
    listed = ", ".join(f"({key}::bigint)" for key in keys)
    return [f"SELECT pg_advisory_xact_lock(key) FROM (VALUES {listed}) AS keys (key)"] if keys else []


async def lock(connection: AsyncConnection, ids: Collection[UUID], messages: Collection[str]) -> None:
    """Take the locks in a transaction that began without them."""
    for statement in locks(ids, messages):
        await connection.exec_driver_sql(statement)


async def read(connection: AsyncConnection, ids: Collection[UUID], messages: Collection[str]) -> Standing:
    """Return what stands, under the locks."""
    found = (await connection.execute(_READ, {"ids": list(ids), "messages": sorted(messages)})).one()
    notices: dict[UUID, SettlingNotice] = {}
    for part in found.deliveries or []:
        row = DeliveryRow.from_json(part)
        if row.notice_id not in notices:
            notices[row.notice_id] = _notice(row.notice_id, part)
        notices[row.notice_id].deliveries.append(row)
    ends = {chain: LedgerEnd(int(seq), bytes.fromhex(digest)) for chain, (seq, digest) in (found.ends or {}).items()}
    return Standing(list(notices.values()), ends, found.early or {})


def _notice(notice_id: UUID, part: Mapping[str, Any]) -> SettlingNotice:
    return SettlingNotice(
        notice_id=notice_id,
        reference=part["reference"],
        destination=part["destination"],
        kind=part["kind"],
        recipient=part["recipient"],
        occasion=part["occasion"],
        text_hash=part["text_hash"],
        status=part["notice_status"],
        deliveries=[],
    )


def _columns(table: Table, names: Iterable[str]) -> str:
    return ", ".join(f'"{name}" {table.c[name].type.compile(_DIALECT)}' for name in names)


def _quoted(names: Iterable[str], prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{name}"' for name in names)


def _statement() -> str:
    """Return the statement that writes all parts of a document.

    A statement with one text for every write is prepared once and needs one round trip however much there is.
    """
    moved = ", ".join(f'"{name}" = x."{name}"' for name in _MOVED)
    return f"""
    WITH doc AS (SELECT CAST(:document AS jsonb) AS d), moved AS (
        UPDATE deliveries t SET {moved}
        FROM doc, jsonb_to_recordset(doc.d -> 'moved') AS x({_columns(deliveries, ("delivery_id", *_MOVED))})
        WHERE t.delivery_id = x.delivery_id
    ), statuses AS (
        UPDATE notices t SET status = x.status
        FROM doc, jsonb_to_recordset(doc.d -> 'statuses') AS x(notice_id uuid, status text)
        WHERE t.notice_id = x.notice_id
    ), added AS (
        INSERT INTO deliveries ({_quoted(_ADDED)}) SELECT {_quoted(_ADDED, "x.")}
        FROM doc, jsonb_to_recordset(doc.d -> 'added') AS x({_columns(deliveries, _ADDED)}) ON CONFLICT DO NOTHING
    )
    INSERT INTO ledger ({_quoted(_LEDGER)}) SELECT {_quoted(_LEDGER, "x.")}
    FROM doc, jsonb_to_recordset(doc.d -> 'ledger') AS x({_columns(ledger, _LEDGER)})
    """


_WRITE: Final = text(_statement())


async def write(
    connection: AsyncConnection,
    *,
    moved: Sequence[DeliveryRow] = (),
    added: Sequence[DeliveryRow] = (),
    statuses: Mapping[UUID, str] | None = None,
    entries: Sequence[Row] = (),
) -> None:
    """Write moved deliveries, new ones that are not there already, statuses of notices, and rows of the ledger."""
    document = {
        "moved": [{name: getattr(row, name) for name in ("delivery_id", *_MOVED)} for row in moved],
        "added": [{name: getattr(row, name) for name in _ADDED} for row in added],
        "statuses": [{"notice_id": each, "status": status} for each, status in (statuses or {}).items()],
        "ledger": list(entries),
    }
    if any(document.values()):
        await connection.execute(_WRITE, {"document": dump_json(document)})


async def hold_up(connection: AsyncConnection, employer_id: str, webhook_id: UUID, until: datetime) -> None:
    """Let what waits for one subscription wait until a moment at least, but not beyond its own end."""
    given = {"employer_id": employer_id, "webhook_id": webhook_id, "until": until}
    await connection.execute(_HOLD_UP, given)


async def lock_messages(connection: AsyncConnection, provider_ids: Collection[str]) -> None:
    """Lock the gateway's ids of messages until the transaction ends."""
    await lock(connection, (), provider_ids)


async def keep_receipts(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep receipts; one kept before is left as it is."""
    await connection.execute(insert(receipts).values(list(rows)).on_conflict_do_nothing())


async def assign_receipts(connection: AsyncConnection, deliveries_of: Mapping[str, UUID]) -> None:
    """Note which delivery the receipts were for that came early."""
    for about, delivery_id in deliveries_of.items():
        early = update(receipts).where(receipts.c.about == about, receipts.c.delivery_id.is_(None))
        await connection.execute(early.values(delivery_id=delivery_id))
