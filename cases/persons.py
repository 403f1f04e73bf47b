"""Persons: an id, a keyed look-up hash and a data key; what was given of them belongs to the application."""

from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.context import Context
from store import case_writes
from store.case_rows import Row
from store.encryption import DataKey, WrappedKey, new_data_key, unwrap
from store.tables import data_keys, persons


class KnownPerson(NamedTuple):
    """A person row with its data key in clear."""

    person_id: UUID
    key: DataKey


def identity_hash(context: Context, identity_number: str) -> bytes:
    """Return the keyed hash under which a person is found by identity number."""
    return context.keyring.lookup_hash("identity", identity_number)


async def find_person(context: Context, connection: AsyncConnection, identity_number: str) -> KnownPerson | None:
    """Return the person of an identity number, or None for one not met before."""
    query = (
        select(persons.c.person_id, data_keys.c.key_id, data_keys.c.kek_id, data_keys.c.wrapped)
        .join(data_keys, data_keys.c.key_id == persons.c.key_id)
        .where(persons.c.identity_hash == identity_hash(context, identity_number))
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return KnownPerson(row.person_id, unwrap(context.keyring, WrappedKey(row.key_id, row.kek_id, row.wrapped)))


async def meet_person(
    context: Context, connection: AsyncConnection, identity_number: str
) -> tuple[KnownPerson, dict[str, list[Row]]]:
    """Return the person of an identity number, with the rows that make a new one where there was none."""
    known = await find_person(context, connection, identity_number)
    if known is not None:
        return known, {}
    key, wrapped = new_data_key(context.keyring)
    person_id = uuid4()
    key_row = {"key_id": wrapped.key_id, "kek_id": wrapped.kek_id, "wrapped": wrapped.wrapped}
    row = {
        "person_id": person_id,
        "identity_hash": identity_hash(context, identity_number),
        "key_id": key.key_id,
    }
    return KnownPerson(person_id, key), {"data_keys": [key_row], "persons": [row]}


async def get_or_add_person(context: Context, connection: AsyncConnection, identity_number: str) -> KnownPerson:
    """Return the person of an identity number, added where there was none; two callers at once get the same one."""
    person, rows = await meet_person(context, connection, identity_number)
    if not rows:
        return person
    try:
        async with connection.begin_nested():
            await case_writes.write(connection, rows)
    except IntegrityError:
        return (await meet_person(context, connection, identity_number))[0]
    return person
