"""What a renewal would confirm: each field and since when it is known, what runs out, whether it can be asked."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import orjson
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import facts as case_facts
from cases.case.file import CaseFile, load_case
from cases.case.renewals import RenewedTrackView
from cases.case.signers import need_no_conflict
from cases.case.views import view
from cases.decisions import renewals
from cases.shared.context import Context
from domain.actors import Actor, Role
from domain.clock import CHINA
from domain.errors import Refused
from domain.masks import MASKS, mask_name
from domain.parties import Party
from store.tables import applications


@view
class ConfirmedView:
    """A field that a renewal confirms: as it is known, and since when."""

    field: Annotated[str, Field(examples=["employment.position"])]
    value: Annotated[
        Any, Field(description="As it was given; numbers and addresses masked, names too but to the owner.")
    ]
    since: datetime
    seen: Annotated[bool, Field(description="Whether an officer saw it, and it stands in the place of what was given.")]


@view
class WhyNotView:
    """Why a renewal cannot be asked now."""

    code: Annotated[str, Field(examples=["renewal_too_early"])]
    opens_on: Annotated[date | None, Field(description="The first day on which it can be, where that is why.")]


@view
class RenewalAheadView:
    """What a renewal would confirm, and whether it can be asked now."""

    reference: str
    can_be_asked: bool
    why_not: WhyNotView | None
    ends: Annotated[tuple[RenewedTrackView, ...], Field(description="What runs out, or has run out, and when.")]
    taken_on: Annotated[
        dict[str, str], Field(description="What is taken on with a renewal unless something else is said, by field.")
    ]
    confirms: tuple[ConfirmedView, ...]


async def read_renewal(context: Context, actor: Actor, reference: str) -> RenewalAheadView:
    """Return what a renewal of a case would confirm, masked as the case is; `…/person` opens what is masked.

    Raises:
        Refused: `case_unknown`; `facts_erased` after an erasure; `role_not_allowed` for one who declared a conflict.
    """
    at = context.clock()
    async with context.database.begin(actor.tenant) as connection:
        file = await load_case(context, connection, reference)
        need_no_conflict(file, actor)
        declared, is_own = renewals.declared(file), actor.role in (Role.EMPLOYER, Role.PERSON)
        confirms = await _confirmed(file, connection, declared.shows, names=is_own)
        ends = renewals.can_be_renewed(file)
        why_not = _why_not(file, actor, at)
    return RenewalAheadView(
        reference=file.reference,
        can_be_asked=why_not is None,
        why_not=why_not,
        ends=tuple(RenewedTrackView(destination=track, valid_until=until) for track, until in ends.items()),
        taken_on=dict(declared.taken_on),
        confirms=confirms,
    )


def _why_not(file: CaseFile, actor: Actor, at: datetime) -> WhyNotView | None:
    is_person = file.owned_by is Party.PERSON
    asked_as = {"role": Role.PERSON} if is_person else {"role": Role.EMPLOYER, "employer_id": file.employer_id}
    owner = actor.model_copy(update=asked_as)
    try:
        renewals.refuses_renewal(file, owner, None, at)
    except Refused as refused:
        opens = refused.facts.get("opens_on")
        return WhyNotView(code=refused.code, opens_on=None if opens is None else date.fromisoformat(opens))
    return None


async def _confirmed(
    file: CaseFile, connection: AsyncConnection, shows: Sequence[str], *, names: bool
) -> tuple[ConfirmedView, ...]:
    """Return the fields as they are known, each with the time of the version since which it is what it is."""
    known, versions = case_facts.known(file).model_dump(mode="json"), await _versions(file, connection)
    numbers = {each.number for each in case_facts.in_force(file)}
    recorded = {row.field: row.at for row in file.facts if row.number in numbers}
    found = []
    for path in shows:
        since = _since(versions, path)
        found.append(
            ConfirmedView(
                field=path,
                value=_shown(path, _at(known, path), names=names),
                since=recorded.get(path, since).astimezone(CHINA).replace(microsecond=0),
                seen=path in recorded,
            )
        )
    return tuple(found)


async def _versions(file: CaseFile, connection: AsyncConnection) -> list[tuple[datetime, Mapping[str, Any]]]:
    """Return what was given, version by version, the newest first."""
    a = applications.c
    query = select(a.version, a.body, a.given_at).where(a.reference == file.reference).order_by(a.version.desc())
    return [
        (
            row.given_at,
            orjson.loads(file.person_key.open("applications", "body", f"{file.reference}/{row.version}", row.body)),
        )
        for row in await connection.execute(query)
    ]


def _since(versions: Sequence[tuple[datetime, Mapping[str, Any]]], path: str) -> datetime:
    newest, since = _at(versions[0][1], path), versions[0][0]
    for given_at, whole in versions:
        if _at(whole, path) != newest:
            break
        since = given_at
    return since


def _at(whole: Mapping[str, Any], path: str) -> Any:
    part, _, name = path.partition(".")
    inner = whole.get(part)
    return inner if not name else (inner or {}).get(name)


def _shown(path: str, value: Any, *, names: bool) -> Any:
    mask = MASKS.get(path.rpartition(".")[2])
    if mask is None or (names and mask is mask_name) or not isinstance(value, str):
        return value
    return mask(value)
