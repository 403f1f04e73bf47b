"""The poll of the authority: the cursor up to which its answers are known, and answers that are late (P15)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select

from cases.case.file import open_case
from cases.commands.timers import pass_watched as pass_watched_of
from cases.incidents.stopped import open_incident
from cases.shared.calendar import set_cursor
from cases.shared.context import Context
from domain.actors import system
from domain.answers import AuthorityAnswer
from domain.errors import Defect, Unavailable
from domain.spellings import Cursor
from domain.stages import Stage
from programmes.talent_permit.authority import inbox
from store.tables import answers, cases, cursors, deadlines, lost_answers

_CURSOR = Cursor.AUTHORITY
_ROUND = 200


async def cursor(context: Context) -> str | None:
    """Return the cursor of the last answer known."""
    async with context.database.statement() as connection:
        return (await connection.execute(select(cursors.c.value).where(cursors.c.name == _CURSOR))).scalar_one_or_none()


async def unknown_answers(context: Context, given: Sequence[AuthorityAnswer]) -> list[AuthorityAnswer]:
    """Return those that are not kept already with equal values (P23)."""
    query = select(answers.c.outcome_id, answers.c.content_hash).where(
        answers.c.outcome_id.in_([each.outcome_id for each in given])
    )
    lost = select(lost_answers.c.outcome_id, lost_answers.c.content_hash).where(
        lost_answers.c.outcome_id.in_([each.outcome_id for each in given])
    )
    async with context.database.statement() as connection:
        known = {(row.outcome_id, row.content_hash) for row in await connection.execute(query.union_all(lost))}
    return [
        each
        for each in given
        if not any((each.outcome_id, hashed) in known for hashed in inbox.accepted_hashes(context, each))
    ]


async def move_cursor(context: Context, to: str) -> None:
    """Move the cursor behind answers that are stored."""
    async with context.database.statement() as connection:
        await set_cursor(connection, _CURSOR, to, context.clock())


async def pass_watched(context: Context, at: datetime) -> None:
    """Pass the deadlines that the Schedule watches, and those of permits that outlive their workflow, case by case."""
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
        async with open_case(context, reference) as (file, _connection):
            pass_watched_of(file, system("authority_poll"), at)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever keeps one case from being worked on
        reason = error.reason if isinstance(error, Defect) else type(error).__name__
        await open_incident(context, reference, "pass_watched", reason, at)
