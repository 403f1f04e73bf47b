"""Who read a person's data: each reading that the ledger has of the cases of a session, in the person's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from cases.programme import Programme, programme
from cases.shared.context import Context
from cases.shared.pages import cut
from domain.actors import Actor, Role
from domain.acts import Act
from domain.languages import Language
from domain.purposes import Purpose
from privacy.confided import confided_by
from privacy.own_cases import own_cases
from privacy.sign_in import Session
from privacy.views import AccessView
from texts.person import said_of

Position = tuple[datetime, str, int, str]

# Rows that list the cases they show, and rows that are about one case.
_LISTING: Final = (Act.PERSONAL_DATA_READ, Act.CASE_READ, Act.EVALUATED_AGAIN, Act.RECONCILED, Act.SAMPLED)
_ABOUT_ONE: Final = (Act.RECEIPT_ISSUED, Act.CALL_ANSWERED)
# What a role reads for; the authority reads for what the case is of.
_WHAT_FOR: Final[Mapping[Role, str]] = {
    Role.OFFICER: "case_work",
    Role.SUPERVISOR: "case_work",
    Role.AUDITOR: "audit",
    Role.OPERATOR: "operation",
    Role.EMPLOYER: "own_data",
    Role.PERSON: "own_data",
    Role.SYSTEM: "operation",
}
# What the engine reads for somebody else's question says what for by itself.
_TRIAL: Final = "rule_trial"
# Where the rows are that tell of a reading, and which of them are the reader's to see.
PLACES: Final = """
    SELECT m.at, m.chain, m.seq, m.value AS case_read FROM ledger_marks m
    WHERE m.kind = 'case' AND m.value = ANY(:references)
    UNION
    SELECT l.at, l.chain, l.seq, l.reference FROM ledger l
    WHERE l.reference = ANY(:references) AND l.act = ANY(:about_one)
"""
WANTED: Final = "l.act = ANY(:shown) AND NOT (p.case_read = ANY(:silent) AND l.detail -> 'fields' = '[\"objections\"]')"
_PAGE: Final = f"""
    WITH places AS ({PLACES})
    SELECT p.case_read, l.at, l.act, l.actor_role, l.purpose, l.detail, l.chain, l.seq
    FROM places p JOIN ledger l ON l.chain = p.chain AND l.seq = p.seq
    WHERE {WANTED} {{after}}
    ORDER BY l.at DESC, l.chain DESC, l.seq DESC, p.case_read DESC LIMIT :limit
"""  # noqa: S608 - made of constants
_AFTER: Final = "AND (l.at, l.chain, l.seq, p.case_read) < (:at, :chain, :seq, :case_read)"
LISTS: Final = tuple(bindparam(name, type_=ARRAY(Text)) for name in ("references", "about_one", "shown", "silent"))


class Reading(NamedTuple):
    """A row of the ledger that tells of a reading, and the case of the person that was read."""

    case_read: str
    at: datetime
    act: str
    actor_role: str
    purpose: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """By what readings are looked for, the cases on which only others said something, and what each case is of."""

    given: dict[str, Any]
    silent: frozenset[str]
    programmes: Mapping[str, Programme]


async def list_accesses(
    context: Context,
    actor: Actor,
    session: Session,
    *,
    after: Position | None = None,
    limit: int = 50,
    language: Language = Language.ZH_HANS,
) -> tuple[list[AccessView], Position | None]:
    """Return a page of readings, the newest first; each names a role and an organisation, and no member of staff."""
    async with context.database.begin(actor.tenant) as connection:
        asked = await asked_of(context, connection, actor, session)
        given = asked.given | {"limit": limit + 1}
        if after is not None:
            given |= dict(zip(("at", "chain", "seq", "case_read"), after, strict=True))
        query = text(_PAGE.format(after="" if after is None else _AFTER)).bindparams(*LISTS)
        rows = (await connection.execute(query, given)).all()
    page, position = cut(rows, limit, lambda row: (row.at, row.chain, row.seq, row.case_read))
    readings = (Reading(*row[: len(Reading._fields)]) for row in page)
    return [
        reading_view(reading, asked.programmes[reading.case_read], reading.case_read in asked.silent, language)
        for reading in readings
    ], position


async def asked_of(context: Context, connection: AsyncConnection, actor: Actor, session: Session) -> Asked:
    """Return by what the readings of a session are looked for."""
    cases = await own_cases(context, connection, session, actor)
    silent = (await confided_by(context, connection, session, cases)).silent
    given = {
        "references": [case.reference for case in cases],
        "about_one": [act.value for act in _ABOUT_ONE],
        "shown": [act.value for act in (*_LISTING, *_ABOUT_ONE)],
        "silent": sorted(silent),
    }
    of = {case.reference: programme(context, case.reading.row.programme) for case in cases}
    return Asked(given, frozenset(silent), of)


def reading_view(reading: Reading, of: Programme, is_silent: bool, language: Language) -> AccessView:
    """Return a reading; what was read for a complaint of another address of the case is told without that."""
    act, detail = reading.act, reading.detail
    fields = _fields(act, detail, of)
    # What the engine passes on is read by the authority.
    role = Role.AUTHORITY if act == Act.CALL_ANSWERED else Role(reading.actor_role)
    ways: dict[str, str] = {Act.PERSONAL_DATA_READ: "opened", Act.CASE_READ: detail.get("what", "case")}
    way = ways.get(act, act)
    stated = None if is_silent and reading.purpose == Purpose.COMPLAINT else reading.purpose
    purpose = stated or (_TRIAL if way == _TRIAL else _WHAT_FOR.get(role, of.code))
    return AccessView(
        at=reading.at,
        reference=reading.case_read,
        role=role.value,
        organisation=said_of("organisations", role, language, of.texts),
        way=said_of("ways", way, language, of.texts),
        purpose=purpose,
        purpose_text=said_of("purposes", purpose, language, of.texts),
        purpose_stated=stated is not None,
        fields=list(fields),
        fields_text=[said_of("fields", field, language, of.texts) for field in fields],
    )


def _fields(act: str, detail: Mapping[str, Any], of: Programme) -> tuple[str, ...]:
    """Return which fields of the person a reading opened."""
    if act == Act.PERSONAL_DATA_READ:
        return tuple(detail.get("fields", ()))
    return of.views.told.passed_on.get(str(detail.get("what")), ()) if act == Act.CALL_ANSWERED else ()
