"""What a person asks of the stand-ins of a running stack: tokens, moods, answers, books, mails."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from sandbox.stack.directory import StackError, running_stack

TIMEOUT_SECONDS: Final = 10.0
# A stand-in that was killed is back within this time.
PATIENCE_SECONDS: Final = 15.0


def token(directory: Path, persona: str) -> str:
    """Return a bearer token of the stand-in issuer."""
    return str(_ask(directory, "issuer", "POST", "/token", json={"persona": persona})["access_token"])


def change_mood(directory: Path, part: str, request: Mapping[str, Any]) -> Any:
    """Change how the authority or the sinks behave."""
    return _ask(directory, part, "POST", "/sandbox/mood", json={k: v for k, v in request.items() if v is not None})


def give_answer(directory: Path, answer: Mapping[str, Any]) -> Any:
    """Have the authority give an answer now."""
    return _ask(directory, "authority", "POST", "/sandbox/answers", json=dict(answer))


def read_books(directory: Path, case: str | None) -> Any:
    """Return the authority's books, whole or of one case."""
    return _ask(directory, "authority", "GET", "/sandbox/books", params={"case": case} if case else {})


def read_messages(directory: Path, channel: str, to: str | None, after: int) -> Any:
    """Return what arrived at a sink: mail, sms or hooks."""
    path = {"mail": "/messages", "sms": "/sms", "hooks": "/hooks"}[channel]
    name = "name" if channel == "hooks" else "to"
    return _ask(directory, "mail", "GET", path, params={"after": after} | ({name: to} if to else {}))


def _why(answer: httpx.Response) -> str:
    """Return what a stand-in says in words, or its status where it says nothing."""
    try:
        said = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return f"it answers {answer.status_code}."
    return f"{said} What the command takes is told by its --help." if "not as agreed" in said else str(said)


def _ask(directory: Path, part: str, method: str, path: str, **content: Any) -> Any:
    stack = running_stack(directory)
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            answer = httpx.request(method, stack.url(part) + path, timeout=TIMEOUT_SECONDS, trust_env=False, **content)
            break
        except httpx.TransportError as error:
            if time.monotonic() > end or stack.orphan(part) is None:
                raise StackError(f"The {part} of {directory} does not answer: is `hetao up` running there?") from error
            time.sleep(0.2)
    if answer.is_error:
        raise StackError(f"The {part} refused: {_why(answer)}")
    return answer.json()
