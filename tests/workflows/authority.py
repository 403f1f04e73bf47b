"""An exit-entry administration of a test's own: it keeps books, and is up, away or refusing as the test says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from activities.authority import AuthorityClient

URL = "http://authority.test"
TOKEN = "authority-token"


@dataclass
class FakeAuthority:
    """Answers the adapter's calls in memory; a call repeated under its key is taken once."""

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    away: bool = False
    retry_after: int | None = None
    refusing: bool = False
    lose_answers: int = 0
    # Whether it can be asked which entries it has, and how often it was.
    answers_searches: bool = True
    searches: int = 0

    @property
    def transport(self) -> httpx.MockTransport:
        """The way to it for an httpx client."""
        return httpx.MockTransport(self._handle)

    def client(self, client: httpx.AsyncClient) -> AuthorityClient:
        """Return the real adapter over this authority."""
        return AuthorityClient(URL, TOKEN, client)

    def entries_of(self, reference: str) -> Iterator[str]:
        """Return the keys of the list entries taken for a case."""
        return (key for key, entry in self.entries.items() if entry["case"].startswith(f"{reference}/"))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        if request.headers["Authorization"] != f"Bearer {TOKEN}":
            return httpx.Response(401)
        if self.away:
            headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else {}
            self.calls.append("away")
            return httpx.Response(503, headers=headers)
        if request.url.path == "/outcomes":
            return self._outcomes(request)
        if request.url.path == "/list-entries/search":
            return self._search(json.loads(request.content))
        if self.refusing:
            return httpx.Response(422, json={"errors": [{"field": "person.name_zh", "code": "invalid"}]})
        return self._take(request)

    def _take(self, request: httpx.Request) -> httpx.Response:
        key, body = request.headers["Idempotency-Key"], json.loads(request.content)
        self.calls.append(key)
        books = self.entries if request.url.path == "/list-entries" else self.reports
        if books.setdefault(key, body) != body:
            return httpx.Response(422, json={"errors": []})
        if self.lose_answers:
            self.lose_answers -= 1
            raise httpx.ReadError("lost")
        return httpx.Response(202, json={"entry_id": f"entry-{len(books)}"})

    def _search(self, asked: dict[str, str]) -> httpx.Response:
        self.searches += 1
        if not self.answers_searches:
            return httpx.Response(405)
        found = [
            {**entry, "entry_id": f"entry-{number}", "idempotency_key": key, "state": "received"}
            for number, (key, entry) in enumerate(self.entries.items(), start=1)
            if entry["case"] == asked["case"]
            or (entry["destination"], entry["person"]["identity_number"])
            == (asked["destination"], asked["identity_number"])
        ]
        return httpx.Response(200, json={"entries": found})

    def _outcomes(self, request: httpx.Request) -> httpx.Response:
        after, limit = int(request.url.params.get("after", "0")), int(request.url.params["limit"])
        page = self.outcomes[after : after + limit]
        return httpx.Response(200, json={"outcomes": page, "next": str(after + len(page))})
