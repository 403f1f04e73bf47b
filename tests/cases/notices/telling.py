"""What tests of deliveries work with: cases that tell something, and the rows that came of it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update

from cases.case.file import open_case
from cases.notices.compose import Telling, tell
from cases.notices.due import Due, Outcome, Result
from cases.shared.context import Context
from domain.actors import Actor, Role
from domain.notices import Channel, NoticeKind, Recipient
from programmes.talent_permit.requests import RegistrationRequest
from store.tables import deliveries, employers, ledger, notices, tasks
from tests.cases.contexts import EMPLOYER_A, key, registration_body
from tests.cases.taking_on import accept
from texts.notices import Remedy

LETTER_FACTS = {
    "role": Role.OFFICER,
    "decided_on": date(2026, 3, 2),
    "rule_version": "2025-11-05",
    "remedy": Remedy(reconsideration_days=60, lawsuit_months=6),
}


async def take_on(context: Context, actor: Actor = EMPLOYER_A, **person: Any) -> str:
    """Take on a registration and return its reference; the notices that tell of it count as delivered."""
    request = RegistrationRequest.model_validate(registration_body(**person))
    accepted = await accept(context, actor, request, key())
    async with context.database.begin() as connection:
        await connection.execute(update(deliveries).values(status="delivered", next_attempt=None))
        await connection.execute(update(notices).values(status="delivered"))
    return accepted.reference


async def notify(
    context: Context,
    reference: str,
    kind: str = NoticeKind.REGISTRATION_WITHDRAWN,
    *,
    to: Recipient = Recipient.PERSON,
    occasion: str = "1",
    facts: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> None:
    """Tell one reader something about a case."""
    async with open_case(context, reference) as (file, _):
        tell(file, Telling(kind, at or context.clock(), occasion, facts=facts, only=frozenset({to})))


async def take_digests(context: Context, employer_id: str = "emp-a") -> None:
    """Let an employer take what can wait as one mail a day."""
    async with context.database.begin() as connection:
        await connection.execute(update(employers).where(employers.c.employer_id == employer_id).values(digest=True))


async def rows_of(context: Context, *channels: Channel) -> list[dict[str, Any]]:
    """Return the deliveries of these channels that are not those of the case's own beginning."""
    query = select(deliveries).join(notices, notices.c.notice_id == deliveries.c.notice_id)
    query = query.where(notices.c.kind != NoticeKind.REGISTRATION_RECEIVED).order_by(notices.c.at, deliveries.c.channel)
    async with context.database.begin() as connection:
        rows = [dict(row) for row in (await connection.execute(query)).mappings()]
    return [row for row in rows if not channels or row["channel"] in channels]


async def statuses(context: Context) -> dict[str, str]:
    """Return the status of each notice, by kind and recipient."""
    query = select(notices).where(notices.c.kind != NoticeKind.REGISTRATION_RECEIVED)
    async with context.database.begin() as connection:
        rows = (await connection.execute(query)).all()
    return {f"{row.kind} {row.recipient}": row.status for row in rows}


async def open_tasks(context: Context, kind: str) -> int:
    """Return how many tasks of a kind are open."""
    query = select(func.count()).select_from(tasks).where(tasks.c.kind == kind, tasks.c.state == "open")
    async with context.database.begin() as connection:
        return int((await connection.execute(query)).scalar_one())


async def ledger_acts(context: Context, prefix: str = "notice/") -> list[tuple[int, str, str]]:
    """Return the ledger rows of the chains of notices, as number, act and status."""
    query = select(ledger).where(ledger.c.chain.startswith(prefix)).order_by(ledger.c.chain, ledger.c.seq)
    async with context.database.begin() as connection:
        return [(row.seq, row.act, row.outcome or "") for row in await connection.execute(query)]


def sent(dues: Sequence[Due], provider_id: str | None = None) -> list[Result]:
    """Return the results of messages that went out."""
    return [Result(due.leased, Outcome.SENT, provider_id=provider_id) for due in dues]


def failed(dues: Sequence[Due], reason: str = "smtp_550") -> list[Result]:
    """Return the results of messages that will never pass."""
    return [Result(due.leased, Outcome.FAILED, reason=reason) for due in dues]


def later(dues: Sequence[Due], reason: str = "timeout", retry_after: float | None = None) -> list[Result]:
    """Return the results of messages that may pass later."""
    return [Result(due.leased, Outcome.LATER, reason=reason, retry_after=retry_after) for due in dues]
