"""The entries of the bar by role: at most five, of which the first is the reader's home."""

from dataclasses import dataclass
from typing import Final

from domain.actors import Role
from domain.browser_sessions import Session


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the bar."""

    path: str
    said: str  # the code of its words, in the group `bar`
    is_current: bool = False


# By role: path and words (console design, section 2). Whoever has none is at home on the front page.
ENTRIES: Final[dict[Role, tuple[tuple[str, str], ...]]] = {
    Role.EMPLOYER: (("/home", "home"), ("/register", "register")),
    Role.OFFICER: (("/inbox", "inbox"),),
    Role.SUPERVISOR: (("/inbox", "inbox"),),
    Role.AUDITOR: (("/audit", "audit"),),
}


def entries_of(session: Session | None, path: str) -> tuple[Entry, ...]:
    """Return the entries for a reader, with the one that the path is under marked."""
    if session is None:
        return ()
    listed = ENTRIES.get(session.role, ())
    under = [entry for entry, _ in listed if path == entry or path.startswith(f"{entry}/")]
    current = max(under, key=len, default=None)
    return tuple(Entry(entry, said, entry == current) for entry, said in listed)


def home_of(role: Role) -> str:
    """Return the path of the page that a reader of a role is at home on."""
    listed = ENTRIES.get(role, ())
    return listed[0][0] if listed else "/"
