"""What a session of a browser holds, and for how long it is one."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from domain.actors import Role

# Without a page for so long a session is over, and so long after it was opened whatever is done. OWASP's session
# management sheet asks for both; a token that ends earlier ends its session with it.
IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=12)
# A page within this time of the one before is not written down.
SEEN_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Account:
    """Who signed in, as the issuer says, and with what the API is called in their name."""

    issuer: str
    subject: str
    name: str
    role: Role
    token: str
    employer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Session(Account):
    """A session of an account at one browser, whose secret is in the browser's cookie alone."""

    csrf: str = field(kw_only=True)  # what each of its forms carries
