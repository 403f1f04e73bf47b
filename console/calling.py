"""Calls of the API by the pages: in the same process, as the reader, in their language, with their own rights.

A page reads and does nothing but by these calls, so what it may is what the API lets its reader do, and what it does
stands in the ledger as if a client had done it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import httpx
import orjson
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.types import ASGIApp

from domain.errors import Unavailable

_T = TypeVar("_T")
_LEAST_REFUSAL: Final = 400
_FAILED: Final = 500


@dataclass(frozen=True, slots=True)
class WrongField:
    """What a refusal says of one field."""

    field: str  # where it stands in the body, its names parted by dots
    code: str
    message: str
    at: str = ""  # the id of the element to go to, where the page has one (`console.forms.placed`)
    label: str = ""  # what the field is called there


# Not frozen: what handles errors sets where they came from.
@dataclass
class ProblemError(Exception):
    """A refusal of the API (RFC 9457), in the reader's language."""

    status: int
    code: str
    title: str
    detail: str
    errors: Sequence[WrongField] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)  # what else it says: holder, round, allowed, …


class Api:
    """The API for one request of a page."""

    def __init__(self, app: ASGIApp, request: Request) -> None:
        self._app = app
        self._request = request

    async def read(self, path: str, kind: type[_T], **query: Any) -> _T:
        """Return what a GET answers, as the view class that the API publishes for it.

        Raises:
            ProblemError: when the API refuses it.
            Unavailable: when what stands behind it is away.
        """
        return as_view(await self.call("GET", path, query=query), kind)

    async def read_json(self, path: str, **query: Any) -> Any:
        """Return what a GET answers, as plain values, where the API publishes no class that could be read."""
        return orjson.loads((await self.call("GET", path, query=query)).content)

    async def ask(self, path: str, body: Any = None, *, key: str) -> Any:
        """Return what a write answers; `key` is the form's own, so that sending it again does nothing more."""
        answer = await self.call("POST", path, body=body, headers={"Idempotency-Key": key})
        return orjson.loads(answer.content) if answer.content else None

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Call a route of the API.

        Raises:
            ProblemError: when the API refuses it.
            Unavailable: when what stands behind it is away.
        """
        state = self._request.state
        sent = {
            "Accept-Language": state.language.value,
            "X-Correlation-ID": state.correlation_id,
            **({"Content-Type": "application/json"} if body is not None else {}),
            **(headers or {}),
        }
        if state.session is not None:
            sent["Authorization"] = f"Bearer {state.session.token}"
        client = self._request.client
        transport = httpx.ASGITransport(self._app, client=(client.host, client.port) if client else ("unknown", 0))
        async with httpx.AsyncClient(transport=transport, base_url="http://api", trust_env=False) as http:
            answer = await http.request(
                method,
                path,
                params={name: value for name, value in (query or {}).items() if value not in (None, "")},
                content=None if body is None else orjson.dumps(body),
                headers=sent,
            )
        if answer.status_code >= _LEAST_REFUSAL:
            raise _refusal(answer)
        return answer


def as_view(answer: httpx.Response, kind: type[_T]) -> _T:
    """Return what was answered, as the view class that the API publishes for it.

    As values and not as JSON: what a view documents as a time or a code it holds as the text that it is.
    """
    return TypeAdapter(kind).validate_python(orjson.loads(answer.content))


def _refusal(answer: httpx.Response) -> Exception:
    """Return what an answer that is no success raises."""
    try:
        said = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        said = {}
    if said.get("code") == "engine_unavailable":
        after = answer.headers.get("retry-after", "")
        return Unavailable("api", retry_after=float(after) if after.isdigit() else None)
    known = {"type", "title", "status", "detail", "code", "errors", "instance"}
    errors = [
        WrongField(each.get("field", ""), each.get("code", ""), each.get("message", ""))
        for each in said.get("errors", [])
    ]
    return ProblemError(
        status=answer.status_code,
        code=said.get("code", "defect" if answer.status_code >= _FAILED else "malformed"),
        title=said.get("title", ""),
        detail=said.get("detail", ""),
        errors=errors,
        facts={name: value for name, value in said.items() if name not in known},
    )
