"""Sessions of browsers: opened at sign-in, found by the secret of a cookie, ended one by one or all of an account.

The secret is with the browser alone. Its keyed hash finds the row, and a key that is made of it opens the row's
content, so that nobody who reads the table, or a copy of it, can go on with a session.
"""

import hashlib
import json
import secrets
from dataclasses import asdict
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from domain.actors import Role
from domain.browser_sessions import IDLE, LONGEST, SEEN_EVERY, Account, Session
from store.encryption import DataKey
from store.rows.people import BrowserSessionRow
from store.tables import browser_sessions

_B: Final = browser_sessions.c
_SECRET_BYTES: Final = 32
_TABLE: Final = "browser_sessions"


class BrowserSessions:
    """The sessions of all browsers."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def open(self, account: Account, ends_at: datetime) -> str:
        """Open a session and return its secret; it ends with the token, or after the longest time.

        Args:
            account: who signed in.
            ends_at: when the token ends.
        """
        at, secret = self._context.clock(), secrets.token_urlsafe(_SECRET_BYTES)
        session, found = Session(**asdict(account), csrf=secrets.token_urlsafe(_SECRET_BYTES)), self._hash(secret)
        row = BrowserSessionRow(
            session_hash=found,
            subject_hash=self._subject(account),
            content=_key(secret).seal(_TABLE, "content", found.hex(), json.dumps(asdict(session)).encode()),
            opened_at=at,
            seen_at=at,
            ends_at=min(ends_at, at + LONGEST),
        )
        async with self._context.database.begin() as connection:
            await connection.execute(insert(browser_sessions).values(row.filled()))
        return secret

    async def find(self, secret: str) -> Session | None:
        """Return the session of a cookie; None where there is none, or where it rested too long or is over."""
        at, found = self._context.clock(), self._hash(secret)
        where = (_B.session_hash == found, _B.ends_at > at, _B.seen_at > at - IDLE)
        async with self._context.database.begin() as connection:
            row = (await connection.execute(select(_B.content, _B.seen_at).where(*where))).one_or_none()
            if row is None:
                return None
            if at - row.seen_at >= SEEN_EVERY:
                seen = update(browser_sessions).where(_B.session_hash == found).values(seen_at=at)
                await connection.execute(seen)
        held = json.loads(_key(secret).open(_TABLE, "content", found.hex(), bytes(row.content)))
        return Session(**held | {"role": Role(held["role"])})

    async def end(self, secret: str) -> None:
        """End a session; one that is over already is as good."""
        async with self._context.database.begin() as connection:
            await connection.execute(delete(browser_sessions).where(_B.session_hash == self._hash(secret)))

    async def end_all(self, account: Account) -> int:
        """End all sessions of an account and return how many there were."""
        mine = _B.subject_hash == self._subject(account)
        async with self._context.database.begin() as connection:
            return int((await connection.execute(delete(browser_sessions).where(mine))).rowcount)

    async def count(self, account: Account) -> int:
        """Return how many browsers the account is signed in at now."""
        at = self._context.clock()
        mine = _B.subject_hash == self._subject(account)
        live = select(func.count()).where(mine, _B.ends_at > at, _B.seen_at > at - IDLE)
        async with self._context.database.begin() as connection:
            return int((await connection.execute(live)).scalar_one())

    def _hash(self, secret: str) -> bytes:
        return self._context.keyring.lookup_hash("browser_session", secret)

    def _subject(self, account: Account) -> bytes:
        return self._context.keyring.lookup_hash("browser_subject", f"{account.issuer}\n{account.subject}")


async def forget_ended(connection: AsyncConnection, at: datetime, most: int) -> int:
    """Delete a batch of sessions that are over; return how many."""
    over = or_(_B.ends_at <= at, _B.seen_at <= at - IDLE)
    some = select(_B.session_hash).where(over).limit(most)
    return int((await connection.execute(delete(browser_sessions).where(_B.session_hash.in_(some)))).rowcount)


def _key(secret: str) -> DataKey:
    """Return the key of what a session holds; the secret has 256 bits at random, so that it needs no stretching."""
    return DataKey(UUID(int=0), hashlib.sha256(b"hetao browser session\n" + secret.encode()).digest())
