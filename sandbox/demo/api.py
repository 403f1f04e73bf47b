"""How the demo speaks with the running stack: the API as each persona, the mail sink and the authority's books."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from uuid import uuid4

import httpx

from sandbox.stack.directory import Stack

TIMEOUT_SECONDS: Final = 30.0
ATTEMPTS: Final = 8
PAUSE_SECONDS: Final = 0.5
PAGE: Final = 200
_Read = TypeVar("_Read")
_PASSING: Final = frozenset({429, 503})


class DemoError(RuntimeError):
    """The stack did not do what the demo asked of it."""


class Callers:
    """The API as each demo persona, and the stand-ins beside it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._tokens: dict[str, str] = {}
        self._exit = AsyncExitStack()

    async def __aenter__(self) -> Self:
        client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False)
        self._http = await self._exit.enter_async_context(client)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exit.aclose()

    def sign_in_again(self) -> None:
        """Ask the issuer for new tokens from now on: those of before have ended where time was skipped."""
        self._tokens.clear()

    async def get(self, persona: str, path: str, **query: Any) -> Any:
        """Read as a persona."""
        return await self._call(persona, "GET", path, params=query)

    async def content(self, persona: str, path: str, **more: Any) -> bytes:
        """Read as a persona, byte for byte."""
        return (await self._answer(persona, "GET", path, **more)).content

    async def opened(self, persona: str, path: str, purpose: str) -> Any:
        """Open fields of a person as a persona, for a purpose."""
        return await self._call(persona, "GET", path, headers={"Purpose": purpose})

    async def pages(self, persona: str, path: str, **query: Any) -> list[dict[str, Any]]:
        """Read a whole list as a persona."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = await self.get(persona, path, limit=PAGE, **query, **more)
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items

    async def write(self, persona: str, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Write JSON as a persona, under one idempotency key however often it has to be sent."""
        headers = {"Idempotency-Key": key or uuid4().hex}
        return await self._call(persona, method, path, headers=headers, json=body)

    async def refused(self, persona: str, path: str, body: Any) -> str:
        """Write JSON that should be refused as a persona, and return the code of the refusal.

        Raises:
            DemoError: it was taken.
        """
        answer = await self._once(persona, "POST", path, {"Idempotency-Key": uuid4().hex}, json=body)
        if not answer.is_error:
            raise DemoError(f"{persona}: POST {path} should be refused, and was taken: {answer.status_code}")
        return _code(answer)

    async def upload(self, persona: str, path: str, content: bytes, **query: Any) -> Any:
        """Send a CSV file as a persona."""
        headers = {"Idempotency-Key": uuid4().hex, "Content-Type": "text/csv"}
        return await self._call(persona, "POST", path, headers=headers, content=content, params=query)

    async def aside(self, part: str, method: str, path: str, **content: Any) -> Any:
        """Ask a stand-in."""
        answer = await self._http.request(method, self._stack.url(part) + path, **content)
        if answer.is_error:
            raise DemoError(f"{part} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    async def _call(self, persona: str, method: str, path: str, **content: Any) -> Any:
        answer = await self._answer(persona, method, path, **content)
        return answer.json() if answer.content else None

    async def _answer(
        self, persona: str, method: str, path: str, headers: Mapping[str, str] | None = None, **content: Any
    ) -> httpx.Response:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await self._once(persona, method, path, headers or {}, **content)
            except httpx.TransportError as error:
                if attempt == ATTEMPTS:
                    raise DemoError(f"{method} {path}: {type(error).__name__}") from error
            else:
                if not answer.is_error:
                    return answer
                is_passing = answer.status_code in _PASSING or _code(answer) == "in_progress"
                if attempt == ATTEMPTS or not is_passing:
                    raise DemoError(f"{persona}: {method} {path}: {answer.status_code} {_code(answer)} {_said(answer)}")
            await asyncio.sleep(PAUSE_SECONDS * attempt)
        raise AssertionError

    async def _once(
        self, persona: str, method: str, path: str, headers: Mapping[str, str], **content: Any
    ) -> httpx.Response:
        token = await self._token(persona)
        sent = {"Authorization": f"Bearer {token}", "Accept-Language": "en", **headers}
        return await self._http.request(method, self._stack.url("api") + path, headers=sent, **content)

    async def _token(self, persona: str) -> str:
        if persona not in self._tokens:
            given = await self.aside("issuer", "POST", "/token", json={"persona": persona})
            self._tokens[persona] = given["access_token"]
        return self._tokens[persona]


async def until(
    read: Callable[[], Awaitable[_Read]],
    is_so: Callable[[_Read], bool],
    otherwise: Callable[[_Read], str],
    *,
    within: float,
    pause: float,
) -> _Read:
    """Read again and again until it is so, and return what is read then.

    Raises:
        DemoError: it does not come to be within so many seconds; `otherwise` says what is wrong with what is read.
    """
    end = time.monotonic() + within
    while not is_so(found := await read()):
        if time.monotonic() > end:
            raise DemoError(otherwise(found))
        await asyncio.sleep(pause)
    return found


def _code(answer: httpx.Response) -> str:
    return str(_problem(answer).get("code", ""))


def _said(answer: httpx.Response) -> str:
    problem = _problem(answer)
    return " ".join(str(each) for each in (problem.get("detail", ""), problem.get("errors") or "") if each)


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
