"""Ending the dispute that a person made, once an officer answered the task about it (`privacy.objections` keeps it)."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.signers import signature_of
from domain.actors import Actor
from domain.person import ObjectionKind
from store.tables import objections


async def end_dispute(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    outcome: str,
    *,
    about: str,
) -> None:
    """Write to a dispute what its task was answered with; a try of the answer writes nothing."""
    if file.previewed:
        return
    ours = (
        objections.c.reference == file.reference,
        objections.c.kind == ObjectionKind.DISPUTE.value,
        objections.c.about == about,
        objections.c.state == "open",
    )
    values = {"state": "answered", "outcome": outcome, "answered_by": signature_of(actor), "answered_at": at}
    await connection.execute(update(objections).where(*ours).values(**values))
