"""What a case had beside its stage at a time: findings, version of the facts, due date, and who held its tasks."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.view import moment
from domain.acts import HOLDING, Act
from domain.errors import need
from domain.languages import Language
from record.re_evaluation import finding_view, kept_findings
from record.story_views import DueView, FindingsThen, Particulars, TaskThen
from store.rows.record import LedgerRow
from store.rows.work import TaskRow
from store.tables import applications, assessments, cases, tasks


async def particulars(
    connection: AsyncConnection, reference: str, chain: Sequence[LedgerRow], as_of: datetime | None, language: Language
) -> Particulars:
    """Return what stood beside the stage at a time, or stands now.

    Args:
        connection: a transaction that may read the case.
        reference: the case.
        chain: all rows of its chain, those after the time too.
        as_of: the time; None for now.
        language: of the findings.
    """
    given = select(func.max(applications.c.version)).where(applications.c.reference == reference)
    if as_of is not None:
        given = given.where(applications.c.given_at <= as_of)
    return Particulars(
        facts_version=(await connection.execute(given)).scalar_one_or_none(),
        due=await _due(connection, reference) if as_of is None else due_at(chain, as_of),
        tasks=await _tasks(connection, reference, chain, as_of),
        findings=await _findings(connection, reference, as_of, language),
    )


def due_at(chain: Sequence[LedgerRow], as_of: datetime) -> DueView | None:
    """Return the due date as the last row up to a time that changed it says; None where none ran or no row says."""
    said = [row.detail["due"] for row in chain if row.at <= as_of and "due" in row.detail]
    return DueView(**said[-1]) if said and said[-1]["at"] is not None else None


def holder_at(task: TaskRow, chain: Sequence[LedgerRow], as_of: datetime | None) -> str | None:
    """Return the issuer and subject of who held a task at a time, by what the ledger says of it before and after."""
    acts = [row for row in chain if _is_of(row, task)]
    before = [row for row in acts if as_of is None or row.at <= as_of]
    if before:
        return _left_with(before[-1])
    if acts:  # it was opened with a holder where the first that is told of it is that it was given back
        return _given_back_by(acts[0])
    is_held = as_of is None or (task.held_since is not None and task.held_since <= as_of)
    return task.holder if is_held else None


def _is_of(row: LedgerRow, task: TaskRow) -> bool:
    kind, closed = row.detail.get("kind"), task.closed_at
    if row.act not in HOLDING or (kind, row.destination) != (task.kind, task.destination):
        return False
    return task.opened_at <= row.at and (closed is None or row.at <= closed)


def _left_with(row: LedgerRow) -> str | None:
    if row.act == Act.CLAIMED:
        return f"{row.actor_issuer} {row.actor_subject}"
    if row.act == Act.ASSIGNED:
        return f"{row.actor_issuer} {row.detail['subject']}"
    return None


def _given_back_by(row: LedgerRow) -> str | None:
    if row.act == Act.CLAIM_LAPSED:
        return str(row.detail["subject"])
    return f"{row.actor_issuer} {row.actor_subject}" if row.act == Act.RELEASED else None


async def _due(connection: AsyncConnection, reference: str) -> DueView | None:
    r = cases.c
    row = (await connection.execute(select(r.due_at, r.due_kind).where(r.reference == reference))).one()
    return None if row.due_at is None else DueView(at=need(moment(row.due_at), "due_at"), kind=row.due_kind)


async def _tasks(
    connection: AsyncConnection, reference: str, chain: Sequence[LedgerRow], as_of: datetime | None
) -> list[TaskThen]:
    t = tasks.c
    query = select(tasks).where(t.reference == reference).order_by(t.opened_at, t.kind, t.destination)
    if as_of is None:
        query = query.where(t.closed_at.is_(None))
    else:
        query = query.where(t.opened_at <= as_of, t.closed_at.is_(None) | (t.closed_at > as_of))
    open_then = TaskRow.all_of(await connection.execute(query))
    return [
        TaskThen(
            kind=task.kind,
            destination=task.destination,
            round=task.round,
            opened_at=need(moment(task.opened_at), "opened_at"),
            holder=holder_at(task, chain, as_of),
        )
        for task in open_then
    ]


async def _findings(
    connection: AsyncConnection, reference: str, as_of: datetime | None, language: Language
) -> list[FindingsThen]:
    """Return the newest assessment of each scope of rules."""
    a = assessments.c
    query = select(a.scope, a.seq, a.round, a.at, a.policy_version, a.policy_hash, a.findings)
    query = query.where(a.reference == reference).order_by(a.scope, a.seq)
    if as_of is not None:
        query = query.where(a.at <= as_of)
    newest = {row.scope: row for row in await connection.execute(query)}
    return [
        FindingsThen(
            scope=row.scope,
            seq=row.seq,
            round=row.round,
            at=need(moment(row.at), "at"),
            rule_version=row.policy_version,
            rule_hash=row.policy_hash,
            findings=[finding_view(finding, language) for finding in kept_findings(row.findings)[0]],
        )
        for row in newest.values()
    ]
