"""Refused acts: one ledger row for each, in a chain of its own, that says who was refused what, never what was sent."""

from uuid import uuid4

import structlog

from cases.shared.context import Context
from domain.actors import Actor
from domain.acts import Act
from domain.errors import Unavailable
from store.ledger import Entry, append


async def record(context: Context, actor: Actor, route: str, code: str, reference: str | None = None) -> None:
    """Write the ledger row of a refused act.

    The refusal stands whether or not the row can be written: a failure is logged, not raised.

    Args:
        context: the collaborators.
        actor: who was refused.
        route: the method and the template of the path, such as `POST /v1/registrations`.
        code: the problem code answered.
        reference: the case named, where its form is right; it may be another tenant's or no one's.
    """
    entry = Entry(
        act=Act.REQUEST_REFUSED,
        actor=actor,
        at=context.clock(),
        reference=reference,
        employer_id=actor.employer_id,
        outcome="refused",
        reason_codes=(code,),
        detail={"route": route},
    )
    try:
        async with context.database.begin(actor.tenant) as connection:
            await append(connection, f"refused/{uuid4()}", [entry])
    except Unavailable:
        structlog.get_logger(__name__).warning("refusal_not_recorded", code=code, route=route)
