"""Working rosters off in the background: leased, checked, then done row by row, in turns between employers."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import bindparam, func, select, text, update

from cases.commands import submit
from cases.commands.intake import accept
from cases.commands.one_live import taken_again_at
from cases.commands.sweeper import Sending
from cases.keys.data import get_data_key
from cases.shared import pace
from cases.shared.context import Context
from cases.shared.idempotency import Idempotency
from domain.actors import Actor
from domain.errors import FieldError, Refused, Unavailable, need
from domain.roster import OnDefect, RosterStatus, RowResult
from domain.spellings import ROSTER_ROUTE
from register.rosters.check import (
    Checked,
    Read,
    check_asked,
    check_in_file,
    check_in_register,
    find_own_live,
    read_row,
)
from register.rosters.kinds import RosterKind, acts_of, kind_of
from register.rosters.reads import count_results, open_row, stored_errors
from store.encryption import DataKey
from store.rows.rosters import RosterLineRow, RosterRow
from store.tables import roster_rows, rosters
from temporal.telemetry import concerning

_CHECK_CHUNK: Final = 500
_RUN_CHUNK: Final = 20
_IDLE_SECONDS: Final = 1.0
_AWAY_SECONDS: Final = 5.0
_Item = TypeVar("_Item")

# The employer served longest ago comes first, so that a large roster or many of them hold up nobody else's. What a
# programme asks that is declared elsewhere, as by a later version, is left to a process that knows it.
_LEASE: Final = text("""
    UPDATE rosters SET lease_until = clock_timestamp() + interval '60 seconds'
    WHERE roster_id = (
        SELECT r.roster_id FROM rosters r
        WHERE r.status IN ('checking', 'running') AND (r.lease_until IS NULL OR r.lease_until < clock_timestamp())
        AND (r.resumes_at IS NULL OR r.resumes_at <= :at) AND r.act = ANY(CAST(:acts AS text[]))
        ORDER BY (SELECT max(o.lease_until) FROM rosters o WHERE o.employer_id = r.employer_id) NULLS FIRST, r.at
        LIMIT 1 FOR UPDATE OF r SKIP LOCKED
    )
    RETURNING roster_id
""")
_EXTEND: Final = text(
    "UPDATE rosters SET lease_until = clock_timestamp() + interval '60 seconds' WHERE roster_id = :id"
)
_RELEASE: Final = text("UPDATE rosters SET lease_until = clock_timestamp() WHERE roster_id = :id")
_REST: Final = text("UPDATE rosters SET lease_until = clock_timestamp(), resumes_at = :until WHERE roster_id = :id")


class _UsedUp(Exception):  # noqa: N818
    """The conflicts of the day are used up."""


class Job(NamedTuple):
    """A leased roster."""

    roster_id: UUID
    employer_id: str
    kind: RosterKind
    dry_run: bool
    on_defect: OnDefect
    actor: Actor
    status: RosterStatus
    totals: dict[str, int]
    key: DataKey


async def work_rosters(context: Context, starter: Sending | None = None) -> None:
    """Work rosters off until cancelled; what a process leaves undone another takes up when the lease is over."""
    while True:
        try:
            pause = 0.0 if await work_once(context, starter) else _IDLE_SECONDS
        except Unavailable:
            pause = _AWAY_SECONDS
        await asyncio.sleep(pause)


async def work_once(context: Context, starter: Sending | None = None) -> bool:
    """Take one turn on one roster and return whether there was one."""
    job = await _lease(context)
    if job is None:
        return False
    try:
        if job.status is RosterStatus.CHECKING:
            await _check(context, job)
        else:
            await _run(context, job, starter)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one roster that cannot be worked must not hold up the others
        # Only the type: an error of the database quotes the values of its statement.
        structlog.get_logger(__name__).error("roster_failed", roster_id=str(job.roster_id), error=type(error).__name__)
        await _set_status(context, job, RosterStatus.FAILED, reason=type(error).__name__)
    return True


async def _lease(context: Context) -> Job | None:
    async with context.database.begin() as connection:
        leased = await connection.execute(_LEASE, {"at": context.clock(), "acts": acts_of(context)})
        roster_id = leased.scalar_one_or_none()
        if roster_id is None:
            return None
        query = select(rosters).where(rosters.c.roster_id == roster_id)
        found = need(RosterRow.one_of(await connection.execute(query)), "roster")
        key = await get_data_key(context, connection, found.key_id)
    return Job(
        roster_id=found.roster_id,
        employer_id=found.employer_id,
        kind=kind_of(context, found.act),
        dry_run=found.dry_run,
        on_defect=OnDefect(found.on_defect),
        actor=Actor.model_validate(found.actor),
        status=RosterStatus(found.status),
        totals=found.totals,
        key=key,
    )


async def _check(context: Context, job: Job) -> None:
    """Look at every row; doing it again after a kill finds the same."""
    async with context.database.begin() as connection:
        query = select(roster_rows.c.row, roster_rows.c.body).where(roster_rows.c.roster_id == job.roster_id)
        sealed = [(r.row, r.body) for r in await connection.execute(query.order_by(roster_rows.c.row))]
    settled, others = await asyncio.to_thread(_check_in_file, job, sealed)
    for chunk in _chunks(settled, _CHECK_CHUNK):
        await _keep(context, job, chunk)
    for part in _chunks(others, _CHECK_CHUNK):
        async with context.database.begin(job.actor.tenant) as connection:
            checked = await check_in_register(context, connection, job.employer_id, job.kind, part)
            checked = await check_asked(context, connection, job.actor, job.kind, dict(part), checked)
        await _keep(context, job, checked)
    async with context.database.begin() as connection:
        counts = await count_results(connection, job.roster_id)
    if job.dry_run:
        await _set_status(context, job, RosterStatus.READY)
    elif job.on_defect is OnDefect.STOP and counts.get(RowResult.DEFECT, 0):
        await _set_status(context, job, RosterStatus.FAILED, reason="defects")
    else:
        await _set_status(context, job, RosterStatus.RUNNING)


def _check_in_file(job: Job, sealed: Iterable[tuple[int, bytes]]) -> tuple[list[Checked], list[tuple[int, Read]]]:
    rows = ((n, open_row(job.key, job.roster_id, n, body)) for n, body in sealed)
    return check_in_file(rows, job.kind)


async def _run(context: Context, job: Job, starter: Sending | None) -> None:
    """Do the next rows, each in a transaction of its own under a key made of roster and row.

    Once the conflicts of the day are used up, the rows that are left stay new until the next one.
    """
    query = (
        select(roster_rows)
        .where(roster_rows.c.roster_id == job.roster_id, roster_rows.c.result == RowResult.NEW.value)
        .order_by(roster_rows.c.row)
        .limit(_RUN_CHUNK)
    )
    async with context.database.begin() as connection:
        rows = RosterLineRow.all_of(await connection.execute(query))
    if not rows:
        await _set_status(context, job, RosterStatus.DONE)
        return
    loop = asyncio.get_running_loop()
    for row in rows:
        begun = loop.time()
        read = read_row(open_row(job.key, job.roster_id, row.row, row.body), job.kind)
        try:
            done = await _do(context, job, row.row, read, row.reference, starter)
        except _UsedUp:
            async with context.database.begin() as connection:
                until = taken_again_at(context.clock())
                await connection.execute(_REST, {"id": job.roster_id, "until": until})
            return
        if done is not None:
            await _keep(context, job, [done])
        await pace.rest(begun)
    async with context.database.begin() as connection:
        await connection.execute(_RELEASE, {"id": job.roster_id})


async def _do(
    context: Context,
    job: Job,
    number: int,
    read: Read | list[FieldError],
    reference: str | None,
    starter: Sending | None,
) -> Checked | None:
    """Do one row and return what became of it, or None where it has to be done again.

    Raises:
        _UsedUp: no new registration of the employer is taken any more today.
    """
    if isinstance(read, list):
        return Checked(number, RowResult.DEFECT, errors=tuple(read))
    key = f"{ROSTER_ROUTE}/{job.roster_id}/{number}"
    actor = job.actor.model_copy(update={"correlation_id": key})
    try:
        if read.form is not None:
            idempotency = Idempotency(ROSTER_ROUTE, key, read.form.model_dump_json().encode())
            taken = await accept(context, job.kind.programme, actor, read.form, idempotency)
            reference = taken.reference
            if starter is not None:
                with concerning(reference, key):
                    await starter.start(reference, key, employer_id=job.actor.employer_id or "")
        else:
            body, kind = need(read.asked, "asked"), job.kind.programme.asked_by(job.kind.act)
            idempotency = Idempotency(ROSTER_ROUTE, key, body.model_dump_json().encode())
            asked = await submit.ask(context, actor, str(reference), kind, body, idempotency)
            if starter is not None:
                with concerning(str(reference), key):
                    await starter.nudge(str(reference), str(asked.command_id), key)
    except Refused as refused:
        if refused.code == "in_progress":
            return None
        if refused.code == "too_many_requests":
            raise _UsedUp from refused
        return await _refused(context, job, number, read, reference, refused)
    return Checked(number, RowResult.REGISTERED, reference)


async def _refused(
    context: Context, job: Job, number: int, read: Read, reference: str | None, refused: Refused
) -> Checked:
    """Return what a refusal makes of a row; one of a person registered elsewhere names no case."""
    if refused.code == "live_registration_exists":
        async with context.database.begin(job.actor.tenant) as connection:
            own = await find_own_live(context, connection, job.employer_id, job.kind, read)
        if own is not None:
            return Checked(number, RowResult.ALREADY_REGISTERED, own)
        message = "This person has a live case of this kind; it has to end first."
        person = job.kind.roster.person
        return Checked(number, RowResult.DEFECT, errors=(FieldError(person, refused.code, message),))
    field = "client_reference" if refused.code == "client_reference_taken" else "row"
    errors = refused.errors or (FieldError(field, refused.code, refused.detail),)
    return Checked(number, RowResult.DEFECT, reference, errors)


async def _keep(context: Context, job: Job, checked: Sequence[Checked]) -> None:
    """Write the results of rows, which go on from `new` only, and go on holding the lease."""
    if not checked:
        return
    statement = (
        update(roster_rows)
        .where(roster_rows.c.roster_id == job.roster_id, roster_rows.c.row == bindparam("number"))
        .where(func.coalesce(roster_rows.c.result, RowResult.NEW.value) == RowResult.NEW.value)
        .values(result=bindparam("found"), reference=bindparam("case"), errors=bindparam("wrong"))
    )
    values: list[dict[str, Any]] = [
        {
            "number": one.row,
            "found": one.result.value,
            "case": one.reference,
            "wrong": stored_errors(one.errors),
        }
        for one in checked
    ]
    async with context.database.begin() as connection:
        await connection.execute(statement, values)
        await connection.execute(_EXTEND, {"id": job.roster_id})


async def _set_status(context: Context, job: Job, status: RosterStatus, *, reason: str | None = None) -> None:
    async with context.database.begin() as connection:
        counts = await count_results(connection, job.roster_id)
        one = update(rosters).where(rosters.c.roster_id == job.roster_id, rosters.c.status == job.status.value)
        await connection.execute(one.values(status=status.value, reason=reason, totals=job.totals | counts))
        await connection.execute(_RELEASE, {"id": job.roster_id})


def _chunks(items: Sequence[_Item], size: int) -> Iterable[Sequence[_Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))
