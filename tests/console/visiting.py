"""A browser without scripts, as far as tests of pages need one: links, forms, cookies, and what a page says."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Self
from urllib.parse import urljoin

import httpx
from selectolax.lexbor import LexborHTMLParser, LexborNode

from console.session import SECURE_COOKIE
from domain.browser_sessions import Account, Session

ADDRESS: Final = "https://permits.test"


class KeptSessions:
    """Sessions in memory, by their secrets."""

    def __init__(self) -> None:
        self.kept: dict[str, Session] = {}

    def keep(self, session: Session) -> str:
        """Keep a session and return its secret."""
        secret = f"secret-{len(self.kept)}"
        self.kept[secret] = session
        return secret

    async def find(self, secret: str) -> Session | None:
        """Return the session of a cookie."""
        return self.kept.get(secret)

    async def open(self, account: Account, ends_at: datetime) -> str:
        """Open a session."""
        return self.keep(Session(**asdict(account), csrf="csrf"))

    async def end(self, secret: str) -> None:
        """End a session."""
        self.kept.pop(secret, None)

    async def end_all(self, account: Account) -> int:
        """End all sessions of an account."""
        mine = [secret for secret, each in self.kept.items() if each.subject == account.subject]
        for secret in mine:
            del self.kept[secret]
        return len(mine)

    async def count(self, account: Account) -> int:
        """Count the sessions of an account."""
        return sum(each.subject == account.subject for each in self.kept.values())


class Page:
    """What was answered, read as a browser reads it."""

    def __init__(self, response: httpx.Response, at: str) -> None:
        self.response = response
        self.at = at
        self.tree = LexborHTMLParser(response.text)

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.response.status_code

    @property
    def title(self) -> str:
        """What the window is called."""
        return self.text("head > title")

    @property
    def language(self) -> str | None:
        """The language of the page."""
        return self.one("html").attributes["lang"]

    def one(self, selector: str) -> LexborNode:
        """Return the one element that a selector finds."""
        [found] = self.tree.css(selector)
        return found

    def all(self, selector: str) -> list[LexborNode]:
        """Return what a selector finds, in its order."""
        return self.tree.css(selector)

    def text(self, selector: str = "body") -> str:
        """Return the text of the one element that a selector finds, its space made plain."""
        return " ".join(self.one(selector).text().split())


def filled(form: LexborNode) -> dict[str, Any]:
    """Return what a form would send as it stands: one value, or a list of those with one name."""
    sent: dict[str, Any] = {}

    def put(name: str, value: str) -> None:
        before = sent.get(name, [])
        sent[name] = value if name not in sent else [*(before if isinstance(before, list) else [before]), value]

    for each in form.css("input, select, textarea"):
        name, kind = each.attributes.get("name"), each.attributes.get("type") or "text"
        if not name or "disabled" in each.attributes or kind in ("submit", "file"):
            continue
        if each.tag == "textarea":
            put(name, each.text())
        elif each.tag == "select":
            options = each.css("option")
            for option in [one for one in options if "selected" in one.attributes] or options[:1]:
                put(name, option.attributes.get("value") or "")
        elif kind not in ("radio", "checkbox") or "checked" in each.attributes:
            put(name, each.attributes.get("value") or "")
    return sent


@dataclass
class Visitor:
    """Somebody at a browser; with a session, or without."""

    client: httpx.AsyncClient
    session: Session | None = None
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Page:
        """Go to an address, and on where it leads."""
        return await self._go("GET", path, None, headers)

    async def send(self, page: Page, typed: Mapping[str, Any] | None = None, form: str = "main form") -> Page:
        """Send the form of a page with what is typed into it, and go where it leads."""
        element = page.one(form)
        action = urljoin(page.at, element.attributes.get("action") or page.at)
        return await self.post(action, {**filled(element), **(typed or {})})

    async def post(self, path: str, sent: Mapping[str, Any], **headers: str) -> Page:
        """Send a form."""
        return await self._go("POST", path, {name: value for name, value in sent.items() if value is not None}, headers)

    async def _go(self, method: str, path: str, sent: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Page:
        answer = await self.client.request(method, path, data=sent, headers={**self.headers, **headers})
        return Page(answer, str(answer.url.raw_path, "ascii"))

    def signed_in(self, secret: str, session: Session) -> Self:
        """Give the browser the cookie of a session."""
        self.client.cookies.set(SECURE_COOKIE, secret)
        self.session = session
        return self
