"""What the routes work with: built once by the app, found again on every request."""

from asyncio import Task, create_task
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from starlette.requests import Request

from api.cursors import Cursors
from api.forgeries import Forgeries
from api.limiting import Limiter
from api.patience import Patience
from api.starts import Starts
from api.tokens import Tokens
from cases.health.readiness import Readiness
from cases.incidents import defects
from cases.shared.context import Context
from cases.shared.inboxes import Takes
from cases.shared.machine_secrets import MachineSecrets
from domain.errors import Refused, Unavailable
from policy.pack import PackShelf
from settings import Settings
from temporal.engine import Engine
from temporal.histories import Histories
from temporal.telemetry import current_correlation, describe

_MOST_IN_BACKGROUND: Final = 500  # while Temporal is silent each waits some seconds; what is more is the sweeper's
_MOST_SIGNED_IN: Final = 20_000
_log = structlog.get_logger("api.background")


@dataclass(slots=True)
class Wiring:
    """The collaborators of all routes."""

    settings: Settings
    context: Context
    engine: Engine
    starts: Starts
    histories: Histories
    tokens: Tokens
    cursors: Cursors
    limiter: Limiter
    patience: Patience
    limits: Mapping[str, PackShelf]
    inboxes: Mapping[str, Takes]  # by path
    forgeries: Forgeries
    readiness: Readiness
    callbacks: MachineSecrets
    receipts: MachineSecrets
    _running: set[Task[object]] = field(default_factory=set)
    _signed_in: dict[bytes, None] = field(default_factory=dict)

    def knows(self, token: bytes) -> bool:
        """Whether the first use of a token was recorded, as far as this process knows."""
        return token in self._signed_in

    def know(self, token: bytes) -> None:
        """Remember that the first use of a token was recorded; the oldest are forgotten, and then asked for again."""
        if len(self._signed_in) >= _MOST_SIGNED_IN:
            del self._signed_in[next(iter(self._signed_in))]
        self._signed_in[token] = None

    def in_background(self, work: Coroutine[Any, Any, object]) -> None:
        """Run something after the answer; it may be lost with the process, so the sweeper does it again."""
        if len(self._running) >= _MOST_IN_BACKGROUND:
            work.close()
            return
        task = create_task(self._run(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self) -> None:
        """Let what runs in the background end, and what waits be started."""
        await self.starts.drain()
        await self.forgeries.flush()
        for task in tuple(self._running):
            await task

    async def _run(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - nobody waits for it any more
            _log.error("background_failed", **describe(error))
            if not isinstance(error, Unavailable | Refused):
                with suppress(Unavailable):
                    step = getattr(work, "__qualname__", "background")
                    await defects.note(self.context, step, error, None, current_correlation())


def wiring_of(request: Request) -> Wiring:
    """Return the collaborators of the app that serves a request."""
    wiring: Wiring = request.app.state.wiring
    return wiring
