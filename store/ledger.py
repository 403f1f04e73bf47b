"""The ledger: append-only rows, chained for each case, written in the transaction of the act itself."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import rfc8785
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.actors import Actor
from domain.acts import Act
from domain.clock import CHINA
from store.tables import ledger

GENESIS: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Entry:
    """One act: who did what to which case, with codes only; never a name, a number or free text."""

    act: Act
    actor: Actor
    at: datetime
    reference: str | None = None
    employer_id: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


def chain_of(entry: Entry) -> str:
    """Return the chain an act belongs to: its case, or a chain of its own request so that no two acts wait."""
    return entry.reference or f"request/{entry.actor.correlation_id}"


def entry_hash(chain: str, seq: int, entry: Entry, detail: Mapping[str, object], previous: bytes) -> bytes:
    """Return the hash that links a row to the one before it: SHA-256 over canonical JSON (RFC 8785)."""
    content = {
        "act": entry.act.value,
        "actor": [entry.actor.issuer, entry.actor.subject, entry.actor.role.value],
        "at": entry.at.astimezone(CHINA).isoformat(timespec="microseconds"),
        "chain": chain,
        "correlation_id": entry.actor.correlation_id,
        "detail": dict(detail),
        "employer_id": entry.employer_id,
        "previous": previous.hex(),
        "seq": seq,
    }
    return hashlib.sha256(rfc8785.dumps(content)).digest()


async def append(connection: AsyncConnection, chain: str, entries: Sequence[Entry]) -> None:
    """Append the acts to one chain, in order.

    The caller holds the lock of the case's row, so that nobody else appends to its chain; the primary key refuses a
    fork all the same.
    """
    last = (
        await connection.execute(
            select(ledger.c.seq, ledger.c.hash).where(ledger.c.chain == chain).order_by(ledger.c.seq.desc()).limit(1)
        )
    ).one_or_none()
    seq, previous = (last.seq, last.hash) if last else (0, GENESIS)
    rows: list[dict[str, object]] = []
    for entry in entries:
        seq += 1
        detail = {key: value for key, value in entry.detail.items() if value is not None}
        digest = entry_hash(chain, seq, entry, detail, previous)
        rows.append(
            {
                "chain": chain,
                "seq": seq,
                "employer_id": entry.employer_id,
                "reference": entry.reference,
                "act": entry.act.value,
                "actor_issuer": entry.actor.issuer,
                "actor_subject": entry.actor.subject,
                "actor_role": entry.actor.role.value,
                "detail": detail,
                "at": entry.at,
                "correlation_id": entry.actor.correlation_id,
                "previous": previous,
                "hash": digest,
            }
        )
        previous = digest
    await connection.execute(insert(ledger).values(rows))
