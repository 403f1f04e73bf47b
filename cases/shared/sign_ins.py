"""Sign-ins: the first use of each token is an act of the ledger, by which it is known who has ever been staff."""

from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from cases.shared.context import Context
from domain.actors import PARK, STAFF, Actor
from domain.acts import Act
from domain.errors import Refused
from store.ledger import Entry, begin_chain
from store.tables import ledger, sign_ins


async def record(context: Context, actor: Actor, token_hash: bytes, *, by: str | None = None) -> None:
    """Record that a token was used for the first time; used again, here or at another copy, it leaves no row.

    `by` says what a person showed beside the token: `document`.

    Raises:
        Unavailable: when PostgreSQL is away.
    """
    at = context.clock()
    first = insert(sign_ins).values(token_hash=token_hash, at=at).on_conflict_do_nothing().returning(sign_ins.c.at)
    async with context.database.begin(actor.tenant) as connection:
        if (await connection.execute(first)).first() is not None:
            detail = {"by": by} if by else {}
            entry = Entry(Act.SIGNED_IN, actor, at, employer_id=actor.employer_id, detail=detail)
            await begin_chain(connection, f"sign-in/{uuid4()}", [entry])


async def need_staff(context: Context, issuer: str, subject: str) -> None:
    """Refuse a subject of whom no act with a staff token is known, of which the first is its sign-in.

    Raises:
        Refused: `assignee_unknown`.
    """
    row = ledger.c
    acted = (row.actor_subject == subject, row.actor_issuer == issuer, row.actor_role.in_(sorted(STAFF)))
    async with context.database.statement(PARK) as connection:
        if (await connection.execute(select(row.seq).where(*acted).order_by(row.at).limit(1))).first() is None:
            raise Refused("assignee_unknown", "Nobody of this subject has ever signed in as an officer or supervisor.")
