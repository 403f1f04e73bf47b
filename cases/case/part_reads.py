"""What an employer is shown of the cases of others in which it confirms something: its own part, and nothing else.

That it has the part is found by a transaction of that employer, to which row-level security shows no more. What is
shown of the case is read by the park, as the programme declares it, and leaves a row by which the person sees who read.
"""

from collections.abc import Sequence

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.parties import DeclaredPart, PartPlace, confirmed_by
from cases.case.reading import read_cases
from cases.shared.accesses import note_access
from cases.shared.context import Context
from cases.shared.pages import Position, cut
from domain.actors import PARK, Actor
from domain.acts import Act
from domain.errors import Refused, need
from domain.languages import Language
from store.ledger import Entry


def place_of(declared: DeclaredPart) -> PartPlace:
    """Return where an employer is shown its part."""
    return need(declared.place, "place")


async def list_parts(
    context: Context,
    actor: Actor,
    programme: str,
    declared: DeclaredPart,
    *,
    language: Language = Language.ZH_HANS,
    after: Position | None = None,
    limit: int = 50,
) -> tuple[list[BaseModel], Position | None]:
    """Return a page of what an employer confirms, what it was asked first coming first."""
    async with context.database.begin(actor.tenant) as connection:
        mine = await confirmed_by(connection, actor, programme)
    rest = [(since, reference) for reference, since in mine if after is None or (since, reference) > after]
    page, position = cut(rest[: limit + 1], limit, lambda each: each)
    return await _shown(context, actor, declared, [reference for _, reference in page], language), position


async def get_part(
    context: Context,
    actor: Actor,
    programme: str,
    declared: DeclaredPart,
    reference: str,
    language: Language = Language.ZH_HANS,
) -> BaseModel:
    """Return what an employer confirms of one case.

    Raises:
        Refused: `case_unknown` for a case in which it has no part, whether or not there is one.
    """
    async with context.database.begin(actor.tenant) as connection:
        await need_part(connection, actor, programme, reference)
    (shown,) = await _shown(context, actor, declared, [reference], language)
    return shown


async def need_part(connection: AsyncConnection, actor: Actor, programme: str, reference: str) -> None:
    """Refuse whoever confirms nothing of a case.

    Raises:
        Refused: `case_unknown`, whether or not there is one.
    """
    if not await confirmed_by(connection, actor, programme, reference):
        raise Refused("case_unknown", "There is no case of this reference.")


async def _shown(
    context: Context, actor: Actor, declared: DeclaredPart, references: Sequence[str], language: Language
) -> list[BaseModel]:
    if not references:
        return []
    async with context.database.begin(PARK) as connection:
        found = await read_cases(context, connection, references, actor)
        owners = {each.employer_id for each in found}
        entry = Entry(
            Act.CASE_READ,
            actor,
            context.clock(),
            employer_id=owners.pop() if len(owners) == 1 else None,
            detail={"what": "part", "cases": [each.reference for each in found]},
        )
        await note_access(connection, entry)
        return [place_of(declared).shows(each, language) for each in found]
