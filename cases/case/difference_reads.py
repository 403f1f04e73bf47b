"""Reading what was given before and after it was given again under review: an act of the ledger, as opening fields."""

from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import Field, JsonValue
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile, load_case
from cases.case.reads import record_read
from cases.case.signers import need_no_conflict
from cases.case.view import amendment_view
from cases.case.views import ChangedFindingView
from cases.shared.context import Context
from domain.actors import Actor
from domain.amendments import Amendment
from domain.errors import Refused
from domain.purposes import Purpose
from store.tables import applications


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFieldView:
    """A field as it was given before and after; null where it was not given."""

    field: str
    before: JsonValue
    after: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedAmendmentView:
    """What changed by what was given again under review, with its values in clear."""

    round: Annotated[int, Field(description="The round that it began.")]
    at: str
    fields: list[ChangedFieldView]
    findings: list[ChangedFindingView]


async def list_differences(
    context: Context, actor: Actor, reference: str, purpose: Purpose | None
) -> list[OpenedAmendmentView]:
    """Return what was given again under review, old and new, oldest first.

    Raises:
        Refused: `purpose_missing`; `case_unknown`; `facts_erased` after an erasure; `role_not_allowed` for one who
            declared a conflict of interest.
    """
    if purpose is None:
        raise Refused("purpose_missing", "Say in the header Purpose what the fields are opened for.")
    async with context.database.begin(actor.tenant) as connection:
        file = await load_case(context, connection, reference)
        need_no_conflict(file, actor)
        kept = file.row.amendments or []
        fields = tuple(dict.fromkeys(path.rpartition(".")[2] for each in kept for path in each["fields"]))
        if fields:
            await record_read(connection, actor, [file], fields, purpose, context.clock())
        versions = await _versions(file, connection, kept)
    return [_view(each, versions) for each in kept]


def _view(kept: Amendment, versions: dict[int, dict[str, Any]]) -> OpenedAmendmentView:
    before, after = versions[kept["before"]], versions[kept["version"]]
    seen = amendment_view(kept)
    return OpenedAmendmentView(
        round=seen.round,
        at=seen.at,
        fields=[ChangedFieldView(field=p, before=_at(before, p), after=_at(after, p)) for p in kept["fields"]],
        findings=seen.findings,
    )


def _at(given: Any, path: str) -> Any:
    for part in path.split("."):
        given = given.get(part) if isinstance(given, dict) else None
    return given


async def _versions(file: CaseFile, connection: AsyncConnection, kept: list[Amendment]) -> dict[int, dict[str, Any]]:
    """Return the versions of what was given that are compared, in clear, by their number."""
    wanted = {number for each in kept for number in (each["before"], each["version"])}
    query = select(applications.c.version, applications.c.body).where(
        applications.c.reference == file.reference, applications.c.version.in_(wanted)
    )
    return {
        row.version: orjson.loads(
            file.person_key.open("applications", "body", f"{file.reference}/{row.version}", row.body)
        )
        for row in await connection.execute(query)
    }
