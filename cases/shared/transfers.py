"""Transfers as rows: an agreement that names an employer, the case taken on by it, and what became of it.

Of the two cases of a transfer each is in another employer's hands. Neither is shown the other: what passes between
them are commands of the engine without a word of whose the other case is, written by transactions of the park.
"""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from cases.shared.persons import document_hash
from cases.shared.told_cases import tell_case
from domain.commands import CommandKind
from domain.documents import Document
from domain.transfers import TransferState

_FIND: Final = text("""
    SELECT t.transfer_id, t.from_reference, c.employer_id AS from_employer
    FROM transfers t JOIN person_documents d ON d.person_id = t.person_id JOIN cases c ON c.reference = t.from_reference
    WHERE d.lookup_hash = :document AND t.programme = :programme AND t.to_employer = :employer
    AND t.state = 'agreed' AND t.holds_until > :at AND c.live AND c.follows IS NULL
    ORDER BY t.agreed_at DESC LIMIT 1
""")
# Held until the transaction ends: a step that ends the case waits, or is waited for and then the case is not live.
_HOLD: Final = text("SELECT reference FROM cases WHERE reference = :reference AND live FOR SHARE")
_TAKE: Final = text("""
    UPDATE transfers SET state = 'taken', to_reference = :reference, taken_at = :at
    WHERE transfer_id = :transfer_id AND state = 'agreed' AND holds_until > :at
""")
_STATE: Final = text("SELECT state FROM transfers WHERE transfer_id = :transfer_id")
# The case before has ended: what follows it goes on.
_DONE: Final = text("""
    UPDATE transfers t SET state = 'done', over_at = :at FROM cases c
    WHERE t.from_reference = :reference AND t.state IN :waiting AND c.reference = t.to_reference
    RETURNING t.transfer_id, c.reference, c.employer_id
""").bindparams(bindparam("waiting", expanding=True))
# The case that was to follow has closed: nobody is asked for a last day any more.
_GIVEN_UP: Final = text("""
    UPDATE transfers t SET state = 'given_up', over_at = :at FROM cases c
    WHERE t.transfer_id = :transfer_id AND t.state IN :waiting AND c.reference = t.from_reference
    RETURNING t.transfer_id, c.reference, c.employer_id
""").bindparams(bindparam("waiting", expanding=True))
_NOT_CONFIRMED: Final = text("""
    UPDATE transfers t SET state = 'not_confirmed', over_at = :at FROM cases c
    WHERE t.from_reference = :reference AND t.state = 'taken' AND c.reference = t.to_reference
    RETURNING t.transfer_id, c.reference, c.employer_id
""")
_FOLLOWING: Final = text("SELECT to_reference FROM transfers WHERE from_reference = :reference AND state = 'taken'")
_FOLLOWED: Final = text("""
    SELECT t.transfer_id, c.reference, c.employer_id FROM transfers t JOIN cases c ON c.reference = t.from_reference
    WHERE t.to_reference = :reference AND t.state = 'done'
""")
_WAITING: Final = [TransferState.TAKEN.value, TransferState.NOT_CONFIRMED.value]


class Side(NamedTuple):
    """One of the two cases of a transfer, with whose it is."""

    transfer_id: UUID
    reference: str
    employer_id: str


async def find_agreed(
    context: Context, programme: str, employer_id: str, document: Document, at: datetime
) -> Side | None:
    """Return the case that ends by the agreement of a document's person that an employer registers them, or None."""
    values = {
        "document": document_hash(context, document),
        "programme": programme,
        "employer": employer_id,
        "at": at,
    }
    async with context.database.begin() as connection:
        found = (await connection.execute(_FIND, values)).one_or_none()
    return None if found is None else Side(*found)


async def take(connection: AsyncConnection, before: Side, reference: str, at: datetime) -> bool:
    """Let a case that is taken on follow by an agreement, and ask the one before; return whether both still hold."""
    if (await connection.execute(_HOLD, {"reference": before.reference})).one_or_none() is None:
        return False
    values = {"transfer_id": before.transfer_id, "reference": reference, "at": at}
    if (await connection.execute(_TAKE, values)).rowcount != 1:
        return False
    await _tell(connection, before, CommandKind.ASK_DEPARTURE, at)
    return True


async def is_under_way(connection: AsyncConnection, transfer_id: UUID) -> bool:
    """Return whether the case that follows by a transfer may be approved: nobody found that the person stays."""
    state = (await connection.execute(_STATE, {"transfer_id": transfer_id})).scalar_one_or_none()
    return state == TransferState.TAKEN


async def end_before(connection: AsyncConnection, reference: str, at: datetime) -> None:
    """Let what follows a case that ends go on."""
    values = {"reference": reference, "at": at, "waiting": _WAITING}
    for each in await connection.execute(_DONE, values):
        await _tell(connection, Side(*each), CommandKind.LET_FOLLOW, at)


async def give_up(connection: AsyncConnection, transfer_id: UUID, at: datetime) -> None:
    """Ask the case before no more, since the one that was to follow it has closed."""
    values = {"transfer_id": transfer_id, "at": at, "waiting": _WAITING}
    for each in await connection.execute(_GIVEN_UP, values):
        await _tell(connection, Side(*each), CommandKind.ASK_NO_MORE, at)


async def not_confirmed(connection: AsyncConnection, reference: str, at: datetime) -> None:
    """Tell what follows a case that its person goes on working there."""
    for each in await connection.execute(_NOT_CONFIRMED, {"reference": reference, "at": at}):
        await _tell(connection, Side(*each), CommandKind.TRANSFER_OFF, at)


async def find_following(connection: AsyncConnection, reference: str) -> str | None:
    """Return the case that follows a live one by a transfer under way, or None."""
    found: str | None = (await connection.execute(_FOLLOWING, {"reference": reference})).scalar_one_or_none()
    return found


async def find_followed(connection: AsyncConnection, reference: str) -> Side | None:
    """Return the case that ended so that this one follows it, or None."""
    row = (await connection.execute(_FOLLOWED, {"reference": reference})).one_or_none()
    return None if row is None else Side(*row)


async def let_rest(connection: AsyncConnection, reference: str, at: datetime) -> None:
    """Let the case before hear that nothing of it runs on under this one, or that all that does runs on by now."""
    before = await find_followed(connection, reference)
    if before is not None:
        await _tell(connection, before, CommandKind.LET_REST, at)


async def _tell(connection: AsyncConnection, case: Side, kind: CommandKind, at: datetime) -> None:
    """Let one case of a transfer hear of it, once."""
    await tell_case(connection, case.transfer_id, case.reference, case.employer_id, kind, "transfer", at)
