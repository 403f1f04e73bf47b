"""Persons: an id, a keyed look-up hash and a data key; what was given of them belongs to the application."""

from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.context import Context
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


async def get_or_add_person(context: Context, connection: AsyncConnection, identity_number: str) -> KnownPerson:
    """Return the person of an identity number, made where there was none; two callers at once get the same one."""
    known = await find_person(context, connection, identity_number)
    if known is not None:
        return known
    key, wrapped = new_data_key(context.keyring)
    await connection.execute(
        insert(data_keys).values(key_id=wrapped.key_id, kek_id=wrapped.kek_id, wrapped=wrapped.wrapped)
    )
    added = upsert(persons).values(
        person_id=uuid4(), identity_hash=identity_hash(context, identity_number), key_id=key.key_id
    )
    person_id = (
        await connection.execute(
            added.on_conflict_do_nothing(index_elements=[persons.c.identity_hash]).returning(persons.c.person_id)
        )
    ).scalar_one_or_none()
    if person_id is not None:
        return KnownPerson(person_id, key)
    again = await find_person(context, connection, identity_number)
    if again is None:
        raise RuntimeError("a person was added and is not there")
    return again
