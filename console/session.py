"""Who is at a browser: what a page knows of its reader, and where it is looked up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from starlette.requests import Request

from cases.shared.context import Context
from domain.actors import Role
from domain.browser_sessions import Account, OpenSession
from domain.languages import Language
from privacy import browser_sessions

# Over https with the prefix that browsers hold to one host, TLS and the whole site (RFC 6265bis, 4.1.3.2).
COOKIE: Final = "hetao"
SECURE_COOKIE: Final = "__Host-hetao"


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a browser, as it is now; its secret is in the browser's cookie alone."""

    subject: str
    name: str  # as the issuer says it; of a person by link empty
    role: Role
    token: str  # what the API is called with
    csrf: str  # what each of its forms carries
    issuer: str = ""
    employer_id: str | None = None
    language: Language | None = None  # chosen on an earlier page
    by_link: bool = False  # of a person whom a one-time link let in, and no issuer


class Sessions(Protocol):
    """Where sessions are kept."""

    async def find(self, secret: str) -> Session | None:
        """Return the session of a cookie; None where there is none, or none any more.

        Raises:
            Unavailable: when they cannot be read.
        """
        ...

    async def open(self, account: Account, ends_at: datetime) -> str:
        """Open a session that ends with the token, if not before, and return its secret."""
        ...

    async def end(self, secret: str) -> None:
        """End a session."""
        ...

    async def end_all(self, account: Account) -> int:
        """End all sessions of an account and return how many there were."""
        ...

    async def count(self, account: Account) -> int:
        """Return how many browsers an account is signed in at."""
        ...


class BrowserSessions:
    """Sessions in PostgreSQL."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def find(self, secret: str) -> Session | None:
        """Return the session of a cookie."""
        found = await browser_sessions.find_session(self._context, secret)
        return None if found is None else _session(found)

    async def open(self, account: Account, ends_at: datetime) -> str:
        """Open a session."""
        return await browser_sessions.open_session(self._context, account, ends_at)

    async def end(self, secret: str) -> None:
        """End a session."""
        await browser_sessions.end_session(self._context, secret)

    async def end_all(self, account: Account) -> int:
        """End all sessions of an account."""
        return await browser_sessions.end_all(self._context, account)

    async def count(self, account: Account) -> int:
        """Count the sessions of an account."""
        return await browser_sessions.count_sessions(self._context, account)


def _session(found: OpenSession) -> Session:
    account = found.account
    return Session(
        subject=account.subject,
        name=account.name,
        role=account.role,
        token=account.token,
        csrf=found.csrf,
        issuer=account.issuer,
        employer_id=account.employer_id,
    )


def account_of(session: Session) -> Account:
    """Return the account of a session, by which all of its sessions are found."""
    return Account(session.issuer, session.subject, session.name, session.role, session.token, session.employer_id)


def session_of(request: Request) -> Session:
    """Return the session of a page that only those see who are signed in (`console.routes.signed_in`)."""
    session: Session | None = request.state.session
    assert session is not None, "the route lets in whoever is signed in, and nobody else"
    return session


def cookie_name(request: Request) -> str:
    """Return what the cookie of a session is called at this address."""
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE
