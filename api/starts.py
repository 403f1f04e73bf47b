"""Starts the workflows of new cases after the answer: one after the other, employers in turn."""

from asyncio import Task, create_task, get_running_loop
from collections import deque
from contextvars import Context
from datetime import timedelta
from typing import Final, NamedTuple

import structlog

from cases.commands.sweeper import OLDER_THAN
from cases.shared import pace
from temporal.engine import Engine
from temporal.telemetry import concerning, describe
from temporal.traces import current_traceparent, going_on

# Below the time after which the sweeper takes a case, so that no two begin with it at once.
PATIENCE: Final = OLDER_THAN - timedelta(seconds=1)
_MOST_OF_AN_EMPLOYER: Final = 100  # more than can be started before they are the sweeper's
_log = structlog.get_logger("api.starts")


class _Start(NamedTuple):
    employer_id: str
    reference: str
    correlation_id: str
    traceparent: str | None
    stale_at: float  # by the loop's clock


class Starts:
    """The cases whose workflow this process is to start.

    A start costs Temporal more than the whole of an intake costs the API, so that a burst of registrations that all
    started at once would be slowed down by its own starts. One is under way at a time, and where more wait a rest as
    long as it took follows, so that starts have half of the time, as rosters have. What has waited too long is left to
    the sweeper, as is what a process leaves that ends.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: dict[str, deque[_Start]] = {}  # by employer, whose turn is next first
        self._running: Task[None] | None = None

    def add(self, employer_id: str, reference: str, correlation_id: str) -> None:
        """Have the workflow of a case started as soon as it is its employer's turn."""
        stale_at = get_running_loop().time() + PATIENCE.total_seconds()
        starts = self._waiting.setdefault(employer_id, deque())
        if len(starts) < _MOST_OF_AN_EMPLOYER:
            starts.append(_Start(employer_id, reference, correlation_id, current_traceparent(), stale_at))
        if self._running is None:
            # Not in the context of the request that happens to come first, whose trace would be that of all others.
            self._running = create_task(self._run(), context=Context())

    def leave(self) -> None:
        """Leave what waits to the sweeper."""
        self._waiting.clear()

    async def drain(self) -> None:
        """Let what waits be started."""
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        try:
            while self._waiting:
                start, begun = self._next(), get_running_loop().time()
                if begun >= start.stale_at:
                    continue
                await self._start(start)
                if self._waiting:
                    await pace.rest(begun)
        finally:
            self._running = None

    def _next(self) -> _Start:
        employer_id = next(iter(self._waiting))
        starts = self._waiting.pop(employer_id)
        start = starts.popleft()
        if starts:
            self._waiting[employer_id] = starts  # behind the others
        return start

    async def _start(self, start: _Start) -> None:
        try:
            with concerning(start.reference, start.correlation_id), going_on(start.traceparent):
                await self._engine.start(start.reference, start.correlation_id, employer_id=start.employer_id)
        except Exception as error:  # noqa: BLE001 - the next case is started whatever one met; the sweeper has this one
            _log.error("start_failed", **describe(error))
