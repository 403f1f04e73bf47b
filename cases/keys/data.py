"""Data keys as the database keeps them: made, and found again in clear."""

from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from domain.errors import Defect
from store.encryption import DataKey, WrappedKey, new_data_key, unwrap
from store.tables import data_keys


async def add_data_key(context: Context, connection: AsyncConnection) -> DataKey:
    """Make a data key and keep its wrapped form."""
    key, wrapped = new_data_key(context.keyring)
    values = {"key_id": wrapped.key_id, "kek_id": wrapped.kek_id, "wrapped": wrapped.wrapped}
    await connection.execute(insert(data_keys).values(values))
    return key


async def get_data_key(context: Context, connection: AsyncConnection, key_id: UUID) -> DataKey:
    """Return a data key in clear.

    Raises:
        Refused: `facts_erased` when the key was destroyed.
        Defect: when there is none of this id.
    """
    row = (await connection.execute(select(data_keys).where(data_keys.c.key_id == key_id))).one_or_none()
    if row is None:
        raise Defect("data_key_missing")
    return unwrap(context.keyring, WrappedKey(row.key_id, row.kek_id, row.wrapped))
