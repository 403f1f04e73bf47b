"""What no workflow waits for: deadlines that the Schedule watches, and those that outlive their case's workflow."""

from datetime import datetime

from sqlalchemy import and_, or_, select

from cases.case.file import open_case
from cases.commands.timers import pass_watched as pass_watched_of
from cases.incidents.stopped import open_incident
from cases.once_only import standing
from cases.shared.context import Context
from domain.actors import system
from domain.errors import Defect, Unavailable
from domain.stages import Stage
from store.tables import cases, deadlines

_ROUND = 200


async def pass_watched(context: Context, at: datetime) -> None:
    """Pass the deadlines that the Schedule watches, and those that outlive their workflow, case by case."""
    ended = select(1).where(cases.c.reference == deadlines.c.reference, cases.c.stage == Stage.ENDED.value)
    watched = deadlines.c.kind.in_(context.words.deadlines_of_schedule())
    outliving = and_(deadlines.c.kind.in_(context.words.outliving_deadlines()), ended.exists())
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
        await _pass_watched_of(context, reference, at)


async def _pass_watched_of(context: Context, reference: str, at: datetime) -> None:
    """Pass what is watched of one case; a case that cannot be worked on is an operator's and keeps up no other."""
    try:
        async with open_case(context, reference) as (file, connection):
            was = standing.before(file)
            pass_watched_of(file, system("authority_poll"), at)
            await standing.pass_on(file, connection, was, at)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever keeps one case from being worked on
        reason = error.reason if isinstance(error, Defect) else type(error).__name__
        await open_incident(context, reference, "pass_watched", reason, at)
