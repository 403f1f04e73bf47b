"""The poll of the authority: what it answered since the cursor is taken in, case by case, and the cursor moved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from pydantic import ValidationError
from sqlalchemy import select

from cases.incidents.refused_messages import note_refused
from cases.programme import Polling, Reading
from cases.shared.calendar import set_cursor
from cases.shared.context import Context
from cases.shared.inboxes import Received
from domain.actors import system
from domain.errors import Refused, Unavailable
from domain.incidents import IncidentKind
from domain.spellings import Cursor
from programmes.talent_permit.authority import inbox, lost_acts, outcomes
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.authority.outcomes import Said
from store import tables
from store.tables import cursors, lost_answers
from temporal.telemetry import concerning, describe

_CURSOR = Cursor.AUTHORITY
_PAGE: Final = 100
_PATH: Final = "/outcomes"
_POLL: Final = system("ask_authority")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """Answers after a cursor, as the authority wrote them, and the cursor behind the last one."""

    answers: tuple[Mapping[str, Any], ...] = field(repr=False)
    next_cursor: str | None


async def poll(polling: Polling) -> int:
    """Take in what the authority answered since the cursor, and return how many answers that were."""
    context = polling.context
    for received in await lost_acts.take_found(context):
        await polling.nudge(received.reference, str(received.command_id))
    taken = 0
    while True:
        after = await cursor(context)
        page = await read_page(polling, after, limit=_PAGE)
        # Most came by callback before; they are passed over together and not case by case.
        news = await unknown_answers(context, await _read(context, page.answers))
        for said in _by_case(news):
            with concerning(said[0].answer.reference):
                await _take(polling, said)
            polling.beat(taken)
        taken += len(page.answers)
        if page.next_cursor is not None and page.next_cursor != after:
            await move_cursor(context, page.next_cursor)
        if len(page.answers) < _PAGE:
            return taken


async def read_page(outside: Reading, after: str | None, *, limit: int, case: str | None = None) -> AnswerPage:
    """Return answers given since the cursor, of one case where it is named.

    Raises:
        Unavailable: the authority is away, or nobody can read what it says.
    """
    wanted = {"after": after, "limit": str(limit), "case": case}
    page = await outside.read(_PATH, {name: value for name, value in wanted.items() if value is not None})
    found, behind = page.get("outcomes"), page.get("next")
    if not isinstance(found, list) or not isinstance(behind, str | int | None):
        raise Unavailable("authority_answer_unreadable")
    next_cursor = str(behind) if behind is not None else after
    return AnswerPage(tuple(each for each in found if isinstance(each, dict)), next_cursor)


async def cursor(context: Context) -> str | None:
    """Return the cursor of the last answer known."""
    async with context.database.statement() as connection:
        return (await connection.execute(select(cursors.c.value).where(cursors.c.name == _CURSOR))).scalar_one_or_none()


async def unknown_answers(context: Context, given: Sequence[AuthorityAnswer]) -> list[AuthorityAnswer]:
    """Return those that are not kept already with equal values (P23)."""
    kept = tables.answers.c
    ids = [each.outcome_id for each in given]
    query = select(kept.outcome_id, kept.content_hash).where(kept.outcome_id.in_(ids))
    lost = select(lost_answers.c.outcome_id, lost_answers.c.content_hash).where(lost_answers.c.outcome_id.in_(ids))
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


async def _read(context: Context, page: Sequence[Mapping[str, object]]) -> list[AuthorityAnswer]:
    """Return the answers of a page; one that is none goes before the operator."""
    read = []
    for raw in page:
        try:
            read.append(AuthorityAnswer.model_validate(dict(raw)))
        except ValidationError:
            await note_refused(context, _POLL, "invalid", kind=IncidentKind.AUTHORITY_ANSWER)
    return read


async def _take(polling: Polling, said: Sequence[Said]) -> None:
    """Take in answers about one case and let its workflow hear of them."""
    for result in await outcomes.receive_each(polling.context, said):
        match result:
            case Received(command_id=None):
                pass
            case Received():
                await polling.nudge(result.reference, str(result.command_id))
            case Refused():
                _log.info("answer_refused", code=result.code)
            case Unavailable():
                raise result
            case _:
                # One answer that cannot be taken in stops neither the others nor the cursor; an operator sees it.
                _log.error("defect", step="take_answer", **describe(result))
                await note_refused(polling.context, _POLL, "defect", kind=IncidentKind.AUTHORITY_ANSWER)


def _by_case(given: Iterable[AuthorityAnswer]) -> list[list[Said]]:
    """Return answers by case, in their order."""
    by_case: dict[str, list[Said]] = {}
    for answer in given:
        by_case.setdefault(answer.reference, []).append(Said(_POLL, answer, source="poll"))
    return list(by_case.values())
