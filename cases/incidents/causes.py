"""Open incidents by cause: one line for all that are alike, however many there are."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.incidents.stopped import page_of
from cases.incidents.views import CauseView, IncidentView, cause_view
from cases.shared.context import Context
from cases.shared.pages import Position, cut
from domain.actors import Actor
from domain.errors import Refused
from domain.languages import Language
from store.incident_rows import CauseLine
from store.tables import incidents

# So many references stand in the line; the list has them all.
_FIRST: Final = 5
_LINES: Final = """
    WITH causes AS (
        SELECT i.cause_id, min(i.kind) AS kind, min(i.cause_step) AS step, min(i.cause_reason) AS reason,
            min(i.cause_place) AS place, count(*) AS incidents, count(DISTINCT i.reference) AS cases,
            sum(i.times) AS times, count(i.resume_asked_at) AS resuming, count(i.still_wrong) AS still_wrong,
            min(i.at) AS since, max(greatest(i.at, i.last_at)) AS last_at
        FROM incidents i WHERE i.state = 'open' GROUP BY i.cause_id
    )
    SELECT c.*, (
        SELECT jsonb_agg(x.reference ORDER BY x.at, x.reference) FROM (
            SELECT y.reference, min(y.at) AS at FROM (
                SELECT i.reference, i.at FROM incidents i
                WHERE i.cause_id = c.cause_id AND i.state = 'open' AND i.reference IS NOT NULL
                ORDER BY i.at, i.incident_id LIMIT 100
            ) y GROUP BY y.reference ORDER BY min(y.at), y.reference LIMIT :first
        ) x
    ) AS first_references FROM causes c
"""
_ONE: Final = text(f"{_LINES} WHERE c.cause_id = :cause")
_PAGE: Final = text(f"{_LINES} ORDER BY c.since, c.cause_id LIMIT :most")
_NEXT: Final = text(f"{_LINES} WHERE (c.since, c.cause_id) > (:since, :cause) ORDER BY c.since, c.cause_id LIMIT :most")
_BY_KIND: Final = text("SELECT kind, count(*) AS incidents FROM incidents WHERE state = 'open' GROUP BY kind")


async def list_causes(
    context: Context, actor: Actor, language: Language, after: Position | None = None, limit: int = 50
) -> tuple[list[CauseView], Position | None]:
    """Return a page of the causes of open incidents, the oldest first, one line each."""
    values: dict[str, Any] = {"first": _FIRST, "most": limit + 1}
    if after is not None:
        values |= {"since": after[0], "cause": UUID(after[1])}
    async with context.database.begin(actor.tenant) as connection:
        found = await connection.execute(_PAGE if after is None else _NEXT, values)
        rows = [CauseLine(*row) for row in found]
    page, position = cut(rows, limit, lambda row: (row.since, str(row.cause_id)))
    return [cause_view(row, language) for row in page], position


async def read_cause(context: Context, actor: Actor, cause_id: UUID, language: Language) -> CauseView:
    """Return the line of a cause.

    Raises:
        Refused: `not_found` where nothing of it is open.
    """
    async with context.database.begin(actor.tenant) as connection:
        return cause_view(await find_cause(connection, cause_id), language)


async def find_cause(connection: AsyncConnection, cause_id: UUID) -> CauseLine:
    """Return the row of a cause of open incidents.

    Raises:
        Refused: `not_found` where nothing of it is open.
    """
    found = await connection.execute(_ONE, {"first": _FIRST, "cause": cause_id})
    row = found.one_or_none()
    if row is None:
        raise Refused("not_found", "There is no open incident of this cause.")
    return CauseLine(*row)


async def list_of_cause(
    context: Context, actor: Actor, cause_id: UUID, state: str = "open", after: Position | None = None, limit: int = 50
) -> tuple[list[IncidentView], Position | None]:
    """Return a page of the incidents of a cause in a state (`open`, `resumed`, `ended`), the oldest first."""
    i = incidents.c
    return await page_of(context, actor, i.cause_id == cause_id, i.state == state, after=after, limit=limit)


async def open_by_kind(context: Context) -> dict[str, int]:
    """Return how many incidents are open of each kind, for what watches the service."""
    async with context.database.statement() as connection:
        return {row.kind: row.incidents for row in await connection.execute(_BY_KIND)}
