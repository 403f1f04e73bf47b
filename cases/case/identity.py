"""A corrected document: the case moves to another person, and its contents are sealed again under that key.

What people signed stays as they signed it: beside the statement of a command stands a second one, by the step, about
the body as it is sealed now.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.contact import earlier_addresses, keep_earlier
from cases.case.file import CaseFile
from cases.case.parties import change_subject
from cases.keys.register import wait_for_signer
from cases.shared.persons import (
    KnownPerson,
    add_document,
    find_person,
    get_or_add_person,
    last_four_hash,
    not_proved,
)
from domain.documents import Document
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.forms import Form
from domain.languages import Language
from domain.parties import Party
from domain.spellings import Place
from domain.tasks import TaskKind
from proof.statements import StatementKeyUnknown, body_hash, said_of, sign
from store.case_rows import Row
from store.database import constraint_of
from store.encryption import DataKey
from store.rows.base import TableRow
from store.tables import answers, applications, assessments, case_facts, cases, commands, evidence
from texts.problems import particular_sentence


def _piece(row: Row) -> str:
    return f"{row['reference']}/{row['evidence_id']}"


# Each sealed column of a case with the place that its values are bound to and the way its rows are named; notices keep
# the key they were written under.
_SEALED: Final[tuple[tuple[Table, str, Place, Callable[[Row], str]], ...]] = (
    (applications, "body", Place("applications", "body"), lambda r: f"{r['reference']}/{r['version']}"),
    (assessments, "facts", Place("assessments", "facts"), lambda r: f"{r['reference']}/{r['scope']}/{r['seq']}"),
    (commands, "body", Place("commands", "body"), lambda r: str(r["command_id"])),
    (answers, "body", Place("answers", "body"), lambda r: str(r["answer_id"])),
    (case_facts, "body", Place("case_facts", "body"), lambda r: f"{r['reference']}/{r['number']}"),
    *((evidence, each, Place("evidence", each), _piece) for each in ("given", "seen", "fallen")),
)


async def take_identity(file: CaseFile, connection: AsyncConnection, whole: Form, at: datetime) -> None:
    """Give the case the person and the client reference of its corrected form.

    Raises:
        Refused: `live_registration_exists` or `client_reference_taken`, by the index that guards each; `invalid` for
            another document where the person owns the case, who is who their token says.
    """
    document = whole.subject.document
    is_other = not document.is_same_person(file.subject.document)
    if is_other and file.owned_by is Party.PERSON:
        raise not_proved(whole)
    if is_other and file.row.follows is not None:
        said = "This registration follows another one of its person, and can be of nobody else."
        wrong = FieldError(whole.document_field, FieldCode.UNKNOWN_VALUE, said, words="follows_person")
        raise Refused("invalid", said, [wrong])
    person = await get_or_add_person(file.context, connection, document) if is_other else None
    person_id = person.person_id if person else file.row.person_id
    await _hold_place(file, connection, person_id, whole.client_reference, at)
    file.row.change(person_id=person_id, client_reference=whole.client_reference)
    if person is None:
        return
    file.row.change(joined_key=person.joined_key)
    for table, column, place, row_name in _SEALED:
        await _seal_again(file, connection, table, column, place, row_name, person.key)
    _seal_task_again(file, person.key)
    earlier = earlier_addresses(file)
    file.person_key = person.key
    keep_earlier(file, earlier)
    file.row.last_four_hash = last_four_hash(file.context, file.employer_id, document)


async def need_nobody_elses(file: CaseFile, connection: AsyncConnection, whole: Form) -> None:
    """Refuse a further document by which another person is known: two of staff join persons, and no change does.

    Raises:
        Refused: `invalid`, with what to do.
    """
    for document in _further(file, whole):
        known = await find_person(file.context, connection, document)
        if known is not None and known.person_id != file.row.person_id:
            raise _of_another()


async def know_by(file: CaseFile, connection: AsyncConnection, whole: Form) -> None:
    """Let the person be found by the further documents that a form has and the case had not: an officer took them.

    A later case that is opened with one of them is this person's, as is a sign-in by it.

    Raises:
        Refused: as `need_nobody_elses`.
    """
    person = KnownPerson(file.row.person_id, file.person_key, file.row.joined_key)
    for document in _further(file, whole):
        if not await add_document(file.context, connection, person, document):
            raise _of_another()


def _further(file: CaseFile, whole: Form) -> list[Document]:
    return [each for each in whole.further_documents if each not in file.application.further_documents]


def _of_another() -> Refused:
    said = particular_sentence("document_of_another", Language.EN)
    wrong = FieldError("action", FieldCode.UNKNOWN_VALUE, said, words="document_of_another")
    return Refused("invalid", errors=[wrong], words="document_of_another")


async def _hold_place(
    file: CaseFile, connection: AsyncConnection, person_id: UUID, client_reference: str | None, at: datetime
) -> None:
    if (person_id, client_reference) == (file.row.person_id, file.row.client_reference):
        return
    mine = update(cases).where(cases.c.reference == file.reference)
    try:
        async with connection.begin_nested():
            if person_id != file.row.person_id:
                await change_subject(file, connection, person_id, at)
            await connection.execute(mine.values(person_id=person_id, client_reference=client_reference))
    except IntegrityError as error:
        constraint = constraint_of(error)
        if constraint == "uq_cases_live_person":
            raise Refused("live_registration_exists", "This person has a live case of this kind.") from None
        if constraint == "uq_cases_live_client_reference":
            raise Refused("client_reference_taken", "A live case of yours has this client_reference.") from None
        raise


async def _seal_again(
    file: CaseFile,
    connection: AsyncConnection,
    table: Table,
    column: str,
    place: Place,
    row_name: Callable[[Row], str],
    new: DataKey,
) -> None:
    async def sealed_again(row: Row) -> Row:
        plain = file.person_key.open(*place, row_name(row), row[column])
        again: Row = {column: new.seal(*place, row_name(row), plain)}
        if table is commands:
            again["resealed"] = await _signed_again(file, connection, row, again[column])
        return again

    changed: list[Row] = []
    stored = (await connection.execute(select(table).where(table.c.reference == file.reference))).mappings()
    for row in [dict(each) for each in stored if each[column] is not None]:
        key = {f"k_{c.name}": row[c.name] for c in table.primary_key}
        changed.append(key | {f"b_{name}": value for name, value in (await sealed_again(row)).items()})
    for added in file.added_rows(table.name):
        if isinstance(added, TableRow) and getattr(added, column) is not None:
            added.change(**await sealed_again(added.document()))
    if not changed:
        return
    where = [c == bindparam(f"k_{c.name}") for c in table.primary_key]
    values: Row = {name.removeprefix("b_"): bindparam(name) for name in changed[0] if name.startswith("b_")}
    await connection.execute(update(table).where(*where).values(values), changed)
    _take_over(file, table.name, changed)


async def _signed_again(file: CaseFile, connection: AsyncConnection, command: Row, after: bytes) -> str | None:
    """Return the statement about a body as it is sealed now; none where nobody signed for it as it was before."""
    if command["statement"] is None:
        return None
    try:
        said = said_of(command, file.context.keyring.statement_keys())
    except StatementKeyUnknown as unknown:
        await wait_for_signer(file.context, connection, unknown)
        return None
    except Refused:
        return None  # the command is refused when its turn comes
    key_id, key = file.context.keyring.signing_key()
    return sign(said.model_copy(update={"key_id": key_id, "body_hash": body_hash(after)}), key)


def _seal_task_again(file: CaseFile, new: DataKey) -> None:
    task = file.find_task(TaskKind.CHANGE)
    for name, at in (("change", "change"), ("proof", "change/proof")):
        if task is not None and name in task.detail:
            place = ("tasks", "detail", f"{file.reference}/{at}")
            plain = file.person_key.open(*place, bytes.fromhex(task.detail[name]))
            file.change_task(task, detail=task.detail | {name: new.seal(*place, plain).hex()})


def _take_over(file: CaseFile, table: str, changed: list[Row]) -> None:
    """Let the rows in memory hold what was sealed again."""
    held: dict[str, Sequence[TableRow]] = {
        **file.own_rows,
        "commands": file.commands,
        "answers": file.answers,
        "assessments": file.assessments,
        "case_facts": file.facts,
    }
    for row in held.get(table, ()):
        for new in changed:
            if all(
                getattr(row, name.removeprefix("k_")) == value for name, value in new.items() if name.startswith("k_")
            ):
                row.change(**{name.removeprefix("b_"): value for name, value in new.items() if name.startswith("b_")})
