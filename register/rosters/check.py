"""Checking a roster's rows: their own defects, rows that come twice, and people whom the employer has registered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import load_case
from cases.decisions.reported_days import need_days_past
from cases.programme import RosterRow
from cases.shared.context import Context
from cases.shared.persons import document_hash
from domain.actors import Actor
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.roster import RowResult
from register.rosters.cells import as_codes, explained
from register.rosters.file import EXTRA
from register.rosters.kinds import RosterKind
from store.tables import cases, person_documents

Cells = Mapping[str, str]
Read = RosterRow


@dataclass(frozen=True, slots=True)
class Checked:
    """What a row is found to be: its result, the case it means where there is one, and what is wrong with it."""

    row: int
    result: RowResult
    reference: str | None = None
    errors: tuple[FieldError, ...] = ()


class Case(NamedTuple):
    """A live case of the employer, as far as a row can name it."""

    reference: str
    client_reference: str | None
    stage: str
    document_hash: bytes | None


@dataclass(slots=True)
class Seen:
    """The people and client references that earlier rows of the file named."""

    documents: set[tuple[str, str]] = field(default_factory=set)
    client_references: set[str] = field(default_factory=set)

    def is_repeat(self, read: Read) -> bool:
        """Whether an earlier row names the same person or the same client reference; the row is seen after that."""
        person = read.document.looked_up_by if read.document else None
        repeat = person in self.documents or read.client_reference in self.client_references
        if person is not None:
            self.documents.add(person)
        if read.client_reference is not None:
            self.client_references.add(read.client_reference)
        return repeat


def read_row(cells: Cells, kind: RosterKind) -> Read | list[FieldError]:
    """Return what a row asks for, or what is wrong with it."""
    if EXTRA in cells:
        return [FieldError("row", FieldCode.UNKNOWN_FIELD, "", "more_cells_than_headers")]
    row, wrong = as_codes(cells, kind)
    read = kind.roster.read(row)
    if not wrong:
        return [explained(error, kind) for error in read] if isinstance(read, list) else read
    # What is left out of the row for a reason of its own is not missing.
    named = {error.field for error in wrong}
    if named & {"client_reference", kind.roster.person}:
        named.add("client_reference")  # under which the lack of both is told
    others = read if isinstance(read, list) else []
    return wrong + [explained(error, kind) for error in others if error.field not in named]


def check_in_file(rows: Iterable[tuple[int, Cells]], kind: RosterKind) -> tuple[list[Checked], list[tuple[int, Read]]]:
    """Return the rows that are settled by the file alone, and the others as read."""
    settled: list[Checked] = []
    others: list[tuple[int, Read]] = []
    seen = Seen()
    for number, cells in rows:
        read = read_row(cells, kind)
        if isinstance(read, list):
            settled.append(Checked(number, RowResult.DEFECT, errors=tuple(read)))
        elif seen.is_repeat(read):
            settled.append(Checked(number, RowResult.DUPLICATE_IN_FILE))
        else:
            others.append((number, read))
    return settled, others


async def check_in_register(
    context: Context,
    connection: AsyncConnection,
    employer_id: str,
    kind: RosterKind,
    rows: Sequence[tuple[int, Read]],
) -> list[Checked]:
    """Return what the register says of rows, looking at the employer's own live cases only."""
    cases = await _own_live_cases(context, connection, employer_id, kind, [read for _, read in rows])
    at, found = context.clock(), []
    for number, read in rows:
        wrong = _days_to_come(read, kind, at)
        found.append(
            Checked(number, RowResult.DEFECT, errors=wrong) if wrong else _check_one(context, number, read, cases, kind)
        )
    return found


def _days_to_come(read: Read, kind: RosterKind, at: datetime) -> tuple[FieldError, ...]:
    """Return the days of a row's form that have to have come and have not, by column."""
    if read.form is None:
        return ()
    try:
        need_days_past(read.form, at)
    except Refused as refused:
        return tuple(_of_column(error, kind) for error in refused.errors)
    return ()


def _of_column(error: FieldError, kind: RosterKind) -> FieldError:
    """Return what is wrong with a field under the name of its column, or of the row where no column has its name."""
    name = error.field.rpartition(".")[2]
    return replace(error, field=name if name in kind.columns else "row")


async def find_own_live(
    context: Context, connection: AsyncConnection, employer_id: str, kind: RosterKind, read: Read
) -> str | None:
    """Return the reference of the employer's live case of this person in the programme, if there is one."""
    cases = await _own_live_cases(context, connection, employer_id, kind, [read])
    case = _by_person(context, read, cases)
    return None if case is None else case.reference


async def check_asked(
    context: Context,
    connection: AsyncConnection,
    actor: Actor,
    kind: RosterKind,
    rows: Mapping[int, Read],
    checked: Iterable[Checked],
) -> list[Checked]:
    """Return the results of rows, as defects those that ask of their cases what these would not take today."""
    at, found = context.clock(), []
    for one in checked:
        read = rows[one.row]
        if read.asked is not None and one.result is RowResult.NEW:
            file = await load_case(context, connection, str(one.reference))
            try:
                command = kind.programme.commands[kind.programme.asked_by(kind.act)]
                if command.look is not None:
                    command.look(file, actor, at, read.asked)
            except Refused as refused:
                errors = refused.errors or (FieldError("row", refused.code, refused.detail),)
                found.append(Checked(one.row, RowResult.DEFECT, one.reference, errors))
                continue
        found.append(one)
    return found


async def _own_live_cases(
    context: Context, connection: AsyncConnection, employer_id: str, kind: RosterKind, rows: Iterable[Read]
) -> list[Case]:
    reads = list(rows)
    hashes = [document_hash(context, read.document) for read in reads if read.document is not None]
    given = [read.client_reference for read in reads if read.client_reference is not None]
    query = (
        select(cases.c.reference, cases.c.client_reference, cases.c.stage, person_documents.c.lookup_hash)
        .outerjoin(person_documents, person_documents.c.person_id == cases.c.person_id)
        .where(cases.c.employer_id == employer_id, cases.c.live, cases.c.programme == kind.programme.code)
        .where(person_documents.c.lookup_hash.in_(hashes) | cases.c.client_reference.in_(given))
    )
    return [Case(*row) for row in await connection.execute(query)]


def _check_one(context: Context, number: int, read: Read, cases: Sequence[Case], kind: RosterKind) -> Checked:
    by_person = _by_person(context, read, cases)
    by_reference = next((c for c in cases if c.client_reference == read.client_reference is not None), None)
    if read.asked is not None:
        return _check_asked_one(number, read, by_person, by_reference, kind)
    if by_person is not None:
        return Checked(number, RowResult.ALREADY_REGISTERED, by_person.reference)
    if by_reference is not None:
        message = "A live case of another person has this client_reference."
        return Checked(
            number, RowResult.DEFECT, errors=(FieldError("client_reference", "client_reference_taken", message),)
        )
    return Checked(number, RowResult.NEW)


def _check_asked_one(
    number: int, read: Read, by_person: Case | None, by_reference: Case | None, kind: RosterKind
) -> Checked:
    """Return which case a row means that asks something of one; two keys have to mean the same."""
    key = kind.roster.person if read.client_reference is None else "client_reference"
    found = by_reference if read.client_reference is not None else by_person
    both = read.client_reference is not None and read.document is not None
    if found is None or (both and (by_person is None or by_person.reference != found.reference)):
        message = "You have no live case that this row means."
        return Checked(number, RowResult.DEFECT, errors=(FieldError(key, "case_unknown", message),))
    stages, message = kind.roster.stages, kind.roster.elsewhere
    if stages and found.stage not in stages:
        return Checked(number, RowResult.DEFECT, found.reference, (FieldError(key, "wrong_stage", message),))
    return Checked(number, RowResult.NEW, found.reference)


def _by_person(context: Context, read: Read, cases: Sequence[Case]) -> Case | None:
    wanted = document_hash(context, read.document) if read.document is not None else None
    return next((c for c in cases if c.document_hash == wanted), None)
