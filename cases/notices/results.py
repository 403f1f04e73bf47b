"""What became of messages: one transaction for the results of a round, and what follows from a failure.

A result moves a delivery, the notice it belongs to, and a ledger row in the notice's own chain, without the lock of any
case. Only a notice that has no channel left takes its case: the employer is asked to hand it over, or a task opens.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, open_case
from cases.notices.compose import Telling, handed_over, nobody_reached
from cases.notices.text_instead import carry_as_the_mails, fallback
from cases.notices.webhooks import pause
from cases.shared.context import Context
from domain.actors import Actor, system
from domain.acts import Act
from domain.errors import Defect, Refused
from domain.languages import Language
from domain.messages import DeliveryCount
from domain.notices import (
    FINAL,
    DeliveryStatus,
    Recipient,
    advance,
    notice_status,
    when_undelivered,
)
from domain.retries import next_attempt
from domain.webhooks import ReceiptStatus, WebhookState
from store import settling_rows
from store.case_rows import Row
from store.incident_rows import new_incident, opening
from store.ledger import Entry, follow
from store.rows.notices import DeliveryRow
from store.settling_rows import SettlingNotice
from store.tables import notices, webhooks

GIVEN_UP: Final = "given_up"
# The receiver itself is away, so that its other messages wait too and do not keep places from those of others.
_RECEIVER_AWAY: Final = frozenset(
    {"webhook_timeout", "webhook_unreachable", "webhook_unresolved", "webhook_429", "webhook_503"}
)
_LONGEST_HOLD_UP: Final = timedelta(minutes=5)
STEP: Final = "deliver"


class Outcome(StrEnum):
    """What became of one message."""

    SENT = "sent"
    DELIVERED = "delivered"
    LATER = "later"
    FAILED = "failed"
    DROPPED = "dropped"
    UNTOUCHED = "untouched"


_STATUS: Final = {
    Outcome.SENT: DeliveryStatus.SENT,
    Outcome.DELIVERED: DeliveryStatus.DELIVERED,
    Outcome.FAILED: DeliveryStatus.FAILED,
    Outcome.DROPPED: DeliveryStatus.SUPPRESSED,
}


@dataclass(frozen=True, slots=True)
class Leased:
    """The deliveries that one message stands for, and until when they are leased."""

    delivery_ids: tuple[UUID, ...]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one message; `reason` is a code, `retry_after` the seconds that the other side asked for."""

    leased: Leased
    outcome: Outcome
    reason: str | None = None
    provider_id: str | None = None
    retry_after: float | None = None
    ends_subscription: UUID | None = None
    is_receipt: bool = False


@dataclass(slots=True)
class _Work:
    """What one transaction is to write."""

    changed: list[DeliveryRow] = field(default_factory=list)
    # Each SMS with the mail in whose place it goes out.
    instead: list[tuple[DeliveryRow, DeliveryRow]] = field(default_factory=list)
    statuses: dict[UUID, str] = field(default_factory=dict)
    entries: list[Row] = field(default_factory=list)
    early: dict[str, UUID] = field(default_factory=dict)
    held_up: dict[UUID, tuple[str, datetime]] = field(default_factory=dict)
    given_up: set[UUID] = field(default_factory=set)


def by_delivery(results: Iterable[Result]) -> dict[UUID, Result]:
    """Return results by the deliveries that they are for."""
    return {each: result for result in results for each in result.leased.delivery_ids}


def locks_for(by_id: Mapping[UUID, Result]) -> list[str]:
    """Return what a transaction locks that takes results."""
    return settling_rows.locks(by_id, _provided(by_id))


def _provided(by_id: Mapping[UUID, Result]) -> set[str]:
    return {result.provider_id for result in by_id.values() if result.provider_id is not None}


async def settle(
    context: Context, results: Sequence[Result], at: datetime, actor: Actor | None = None
) -> DeliveryCount:
    """Take the results of a round in one transaction, and one more for each notice that has no channel left.

    A result that comes twice, or after its lease was lost, changes nothing that stands already.

    Raises:
        Unavailable: when PostgreSQL is away; the same results are then given again.
    """
    by_id = by_delivery(results)
    if not by_id:
        return DeliveryCount()
    actor = actor or system(STEP)
    async with context.database.begin(locks=locks_for(by_id)) as connection:
        stranded = await settle_in(context, connection, by_id, at, actor)
    await settle_stranded(context, stranded, by_id, at, actor)
    return count_of(results)


async def settle_stranded(
    context: Context,
    stranded: Iterable[tuple[str, tuple[UUID, ...]]],
    by_id: Mapping[UUID, Result],
    at: datetime,
    actor: Actor,
) -> None:
    """Take the results of notices that have no channel left, each in a transaction with its case."""
    for reference, ids in stranded:
        few = {each: by_id[each] for each in ids if each in by_id}
        await _settle_with_case(context, reference, few, at, actor)


async def settle_in(
    context: Context,
    connection: AsyncConnection,
    by_id: Mapping[UUID, Result],
    at: datetime,
    actor: Actor,
    file: CaseFile | None = None,
    *,
    without_case: bool = False,
) -> list[tuple[str, tuple[UUID, ...]]]:
    """Take results within a transaction that has their locks.

    Returns those left out, because their case has to be opened first.
    """
    work, stranded = _Work(), []
    standing = await settling_rows.read(connection, by_id, _provided(by_id))
    early = standing.early
    for notice in standing.notices:
        rows = notice.deliveries
        before = {row.delivery_id: copy(row) for row in rows}
        for row in rows:
            _apply(row, by_id.get(row.delivery_id), at, work)
            _apply(row, _early_result(row, early), at, work)
        instead = await fallback(context, connection, notice, at)
        added = [] if instead is None else [instead[1]]
        status = notice_status(DeliveryStatus(row.status) for row in (*rows, *added))
        fails = status is DeliveryStatus.FAILED and notice.status != status
        if fails and _needs_case(context, notice) and not without_case:
            if file is None:
                stranded.append((notice.reference, tuple(before)))
                continue
            telling = await _telling(connection, file, notice, at)
            nobody_reached(file, telling, Recipient(notice.recipient))
        changed = [row for row in rows if row != before[row.delivery_id]]
        work.changed += changed
        work.early |= {row.provider_id: row.delivery_id for row in rows if row.provider_id and row.provider_id in early}
        work.instead += [] if instead is None else [instead]
        if status != notice.status:
            work.statuses[notice.notice_id] = status.value
        chain = settling_rows.chain_of(notice.notice_id)
        entries = list(_entries(notice, changed, before, by_id, at, actor))
        work.entries += follow(chain, entries, *standing.ends.get(chain, ()))
    carry_as_the_mails(work.instead)
    await _write(connection, work, by_id.values(), at, actor)
    for webhook_id in sorted(work.given_up):
        await pause(context, connection, webhook_id, at, actor)
    return _by_case(stranded)


def _by_case(stranded: Iterable[tuple[str, tuple[UUID, ...]]]) -> list[tuple[str, tuple[UUID, ...]]]:
    """Return what was left out with one entry a case, so that what one message carried is settled at once."""
    cases: dict[str, tuple[UUID, ...]] = {}
    for reference, ids in stranded:
        cases[reference] = (*cases.get(reference, ()), *ids)
    return list(cases.items())


async def _settle_with_case(
    context: Context, reference: str, by_id: Mapping[UUID, Result], at: datetime, actor: Actor
) -> None:
    """Take the results of a notice that has no channel left, with the file of its case."""
    try:
        async with open_case(context, reference) as (file, connection):
            await settling_rows.lock(connection, by_id, _provided(by_id))
            await settle_in(context, connection, by_id, at, actor, file)
    except Refused:
        # The case's data was erased: nobody can be asked to hand over what no longer exists.
        async with context.database.begin(locks=locks_for(by_id)) as connection:
            await settle_in(context, connection, by_id, at, actor, without_case=True)
    except Defect as defect:
        # The notice stays failed and an operator hears of it, so that the channel goes on for all others.
        async with context.database.begin(locks=locks_for(by_id)) as connection:
            await settle_in(context, connection, by_id, at, actor, without_case=True)
            opened = new_incident(at, kind="notice", step=STEP, reason=defect.reason, reference=reference)
            await connection.execute(opening([opened]))


def _early_result(row: DeliveryRow, early: Mapping[str, str]) -> Result | None:
    """Return what a receipt said that came before its message was known."""
    status = early.get(row.provider_id or "")
    return None if status is None else receipt_result((row.delivery_id,), ReceiptStatus(status))


def receipt_result(delivery_ids: tuple[UUID, ...], status: ReceiptStatus) -> Result:
    """Return what a receipt means for the deliveries of its message."""
    failed = status is ReceiptStatus.FAILED
    outcome = Outcome.FAILED if failed else Outcome.DELIVERED
    return Result(Leased(delivery_ids, None), outcome, reason="receipt_failed" if failed else None, is_receipt=True)


def _apply(row: DeliveryRow, result: Result | None, at: datetime, work: _Work) -> None:
    """Move one delivery by its result; a lease that was lost in the meantime only counts where the message went."""
    if result is None:
        return
    lost = not result.is_receipt and row.lease_until != result.leased.until
    if lost and result.outcome not in (Outcome.SENT, Outcome.DELIVERED):
        return
    if not result.is_receipt:
        row.lease_until = None
    if result.outcome is Outcome.UNTOUCHED:
        return
    if not result.is_receipt and result.outcome is not Outcome.DROPPED:
        row.attempts += 1
    row.provider_id = result.provider_id or row.provider_id
    status = DeliveryStatus(row.status)
    if result.outcome is Outcome.LATER:
        if _waits_again(row, result, at, work):
            return
        reached = advance(status, DeliveryStatus.FAILED)
    else:
        reached = advance(status, _STATUS[result.outcome])
    # What a gateway told of a message stands over what a sender did not see of it.
    if reached is status or (status in FINAL and not result.is_receipt):
        return
    row.change(status=reached.value, next_attempt=None)
    if reached is not DeliveryStatus.FAILED:
        row.sent_at = row.sent_at or at
    if reached in FINAL:
        row.settled_at = at
    row.reason = (result.reason or GIVEN_UP) if reached is DeliveryStatus.FAILED else result.reason


def _waits_again(row: DeliveryRow, result: Result, at: datetime, work: _Work) -> bool:
    """Let a delivery wait for its next attempt; return False where none is left."""
    row.reason = result.reason
    # All deliveries of one message wait as long, so that they go out as the same message again.
    spread = min(result.leased.delivery_ids).int % 1000 / 1000
    row.next_attempt = next_attempt(at, row.attempts, row.give_up_at, spread=spread, retry_after=result.retry_after)
    if row.next_attempt is None:
        if row.webhook_id is not None and at >= row.give_up_at:
            work.given_up.add(row.webhook_id)
        return False
    if row.webhook_id is not None and result.reason in _RECEIVER_AWAY:
        work.held_up[row.webhook_id] = (row.employer_id, min(row.next_attempt, at + _LONGEST_HOLD_UP))
    return True


def _needs_case(context: Context, notice: SettlingNotice) -> bool:
    """Say whether somebody has to hear that a notice reached nobody."""
    plan = context.words.notices.get(notice.kind)
    if plan is None:
        return False
    undelivered = when_undelivered(plan, Recipient(notice.recipient))
    return undelivered.employer_hands_over or undelivered.opens_task


async def _telling(connection: AsyncConnection, file: CaseFile, notice: SettlingNotice, at: datetime) -> Telling:
    """Return the notice as what is handed over in its place, with what was kept of it."""
    facts = await _kept_facts(connection, file, notice.notice_id)
    return Telling(
        kind=notice.kind,
        at=at,
        occasion=notice.occasion,
        destination=notice.destination or None,
        facts=facts,
        is_whole=facts is not None,
    )


async def _kept_facts(connection: AsyncConnection, file: CaseFile, notice_id: UUID) -> dict[str, Any] | None:
    """Return the facts of a notice; None of one that was written before they were kept, or under an earlier key."""
    query = select(notices.c.body).where(notices.c.notice_id == notice_id, notices.c.key_id == file.person_key.key_id)
    body = (await connection.execute(query)).scalar_one_or_none()
    kept = file.open("notices", "body", str(notice_id), body).get("facts") if body else None
    return None if kept is None else handed_over(file, kept, Language(file.employer.language))


def _entries(
    notice: SettlingNotice,
    changed: Iterable[DeliveryRow],
    before: Mapping[UUID, DeliveryRow],
    by_id: Mapping[UUID, Result],
    at: datetime,
    actor: Actor,
) -> Iterable[Entry]:
    """Return one ledger row for each delivery that was sent, arrived or failed."""
    for row in changed:
        if row.status == before[row.delivery_id].status or row.status == DeliveryStatus.SUPPRESSED:
            continue
        sent = Act.NOTICE_FAILED if row.status == DeliveryStatus.FAILED else Act.NOTICE_SENT
        yield Entry(
            act=Act.RECEIPT_RECORDED if by_id[row.delivery_id].is_receipt else sent,
            actor=actor,
            at=at,
            reference=notice.reference or None,
            employer_id=row.employer_id,
            outcome=row.status,
            reason_codes=(row.reason,) if row.reason else (),
            detail={
                "kind": notice.kind,
                "recipient": notice.recipient,
                "channel": row.channel,
                "delivery_id": str(row.delivery_id),
                "attempts": row.attempts,
                "text_hash": notice.text_hash,
                **_message(row),
            },
        )


def _message(row: DeliveryRow) -> dict[str, object]:
    """Return which message carried the notice, and its hash, where it carried several."""
    if row.message_hash is None and row.carried_by is None:
        return {}
    named: dict[str, object] = {"message": str(row.message_id)}
    return named | ({"message_hash": row.message_hash} if row.message_hash else {})


async def _write(
    connection: AsyncConnection, work: _Work, results: Iterable[Result], at: datetime, actor: Actor
) -> None:
    for ended in sorted({result.ends_subscription for result in results if result.ends_subscription}):
        gone = update(webhooks).where(webhooks.c.webhook_id == ended, webhooks.c.state != WebhookState.GONE)
        employer = (
            await connection.execute(gone.values(state=WebhookState.GONE.value).returning(webhooks.c.employer_id))
        ).scalar_one_or_none()
        if employer is not None:
            detail = {"webhook_id": str(ended), "state": WebhookState.GONE.value}
            entry = Entry(act=Act.WEBHOOK_RECORDED, actor=actor, at=at, employer_id=employer, detail=detail)
            work.entries += follow(f"webhook/{ended}/{at.isoformat()}", [entry])
    await settling_rows.write(
        connection,
        moved=work.changed,
        added=[text for _, text in work.instead],
        statuses=work.statuses,
        entries=work.entries,
    )
    await settling_rows.assign_receipts(connection, work.early)
    for webhook_id, (employer_id, until) in sorted(work.held_up.items()):
        await settling_rows.hold_up(connection, employer_id, webhook_id, until)


def count_of(results: Iterable[Result]) -> DeliveryCount:
    """Return how many messages went out, failed and wait again."""
    counted = dict.fromkeys(Outcome, 0)
    for result in results:
        counted[result.outcome] += 1
    return DeliveryCount(
        sent=counted[Outcome.SENT] + counted[Outcome.DELIVERED],
        failed=counted[Outcome.FAILED],
        later=counted[Outcome.LATER],
    )
