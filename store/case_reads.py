"""Reading cases to show them: one statement for a whole page, of no more than what its reader is shown."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.spellings import Cursor
from store import tables
from store.case_rows import LEGAL_HOLDS, Row, from_json

_NEWEST: Final = "ORDER BY x.seq DESC LIMIT 1"
_OUTSIDE: Final = (
    "SELECT r.*, k.key_id, k.kek_id, k.wrapped, a.body AS application_body,"
    f" (SELECT value FROM cursors WHERE name = '{Cursor.CALENDAR}') AS calendar_version,"
    " (SELECT json_agg(x) FROM permits x WHERE x.reference = r.reference) AS permits,"
    # As text: most cases have the same findings, which are then made ready to be shown only once.
    " (SELECT CAST(x.findings AS text) FROM assessments x WHERE x.reference = r.reference"
    f" AND x.scope = 'registration' {_NEWEST}) AS findings,"
    " (SELECT json_agg(json_build_object('number', x.number, 'field', x.field, 'state', x.state,"
    " 'contest', x.contest, 'contested_by', x.contested_by, 'round', x.round, 'seen_by', x.seen_by, 'at', x.at)"
    " ORDER BY x.number) FROM case_facts x WHERE x.reference = r.reference) AS facts,"
    " (SELECT jsonb_build_object('fields', x.detail -> 'fields', 'asked_at', x.opened_at, 'due_at', x.due_at)"
    " FROM tasks x WHERE x.reference = r.reference AND x.kind = 'change' AND x.state = 'open') AS pending_change"
)
_INSIDE: Final = (
    ", (SELECT json_agg(x) FROM tasks x WHERE x.reference = r.reference AND x.state = 'open') AS tasks,"
    " (SELECT json_agg(json_build_object('outcome_id', x.outcome_id, 'outcome', x.outcome,"
    " 'destination', x.destination, 'state', x.state) ORDER BY x.received_at) FROM answers x"
    " WHERE x.reference = r.reference AND x.state IN ('held', 'early', 'renewal')) AS answers,"
    " (SELECT json_object_agg(p.destination, (SELECT CAST(x.findings AS text) FROM assessments x"
    f" WHERE x.reference = p.reference AND x.scope = p.destination {_NEWEST}))"
    " FROM permits p WHERE p.reference = r.reference) AS permit_findings,"
    f" ({LEGAL_HOLDS}) AS legal_holds"
)
_OF: Final = (
    " FROM registrations r JOIN persons p USING (person_id) JOIN data_keys k ON k.key_id = p.key_id"
    " JOIN applications a ON a.reference = r.reference AND a.version = r.facts_version"
    " WHERE r.reference = ANY(CAST(:references AS text[]))"
)
_FENCE: Final = text("SELECT set_config('hetao.cases', :cases, true)")
_READ: Final[dict[bool, TextClause]] = {False: text(_OUTSIDE + _OF), True: text(_OUTSIDE + _INSIDE + _OF)}


async def read(connection: AsyncConnection, references: Sequence[str], *, inside: bool) -> list[Row]:
    """Return what is shown of cases, to staff or to outsiders, in the order asked for; those not found are left out."""
    if not references:
        return []
    found = (await connection.execute(_READ[inside], {"references": list(references)})).mappings()
    rows = {row["reference"]: _typed(dict(row)) for row in found}
    return [rows[reference] for reference in references if reference in rows]


async def fence(connection: AsyncConnection, references: Sequence[str]) -> None:
    """Let the rest of a transaction see of the register, and of what belongs to a case, these cases alone."""
    # No reference is a hyphen, and an empty list would fence nothing.
    await connection.execute(_FENCE, {"cases": ",".join(references) or "-"})


def _typed(row: Row) -> dict[str, Any]:
    row["permits"] = [from_json(tables.permits, permit) for permit in row["permits"] or []]
    row["facts"] = [from_json(tables.case_facts, fact) for fact in row["facts"] or []]
    return row
