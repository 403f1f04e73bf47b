"""Keeping answers about cases that the register does not have, each once, and listing them."""

from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.keys.data import add_data_key, get_data_key
from cases.shared import lost_cases
from cases.shared.context import Context
from cases.shared.pages import Position, cut
from domain.errors import need
from domain.lost_answers import LostAnswerState
from programmes.talent_permit.authority import inbox
from programmes.talent_permit.authority.answers import AuthorityAnswer, Outcome
from programmes.talent_permit.authority.lost_views import LostAnswerView
from store.rows.authority import LostAnswerRow
from store.tables import lost_answers

_L: Final = lost_answers.c
_FORGET: Final = text("""
    WITH old AS (
        DELETE FROM lost_answers WHERE answer_id IN (
            SELECT answer_id FROM lost_answers WHERE received_at < :before AND attached_to IS NULL LIMIT :most)
        RETURNING key_id
    )
    UPDATE data_keys k SET wrapped = NULL, destroyed_at = now() FROM old WHERE k.key_id = old.key_id
""")
_TAKE_AWAY: Final = text("""
    WITH given AS (
        UPDATE lost_answers SET body = NULL WHERE answer_id = :answer_id RETURNING key_id
    )
    UPDATE data_keys k SET wrapped = NULL, destroyed_at = :at FROM given WHERE k.key_id = given.key_id
""")


async def keep(
    context: Context,
    connection: AsyncConnection,
    answer: AuthorityAnswer,
    at: datetime,
    *,
    message_id: str | None,
    source: str,
) -> UUID | None:
    """Keep an answer under a key of its own; None where the same one is kept already."""
    same = select(_L.answer_id).where(
        _L.reference == answer.reference,
        _L.destination == answer.destination.value,
        _L.outcome_id == answer.outcome_id,
        _L.content_hash.in_(inbox.accepted_hashes(context, answer)),
    )
    if (await connection.execute(same)).first() is not None:
        return None
    answer_id, key = uuid4(), await add_data_key(context, connection)
    row = {
        "answer_id": answer_id,
        "message_id": message_id,
        "outcome_id": answer.outcome_id,
        "reference": answer.reference,
        "destination": answer.destination.value,
        "outcome": answer.outcome.value,
        "content_hash": inbox.keyed_hash(context, answer),
        "key_id": key.key_id,
        "body": key.seal("lost_answers", "body", str(answer_id), answer.model_dump_json(exclude_none=True).encode()),
        "source": source,
        "state": LostAnswerState.KEPT.value,
        "occurred_at": answer.occurred_at,
        "received_at": at,
    }
    added = insert(lost_answers).values(row).on_conflict_do_nothing().returning(_L.answer_id)
    if (await connection.execute(added)).first() is None:
        return None
    await lost_cases.keep_unknown(connection, [answer.reference], lost_cases.BY_AUTHORITY, at)
    return answer_id


async def read(context: Context, connection: AsyncConnection, row: LostAnswerRow) -> AuthorityAnswer:
    """Return a kept answer in clear."""
    key = await get_data_key(context, connection, need(row.key_id, "key_id"))
    body = need(row.body, "body")
    return AuthorityAnswer.model_validate_json(key.open("lost_answers", "body", str(row.answer_id), body))


async def take_away(connection: AsyncConnection, answer_id: UUID, at: datetime) -> None:
    """Destroy what an answer says here, once a case has it under the key of its person."""
    await connection.execute(_TAKE_AWAY, {"answer_id": answer_id, "at": at})


async def forget_before(connection: AsyncConnection, before: datetime, most: int) -> None:
    """Delete a batch of answers that came before a time and are no case's, with their keys."""
    await connection.execute(_FORGET, {"before": before, "most": most})


async def list_answers(
    context: Context, state: LostAnswerState | None, *, after: Position | None, limit: int
) -> tuple[list[LostAnswerView], Position | None]:
    """Return a page of kept answers, the newest first, with the authority's number while it is kept here."""
    query = select(lost_answers).order_by(_L.received_at.desc(), _L.answer_id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(_L.state == state.value)
    if after is not None:
        query = query.where(tuple_(_L.received_at, _L.answer_id) < (after[0], UUID(after[1])))
    async with context.database.begin() as connection:
        rows = LostAnswerRow.all_of(await connection.execute(query))
        page, position = cut(rows, limit, lambda row: (row.received_at, str(row.answer_id)))
        items = [view(row, await _opened(context, connection, row)) for row in page]
    return items, position


async def _opened(context: Context, connection: AsyncConnection, row: LostAnswerRow) -> AuthorityAnswer | None:
    return await read(context, connection, row) if row.body is not None else None


def view(row: LostAnswerRow, answer: AuthorityAnswer | None = None) -> LostAnswerView:
    """Return a kept answer as staff sees it; number and term are gone from here once a case has them."""
    proposed, decided = row.proposed_by, row.decided_by
    return LostAnswerView(
        id=str(row.answer_id),
        case=f"{row.reference}/{row.destination}",
        outcome=Outcome(row.outcome),
        outcome_id=row.outcome_id,
        message_id=row.message_id,
        source=row.source,
        authority_number=answer.authority_number if answer else None,
        valid_from=answer.valid_from if answer else None,
        valid_until=answer.valid_until if answer else None,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        state=LostAnswerState(row.state),
        attached_to=row.attached_to,
        proposed_by=proposed["subject"] if proposed else None,
        proposed_at=row.proposed_at,
        decided_by=decided["subject"] if decided else None,
        decided_at=row.decided_at,
    )
