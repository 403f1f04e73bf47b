"""Employers as dated data: read, recorded by supervisors, and loaded from a file."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final, TypeVar
from uuid import uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.incidents import not_loaded
from cases.keys.data import add_data_key, get_data_key
from cases.notices import employer_contact
from cases.notices.employers import employer_chain
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from cases.shared.pages import cut
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.dated import Span, place
from domain.employers import EmployerKind, EmployerRequest, RegisterFile
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.stages import Standing
from register.conflicts import need_unconflicted_employer
from register.premises import load_premises, lock_register
from register.views import EmployerSummary, EmployerVersion, EmployerView, StandingView
from store.encryption import DataKey
from store.ledger import Entry, append
from store.rows.people import EmployerRow, EmployerVersionRow, StandingRow
from store.tables import employer_standings, employer_versions, employers, premises

_ONE_DAY: Final = timedelta(days=1)
_Dated = TypeVar("_Dated", EmployerVersionRow, StandingRow)


async def put_employer(
    context: Context, actor: Actor, employer_id: str, request: EmployerRequest, idempotency: Idempotency
) -> Reply:
    """Record an employer as it stands from a day on; the version before stays for the days before.

    Raises:
        Refused: `invalid` for a code of another employer, or premises that the register does not have;
            `role_not_allowed` for one who declared a conflict of interest on a live case of the employer.
    """

    async def write(connection: AsyncConnection) -> Done:
        await lock_register(connection)
        await need_unconflicted_employer(connection, actor, employer_id)
        at = context.clock()
        key = await _record(context, connection, actor, employer_id, request, at)
        await not_loaded.end(connection, not_loaded.EMPLOYERS, at, actor.subject)
        reply = Reply(Progress.APPLIED, (await _view(connection, key, actor, employer_id, day_of(at))).as_json())
        return Done(reply, key)

    return (await once(context, actor, idempotency, write)).reply


async def get_employer(context: Context, actor: Actor, employer_id: str) -> EmployerView:
    """Return an employer with its versions and standings.

    Raises:
        Refused: `not_found` when the caller's tenant has none of this id.
    """
    async with context.database.begin(actor.tenant) as connection:
        row = await _find(connection, employer_id)
        if row is None:
            raise Refused("not_found", "The register has no employer of this id.")
        key = await get_data_key(context, connection, row.key_id)
        return await _view(connection, key, actor, employer_id, day_of(context.clock()))


async def list_employers(
    context: Context, actor: Actor, *, after: str | None = None, limit: int = 50
) -> tuple[list[EmployerSummary], str | None]:
    """Return a page of employers by id, as they stand today and without their contacts, and where the next begins."""
    today = day_of(context.clock())
    query = select(employers.c.employer_id, employers.c.uscc).order_by(employers.c.employer_id).limit(limit + 1)
    if after is not None:
        query = query.where(employers.c.employer_id > after)
    async with context.database.begin(actor.tenant) as connection:
        rows = (await connection.execute(query)).all()
        page, last = cut(rows, limit, lambda row: str(row.employer_id))
        ids = [row.employer_id for row in page]
        versions = await _versions(connection, ids)
        standings = await _standings(connection, ids)
    items = [
        EmployerSummary(
            employer_id=row.employer_id,
            uscc=row.uscc,
            **_shown(versions[row.employer_id], today).model_dump(),
            standing=_standing_on(standings.get(row.employer_id, []), today),
        )
        for row in page
    ]
    return items, last


async def load_register(context: Context, actor: Actor, register: RegisterFile) -> dict[str, int]:
    """Load premises and employers of a file and return how many versions were new.

    A version that begins on a day on which one begins already stays as it is, since a supervisor may have changed it
    after an earlier load; so loading a file again changes nothing.
    """
    at = context.clock()
    async with context.database.begin() as connection:
        await lock_register(connection)
        new_premises = await load_premises(connection, actor, register.premises, at)
        rows = await connection.execute(select(employer_versions.c.employer_id, employer_versions.c.valid_from))
        there = {(row.employer_id, row.valid_from) for row in rows}
        known = {employer_id for employer_id, _ in there}
        new = [e for e in register.employers if (e.employer_id, e.valid_from) not in there]
        for entry in new:
            fields = {name: getattr(entry, name) for name in EmployerRequest.model_fields}
            request = EmployerRequest.model_construct(**fields)
            await _record(context, connection, actor, entry.employer_id, request, at)
            if entry.employer_id not in known and entry.standing is not Standing.GOOD:
                await _set_first_standing(connection, actor, entry.employer_id, entry.standing, entry.valid_from, at)
        if new:
            await not_loaded.end(connection, not_loaded.EMPLOYERS, at, actor.subject)
    return {"premises": new_premises, "employers": len(new)}


async def _record(
    context: Context,
    connection: AsyncConnection,
    actor: Actor,
    employer_id: str,
    request: EmployerRequest,
    at: datetime,
) -> DataKey:
    await _check(connection, employer_id, request)
    # Locked as a change of standing locks it, since both write to the employer's chain of the ledger.
    row = await _find(connection, employer_id, lock=True)
    key = await get_data_key(context, connection, row.key_id) if row else await add_data_key(context, connection)
    earlier = employer_contact.opened(key, row) if row else None
    contact = employer_contact.complete(context, request.contact, earlier)
    changed = row is None or row.uscc != request.uscc or earlier != contact
    values = {"uscc": request.uscc, **employer_contact.columns(key, employer_id, contact)}
    if row is None:
        await connection.execute(insert(employers).values(employer_id=employer_id, key_id=key.key_id, **values))
    elif changed:
        await connection.execute(update(employers).where(employers.c.employer_id == employer_id).values(**values))
    changed |= await _record_version(connection, employer_id, request)
    if changed:
        detail = {
            "kind": request.kind.value,
            "premises": list(request.premises),
            "valid_from": request.valid_from.isoformat(),
            "valid_to": request.valid_to.isoformat() if request.valid_to else None,
            "content": key.ledger_hash(request.model_dump_json().encode()),
        }
        entry = Entry(Act.EMPLOYER_RECORDED, actor, at, employer_id=employer_id, detail=detail)
        await append(connection, employer_chain(employer_id), [entry])
    if earlier is not None:
        await employer_contact.tell_changed(context, connection, employer_id, earlier, contact, at)
    return key


async def _check(connection: AsyncConnection, employer_id: str, request: EmployerRequest) -> None:
    errors: list[FieldError] = []
    same_code = select(employers.c.employer_id).where(
        employers.c.uscc == request.uscc, employers.c.employer_id != employer_id
    )
    if (await connection.execute(same_code)).first() is not None:
        errors.append(FieldError("uscc", FieldCode.UNKNOWN_VALUE, "Another employer has this code."))
    found = await connection.execute(select(premises.c.code).where(premises.c.code.in_(request.premises)).distinct())
    known = set(found.scalars())
    errors += [
        FieldError(f"premises[{n}]", FieldCode.UNKNOWN_VALUE, "The register has no premises of this code.")
        for n, code in enumerate(request.premises)
        if code not in known
    ]
    if errors:
        raise Refused("invalid", "The employer does not fit the register.", errors)


async def _record_version(connection: AsyncConnection, employer_id: str, request: EmployerRequest) -> bool:
    """Write one version in its place among the others and return whether anything changed."""
    rows = (await _versions(connection, [employer_id])).get(employer_id, [])
    placement = place([Span(row.valid_from, row.valid_to) for row in rows], Span(request.valid_from, request.valid_to))
    new = EmployerVersionRow(
        employer_id=employer_id,
        valid_from=request.valid_from,
        valid_to=placement.valid_to,
        name_zh=request.name_zh,
        name_en=request.name_en,
        kind=request.kind.value,
        premises=list(request.premises),
    )
    if new in rows:
        return False
    values = new.document()
    if placement.closed:
        earlier = update(employer_versions).where(
            employer_versions.c.employer_id == employer_id, employer_versions.c.valid_from.in_(placement.closed)
        )
        await connection.execute(earlier.values(valid_to=request.valid_from - _ONE_DAY))
    statement = upsert(employer_versions).values(values)
    replaced = {name: statement.excluded[name] for name in values if name not in ("employer_id", "valid_from")}
    keys = list(employer_versions.primary_key)
    await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=replaced))
    return True


async def _set_first_standing(
    connection: AsyncConnection, actor: Actor, employer_id: str, standing: Standing, valid_from: date, at: datetime
) -> None:
    """Set the standing that a file gives a new employer, which has no case that could hear of it."""
    row = StandingRow(
        change_id=uuid4(),
        employer_id=employer_id,
        standing=standing.value,
        valid_from=valid_from,
        state="in_force",
        proposed_by={"issuer": actor.issuer, "subject": actor.subject, "role": actor.role.value},
        spread=True,
        at=at,
    )
    await connection.execute(insert(employer_standings).values(row.filled()))
    detail = {"valid_from": valid_from.isoformat()}
    entry = Entry(Act.STANDING_SET, actor, at, employer_id=employer_id, outcome=standing.value, detail=detail)
    await append(connection, employer_chain(employer_id), [entry])


async def _find(connection: AsyncConnection, employer_id: str, *, lock: bool = False) -> EmployerRow | None:
    query = select(employers).where(employers.c.employer_id == employer_id)
    if lock:
        query = query.with_for_update()
    return EmployerRow.one_of(await connection.execute(query))


async def _versions(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, list[EmployerVersionRow]]:
    query = (
        select(employer_versions)
        .where(employer_versions.c.employer_id.in_(ids))
        .order_by(employer_versions.c.valid_from)
    )
    return _by_employer(EmployerVersionRow.all_of(await connection.execute(query)))


async def _standings(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, list[StandingRow]]:
    query = (
        select(employer_standings)
        .where(employer_standings.c.employer_id.in_(ids))
        .order_by(employer_standings.c.valid_from, employer_standings.c.at)
    )
    return _by_employer(StandingRow.all_of(await connection.execute(query)))


def _by_employer(rows: Iterable[_Dated]) -> dict[str, list[_Dated]]:
    found: dict[str, list[_Dated]] = {}
    for row in rows:
        found.setdefault(row.employer_id, []).append(row)
    return found


def _standing_on(standings: Iterable[StandingRow], day: date) -> Standing:
    held = [each.standing for each in standings if each.state == "in_force" and each.valid_from <= day]
    return Standing(held[-1]) if held else Standing.GOOD


async def _view(connection: AsyncConnection, key: DataKey, actor: Actor, employer_id: str, today: date) -> EmployerView:
    """Return an employer as it stands today, or will first stand where it does not yet, with all its versions.

    An employer sees neither a proposal that waits for its second signature nor one that was rejected.
    """
    row = await _find(connection, employer_id)
    if row is None:
        raise Refused("not_found", "The register has no employer of this id.")
    versions = (await _versions(connection, [employer_id]))[employer_id]
    standings = (await _standings(connection, [employer_id])).get(employer_id, [])
    shown = [each for each in standings if each.state == "in_force" or actor.employer_id is None]
    return EmployerView(
        employer_id=employer_id,
        uscc=row.uscc,
        **_shown(versions, today).model_dump(),
        contact=employer_contact.opened(key, row).model_dump(mode="json", exclude_none=True),
        standing=_standing_on(standings, today),
        standings=[standing_view(each) for each in shown],
        versions=[_version_view(each) for each in versions],
    )


def standing_view(row: StandingRow) -> StandingView:
    """Return a change of standing as callers see it: signers by role, never by name."""
    return StandingView(
        change_id=str(row.change_id),
        employer_id=row.employer_id,
        standing=Standing(row.standing),
        valid_from=row.valid_from,
        state=row.state,
        reasons=[reason["code"] for reason in row.proposed_by.get("reasons", ())],
        proposed_by=row.proposed_by["role"],
        confirmed_by=row.confirmed_by["role"] if row.confirmed_by else None,
    )


def _shown(versions: Sequence[EmployerVersionRow], day: date) -> EmployerVersion:
    """Return the version that holds on a day, or the last where none does."""
    return _version_view(next((each for each in versions if each.covers(day)), versions[-1]))


def _version_view(row: EmployerVersionRow) -> EmployerVersion:
    return EmployerVersion(
        name_zh=row.name_zh,
        name_en=row.name_en,
        kind=EmployerKind(row.kind),
        premises=list(row.premises),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )
