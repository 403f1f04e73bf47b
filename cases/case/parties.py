"""The parties of a case: who has which part in it, since when and until when.

Owner and subject follow the row of the case (migration 0040); here is written what that row does not say: when another
person came with a correction, and who confirms. What a part sees and may ask its programme declares; row-level
security reads the declaration beside the part.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from domain.parties import Part, Party
from store.case_rows import Row
from store.tables import case_parties

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
class DeclaredPart:
    """A part that a programme's cases have beside that of an employer who owns them.

    An employer that owns a case sees all of it and asks what employers may; every other part is declared.

    Attributes:
        part: owner (a person), subject or confirmer.
        kind: whose part it is.
        sees: the tables whose rows of the case it sees.
        asks: the kinds of commands that it may ask.
        added_by: the kinds of commands by which one is added; none where the part comes with the case.
    """

    part: Part
    kind: Party
    sees: frozenset[str]
    asks: Collection[str] = frozenset()
    added_by: Collection[str] = frozenset()


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
