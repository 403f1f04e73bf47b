"""Reading and writing the rows of one case: one statement to lock and load them all, one for each table written."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import TextClause, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.languages import Language
from domain.stages import Standing
from store import tables
from store.case_tables import OwnRows, OwnTables, read_own, select_own
from store.encryption import WrappedKey
from store.joined_keys import key_id_of
from store.rows.authority import AnswerRow, CallRow
from store.rows.base import TableRow
from store.rows.people import EmployerVersionRow, PremisesRow, StandingRow
from store.rows.register import AssessmentRow, CaseRow, FactRow
from store.rows.work import CommandRow, DeadlineRow, IncidentRow, TaskRow

Row = dict[str, Any]
_Row = TypeVar("_Row", bound=TableRow)
_Value = TypeVar("_Value")

# Those that stand, of a registration `r`.
LEGAL_HOLDS: Final = (
    "SELECT jsonb_agg(jsonb_build_object('id', x.hold_id, 'reason', x.reason, 'placed_at', x.placed_at)"
    " ORDER BY x.placed_at, x.hold_id) FROM legal_holds x WHERE x.reference = r.reference AND x.released_at IS NULL"
)
_PARTS: Final[dict[str, str]] = {
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
        " WHERE x.employer_id = e.employer_id AND x.state = 'active'"
    ),
    "versions": "SELECT jsonb_agg(to_jsonb(x)) FROM employer_versions x WHERE x.employer_id = e.employer_id",
    "standings": (
        "SELECT jsonb_agg(to_jsonb(x) ORDER BY x.valid_from, x.at) FROM employer_standings x"
        " WHERE x.employer_id = e.employer_id AND x.state = 'in_force'"
    ),
    "premises": (
        "SELECT jsonb_agg(to_jsonb(x)) FROM premises x WHERE x.code IN (SELECT unnest(v.premises)"
        " FROM employer_versions v WHERE v.employer_id = e.employer_id)"
    ),
}
_COLUMNS: Final = (
    "SELECT r.*, k.key_id, k.kek_id, k.wrapped, a.body AS application_body, e.employer_id AS employer_found,"
    " e.contact AS employer_contact, e.language AS employer_language, e.digest AS employer_digest,"
    " e.uscc AS employer_uscc, ek.key_id AS employer_key_id, ek.kek_id AS employer_kek_id,"
    " ek.wrapped AS employer_wrapped, (SELECT value FROM cursors WHERE name = 'calendar') AS calendar_version,"
    " (SELECT value FROM cursors WHERE name = 'premises') AS premises_version,"
    " (SELECT coalesce(max(x.number), 0) FROM epochs x) AS epoch,"
    " (SELECT x.version FROM cases x WHERE x.reference = r.reference) AS version_of_parts,"
    " (SELECT jsonb_build_object('seq', x.seq, 'hash', encode(x.hash, 'hex')) FROM ledger x"
    " WHERE x.chain = r.reference ORDER BY x.seq DESC LIMIT 1) AS ledger_end,"
    " (SELECT jsonb_object_agg(x.what || '/' || x.destination, x.most) FROM (SELECT what, destination,"
    " max(attempt) AS most FROM calls WHERE reference = r.reference AND destination IS NOT NULL"
    " GROUP BY what, destination) x) AS attempts,"
    f" ({LEGAL_HOLDS}) AS legal_holds,"
    " (SELECT jsonb_agg(c.subject) FROM conflicts c WHERE c.reference = r.reference) AS conflicts,"
    + ", ".join(f"({sql}) AS {name}_rows" for name, sql in _PARTS.items())
)
# The employer of a case that a person owns is the one who confirms something of it, where the transaction sees one.
# Found apart (OFFSET 0 keeps it so): what leaks, as the planner sees it, it would compare with all employers.
_FROM: Final = (
    f" FROM cases r JOIN persons p USING (person_id) JOIN data_keys k ON k.key_id = {key_id_of('r')}"
    " JOIN applications a ON a.reference = r.reference AND a.version = r.facts_version"
    " LEFT JOIN LATERAL (SELECT CASE WHEN r.employer_id LIKE 'person/%' THEN (SELECT p.party_id"
    " FROM case_parties p WHERE p.reference = r.reference AND p.part = 'confirmer' AND p.kind = 'employer'"
    " AND p.until IS NULL ORDER BY p.since LIMIT 1) ELSE r.employer_id END AS employer_id OFFSET 0) o ON true"
    " LEFT JOIN employers e ON e.employer_id = o.employer_id"
    " LEFT JOIN data_keys ek ON ek.key_id = e.key_id"
)


@dataclass(frozen=True, slots=True)
class Subquery(Generic[_Value]):
    """A subquery for one value, under its name, and what makes the value of what the driver read."""

    name: str
    sql: str
    read: Callable[[Any], _Value]


@dataclass(frozen=True, slots=True)
class Beside:
    """What else is read in the same statement: subqueries for one value each, and the values that they ask with."""

    queries: tuple[Subquery[Any], ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    def __add__(self, other: "Beside") -> "Beside":
        """Return what both read."""
        return Beside((*self.queries, *other.queries), {**self.values, **other.values})


@dataclass(frozen=True, slots=True)
class ReadBeside:
    """What subqueries found, in the statement that read something else."""

    found: Mapping[str, Any] = field(default_factory=dict)

    def of(self, asked: Subquery[_Value]) -> _Value:
        """Return what a subquery found."""
        return asked.read(self.found[asked.name])


class LedgerEnd(NamedTuple):
    """The last row of a case's chain: its number and its hash."""

    seq: int
    hash: bytes


class StandingHold(NamedTuple):
    """A legal hold that stands; its time as PostgreSQL wrote it."""

    id: str
    reason: str
    placed_at: str


class Subscription(NamedTuple):
    """An active webhook of an employer, and the kinds of notices that it asked for."""

    webhook_id: UUID
    kinds: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class LoadedEmployer:
    """What a case needs to know of its employer; `contact` is sealed under `key`.

    Of a case that a person owns it is the employer who confirms something of it. Where there is none, nothing is known:
    there are no versions, no address and no webhooks, and `employer_id` is None.
    """

    employer_id: str | None
    uscc: str
    contact: bytes | None
    language: str
    digest: bool
    key: WrappedKey | None
    calendar_version: str | None
    premises_version: str | None
    webhooks: list[Subscription]
    versions: list[EmployerVersionRow]
    # Those in force, the earliest first.
    standings: list[StandingRow]
    premises: list[PremisesRow]
    # What was read in the same statement.
    beside: ReadBeside

    def on(self, day: date) -> EmployerVersionRow | None:
        """Return what was recorded for a day, or None where nothing was in force."""
        return next((each for each in self.versions if each.covers(day)), None)

    def standing_on(self, day: date) -> Standing:
        """Return the standing on a day; good where nothing else was set."""
        earlier = [each for each in self.standings if each.valid_from <= day]
        return Standing(earlier[-1].standing) if earlier else Standing.GOOD


@dataclass(slots=True, kw_only=True)
class LoadedCase:
    """A case as it is loaded, with the rows of its parts: tasks that are open, deadlines that wait, calls that are due,
    commands not applied yet, answers kept, incidents open, and the newest assessment of each scope."""

    registration: CaseRow
    key: WrappedKey
    application: bytes
    employer: LoadedEmployer
    epoch: int
    ledger_end: LedgerEnd | None
    # The most tries of each kind of call, by its kind and, behind a slash, the track that it is about.
    attempts: dict[str, int]
    legal_holds: list[StandingHold]
    # Who declared a conflict of interest.
    conflicts: list[str]
    tasks: list[TaskRow]
    deadlines: list[DeadlineRow]
    commands: list[CommandRow]
    calls: list[CallRow]
    answers: list[AnswerRow]
    assessments: list[AssessmentRow]
    facts: list[FactRow]
    incidents: list[IncidentRow]
    beside: ReadBeside
    # By table of its programme.
    own: OwnRows


async def load(
    connection: AsyncConnection,
    reference: str,
    *,
    own: OwnTables,
    lock: bool = False,
    beside: Beside | None = None,
) -> LoadedCase | None:
    """Return a case with the rows of its parts and of its programme's own tables, or None where the tenant has none.

    A load that had to wait for the lock sees the row as the previous holder left it, but its parts as they were
    before; the version tells the two apart, and then the parts are read again. Where the transaction began with the
    lock, the load asks for none and reads once.
    """
    beside = beside or Beside()
    values = {**beside.values, "reference": reference}
    found = (await connection.execute(_load_one(beside.queries, own, lock=lock), values)).mappings().one_or_none()
    if found is not None and found["version"] != found["version_of_parts"]:
        found = (await connection.execute(_load_one(beside.queries, own, lock=False), values)).mappings().one()
    return None if found is None else _loaded(dict(found), own, beside)


@cache
def _load_one(queries: tuple[Subquery[Any], ...], own: OwnTables, *, lock: bool) -> TextClause:
    one = " WHERE r.reference = :reference" + (" FOR UPDATE OF r" if lock else "")
    return text(_COLUMNS + select_own(own) + _beside(queries) + _FROM + one)


def _beside(queries: tuple[Subquery[Any], ...]) -> str:
    return "".join(f", ({each.sql}) AS {each.name}" for each in queries)


def _found(row: Mapping[str, Any], beside: Beside) -> ReadBeside:
    return ReadBeside({each.name: row[each.name] for each in beside.queries})


def _loaded(row: Mapping[str, Any], own: OwnTables, beside: Beside) -> LoadedCase:
    end = row["ledger_end"]
    return LoadedCase(
        registration=CaseRow.from_mapping(row),
        key=WrappedKey(row["key_id"], row["kek_id"], row["wrapped"]),
        application=row["application_body"],
        employer=_employer(row, ReadBeside()),
        epoch=row["epoch"],
        ledger_end=None if end is None else LedgerEnd(end["seq"], bytes.fromhex(end["hash"])),
        attempts=row["attempts"] or {},
        legal_holds=[StandingHold(**hold) for hold in row["legal_holds"] or ()],
        conflicts=row["conflicts"] or [],
        tasks=_rows(TaskRow, row["tasks_rows"]),
        deadlines=_rows(DeadlineRow, row["deadlines_rows"]),
        commands=_rows(CommandRow, row["commands_rows"]),
        calls=_rows(CallRow, row["calls_rows"]),
        answers=_rows(AnswerRow, row["answers_rows"]),
        assessments=_rows(AssessmentRow, row["assessments_rows"]),
        facts=_rows(FactRow, row["facts_rows"]),
        incidents=_rows(IncidentRow, row["incidents_rows"]),
        beside=_found(row, beside),
        own=read_own(own, row),
    )


def _employer(row: Mapping[str, Any], beside: ReadBeside) -> LoadedEmployer:
    if row["employer_found"] is None:
        return _nobody(row, beside)
    return LoadedEmployer(
        employer_id=row["employer_found"],
        uscc=row["employer_uscc"],
        contact=row["employer_contact"],
        language=row["employer_language"],
        digest=row["employer_digest"],
        key=WrappedKey(row["employer_key_id"], row["employer_kek_id"], row["employer_wrapped"]),
        calendar_version=row["calendar_version"],
        premises_version=row["premises_version"],
        webhooks=[Subscription(UUID(x["webhook_id"]), tuple(x["kinds"])) for x in row["webhooks_rows"] or []],
        versions=_rows(EmployerVersionRow, row["versions_rows"]),
        standings=_rows(StandingRow, row["standings_rows"]),
        premises=_rows(PremisesRow, row["premises_rows"]),
        beside=beside,
    )


def _nobody(row: Mapping[str, Any], beside: ReadBeside) -> LoadedEmployer:
    return LoadedEmployer(
        employer_id=None,
        uscc="",
        contact=None,
        language=Language.ZH_HANS.value,
        digest=False,
        key=None,
        calendar_version=row["calendar_version"],
        premises_version=row["premises_version"],
        webhooks=[],
        versions=[],
        standings=[],
        premises=[],
        beside=beside,
    )


def _rows(row: type[_Row], found: Sequence[Mapping[str, Any]] | None) -> list[_Row]:
    return [row.from_json(values) for values in found or ()]


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
    "SELECT e.employer_id AS employer_found, e.contact AS employer_contact, e.language AS employer_language,"
    " e.digest AS employer_digest, e.uscc AS employer_uscc,"
    " ek.key_id AS employer_key_id, ek.kek_id AS employer_kek_id, ek.wrapped AS employer_wrapped,"
    " (SELECT value FROM cursors WHERE name = 'calendar') AS calendar_version,"
    " (SELECT value FROM cursors WHERE name = 'premises') AS premises_version, "
    + ", ".join(f"({_PARTS[name]}) AS {name}_rows" for name in _EMPLOYER_PARTS)
)
_EMPLOYER_FROM: Final = " FROM employers e JOIN data_keys ek ON ek.key_id = e.key_id WHERE e.employer_id = :employer_id"


async def load_employer(
    connection: AsyncConnection, employer_id: str, *, beside: Beside | None = None
) -> LoadedEmployer | None:
    """Return what a case needs to know of its employer, or None where there is none."""
    beside = beside or Beside()
    values = {**beside.values, "employer_id": employer_id}
    found = (await connection.execute(_load_employer(beside.queries), values)).mappings().one_or_none()
    return None if found is None else _employer(dict(found), _found(dict(found), beside))


@cache
def _load_employer(queries: tuple[Subquery[Any], ...]) -> TextClause:
    return text(_EMPLOYER_COLUMNS + _beside(queries) + _EMPLOYER_FROM)


async def load_nobody(connection: AsyncConnection, *, beside: Beside) -> LoadedEmployer:
    """Return what a case of a person's own knows of employers when it is taken on, which is nothing yet."""
    found = dict((await connection.execute(_load_nobody(beside.queries), dict(beside.values))).mappings().one())
    return _nobody(found, _found(found, beside))


@cache
def _load_nobody(queries: tuple[Subquery[Any], ...]) -> TextClause:
    return text(
        "SELECT (SELECT value FROM cursors WHERE name = 'calendar') AS calendar_version,"
        " (SELECT value FROM cursors WHERE name = 'premises') AS premises_version" + _beside(queries)
    )
