"""Who read a person's data, day by day: each reader once a day with what was read, and what was opened first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Final, NamedTuple

from sqlalchemy import text

from cases.programme import Programme
from cases.shared.context import Context
from cases.shared.pages import cut
from domain.actors import Actor
from domain.languages import Language
from privacy.access_log import LISTS, PLACES, WANTED, Reading, asked_of, reading_view
from privacy.sign_in import Session
from privacy.views import AccessDayView, AccessView, ReaderView, ReadingsView

# The days of the whole log at once: so many as are asked for, with the readings that are alike counted together.
_DAYS: Final = f"""
    WITH places AS ({PLACES}), seen AS (
        SELECT p.case_read, l.at, l.act, l.actor_role, l.purpose, l.detail -> 'fields' AS fields,
            l.detail ->> 'what' AS what, CAST(l.at AT TIME ZONE INTERVAL '8 hours' AS date) AS day
        FROM places p JOIN ledger l ON l.chain = p.chain AND l.seq = p.seq WHERE {WANTED}
    ), days AS (
        SELECT DISTINCT day FROM seen WHERE day < coalesce(CAST(:before AS date), 'infinity')
        ORDER BY day DESC LIMIT :limit
    )
    SELECT s.day, s.case_read, s.act, s.actor_role, s.purpose, s.fields, s.what,
        count(*) AS times, min(s.at) AS first_at, max(s.at) AS at
    FROM seen s JOIN days USING (day) GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY s.day DESC, at DESC, s.case_read
"""  # noqa: S608 - made of constants


class _Counted(NamedTuple):
    """Readings of one case on a day that the ledger tells alike, counted together."""

    day: date
    case_read: str
    act: str
    actor_role: str
    purpose: str | None
    fields: list[str] | None
    what: str | None
    times: int
    first_at: datetime
    at: datetime


@dataclass(slots=True)
class _Alike:
    """Readings of one reader on a day that are told alike: one of them as it is told, of which cases, how many."""

    told: AccessView
    first_at: datetime
    last_at: datetime
    references: set[str] = field(default_factory=set)
    times: int = 0

    def add(self, counted: _Counted) -> None:
        """Take in readings that are told alike."""
        self.references.add(counted.case_read)
        self.times += counted.times
        self.first_at, self.last_at = min(self.first_at, counted.first_at), max(self.last_at, counted.at)


async def list_days(
    context: Context,
    actor: Actor,
    session: Session,
    *,
    after: date | None = None,
    limit: int = 50,
    language: Language = Language.ZH_HANS,
) -> tuple[list[AccessDayView], date | None]:
    """Return a page of days in China, the newest first, with who read on each, and the day the next page ends before.

    Whoever opened data comes first, and of each reader what was opened; no member of staff is named.
    """
    async with context.database.begin(actor.tenant) as connection:
        asked = await asked_of(context, connection, actor, session)
        query = text(_DAYS).bindparams(*LISTS)
        given = {**asked.given, "before": after, "limit": limit + 1}
        rows = [_Counted(*row) for row in await connection.execute(query, given)]
    found = [
        AccessDayView(day=day, readers=_readers(same, asked.silent, asked.programmes, language))
        for day, same in groupby(rows, key=lambda row: row.day)
    ]
    page, last = cut(found, limit, lambda each: each.day)
    return [*page], last


def _readers(
    rows: Iterable[_Counted], silent: frozenset[str], programmes: Mapping[str, Programme], language: Language
) -> list[ReaderView]:
    """Return who read on a day; the rows come with the latest first."""
    readers: dict[str, dict[tuple[str, str, bool, tuple[str, ...]], _Alike]] = {}
    organisations: dict[str, str] = {}
    for row in rows:
        detail = {"fields": row.fields or [], "what": row.what or "case"}
        reading = Reading(row.case_read, row.at, row.act, row.actor_role, row.purpose, detail)
        told = reading_view(reading, programmes[row.case_read], row.case_read in silent, language)
        organisations[told.role] = told.organisation
        alike = (told.way, told.purpose, told.purpose_stated, tuple(told.fields))
        known = readers.setdefault(told.role, {}).setdefault(alike, _Alike(told, row.first_at, row.at))
        known.add(row)
    shown = [
        ReaderView(
            role=role,
            organisation=organisations[role],
            readings=sorted(map(_shown, alike.values()), key=lambda each: not each.fields),
        )
        for role, alike in readers.items()
    ]
    return sorted(shown, key=lambda reader: not reader.readings[0].fields)


def _shown(each: _Alike) -> ReadingsView:
    return ReadingsView(
        way=each.told.way,
        purpose=each.told.purpose,
        purpose_text=each.told.purpose_text,
        purpose_stated=each.told.purpose_stated,
        fields=each.told.fields,
        fields_text=each.told.fields_text,
        references=sorted(each.references),
        times=each.times,
        first_at=each.first_at,
        last_at=each.last_at,
    )
