"""A corrected identity number: the case moves to another person, and what it holds is sealed again under that one's key."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case_file import CaseFile
from cases.persons import find_person, get_or_add_person
from domain.errors import Refused
from store.tables import answers, applications, assessments, commands, permits, registrations

# Each sealed column of a case with the way its rows are named; notices keep the key they were written under.
_SEALED: Final[tuple[tuple[Table, str, Callable[[Any], str]], ...]] = (
    (applications, "body", lambda r: f"{r.reference}/{r.version}"),
    (assessments, "facts", lambda r: f"{r.reference}/{r.scope}/{r.seq}"),
    (permits, "reason", lambda r: f"{r.reference}/{r.destination}"),
    (commands, "body", lambda r: str(r.command_id)),
    (answers, "body", lambda r: str(r.answer_id)),
)


async def need_free_person(file: CaseFile, connection: AsyncConnection, identity_number: str) -> None:
    """Refuse a number whose person has another live registration."""
    person = await find_person(file.context, connection, identity_number)
    if person is None:
        return
    live = select(registrations.c.reference).where(
        registrations.c.person_id == person.person_id,
        registrations.c.live,
        registrations.c.reference != file.reference,
    )
    if (await connection.execute(live)).first() is not None:
        raise Refused("live_registration_exists", "This person has a live registration; it has to end first.")


async def take_identity(file: CaseFile, connection: AsyncConnection, identity_number: str) -> None:
    """Move the case to the person of the number."""
    person = await get_or_add_person(file.context, connection, identity_number)
    old, new = file.person_key, person.key
    for table, column, place in _SEALED:
        rows = (await connection.execute(select(table).where(table.c.reference == file.reference))).all()
        changed: list[dict[str, Any]] = []
        for row in rows:
            sealed = getattr(row, column)
            if sealed is not None:
                plain = old.open(table.name, column, place(row), sealed)
                again = new.seal(table.name, column, place(row), plain)
                changed.append({f"k_{c.name}": getattr(row, c.name) for c in table.primary_key} | {"sealed": again})
        if changed:
            where = [c == bindparam(f"k_{c.name}") for c in table.primary_key]
            await connection.execute(update(table).where(*where).values({column: bindparam("sealed")}), changed)
            _take_over(file, table.name, column, changed)
    file.person_key = new
    file.row["person_id"] = person.person_id
    number = file.context.keyring.lookup_hash(f"last_four/{file.employer_id}", identity_number[-4:].upper())
    file.row["last_four_hash"] = number


def _take_over(file: CaseFile, table: str, column: str, changed: list[dict[str, Any]]) -> None:
    """Let the rows in memory hold what was sealed again."""
    held: dict[str, list[dict[str, Any]]] = {
        "permits": list(file.permits.values()),
        "commands": file.commands,
        "answers": file.answers,
        "assessments": file.row["assessments"],
    }
    for row in held.get(table, []):
        for new in changed:
            if all(row[name.removeprefix("k_")] == value for name, value in new.items() if name != "sealed"):
                row[column] = new["sealed"]
