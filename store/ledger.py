"""The ledger: append-only rows, chained for each case, written in the transaction of the act itself."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import rfc8785
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import distinct_on
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
    content: Any = {
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
    await append_each(connection, {chain: entries})


async def append_each(connection: AsyncConnection, chains: Mapping[str, Sequence[Entry]]) -> None:
    """Append acts to several chains at once, each of which the caller holds; the rows of a chain in order."""
    ends = await connection.execute(
        select(ledger.c.chain, ledger.c.seq, ledger.c.hash)
        .ext(distinct_on(ledger.c.chain))
        .where(ledger.c.chain.in_(list(chains)))
        .order_by(ledger.c.chain, ledger.c.seq.desc())
    )
    last = {end.chain: (int(end.seq), bytes(end.hash)) for end in ends}
    rows = [row for chain, entries in chains.items() for row in follow(chain, entries, *last.get(chain, (0, GENESIS)))]
    if rows:
        await connection.execute(insert(ledger).values(rows))


def follow(chain: str, entries: Sequence[Entry], seq: int = 0, previous: bytes = GENESIS) -> list[dict[str, Any]]:
    """Return the rows that follow the end of a chain, which the caller holds."""
    rows: list[dict[str, Any]] = []
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
    return rows
