"""Who is at a browser: what a page knows of its reader, and where it is looked up."""

from datetime import datetime
from typing import Final, Protocol

from starlette.requests import Request

from domain.browser_sessions import Account, Session

# Over https with the prefix that browsers hold to one host, TLS and the whole site (RFC 6265bis, 4.1.3.2).
COOKIE: Final = "hetao"
SECURE_COOKIE: Final = "__Host-hetao"


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


def cookie_name(request: Request) -> str:
    """Return what the cookie of a session is called at this address."""
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE
