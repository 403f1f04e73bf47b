"""The poll of the authority: the cursor up to which its answers are known, and answers that are late (P15)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select

from cases.calendar import set_cursor
from cases.case_file import open_case
from cases.context import Context
from cases.timers import pass_watched as pass_watched_of
from domain.actors import system
from domain.deadlines import OUTLIVING, WATCHED_BY_SCHEDULE
from domain.stages import Stage
from store.tables import answers, cursors, deadlines, registrations

_CURSOR = "authority"
_ROUND = 200


async def cursor(context: Context) -> str | None:
    """Return the cursor of the last answer known."""
    async with context.database.statement() as connection:
        return (await connection.execute(select(cursors.c.value).where(cursors.c.name == _CURSOR))).scalar_one_or_none()


async def known_answers(context: Context, outcome_ids: Sequence[str]) -> frozenset[str]:
    """Return those of the ids whose answers are kept already (P23)."""
    query = select(answers.c.outcome_id).where(answers.c.outcome_id.in_(outcome_ids))
    async with context.database.statement() as connection:
        return frozenset((await connection.execute(query)).scalars())


async def move_cursor(context: Context, to: str) -> None:
    """Move the cursor behind answers that are stored."""
    async with context.database.statement() as connection:
        await set_cursor(connection, _CURSOR, to, context.clock())


async def pass_watched(context: Context, at: datetime) -> None:
    """Pass the deadlines that the Schedule watches, and those of permits that outlive their workflow, case by case."""
    ended = select(1).where(
        registrations.c.reference == deadlines.c.reference, registrations.c.stage == Stage.ENDED.value
    )
    watched = deadlines.c.kind.in_([kind.value for kind in WATCHED_BY_SCHEDULE])
    outliving = and_(deadlines.c.kind.in_([kind.value for kind in OUTLIVING]), ended.exists())
    query = (
        select(deadlines.c.reference)
        .where(
            or_(watched, outliving),
            deadlines.c.state == "waiting",
            deadlines.c.at <= at,
        )
        .distinct()
        .limit(_ROUND)
    )
    async with context.database.statement() as connection:
        references = (await connection.execute(query)).scalars().all()
    for reference in references:
        async with open_case(context, reference) as (file, _connection):
            pass_watched_of(file, system("authority_poll"), at)
