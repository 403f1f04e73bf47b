"""The ledger: append-only rows, chained for each case, written in the transaction of the act itself."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.actors import Actor
from domain.messages import Origin
from domain.spellings import REQUEST_CHAIN
from proof.ledger_rows import GENESIS, row_hash
from store.tables import ledger

_ORIGIN: ContextVar[Origin | None] = ContextVar("origin", default=None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One act: who did what to which case, with codes only; never a name, a number or free text.

    `before_hash` and `after_hash` are of the case's state, keyed by the person's own key; `statement_hash` is of the
    signed statement by which a person asked for it; `origin` is the step of a workflow that did it.
    """

    act: str
    actor: Actor
    at: datetime
    reference: str | None = None
    employer_id: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)
    purpose: str | None = None
    outcome: str | None = None
    reason_codes: Sequence[str] = ()
    destination: str | None = None
    rule_version: str | None = None
    rule_hash: bytes | None = None
    before_hash: bytes | None = None
    after_hash: bytes | None = None
    statement_hash: bytes | None = None
    origin: Origin | None = None


@contextmanager
def asked_by(origin: Origin | None) -> Iterator[None]:
    """Let rows written in here name a workflow's run as their origin, where they name no nearer one themselves."""
    token = _ORIGIN.set(origin)
    try:
        yield
    finally:
        _ORIGIN.reset(token)


def current_origin() -> Origin | None:
    """Return the run that rows written now name where they name no nearer one."""
    return _ORIGIN.get()


def chain_of(entry: Entry) -> str:
    """Return the chain an act belongs to: its case, or a chain of its own request so that no two acts wait."""
    return entry.reference or f"{REQUEST_CHAIN}{entry.actor.correlation_id}"


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


async def begin_chain(connection: AsyncConnection, chain: str, entries: Sequence[Entry]) -> None:
    """Write the acts of a chain that is new, as one with a random name is; the primary key refuses any other."""
    await connection.execute(insert(ledger).values(follow(chain, entries)))


def follow(chain: str, entries: Sequence[Entry], seq: int = 0, previous: bytes = GENESIS) -> list[dict[str, Any]]:
    """Return the rows that follow the end of a chain, which the caller holds."""
    rows: list[dict[str, Any]] = []
    for entry in entries:
        seq += 1
        row = {"chain": chain, "seq": seq, "previous": previous, **_columns(entry)}
        previous = row["hash"] = row_hash(row)
        rows.append(row)
    return rows


def _columns(entry: Entry) -> dict[str, Any]:
    actor, origin = entry.actor, entry.origin or _ORIGIN.get()
    return {
        "act": str(entry.act),
        "at": entry.at,
        "actor_issuer": actor.issuer,
        "actor_subject": actor.subject,
        "actor_role": actor.role.value,
        "actor_tenant": actor.employer_id,
        "reference": entry.reference,
        "employer_id": entry.employer_id,
        "destination": entry.destination,
        "outcome": entry.outcome,
        "reason_codes": list(entry.reason_codes),
        "purpose": entry.purpose,
        "rule_version": entry.rule_version,
        "rule_hash": entry.rule_hash,
        "before_hash": entry.before_hash,
        "after_hash": entry.after_hash,
        "statement_hash": entry.statement_hash,
        "workflow_id": origin.workflow_id if origin else None,
        "run_id": origin.run_id if origin else None,
        "event_id": origin.event_id if origin else None,
        "correlation_id": actor.correlation_id,
        "detail": {key: value for key, value in entry.detail.items() if value is not None},
    }
