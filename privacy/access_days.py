"""Who read a person's data, day by day: each reader once a day with what was read, and what was opened first."""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import groupby
from typing import Any, Final

from sqlalchemy import text

from cases.case.view import moment
from cases.shared.context import Context
from domain.actors import Actor
from domain.languages import Language
from privacy.access_log import LISTS, PLACES, WANTED, asked_of, reading_view
from privacy.sign_in import Session

Row = Mapping[str, Any]

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


async def list_days(
    context: Context,
    actor: Actor,
    session: Session,
    *,
    after: date | None = None,
    limit: int = 50,
    language: Language = Language.ZH_HANS,
) -> tuple[list[dict[str, Any]], date | None]:
    """Return a page of days in China, the newest first, with who read on each, and the day the next page ends before.

    Whoever opened data comes first, and of each reader what was opened; no member of staff is named.
    """
    async with context.database.begin() as connection:
        asked, silent = await asked_of(context, connection, actor, session)
        query = text(_DAYS).bindparams(*LISTS)
        given = {**asked, "before": after, "limit": limit + 1}
        rows = [dict(row) for row in (await connection.execute(query, given)).mappings()]
    found = [
        {"day": day.isoformat(), "readers": _readers(same, silent, language)}
        for day, same in groupby(rows, key=lambda row: row["day"])
    ]
    page = found[:limit]
    return page, date.fromisoformat(page[-1]["day"]) if len(found) > limit else None


def _readers(rows: Iterable[Row], silent: frozenset[str], language: Language) -> list[dict[str, Any]]:
    """Return who read on a day; the rows come with the latest first."""
    readers: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    organisations: dict[str, str] = {}
    for row in rows:
        detail = {"fields": row["fields"] or [], "what": row["what"] or "case"}
        view = reading_view({**row, "detail": detail}, row["case_read"] in silent, language)
        organisations[view["role"]] = view["organisation"]
        alike = (view["way"], view["purpose"], view["purpose_stated"], tuple(view["fields"]))
        _add(readers.setdefault(view["role"], {}), alike, view, row)
    shown: list[dict[str, Any]] = [
        {
            "role": role,
            "organisation": organisations[role],
            "readings": sorted((_shown(each) for each in alike.values()), key=lambda each: not each["fields"]),
        }
        for role, alike in readers.items()
    ]
    return sorted(shown, key=lambda reader: not reader["readings"][0]["fields"])


def _add(known: dict[tuple[Any, ...], dict[str, Any]], alike: tuple[Any, ...], view: dict[str, Any], row: Row) -> None:
    names = ("way", "purpose", "purpose_text", "purpose_stated", "fields", "fields_text")
    each = known.setdefault(
        alike,
        {name: view[name] for name in names}
        | {"references": set(), "times": 0, "first_at": row["first_at"], "last_at": row["at"]},
    )
    each["references"].add(row["case_read"])
    each["times"] += row["times"]
    each["first_at"], each["last_at"] = min(each["first_at"], row["first_at"]), max(each["last_at"], row["at"])


def _shown(each: dict[str, Any]) -> dict[str, Any]:
    times = {name: moment(each[name]) for name in ("first_at", "last_at")}
    return each | times | {"references": sorted(each["references"])}
