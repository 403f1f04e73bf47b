"""All that is kept of one case beside the person's data: its ledger rows, its notices, and its histories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from domain.errors import Defect, KeyUnknown, Refused, Unavailable
from domain.messages import registration_workflow_id
from record import archive
from record.archive import Archived
from store.rows.record import LedgerRow
from store.tables import ledger, registrations
from temporal.histories import Histories, Run, events_of

_NOTICES: Final = text(
    "SELECT n.notice_id, n.kind, n.recipient, n.destination, n.occasion, n.language, n.at,"
    " (SELECT jsonb_agg(jsonb_build_object('channel', d.channel, 'status', d.status,"
    " 'attempts', d.attempts, 'sent_at', d.sent_at, 'settled_at', d.settled_at, 'reason', d.reason, 'receipts',"
    " (SELECT jsonb_agg(jsonb_build_object('status', r.status, 'at', r.at) ORDER BY r.at, r.message_id)"
    " FROM receipts r WHERE r.delivery_id = d.delivery_id)) ORDER BY d.channel, d.delivery_id)"
    " FROM deliveries d WHERE d.notice_id = n.notice_id) AS deliveries"
    " FROM notices n WHERE n.reference = :reference ORDER BY n.at, n.notice_id"
)


@dataclass(frozen=True, slots=True)
class ReceiptKept:
    """What a provider said later of a delivery."""

    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryKept:
    """How far a notice got through one channel."""

    channel: str
    status: str
    attempts: int
    sent_at: datetime | None
    settled_at: datetime | None
    reason: str | None
    receipts: Sequence[ReceiptKept] = ()


@dataclass(frozen=True, slots=True)
class NoticeKept:
    """What is kept of a notice beside its text."""

    notice_id: UUID
    kind: str
    recipient: str
    destination: str
    occasion: str
    language: str
    at: datetime
    deliveries: Sequence[DeliveryKept] = ()


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run of the case with its events; `problem` says why they cannot be had."""

    run: Run
    events: Sequence[Mapping[str, Any]]
    sha256: bytes | None
    archived: Archived | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of a case; `is_live_known` is false while Temporal does not answer."""

    reference: str
    ledger: Sequence[LedgerRow]
    notices: Sequence[NoticeKept] = ()
    runs: Sequence[KeptRun] = ()
    is_live_known: bool = True

    @property
    def chain(self) -> list[LedgerRow]:
        """The rows of the case's own chain, in their order."""
        return [row for row in self.ledger if row.chain == self.reference]


async def read_record(context: Context, histories: Histories, reference: str) -> Record:
    """Return what is kept of a case, its open and not yet archived runs read from Temporal.

    Raises:
        Refused: `case_unknown`.
    """
    async with context.database.begin() as connection:
        await need_case(connection, reference)
        rows = await ledger_rows(connection, reference)
        found = (await connection.execute(_NOTICES, {"reference": reference})).mappings()
        notices = [_notice(dict(row)) for row in found]
        kept = await archive.archived_runs(connection, reference)
    runs, is_live_known = await gather_runs(context, histories, reference, kept)
    return Record(reference, rows, notices, runs, is_live_known)


async def need_case(connection: AsyncConnection, reference: str) -> None:
    """Refuse a reference that no case has."""
    r = registrations.c
    found = await connection.execute(select(r.reference).where(r.reference == reference))
    if found.first() is None:
        raise Refused("case_unknown", "There is no case of this reference.")


async def ledger_rows(connection: AsyncConnection, reference: str) -> list[LedgerRow]:
    """Return the ledger rows about a case, whatever chain they stand in, chain by chain."""
    query = select(ledger).where(ledger.c.reference == reference).order_by(ledger.c.chain, ledger.c.seq)
    return [LedgerRow.from_mapping(row) for row in (await connection.execute(query)).mappings()]


async def gather_runs(
    context: Context, histories: Histories, reference: str, kept: Sequence[Archived]
) -> tuple[list[KeptRun], bool]:
    """Return the archived runs and those that only Temporal has, the first one first, and whether Temporal answered."""
    found = {each.run.run_id: _opened(context, each) for each in kept}
    is_live_known = True
    try:
        for run in await histories.runs_of(registration_workflow_id(reference)):
            if run.run_id in found:
                continue
            try:
                fetched = await histories.fetch(run)
            except (ValueError, KeyUnknown):
                found[run.run_id] = KeptRun(run, (), None, problem="unreadable")
                continue
            if fetched is not None:
                found[run.run_id] = KeptRun(run, fetched.events, fetched.sha256)
    except Unavailable:
        is_live_known = False
    return sorted(found.values(), key=lambda each: (each.run.started_at, each.run.run_id)), is_live_known


def _opened(context: Context, kept: Archived) -> KeptRun:
    try:
        return KeptRun(kept.run, events_of(kept.open(context)), kept.sha256, archived=kept)
    except (Defect, KeyUnknown) as error:
        return KeptRun(kept.run, (), None, archived=kept, problem=error.reason)


def _notice(row: Mapping[str, Any]) -> NoticeKept:
    deliveries = [_delivery(each) for each in row["deliveries"] or ()]
    return NoticeKept(**{**row, "deliveries": deliveries})


def _delivery(row: Mapping[str, Any]) -> DeliveryKept:
    return DeliveryKept(
        channel=row["channel"],
        status=row["status"],
        attempts=row["attempts"],
        sent_at=_moment(row["sent_at"]),
        settled_at=_moment(row["settled_at"]),
        reason=row["reason"],
        receipts=[ReceiptKept(each["status"], datetime.fromisoformat(each["at"])) for each in row["receipts"] or ()],
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
