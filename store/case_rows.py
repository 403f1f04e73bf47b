"""Reading and writing the rows of one case: one statement to lock and load them all, one for each table written."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Date, LargeBinary, Table, TextClause, Uuid, text, tuple_, update
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection

from store import tables

Row = dict[str, Any]

# Those that stand, of a registration `r`.
LEGAL_HOLDS: Final = (
    "SELECT jsonb_agg(jsonb_build_object('id', x.hold_id, 'reason', x.reason, 'placed_at', x.placed_at)"
    " ORDER BY x.placed_at, x.hold_id) FROM legal_holds x WHERE x.reference = r.reference AND x.released_at IS NULL"
)
_PARTS: Final[dict[str, str]] = {
    "permits": "SELECT jsonb_agg(to_jsonb(x)) FROM permits x WHERE x.reference = r.reference",
    "tasks": "SELECT jsonb_agg(to_jsonb(x)) FROM tasks x WHERE x.reference = r.reference AND x.state = 'open'",
    "deadlines": (
        "SELECT jsonb_agg(to_jsonb(x)) FROM deadlines x WHERE x.reference = r.reference AND x.state = 'waiting'"
    ),
    "commands": (
        "SELECT jsonb_agg(to_jsonb(x) ORDER BY x.seq) FROM commands x"
        " WHERE x.reference = r.reference AND x.state = 'stored'"
    ),
    "calls": "SELECT jsonb_agg(to_jsonb(x)) FROM calls x WHERE x.reference = r.reference AND x.state = 'due'",
    "answers": (
        "SELECT jsonb_agg(to_jsonb(x) ORDER BY x.received_at) FROM answers x"
        " WHERE x.reference = r.reference AND x.state IN ('stored', 'held', 'early', 'renewal')"
    ),
    "assessments": (
        "SELECT jsonb_agg(to_jsonb(x)) FROM (SELECT DISTINCT ON (scope) * FROM assessments"
        " WHERE reference = r.reference ORDER BY scope, seq DESC) x"
    ),
    "facts": ("SELECT jsonb_agg(to_jsonb(x) ORDER BY x.number) FROM case_facts x WHERE x.reference = r.reference"),
    "incidents": "SELECT jsonb_agg(to_jsonb(x)) FROM incidents x WHERE x.reference = r.reference AND x.state = 'open'",
    "webhooks": (
        "SELECT jsonb_agg(jsonb_build_object('webhook_id', x.webhook_id, 'kinds', x.kinds)) FROM webhooks x"
        " WHERE x.employer_id = r.employer_id AND x.state = 'active'"
    ),
    "versions": "SELECT jsonb_agg(to_jsonb(x)) FROM employer_versions x WHERE x.employer_id = r.employer_id",
    "standings": (
        "SELECT jsonb_agg(to_jsonb(x) ORDER BY x.valid_from, x.at) FROM employer_standings x"
        " WHERE x.employer_id = r.employer_id AND x.state = 'in_force'"
    ),
    "premises": (
        "SELECT jsonb_agg(to_jsonb(x)) FROM premises x WHERE x.code IN (SELECT unnest(v.premises)"
        " FROM employer_versions v WHERE v.employer_id = r.employer_id)"
    ),
}
_TABLE_OF: Final[dict[str, Table]] = {
    "permits": tables.permits,
    "tasks": tables.tasks,
    "deadlines": tables.deadlines,
    "commands": tables.commands,
    "calls": tables.calls,
    "answers": tables.answers,
    "assessments": tables.assessments,
    "facts": tables.case_facts,
    "incidents": tables.incidents,
    "webhooks": tables.webhooks,
    "versions": tables.employer_versions,
    "standings": tables.employer_standings,
    "premises": tables.premises,
}
_COLUMNS: Final = (
    "SELECT r.*, k.key_id, k.kek_id, k.wrapped, a.body AS application_body, a.given_at AS application_given_at,"
    " e.contact AS employer_contact, e.language AS employer_language, e.digest AS employer_digest,"
    " e.uscc AS employer_uscc, ek.key_id AS employer_key_id, ek.kek_id AS employer_kek_id,"
    " ek.wrapped AS employer_wrapped, (SELECT value FROM cursors WHERE name = 'calendar') AS calendar_version,"
    " (SELECT value FROM cursors WHERE name = 'premises') AS premises_version,"
    " (SELECT coalesce(max(x.number), 0) FROM epochs x) AS epoch,"
    " (SELECT x.version FROM registrations x WHERE x.reference = r.reference) AS version_of_parts,"
    " (SELECT jsonb_build_object('seq', x.seq, 'hash', encode(x.hash, 'hex')) FROM ledger x"
    " WHERE x.chain = r.reference ORDER BY x.seq DESC LIMIT 1) AS ledger_end,"
    " (SELECT jsonb_object_agg(x.destination, x.most) FROM (SELECT destination, max(attempt) AS most FROM calls"
    " WHERE reference = r.reference AND what = 'list_entry' GROUP BY destination) x) AS list_entries,"
    f" ({LEGAL_HOLDS}) AS legal_holds,"
    " (SELECT jsonb_agg(c.subject) FROM conflicts c WHERE c.reference = r.reference) AS conflicts,"
    + ", ".join(f"({sql}) AS {name}_rows" for name, sql in _PARTS.items())
)
_FROM: Final = (
    " FROM registrations r JOIN persons p USING (person_id) JOIN data_keys k ON k.key_id = p.key_id"
    " JOIN applications a ON a.reference = r.reference AND a.version = r.facts_version"
    " JOIN employers e ON e.employer_id = r.employer_id JOIN data_keys ek ON ek.key_id = e.key_id"
)


@dataclass(frozen=True, slots=True)
class Beside:
    """What else is read in the same statement: subqueries for one value each under their names, and their values."""

    queries: tuple[tuple[str, str], ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    def __add__(self, other: "Beside") -> "Beside":
        """Return what both read."""
        return Beside((*self.queries, *other.queries), {**self.values, **other.values})


async def load(
    connection: AsyncConnection, reference: str, *, lock: bool = False, beside: Beside | None = None
) -> Row | None:
    """Return the row of a case with the rows of its parts under their names, or None where the tenant has none.

    A load that had to wait for the lock sees the row as the previous holder left it, but its parts as they were
    before; the version tells the two apart, and then the parts are read again. Where the transaction began with the
    lock, the load asks for none and reads once.
    """
    beside = beside or Beside()
    values = {**beside.values, "reference": reference}
    found = (await connection.execute(_load_one(beside.queries, lock=lock), values)).mappings().one_or_none()
    if found is not None and found["version"] != found["version_of_parts"]:
        found = (await connection.execute(_load_one(beside.queries, lock=False), values)).mappings().one()
    return None if found is None else _with_parts(dict(found))


@cache
def _load_one(queries: tuple[tuple[str, str], ...], *, lock: bool) -> TextClause:
    one = " WHERE r.reference = :reference" + (" FOR UPDATE OF r" if lock else "")
    return text(_COLUMNS + _beside(queries) + _FROM + one)


def _beside(queries: tuple[tuple[str, str], ...]) -> str:
    return "".join(f", ({sql}) AS {name}" for name, sql in queries)


def _with_parts(row: Row) -> Row:
    for name, table in _TABLE_OF.items():
        row[name] = [from_json(table, part) for part in row.pop(f"{name}_rows") or []]
    row["conflicts"] = row["conflicts"] or []
    return row


def from_json(table: Table, values: Mapping[str, Any]) -> Row:
    """Return a row that came as JSON with the types of its table's columns."""
    return {name: _typed(table, name, value) for name, value in values.items()}


def _typed(table: Table, name: str, value: Any) -> Any:
    if value is None or name not in table.c:
        return value
    kind = table.c[name].type
    if isinstance(kind, TIMESTAMP):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(kind, Uuid):
        return UUID(value)
    if isinstance(kind, LargeBinary):
        return bytes.fromhex(value.removeprefix("\\x"))
    return value


async def suppress_notices(connection: AsyncConnection, reference: str, notices: Collection[tuple[str, str]]) -> None:
    """Let notices of a case that still wait, named by kind and occasion, and their deliveries never go out."""
    n, d = tables.notices.c, tables.deliveries.c
    waiting = (n.reference == reference, tuple_(n.kind, n.occasion).in_(list(notices)), n.status == "queued")
    stopped = update(tables.notices).where(*waiting).values(status="suppressed").returning(n.notice_id).cte("stopped")
    await connection.execute(
        update(tables.deliveries)
        .where(d.notice_id.in_(stopped.select()), d.status == "queued")
        .values(status="suppressed", lease_until=None, next_attempt=None)
    )


_EMPLOYER_PARTS: Final = ("webhooks", "versions", "standings", "premises")
_EMPLOYER_COLUMNS: Final = (
    "SELECT r.employer_id, r.contact AS employer_contact, r.language AS employer_language,"
    " r.digest AS employer_digest, r.uscc AS employer_uscc,"
    " ek.key_id AS employer_key_id, ek.kek_id AS employer_kek_id, ek.wrapped AS employer_wrapped,"
    " (SELECT value FROM cursors WHERE name = 'calendar') AS calendar_version,"
    " (SELECT value FROM cursors WHERE name = 'premises') AS premises_version, "
    + ", ".join(f"({_PARTS[name]}) AS {name}_rows" for name in _EMPLOYER_PARTS)
)
_EMPLOYER_FROM: Final = " FROM employers r JOIN data_keys ek ON ek.key_id = r.key_id WHERE r.employer_id = :employer_id"


async def load_employer(connection: AsyncConnection, employer_id: str, *, beside: Beside | None = None) -> Row | None:
    """Return what a case needs to know of its employer, under the names that `load` gives it."""
    beside = beside or Beside()
    values = {**beside.values, "employer_id": employer_id}
    found = (await connection.execute(_load_employer(beside.queries), values)).mappings().one_or_none()
    if found is None:
        return None
    row = dict(found)
    for name in _EMPLOYER_PARTS:
        row[name] = [from_json(_TABLE_OF[name], part) for part in row.pop(f"{name}_rows") or []]
    return row


@cache
def _load_employer(queries: tuple[tuple[str, str], ...]) -> TextClause:
    return text(_EMPLOYER_COLUMNS + _beside(queries) + _EMPLOYER_FROM)
