"""What a list of tasks tells of each beyond its own row: findings, employer, priority; and how many there are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Text, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.parts import destinations_of
from cases.case.signers import subject_of
from cases.shared.calendar import current_calendar
from cases.shared.context import Context
from cases.tasks.queries import Moments, in_force
from cases.tasks.views import HolderCount, KindCount, TaskCounts
from domain.clock import day_of, end_of
from domain.findings import FindingOutcome, amount_to
from domain.spellings import Cursor
from domain.stages import AssessmentOutcome
from domain.task_lists import Priority, priority_of
from domain.working_days import WorkingCalendar
from store.rows.work import TaskRow
from store.tables import cursors, employer_versions

_TEXTS: Final = ARRAY(Text)
_REGISTRATION: Final = "registration"
# Beside the priorities, by which tasks are counted too.
_OPEN, _FREE = "open", "free"
# Newest of each place, by the key; and of each employer what is in force.
_FINDINGS: Final = text(
    "SELECT x.reference, x.scope, a.findings"
    " FROM unnest(CAST(:references AS text[]), CAST(:scopes AS text[])) AS x(reference, scope)"
    " CROSS JOIN LATERAL (SELECT findings FROM assessments WHERE reference = x.reference AND scope = x.scope"
    " ORDER BY seq DESC LIMIT 1) a"
).bindparams(bindparam("references", type_=_TEXTS), bindparam("scopes", type_=_TEXTS))


async def moments(context: Context, connection: AsyncConnection, now: datetime) -> Moments:
    """Return when a list is asked for, and the end of the next working day."""
    version = select(cursors.c.value).where(cursors.c.name == Cursor.CALENDAR)
    calendar = await current_calendar(context, connection, (await connection.execute(version)).scalar_one_or_none())
    return _moments(calendar, now)


def _moments(calendar: WorkingCalendar, now: datetime) -> Moments:
    return Moments(now=now, urgent_until=end_of(calendar.working_day(day_of(now), 1)))


class EmployerNames(NamedTuple):
    """The names of an employer."""

    name_zh: str
    name_en: str | None


class Told(NamedTuple):
    """What a list tells of a task beyond its row; `findings` are numbers by outcome."""

    employer_name: str | None
    employer_name_en: str | None
    assessment: AssessmentOutcome | None
    findings: dict[str, int]
    priority: Priority


async def describe(connection: AsyncConnection, rows: Sequence[TaskRow], at: Moments) -> list[Told]:
    """Return for each task what its list tells beyond the row."""
    places = sorted({(row.reference, _scope(row)) for row in rows if row.reference is not None})
    given = {"references": [place[0] for place in places], "scopes": [place[1] for place in places]}
    read = await connection.execute(_FINDINGS, given)
    findings = {(found.reference, found.scope): found.findings for found in read}
    employers = await _employers(connection, {row.employer_id for row in rows if row.employer_id is not None}, at.today)
    return [_told(row, findings.get((row.reference, _scope(row))), employers.get(row.employer_id), at) for row in rows]


def describe_one(file: CaseFile, row: TaskRow, now: datetime) -> Told:
    """Return the same for a task of an open case."""
    assessment = file.assessment(_scope(row))
    findings = assessment.findings if assessment else None
    employer = file.employer_on(day_of(now))
    names = None if employer is None else EmployerNames(employer.name_zh, employer.name_en)
    return _told(row, findings, names, _moments(file.calendar, now))


async def _employers(connection: AsyncConnection, ids: set[str], today: date) -> dict[str | None, EmployerNames]:
    v = employer_versions.c
    query = select(v.employer_id, v.name_zh, v.name_en).where(v.employer_id.in_(sorted(ids)))
    found = await connection.execute(query.where(in_force(bindparam("today", today))))
    return {row.employer_id: EmployerNames(row.name_zh, row.name_en) for row in found}


def _scope(row: TaskRow) -> str:
    return next(iter(destinations_of(row)), _REGISTRATION)


def _told(
    row: TaskRow, findings: Sequence[Mapping[str, Any]] | None, employer: EmployerNames | None, at: Moments
) -> Told:
    counted = Counter(finding["outcome"] for finding in findings or ())
    return Told(
        employer_name=employer.name_zh if employer else None,
        employer_name_en=employer.name_en if employer else None,
        assessment=None if findings is None else amount_to(set(counted)),
        findings={outcome.value: counted[outcome] for outcome in FindingOutcome},
        priority=priority_of(row.overdue, row.due_at, at.now, at.urgent_until),
    )


def totals(rows: Sequence[Any]) -> TaskCounts:
    """Return how many open tasks there are in all, by kind, by holder and by priority."""
    by_kind: dict[str, Counter[str]] = {}
    by_holder: dict[str | None, Counter[str]] = {}
    by_priority: Counter[str] = Counter()
    for row in rows:
        kind = by_kind.setdefault(row.kind, Counter())
        holder = by_holder.setdefault(row.holder, Counter())
        by_priority[row.priority] += row.number
        kind[_FREE] += row.number if row.holder is None else 0
        for counted in (kind, holder):
            counted[_OPEN] += row.number
            counted[row.priority] += row.number
    return TaskCounts(
        open=by_priority.total(),
        free=sum(counted[_FREE] for counted in by_kind.values()),
        **_counted(by_priority),
        by_kind=[
            KindCount(kind=kind, open=counted[_OPEN], **_counted(counted), free=counted[_FREE])
            for kind, counted in sorted(by_kind.items())
        ],
        by_holder=[
            HolderCount(holder=subject_of(holder), open=by_holder[holder][_OPEN], **_counted(by_holder[holder]))
            for holder in sorted(by_holder, key=lambda each: (each is not None, each or ""))
        ],
    )


def _counted(counted: Counter[str]) -> dict[str, int]:
    return {priority.value: counted[priority] for priority in Priority}
