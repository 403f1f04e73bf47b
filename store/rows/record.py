"""Rows of the ledger."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Table

from store import tables
from store.rows.base import TableRow


@dataclass(slots=True, kw_only=True)
class LedgerRow(TableRow):
    """An act as it was written down; `proof.ledger_rows` says what its hash covers."""

    TABLE: ClassVar[Table] = tables.ledger
    chain: str
    seq: int
    employer_id: str | None = None
    reference: str | None = None
    act: str
    actor_issuer: str
    actor_subject: str
    actor_role: str
    actor_tenant: str | None = None
    # Codes that the act needs; `domain.folding` reads where the case stood after it.
    detail: dict[str, Any]
    at: datetime
    correlation_id: str
    previous: bytes
    hash: bytes
    xid: int
    recorded_at: datetime
    purpose: str | None = None
    outcome: str | None = None
    reason_codes: list[str] = field(default_factory=list)
    destination: str | None = None
    rule_version: str | None = None
    rule_hash: bytes | None = None
    before_hash: bytes | None = None
    after_hash: bytes | None = None
    statement_hash: bytes | None = None
    workflow_id: str | None = None
    run_id: str | None = None
    event_id: int | None = None
