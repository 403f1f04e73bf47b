"""Calls to the API as people and their programs make them under faults: again and again, under one key."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from sandbox.stack.directory import Stack

PATIENCE_SECONDS: Final = 400.0
_TIMEOUT_SECONDS: Final = 20.0
_PAUSE_SECONDS: Final = 1.0
# A host whose clock is behind refuses a token as too young; the caller asks again as it does when nobody answers.
_PASSING: Final = frozenset({401, 429, 503})


class NotAnsweredError(RuntimeError):
    """Nobody answered a call; what became of it is not known."""


class CutError(NotAnsweredError):
    """The connection of a call broke, and its caller never asks twice."""


@dataclass(frozen=True)
class Answer:
    """What the API said in the end."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        """The code of a problem, or an empty string."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) and self.status >= 400 else ""


@dataclass
class Calls:
    """The API as each persona, patient where it is away; counts every answer."""

    http: httpx.AsyncClient
    stack: Stack
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _tokens: dict[str, str] = field(default_factory=dict)

    async def sign_in(self, personas: tuple[str, ...]) -> None:
        """Get the tokens, good for twelve hours, before anything is broken."""
        for persona in personas:
            answer = await self.http.post(self.stack.url("issuer") + "/token", json={"persona": persona})
            self._tokens[persona] = answer.raise_for_status().json()["access_token"]

    async def write(
        self,
        persona: str,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        key: str,
        once: bool = False,
        method: str = "POST",
    ) -> Answer:
        """Write until there is an answer, always under the same key.

        Args:
            once: whether the caller gives up as soon as its connection breaks.

        Raises:
            CutError: when such a connection broke.
            NotAnsweredError: when the caller gave up.
        """
        return await self._call(persona, method, path, {"Idempotency-Key": key}, once=once, json=body)

    async def read(self, persona: str, path: str, **query: Any) -> Answer:
        """Read until there is an answer.

        Raises:
            NotAnsweredError: when the caller gave up.
        """
        return await self._call(persona, "GET", path, {}, once=False, params=query)

    async def _call(
        self, persona: str, method: str, path: str, headers: Mapping[str, str], *, once: bool, **content: Any
    ) -> Answer:
        sent = {"Authorization": f"Bearer {self._tokens[persona]}", **headers}
        end, last = time.monotonic() + PATIENCE_SECONDS, ""
        while time.monotonic() < end:
            try:
                answer = await self.http.request(
                    method, self.stack.url("api") + path, headers=sent, timeout=_TIMEOUT_SECONDS, **content
                )
            except httpx.TransportError as error:
                last = type(error).__name__
                self.seen[last] += 1
                if once:
                    raise CutError(last) from error
            else:
                found = Answer(answer.status_code, answer.json() if answer.content else None)
                last = f"{found.status} {found.code}".strip()
                self.seen[last] += 1
                if found.status >= 500 and found.status != 503:
                    self.wrong.append(f"{method} {path.partition('?')[0]}: {found.status}")
                elif not (found.status in _PASSING or found.code == "in_progress"):
                    return found
            await asyncio.sleep(_PAUSE_SECONDS)
        raise NotAnsweredError(f"{method} {path.partition('?')[0]}: at last {last}")
