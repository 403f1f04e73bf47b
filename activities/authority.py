"""Speaks to the exit-entry administration: what a programme says goes out, and what it asks for comes in."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import httpx

from activities.outward import RateLimit, is_later, is_our_access, network_reason, retry_after
from domain.errors import Unavailable
from domain.outward import Message
from temporal.traces import outward, tell_trace

TIMEOUT_SECONDS: Final = 15.0
CALLS_PER_SECOND: Final = 20.0
BURST: Final = 20
# Field paths are repeated in tasks and logs, so only what looks like a path is taken over.
_FIELD_PATH: Final = re.compile(r"[a-z][a-z0-9_.\[\]]{0,99}")
_MOST_FIELDS: Final = 20
# How a system says that it has no such call.
_NOT_OFFERED: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})


class Rejected(Exception):  # noqa: N818 - the fact is the name, as in domain.errors
    """The authority's system refuses the message as malformed; an officer mends it (states, P6).

    `fields` are the paths it named; its sentences are left out, since they may quote personal data. `before` stands
    before the reason, where it was not a message but a question.
    """

    def __init__(self, status: int, fields: tuple[str, ...] = (), *, before: str = "") -> None:
        super().__init__(f"{before}authority_{status}")
        self.reason = f"{before}authority_{status}"
        self.status = status
        self.fields = fields


class AuthorityClient:
    """Calls the authority within a rate limit; every write carries its own idempotency key.

    Raises Unavailable where the same call may succeed later, Rejected where the message must be mended.
    """

    def __init__(
        self,
        url: str,
        token: str,
        client: httpx.AsyncClient,
        *,
        timeout: float = TIMEOUT_SECONDS,
        limit: RateLimit | None = None,
        tells_trace: bool = False,
    ) -> None:
        self._url, self._token, self._client, self._timeout = url.rstrip("/"), token, client, timeout
        self._tells_trace = tells_trace
        self._limit = limit or RateLimit(CALLS_PER_SECOND, BURST)

    async def send(self, idempotency_key: str, message: Message) -> Mapping[str, Any]:
        """Send a message and return the answer, empty where nobody can read it: a 2xx counts as taken (P4)."""
        content = message.body.model_dump_json(exclude_none=True)
        headers = {"Idempotency-Key": idempotency_key, "Content-Type": "application/json"}
        response = await self._call("POST", message.path, content=content, headers=headers)
        try:
            return _object_of(response)
        except Unavailable:
            return {}

    async def ask(self, question: Message) -> Mapping[str, Any] | None:
        """Ask something that changes nothing there, and return the answer; None where it cannot be asked that."""
        content, headers = question.body.model_dump_json(), {"Content-Type": "application/json"}
        response = await self._call("POST", question.path, content=content, headers=headers, allowed=_NOT_OFFERED)
        return None if response.status_code in _NOT_OFFERED else _object_of(response)

    async def read(self, path: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        """Return what is answered there."""
        return _object_of(await self._call("GET", path, params=params))

    async def _call(
        self,
        method: str,
        path: str,
        *,
        content: str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        allowed: Collection[int] = (),
    ) -> httpx.Response:
        """Make one call in its turn and return a successful answer, or one of a status that is allowed."""
        await self._limit.wait()
        told = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        with outward(f"{method} {path}", {"http.request.method": method, "url.template": path}) as span:
            if self._tells_trace:
                tell_trace(told)
            try:
                response = await self._client.request(
                    method,
                    self._url + path,
                    content=content,
                    params=params,
                    headers=told,
                    timeout=self._timeout,
                    follow_redirects=False,
                )
            except httpx.HTTPError as error:
                span.set_attribute("error.type", network_reason(error))
                raise Unavailable(f"authority_{network_reason(error)}") from None
            span.set_attribute("http.response.status_code", response.status_code)
        if response.is_success or response.status_code in allowed:
            return response
        raise _error(response)


def _error(response: httpx.Response) -> Unavailable | Rejected:
    """Return what an answer other than 2xx means; trouble with our own access waits for an operator."""
    status = response.status_code
    if status < HTTPStatus.BAD_REQUEST or is_later(status) or is_our_access(status):
        return Unavailable(f"authority_{status}", retry_after=retry_after(response.headers, datetime.now(UTC)))
    return Rejected(status, _fields_of(response))


def _fields_of(response: httpx.Response) -> tuple[str, ...]:
    """Return the field paths that a problem document names."""
    try:
        errors = _object_of(response).get("errors")
    except Unavailable:
        return ()
    if not isinstance(errors, list):
        return ()
    named = [each.get("field") for each in errors if isinstance(each, dict)]
    paths = [field for field in named if isinstance(field, str) and _FIELD_PATH.fullmatch(field)]
    return tuple(paths[:_MOST_FIELDS])


def _object_of(response: httpx.Response) -> Mapping[str, Any]:
    """Return the JSON object of an answer."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Unavailable("authority_answer_unreadable")
    return body
