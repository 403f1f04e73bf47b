"""Where an employer's notices go, and whether those that can wait come as one mail a day."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.keys.data import get_data_key
from cases.notices.employers import employer_chain, tell_employer
from cases.shared.context import Context
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.employers import EmployerContact
from domain.errors import Refused
from domain.notices import NoticeKind
from store.encryption import DataKey
from store.ledger import Entry, append
from store.rows.people import EmployerRow
from store.tables import employers


async def get_contact(context: Context, actor: Actor) -> EmployerContact:
    """Return the caller's own contact."""
    async with context.database.begin(actor.tenant) as connection:
        row = await _own(connection, actor)
        return opened(await get_data_key(context, connection, row.key_id), row)


async def put_contact(context: Context, actor: Actor, given: EmployerContact, idempotency: Idempotency) -> Reply:
    """Set the caller's own contact; it holds at once, and what goes to the earlier address says so.

    A new address is not verified by a mail of its own: whoever sets it holds the employer's token, by which every
    notice is read as well, and an address that takes no mail shows in the deliveries.
    """

    async def write(connection: AsyncConnection) -> Done:
        # Locked as a change of standing locks it, since both write to the employer's chain of the ledger.
        row = await _own(connection, actor, lock=True)
        employer_id, at = row.employer_id, context.clock()
        key = await get_data_key(context, connection, row.key_id)
        earlier = opened(key, row)
        contact = complete(context, given, earlier)
        if contact != earlier:
            changed = update(employers).where(employers.c.employer_id == employer_id)
            await connection.execute(changed.values(**columns(key, employer_id, contact)))
            content = key.ledger_hash(contact.model_dump_json().encode())
            entry = Entry(
                Act.EMPLOYER_RECORDED, actor, at, employer_id=employer_id, detail={"of": "contact", "content": content}
            )
            await append(connection, employer_chain(employer_id), [entry])
            await tell_changed(context, connection, employer_id, earlier, contact, at)
        reply = Reply(Progress.APPLIED, contact)
        return Done(reply, key)

    return (await once(context, actor, idempotency, write)).reply


def opened(key: DataKey, row: EmployerRow) -> EmployerContact:
    """Return the contact of an employer's row in clear."""
    plain = key.open("employers", "contact", row.employer_id, row.contact)
    return EmployerContact.model_validate_json(plain).model_copy(update={"digest": row.digest})


def complete(context: Context, given: EmployerContact, earlier: EmployerContact | None) -> EmployerContact:
    """Return a contact that says whether the employer takes a daily mail: as given, as before, or by default."""
    if given.digest is not None:
        return given
    return given.model_copy(
        update={"digest": context.limits.digest_by_default if earlier is None else bool(earlier.digest)}
    )


def columns(key: DataKey, employer_id: str, contact: EmployerContact) -> dict[str, Any]:
    """Return a contact as the register keeps it."""
    content = contact.model_dump_json(exclude_none=True).encode()
    return {
        "contact": key.seal("employers", "contact", employer_id, content),
        "language": contact.language.value,
        "digest": bool(contact.digest),
    }


async def tell_changed(
    context: Context,
    connection: AsyncConnection,
    employer_id: str,
    earlier: EmployerContact,
    contact: EmployerContact,
    at: datetime,
) -> None:
    """Tell the new contact, and an address that gets no more notices, that they go elsewhere."""
    if (earlier.email, earlier.phone) == (contact.email, contact.phone):
        return
    kind, facts = NoticeKind.EMPLOYER_CONTACT_CHANGED, {"from_on": day_of(at)}
    await tell_employer(context, connection, employer_id, kind, occasion=f"{at.isoformat()}/new", at=at, facts=facts)
    if earlier.email != contact.email:
        occasion = f"{at.isoformat()}/earlier"
        await tell_employer(context, connection, employer_id, kind, occasion=occasion, at=at, facts=facts, to=earlier)


async def _own(connection: AsyncConnection, actor: Actor, *, lock: bool = False) -> EmployerRow:
    query = select(employers).where(employers.c.employer_id == actor.employer_id)
    query = query.with_for_update() if lock else query
    row = EmployerRow.one_of(await connection.execute(query))
    if row is None:
        raise Refused("not_found", "The register has no employer of this id.")
    return row
