"""Reading and making files in processes of their own: nothing that a stranger's file does reaches the server."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from cases.files.refusals import file_refused
from domain.errors import Defect, FieldError, Refused, Unavailable
from domain.field_errors import FieldCode

_STEP: Final = 256 * 1024
_AGAIN_SECONDS: Final = 5.0
# What a process needs to start, and nothing that is secret.
_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one process may take, and how many there are at a time."""

    memory_bytes: int = 1024 * 1024 * 1024  # of addresses; the largest roster that is taken stays below the half
    cpu_seconds: int = 20
    wall_seconds: float = 60.0
    answer_bytes: int = 128 * 1024 * 1024
    at_once: int = 2
    of_one: int = 2  # of one caller, running or waiting
    waiting: int = 8


class Apart:
    """Runs one reader or maker of files a call, each in a new process with bounds, a few at a time.

    What runs there is named in `cases.files.apart_child`: it gets the file and what is asked of it, and no setting, key
    or connection of the server.
    """

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._places = asyncio.Semaphore(self._bounds.at_once)
        self._in_hand: Counter[str] = Counter()

    async def run(self, work: str, content: bytes, options: Mapping[str, Any], *, whose: str) -> bytes:
        """Return what the work makes of a file.

        Args:
            work: a name in `cases.files.apart_child`.
            content: the file.
            options: what is asked of it, as JSON.
            whose: for whom; one caller has few files in hand at a time.

        Raises:
            Refused: what the work refuses; `invalid` where the file takes more memory or time than it may;
                `too_many_requests` where the caller has enough in hand.
            Unavailable: when others' files take all places.
        """
        bounds = self._bounds
        if self._in_hand[whose] >= bounds.of_one:
            raise Refused("too_many_requests", words="files_in_hand", retry_after=_AGAIN_SECONDS)
        if self._in_hand.total() >= bounds.at_once + bounds.waiting:
            raise Unavailable("busy", retry_after=_AGAIN_SECONDS)
        self._in_hand[whose] += 1
        try:
            async with self._places:
                return await _run(bounds, work, content, options)
        finally:
            self._in_hand[whose] -= 1
            if not self._in_hand[whose]:
                del self._in_hand[whose]


@dataclass(slots=True)
class _Answer:
    """What a process says: a line of JSON, then what it made."""

    most: int
    parts: bytearray = field(default_factory=bytearray)

    async def take(self, stream: asyncio.StreamReader) -> bool:
        """Read to the end and return whether it stayed within its bound."""
        while part := await stream.read(_STEP):
            self.parts += part
            if len(self.parts) > self.most:
                return False
        return True


async def _run(bounds: Bounds, work: str, content: bytes, options: Mapping[str, Any]) -> bytes:
    asked = {"work": work, "options": options, "memory": bounds.memory_bytes, "cpu": bounds.cpu_seconds}
    process = await _start()
    answer = _Answer(bounds.answer_bytes)
    try:
        async with asyncio.timeout(bounds.wall_seconds):
            assert process.stdin is not None
            assert process.stdout is not None
            sending = asyncio.create_task(_send(process.stdin, json.dumps(asked).encode() + b"\n", content))
            try:
                is_whole = await answer.take(process.stdout)
            finally:
                sending.cancel()
                with suppress(asyncio.CancelledError, ConnectionError):
                    await sending
            status = await process.wait() if is_whole else None
    except TimeoutError:
        raise _too_much() from None
    finally:
        await _end(process)
    if status != 0:
        raise _too_much()
    return _made(bytes(answer.parts))


async def _start() -> Process:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    command = (sys.executable, "-I", "-m", "cases.files.apart_child")
    try:
        return await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment, cwd="/"
        )
    except OSError:
        # No process can be had: the machine is full, and the file is not to blame.
        raise Unavailable("no_process", retry_after=_AGAIN_SECONDS) from None


async def _send(stream: asyncio.StreamWriter, head: bytes, content: bytes) -> None:
    """Hand the file over; a process that ended before it had all of it says so by its status."""
    with suppress(ConnectionError):
        stream.write(head)
        stream.write(content)
        await stream.drain()
        stream.close()
        await stream.wait_closed()


async def _end(process: Process) -> None:
    """End a process that still runs, and wait for it although the caller may be gone."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.wait())


def _made(answer: bytes) -> bytes:
    line, _, made = answer.partition(b"\n")
    said = json.loads(line)
    if "refused" in said:
        errors = [FieldError.from_kept(error) for error in said["errors"]]
        raise Refused(said["refused"], said["detail"], errors)
    if "defect" in said:
        raise Defect(f"file_{said['defect']}")
    return made


def _too_much() -> Refused:
    return file_refused(FieldCode.TOO_LONG, "too_much")
