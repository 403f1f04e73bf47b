"""A conflict of interest on a case binds what is done to its employer as well, for as long as the case lives."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.signers import holder_of
from domain.actors import Actor
from domain.errors import Refused
from domain.stages import LIVE
from store.tables import cases, conflicts, employer_versions


async def need_unconflicted_employer(connection: AsyncConnection, actor: Actor, employer_id: str) -> None:
    """Refuse whoever declared a conflict of interest on a live case of the employer."""
    await _need_none(connection, _declared(actor).where(conflicts.c.employer_id == employer_id))


async def need_unconflicted_premises(connection: AsyncConnection, actor: Actor, codes: Collection[str]) -> None:
    """Refuse whoever declared a conflict of interest on a live case of an employer that has any of these premises."""
    v = employer_versions.c
    theirs = select(v.employer_id).where(v.premises.overlap(list(codes)))
    await _need_none(connection, _declared(actor).where(conflicts.c.employer_id.in_(theirs)))


def _declared(actor: Actor) -> Select[Any]:
    c, r = conflicts.c, cases.c
    lives = r.stage.in_([stage.value for stage in LIVE])
    return (
        select(c.reference).join(cases, r.reference == c.reference).where(c.subject == holder_of(actor), lives).limit(1)
    )


async def _need_none(connection: AsyncConnection, query: Select[Any]) -> None:
    if (await connection.execute(query)).first() is not None:
        raise Refused("role_not_allowed", words="conflict_of_employer")
