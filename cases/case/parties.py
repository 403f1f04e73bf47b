"""The parties of a case: who has which part in it, since when and until when.

Owner and subject follow the row of the case (migration 0040); here is written what that row does not say: when another
person came with a correction, and who confirms. What a part sees and may ask its programme declares; row-level
security reads the declaration beside the part.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.reading import CaseReading
from cases.shared.context import Context
from domain.actors import Actor, Role
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.languages import Language
from domain.parties import Part, Party
from domain.routes import Operation
from store.case_rows import Row, load_employer
from store.tables import case_parties, cases

_P: Final = case_parties.c

# What reading a case takes, whatever its programme, by the names of tables.
READS_CASE: Final = frozenset(
    {
        "applications",
        "assessments",
        "case_facts",
        "cases",
        "commands",
        "deliveries",
        "employer_versions",
        "ledger",
        "ledger_marks",
        "legal_holds",
        "notices",
        "objections",
        "tasks",
    }
)
# What trying a command takes beside it, which looks at the whole file of the case.
TRIES_COMMANDS: Final = frozenset({"answers", "calls", "deadlines", "employers"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPlace:
    """What an employer is shown of the part that it has in cases of others: of each as much as stands here, no more.

    Attributes:
        path: where it stands, behind the programme's own.
        shown: the model of it.
        shows: what it is of a case.
        lists: how its list is called.
        reads: how one of them is called.
    """

    path: str
    shown: type[BaseModel]
    shows: Callable[[CaseReading, Language], BaseModel]
    lists: Operation
    reads: Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredPart:
    """A part that a programme's cases have beside that of an employer who owns them.

    An employer that owns a case sees all of it and asks what employers may; every other part is declared.

    Attributes:
        part: owner (a person), subject or confirmer.
        kind: whose part it is.
        sees: the tables whose rows of the case it sees.
        asks: the kinds of commands that it may ask.
        added_by: the kinds of commands by which one is added; none where the part comes with the case.
        named: the path of the field of the form that names whoever gets it; who is not known to the Park is refused.
        place: what an employer who confirms is shown of it, and where; None where it is shown nothing.
        hears: whether the case is told of a change of standing of an employer that has the part, as it is of its
            owner's (`CommandKind.STANDING`).
    """

    part: Part
    kind: Party
    sees: frozenset[str]
    asks: Collection[str] = frozenset()
    added_by: Collection[str] = frozenset()
    named: str | None = None
    place: PartPlace | None = None
    hears: bool = False


async def find_subject(connection: AsyncConnection, reference: str) -> UUID | None:
    """Return the person that a case is about, or None where there is no such case or the person was erased."""
    query = select(_P.party_id).where(_P.reference == reference, _P.part == Part.SUBJECT.value, _P.until.is_(None))
    found = (await connection.execute(query)).scalar_one_or_none()
    return None if found is None else UUID(found)


async def change_subject(file: CaseFile, connection: AsyncConnection, person_id: UUID, at: datetime) -> None:
    """Let a case be about another person from now on; written before the row of the case says so."""
    theirs = (_P.reference == file.reference, _P.part == Part.SUBJECT.value, _P.until.is_(None))
    await connection.execute(update(case_parties).where(*theirs).values(until=at))
    await connection.execute(insert(case_parties).values(_row(file, Part.SUBJECT, Party.PERSON, str(person_id), at)))


def add_party(file: CaseFile, declared: DeclaredPart, party_id: str, at: datetime, *, by: str) -> None:
    """Give a party a part that the programme of the case declares, from now on; stored with the case.

    Args:
        file: the case.
        declared: the part.
        party_id: the id of the employer or the person.
        at: since when.
        by: the kind of the command that adds it.

    Raises:
        ValueError: where the part is not declared to be added by this command.
    """
    if by not in declared.added_by:
        raise ValueError(by)
    file.add_row("case_parties", _row(file, declared.part, declared.kind, party_id, at))


def owned_by(actor: Actor) -> ColumnElement[bool]:
    """Return which cases are an employer's or a person's own.

    A person's are found by their parts, so that they are found again where two persons turned out to be one.
    """
    if actor.role is not Role.PERSON:
        return cases.c.employer_id == actor.employer_id
    mine = select(_P.reference).where(_P.tenant == actor.tenant, _P.part == Part.OWNER.value, _P.until.is_(None))
    return cases.c.reference.in_(mine)


async def add_confirmer(
    file: CaseFile, connection: AsyncConnection, declared: DeclaredPart, employer_id: str, at: datetime, *, by: str
) -> bool:
    """Give an employer the part of confirming something of a case that a person owns, if the register has one.

    From then on the notices of the case that are for an employer go to this one.

    Returns:
        Whether there is such an employer; where there is none, nothing is changed.
    """
    employer = await load_employer(connection, employer_id)
    if employer is None:
        return False
    add_party(file, declared, employer_id, at, by=by)
    file.employer = employer
    return True


async def need_known(context: Context, employer_id: str, field: str) -> None:
    """Refuse an employer whom a person names and the Park does not know; a person sees only their own.

    Raises:
        Refused: `invalid`, with the field that names it.
    """
    async with context.database.begin() as connection:
        known = await load_employer(connection, employer_id)
    if known is None:
        said = "The Park has no employer of this id."
        raise Refused("invalid", said, [FieldError(field, FieldCode.UNKNOWN_VALUE, said, words="employer_unknown")])


async def end_confirmer(file: CaseFile, connection: AsyncConnection, at: datetime) -> None:
    """End the part of whoever confirms something of a case, so that another can be given it."""
    if file.previewed:
        return
    theirs = (_P.reference == file.reference, _P.part == Part.CONFIRMER.value, _P.until.is_(None))
    await connection.execute(update(case_parties).where(*theirs).values(until=at))


async def confirmed_by(
    connection: AsyncConnection, actor: Actor, programme: str, reference: str | None = None
) -> list[tuple[str, datetime]]:
    """Return the cases of a programme in which an employer confirms something now, and since when, the first first."""
    mine = (
        _P.tenant == actor.tenant,
        _P.part == Part.CONFIRMER.value,
        _P.kind == Party.EMPLOYER.value,
        _P.until.is_(None),
        _P.programme == programme,
    )
    query = select(_P.reference, _P.since).where(*mine).order_by(_P.since, _P.reference)
    if reference is not None:
        query = query.where(_P.reference == reference)
    return [(row.reference, row.since) for row in await connection.execute(query)]


def _row(file: CaseFile, part: Part, kind: Party, party_id: str, at: datetime) -> Row:
    return {
        "reference": file.reference,
        "part": part.value,
        "kind": kind.value,
        "party_id": party_id,
        "since": at,
        "programme": file.row.programme,
        "employer_id": file.employer_id,
    }
