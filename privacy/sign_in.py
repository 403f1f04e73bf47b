"""Signing in as the person: a link to the address on the case, used once, opens a short session that can be ended.

A link proves that its holder reads one address, no more: the session opens the cases of the person on which that
address stands, so that an employer that enters somebody's identity number with an address of its own choosing comes to
see nothing of what others gave. One that is put in place of another on a case serves after a while, and until then the
one before it does (`domain.sign_in_addresses`).

A token of the issuer that asserts a document of the person is a party as well: of all cases of the person who has that
document, whatever addresses others put on them. Without a document a token is no party.

Who it is that signs in is found out by transactions that see no case (`DOOR`); all that follows is a transaction of
that person, to whom row-level security shows the cases in which they have a part, and nothing else.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import structlog
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.contact import given_of, serving_now
from cases.case.file import CaseFile, load_case
from cases.case.parties import find_subject
from cases.notices.compose import Telling, tell
from cases.shared.context import Context
from cases.shared.persons import document_hash, find_by_own_document
from domain.actors import SESSION_ISSUER, Actor, Role
from domain.acts import Act
from domain.documents import Document
from domain.errors import Defect, KeyUnknown, Refused
from domain.notices import Channel, NoticeKind, Recipient
from domain.parties import DOOR, person_tenant
from domain.person import (
    LINK_BYTES,
    SESSION_BYTES,
    SESSION_PREFIX,
    SignInLinkRequest,
    same_address,
)
from domain.references import find_reference
from privacy.views import SessionView
from store import case_writes
from store.ledger import Entry, begin_chain
from store.tables import person_sessions, persons, sign_in_links, sign_ins

_HOUR: Final = timedelta(hours=1)
_KEPT: Final = timedelta(days=1)  # rows of a person that are older go when the next link is sent

# Nobody's once the person was erased: neither key nor person is there to be found.
_FIND: Final = text(
    "SELECT s.person_id, s.address_hash, s.expires_at FROM person_sessions s JOIN persons p USING (person_id)"
    " JOIN data_keys k ON k.key_id = p.key_id AND k.wrapped IS NOT NULL"
    " WHERE s.session_hash = :hash AND s.ended_at IS NULL AND s.expires_at > :at"
)


@dataclass(frozen=True, slots=True)
class Session:
    """One who signed in: the person, the address that was proved, and the hash by which the session is known.

    `by_document`: a document was asserted in place of an address, and its hash stands in the address's place. Nobody
    may have it: `person_id` is None then, and there are no cases. Such a session ends with its token, has no hash to be
    known by and no end of its own.
    """

    person_id: UUID | None
    address_hash: bytes
    session_hash: bytes
    expires_at: datetime | None
    by_document: bool = False


def address_hash(context: Context, address: str) -> bytes:
    """Return the keyed hash of an address."""
    return context.keyring.lookup_hash("address", same_address(address))


async def send_link(context: Context, asked: SignInLinkRequest) -> bool:
    """Send a link where the person of the case signs in by the address; the caller is told the same in any case.

    The link is part of a notice, written in this transaction and delivered as all notices are; beside that only its
    hash is kept. Links that were sent before stay good for their time, so that nobody ends them by asking.
    """
    reference = find_reference(asked.reference)
    if reference is None:
        return False
    try:
        async with context.database.begin(DOOR) as connection:
            person_id = await find_subject(connection, reference)
        if person_id is None:
            return False
        async with context.database.begin(person_tenant(person_id), case=reference) as connection:
            file = await load_case(context, connection, reference)
            is_sent = await _send(file, connection, asked)
            # Beside the case and not with it: its employer, who follows its changes, is not to see that one signs in.
            await case_writes.write_notices(connection, file.notices, file.deliveries)
            return is_sent
    except Refused:
        return False
    except (Defect, KeyUnknown) as error:
        structlog.get_logger(__name__).warning("sign_in_link_not_sent", reason=error.reason)
        return False


async def _send(file: CaseFile, connection: AsyncConnection, asked: SignInLinkRequest) -> bool:
    context = file.context
    address = serving_now(file, given_of(file)).get(asked.channel)
    if address is None or same_address(address) != asked.address:
        return False
    at, limits, person_id = context.clock(), context.limits, file.row.person_id
    hashed = address_hash(context, address)
    # Held, so that links asked for at once through two cases are counted one after the other.
    await connection.execute(select(persons.c.person_id).where(persons.c.person_id == person_id).with_for_update())
    links, sessions = sign_in_links.c, person_sessions.c
    mine = links.person_id == person_id
    recent = select(
        func.count().filter(links.at > at - _HOUR).label("sent"),
        func.count().filter(links.ended_at.is_(None), links.expires_at > at).label("good"),
    ).where(mine, links.address_hash == hashed)
    counted = (await connection.execute(recent)).one()
    # Whoever has asked so often has a link that is still good, or gets one: nobody can use up another's links.
    if counted.sent >= limits.sign_in_links_an_hour and counted.good:
        return False
    await connection.execute(delete(sign_in_links).where(mine, links.at < at - _KEPT))
    await connection.execute(
        delete(person_sessions).where(sessions.person_id == person_id, sessions.expires_at < at - _KEPT)
    )
    link_id, secret = uuid4(), secrets.token_urlsafe(LINK_BYTES)
    row = {
        "link_id": link_id,
        "link_hash": context.keyring.lookup_hash("sign_in_link", secret),
        "person_id": person_id,
        "reference": file.reference,
        "address_hash": hashed,
        "at": at,
        "expires_at": at + limits.sign_in_link,
    }
    await connection.execute(insert(sign_in_links).values(row))
    _tell(file, (asked.channel, address), link_id, secret, at)
    return True


def _tell(file: CaseFile, to: tuple[Channel, str], link_id: UUID, secret: str, at: datetime) -> None:
    limits = file.context.limits
    # Behind the `#`, which no browser sends: the secret stands in no log, and looking at the page does not use it up.
    link = f"{file.context.sign_in_url}#{secret}"
    tell(
        file,
        Telling(
            NoticeKind.SIGN_IN_LINK,
            at,
            str(link_id),
            facts={"link": link, "valid_minutes": int(limits.sign_in_link.total_seconds() // 60)},
            only=frozenset({Recipient.PERSON}),
            to=to,
            until=at + limits.sign_in_link,
        ),
    )


async def redeem(context: Context, secret: str, correlation_id: str) -> SessionView:
    """Use a link up and return the session that it opens; the sign-in is a ledger act of the same transaction.

    Raises:
        Refused: `link_invalid`, whatever is wrong with it.
    """
    at, links = context.clock(), sign_in_links.c
    hashed = context.keyring.lookup_hash("sign_in_link", secret)
    used = (
        update(sign_in_links)
        .where(links.link_hash == hashed, links.ended_at.is_(None), links.expires_at > at)
        .values(ended_at=at)
        .returning(links.person_id, links.address_hash, links.reference)
    )
    whose = select(links.person_id).where(links.link_hash == hashed)
    async with context.database.begin(DOOR) as connection:
        person_id = (await connection.execute(whose)).scalar_one_or_none()
    if person_id is None:
        raise _invalid()
    async with context.database.begin(person_tenant(person_id)) as connection:
        link = (await connection.execute(used)).one_or_none()
        if link is None:
            raise _invalid()
        token = SESSION_PREFIX + secrets.token_urlsafe(SESSION_BYTES)
        session_hash, expires_at = _session_hash(context, token), at + context.limits.session
        row = {"person_id": link.person_id, "address_hash": link.address_hash, "at": at, "expires_at": expires_at}
        await connection.execute(insert(person_sessions).values(session_hash=session_hash, **row))
        if (await connection.execute(_FIND, {"hash": session_hash, "at": at})).one_or_none() is None:
            raise _invalid()  # erased since the link was sent
        await connection.execute(insert(sign_ins).values(token_hash=session_hash, at=at))
        entry = Entry(Act.SIGNED_IN, _actor(link.person_id, correlation_id), at, detail={"by": "link"})
        await begin_chain(connection, f"sign-in/{uuid4()}", [entry])
    return SessionView(token=token, token_type="Bearer", expires_at=expires_at)  # noqa: S106 - the kind of token


async def find_session(context: Context, token: str, correlation_id: str) -> tuple[Actor, Session]:
    """Return who acts with a session's token.

    Raises:
        Refused: `token_invalid`, when it is unknown, over or ended.
    """
    session_hash = _session_hash(context, token)
    async with context.database.begin(DOOR) as connection:
        found = (await connection.execute(_FIND, {"hash": session_hash, "at": context.clock()})).one_or_none()
    if found is None:
        raise Refused("token_invalid", "The session is over or unknown; ask for a new link.")
    session = Session(found.person_id, bytes(found.address_hash), session_hash, found.expires_at)
    return _actor(found.person_id, correlation_id), session


async def find_by_document(context: Context, actor: Actor, document: Document) -> tuple[Actor, Session]:
    """Return who acts with a token that asserts a document: its person, or, where nobody has it, the token's holder."""
    async with context.database.begin(DOOR) as connection:
        person_id = await find_by_own_document(context, connection, document)
    session = Session(person_id, document_hash(context, document), b"", None, by_document=True)
    return (actor if person_id is None else _actor(person_id, actor.correlation_id)), session


async def sign_out(context: Context, session: Session) -> None:
    """End a session; its token can be used no more."""
    if session.person_id is None:
        return
    mine = update(person_sessions).where(person_sessions.c.session_hash == session.session_hash)
    async with context.database.begin(person_tenant(session.person_id)) as connection:
        await connection.execute(mine.values(ended_at=context.clock()))


def _session_hash(context: Context, token: str) -> bytes:
    return context.keyring.lookup_hash("session", token)


def _actor(person_id: UUID, correlation_id: str) -> Actor:
    return Actor(issuer=SESSION_ISSUER, subject=str(person_id), role=Role.PERSON, correlation_id=correlation_id)


def _invalid() -> Refused:
    return Refused("link_invalid", "The link was used, has expired, or is not complete.")
