"""Who is at a browser: what a page knows of its reader, and where it is looked up."""

from dataclasses import dataclass
from typing import Final, Protocol

from starlette.requests import Request

from domain.actors import Role
from domain.languages import Language

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


def session_of(request: Request) -> Session:
    """Return the session of a page that only those see who are signed in (`console.routes.signed_in`)."""
    session: Session | None = request.state.session
    assert session is not None, "the route lets in whoever is signed in, and nobody else"
    return session


def cookie_name(request: Request) -> str:
    """Return what the cookie of a session is called at this address."""
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE
