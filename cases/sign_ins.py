"""Sign-ins: the first use of each token is an act of the ledger."""

from uuid import uuid4

from sqlalchemy.dialects.postgresql import insert

from cases.context import Context
from domain.actors import Actor
from domain.acts import Act
from store.ledger import Entry, begin_chain
from store.tables import sign_ins


async def record(context: Context, actor: Actor, token_hash: bytes) -> None:
    """Record that a token was used for the first time; used again, here or at another copy, it leaves no row.

    Raises:
        Unavailable: when PostgreSQL is away.
    """
    at = context.clock()
    first = insert(sign_ins).values(token_hash=token_hash, at=at).on_conflict_do_nothing().returning(sign_ins.c.at)
    async with context.database.begin(actor.tenant) as connection:
        if (await connection.execute(first)).first() is not None:
            entry = Entry(Act.SIGNED_IN, actor, at, employer_id=actor.employer_id)
            await begin_chain(connection, f"sign-in/{uuid4()}", [entry])
