"""Messages of machines whose signature does not hold: one line a minute for each machine, with their number."""

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from cases.incidents import refused_messages
from cases.shared.context import Context
from domain.actors import Actor
from domain.errors import Unavailable
from domain.incidents import IncidentKind

EVERY_SECONDS: Final = 60.0
_log = structlog.get_logger("api.forgeries")


class Forgeries:
    """The first message of a machine is written down at once; what follows is counted until the minute is over."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._counted: dict[str, int] = {}
        self._minutes: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    async def note(self, machine: Actor, kind: IncidentKind, code: str) -> None:
        """Note one message that was refused, as an incident of a kind.

        Raises:
            Unavailable: when it is the first of a minute and PostgreSQL is away.
        """
        if machine.subject in self._counted:
            self._counted[machine.subject] += 1
            return
        self._counted[machine.subject] = 0
        minute = asyncio.create_task(self._count(machine, kind, code))
        self._minutes.add(minute)
        minute.add_done_callback(self._minutes.discard)
        await refused_messages.note_refused(self._context, machine, code, kind=kind, times=1)

    async def flush(self) -> None:
        """Write down what was counted so far, and begin anew."""
        self._closing.set()
        await asyncio.gather(*self._minutes)
        self._closing.clear()

    async def _count(self, machine: Actor, kind: IncidentKind, code: str) -> None:
        """Write a line at the end of each minute, until one in which nothing came."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._closing.wait()
            times = self._counted[machine.subject]
            try:
                if times:
                    await refused_messages.note_refused(self._context, machine, code, kind=kind, times=times)
                    self._counted[machine.subject] -= times
            except Unavailable:
                _log.warning("forgeries_not_noted", machine=machine.subject, times=times)
            if not times or self._closing.is_set():
                del self._counted[machine.subject]
                return
