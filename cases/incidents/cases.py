"""What an operator needs to know of a case to mend it: where it stands and what waits, never whom it is about."""

from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, select, text

from cases.incidents.views import IncidentInFull, incident_in_full
from cases.shared.context import Context
from domain.actors import Actor
from domain.errors import Refused
from store.case_tables import tracks_among
from store.incident_rows import IncidentRead
from store.tables import incidents


def _time(column: str) -> str:
    """Return the expression of a time as text: PostgreSQL writes even what could not be read back."""
    return f"to_char({column} AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD\"T\"HH24:MI:SS') || '+08:00'"


def _rows(table: str, where: str, order: str, **columns: str) -> str:
    """Return the subquery of the rows of a case in a table, as far as an operator sees them."""
    fields = ", ".join(f"'{name}', {column}" for name, column in columns.items())
    return f"""
        (SELECT coalesce(jsonb_agg(jsonb_build_object({fields}) ORDER BY {order}), '[]') FROM {table} x
        WHERE x.reference = r.reference AND {where})
    """  # noqa: S608 - made of words of this file alone


_PARTS: Final = {
    "commands": _rows(
        "commands", "(x.state = 'stored' OR x.unanswered)", "x.seq",
        id="x.command_id", kind="x.kind", state="x.state", unanswered="x.unanswered", at=_time("x.at"),
    ),
    "calls": _rows(
        "calls", "x.state = 'due'", "x.at",
        what="x.what", destination="x.destination", attempt="x.attempt", at=_time("x.at"),
    ),
    "answers": _rows(
        "answers", "x.state IN ('stored', 'held', 'early')", "x.received_at",
        destination="x.destination", outcome="x.outcome", state="x.state", received_at=_time("x.received_at"),
    ),
    "deadlines": _rows(
        "deadlines", "x.state = 'waiting'", "x.at",
        kind="x.kind", destination="nullif(x.destination, '')", at=_time("x.at"),
    ),
    "tasks": _rows(
        "tasks", "x.state = 'open'", "x.opened_at",
        id="x.task_id", kind="x.kind", queue="x.queue", destination="x.destination", opened_at=_time("x.opened_at"),
    ),
}  # fmt: skip
_CASE: Final = f"""
    SELECT jsonb_build_object(
        'reference', r.reference, 'employer_id', r.employer_id, 'stage', r.stage, 'round', r.round,
        'version', r.version, 'rule_version', r.policy_version, 'pending_act', r.pending_act,
        'due_at', {_time("r.due_at")}, 'updated_at', {_time("r.updated_at")},
        'last_act', (SELECT jsonb_build_object('seq', l.seq, 'act', l.act, 'at', {_time("l.at")})
            FROM ledger l WHERE l.chain = r.reference ORDER BY l.seq DESC LIMIT 1),
        {", ".join(f"'{name}', {rows}" for name, rows in _PARTS.items())},
        'permits', coalesce({{tracks}}, '[]')
    ) FROM cases r WHERE r.reference = :reference
"""  # noqa: S608 - made of words of this file alone


async def read_incident(context: Context, actor: Actor, incident_id: UUID) -> IncidentInFull:
    """Return an incident, open or closed, with the case that it is about.

    No row of the case is opened or taken for what its column says, so that it serves where one of them is broken.

    Raises:
        Refused: `not_found`.
    """
    async with context.database.begin(actor.tenant) as connection:
        query = select(incidents).where(incidents.c.incident_id == incident_id)
        found = (await connection.execute(query)).one_or_none()
        if found is None:
            raise Refused("not_found", "There is no incident of this id.")
        row = IncidentRead.from_row(found)
        case = None
        if row.reference is not None:
            case = (await connection.execute(_case(context), {"reference": row.reference})).scalar_one_or_none()
    return incident_in_full(row, case, context.case_types)


def _case(context: Context) -> TextClause:
    tracks = " UNION ALL ".join(
        f"SELECT x.{each.key} AS destination, x.stage FROM {each.name} x WHERE x.reference = r.reference"  # noqa: S608
        for each in tracks_among(context.own_tables)
    )
    found = f"(SELECT jsonb_agg(t ORDER BY t.destination) FROM ({tracks}) t)"  # noqa: S608 - of what is declared
    return text(_CASE.format(tracks=found if tracks else "NULL"))
