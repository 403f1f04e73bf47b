"""Reading cases to show them: one statement for a whole page, of no more than what its reader is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.spellings import Cursor
from store.case_rows import LEGAL_HOLDS, StandingHold
from store.case_tables import OwnRows, OwnTables, read_own, select_own
from store.encryption import WrappedKey
from store.joined_keys import key_id_of
from store.rows.register import CaseRow

_NEWEST: Final = "ORDER BY x.seq DESC LIMIT 1"
_OUTSIDE: Final = (
    "SELECT r.*, k.key_id, k.kek_id, k.wrapped, a.body AS application_body,"
    f" (SELECT value FROM cursors WHERE name = '{Cursor.CALENDAR}') AS calendar_version,"
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
    " (SELECT json_object_agg(y.scope, y.findings) FROM (SELECT DISTINCT ON (x.scope) x.scope,"
    " CAST(x.findings AS text) AS findings FROM assessments x WHERE x.reference = r.reference"
    " AND x.scope <> 'registration' ORDER BY x.scope, x.seq DESC) y) AS track_findings,"
    f" ({LEGAL_HOLDS}) AS legal_holds"
)
_OF: Final = (
    f" FROM cases r JOIN persons p USING (person_id) JOIN data_keys k ON k.key_id = {key_id_of('r')}"
    " JOIN applications a ON a.reference = r.reference AND a.version = r.facts_version"
    " WHERE r.reference = ANY(CAST(:references AS text[]))"
)
_FENCE: Final = text("SELECT set_config('hetao.cases', :cases, true)")


@dataclass(frozen=True, slots=True)
class FactShown:
    """Of a fact that an officer recorded what every reader of the case is shown."""

    number: int
    field: str
    state: str
    contest: str | None
    contested_by: list[str]
    round: int
    seen_by: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class TaskShown:
    """Of an open task what staff is shown with its case."""

    task_id: UUID
    kind: str
    holder: str | None
    destination: str | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """Of an answer that waits what staff is shown with its case."""

    outcome_id: str
    outcome: str
    destination: str
    state: str


@dataclass(frozen=True, slots=True)
class PendingChange:
    """What the employer asked to have changed and no officer has answered."""

    fields: list[str]
    asked_at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReadCase:
    """A case as it is read: findings are JSON as text, and the last four parts for staff alone."""

    registration: CaseRow
    own: OwnRows
    key: WrappedKey
    application: bytes
    calendar_version: str | None
    findings: str | None
    facts: list[FactShown]
    pending_change: PendingChange | None
    tasks: list[TaskShown]
    answers: list[AnswerShown]
    track_findings: dict[str, str | None]
    legal_holds: list[StandingHold]


async def read(
    connection: AsyncConnection, references: Sequence[str], *, own: OwnTables, inside: bool
) -> list[ReadCase]:
    """Return what is shown of cases, to staff or to outsiders, in the order asked for; those not found are left out."""
    if not references:
        return []
    found = (await connection.execute(_query(own, inside=inside), {"references": list(references)})).mappings()
    rows = {row["reference"]: _read(dict(row), own) for row in found}
    return [rows[reference] for reference in references if reference in rows]


async def fence(connection: AsyncConnection, references: Sequence[str]) -> None:
    """Let the rest of a transaction see of the register, and of what belongs to a case, these cases alone."""
    # No reference is a hyphen, and an empty list would fence nothing.
    await connection.execute(_FENCE, {"cases": ",".join(references) or "-"})


@cache
def _query(own: OwnTables, *, inside: bool) -> TextClause:
    return text(_OUTSIDE + select_own(own) + (_INSIDE if inside else "") + _OF)


def _read(row: Mapping[str, Any], own: OwnTables) -> ReadCase:
    asked = row["pending_change"]
    return ReadCase(
        registration=CaseRow.from_mapping(row),
        own=read_own(own, row),
        key=WrappedKey(row["key_id"], row["kek_id"], row["wrapped"]),
        application=row["application_body"],
        calendar_version=row["calendar_version"],
        findings=row["findings"],
        facts=[FactShown(**fact | {"at": datetime.fromisoformat(fact["at"])}) for fact in row["facts"] or ()],
        pending_change=None
        if asked is None
        else PendingChange(asked["fields"], datetime.fromisoformat(asked["asked_at"]), _moment(asked["due_at"])),
        tasks=[_task(task) for task in row.get("tasks") or ()],
        answers=[AnswerShown(**answer) for answer in row.get("answers") or ()],
        track_findings=row.get("track_findings") or {},
        legal_holds=[StandingHold(**hold) for hold in row.get("legal_holds") or ()],
    )


def _task(task: Mapping[str, Any]) -> TaskShown:
    return TaskShown(UUID(task["task_id"]), task["kind"], task["holder"], task["destination"], task["detail"])


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
