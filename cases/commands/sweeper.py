"""The sweeper: whatever was stored and not yet heard of by the engine is started or sent again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

import structlog

from cases.commands import store as commands
from cases.commands.advance import advance
from cases.commands.store import Unsent
from cases.shared import pace
from cases.shared.context import Context
from domain.commands import CommandKind
from domain.errors import Unavailable
from temporal.telemetry import concerning
from temporal.traces import going_on

_PAUSE: Final = 1.0
_AWAY_PAUSE: Final = 5.0
_MOST: Final = 200
_AT_ONCE: Final = 10
# The API sends what it stored right away; only what is older was lost on the way.
OLDER_THAN: Final = timedelta(seconds=5)
_log = structlog.get_logger(__name__)


class Sending(Protocol):
    """The part of the engine that the sweeper needs."""

    async def start(self, reference: str, correlation_id: str = "", *, employer_id: str = "") -> bool:
        """Start the workflow of a case."""
        ...

    async def nudge(
        self, reference: str, command_id: str, correlation_id: str = "", *, is_resume: bool = False
    ) -> bool:
        """Tell a case of a stored command."""
        ...


async def sweep(context: Context, engine: Sending, *, older_than: timedelta = OLDER_THAN) -> int:
    """Send once what waits, employers in turn, and return how many were sent."""
    leased = await commands.lease_unsent(context, older_than=older_than, most=_MOST)
    # One of a programme that only workers of another version know is theirs, as soon as its lease is over.
    unsent = [command for command in leased if context.case_types.knows(command.reference)]
    starts = [command for command in unsent if command.kind == CommandKind.START]
    others = [command for command in unsent if command.kind != CommandKind.START]
    started, told = await asyncio.gather(_start(engine, starts), _tell(context, engine, others))
    heard = [*started, *(command.command_id for command in told if command.unanswered)]
    if heard:
        async with context.database.statement() as connection:
            await connection.execute(commands.heard(heard))
    return len(started) + len(told)


async def _start(engine: Sending, starts: Sequence[Unsent]) -> list[UUID]:
    """Start workflows until Temporal is away, one after the other, and return the commands that are done with.

    They are many after a burst or an outage, and a workflow that starts later than others does not end later: the
    worker is what all of them wait for.
    """
    done: list[UUID] = []
    loop = asyncio.get_running_loop()
    for command in starts:
        begun = loop.time()
        with _for(command):
            has_started = await engine.start(command.reference, command.correlation_id, employer_id=command.employer_id)
        if not has_started:
            break
        done.append(command.command_id)
        await pace.rest(begun)
    return done


async def _tell(context: Context, engine: Sending, others: Sequence[Unsent]) -> list[Unsent]:
    """Tell cases of what is stored for them, some at a time, and return what was heard."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def tell(command: Unsent) -> bool:
        async with places:
            is_resume = command.kind == CommandKind.RESUME
            with _for(command):
                sent = await engine.nudge(
                    command.reference, str(command.command_id), command.correlation_id, is_resume=is_resume
                )
            if sent and command.has_closed:
                await _step_beside(context, command.reference)
            return sent

    results = await asyncio.gather(*(tell(command) for command in others))
    return [command for command, sent in zip(others, results, strict=True) if sent]


@contextmanager
def _for(command: Unsent) -> Iterator[None]:
    """Let lines and spans be those of the call that asked for a command."""
    with concerning(command.reference, command.correlation_id), going_on(command.traceparent):
        yield


async def _step_beside(context: Context, reference: str) -> None:
    """Apply what is stored for a case whose workflow may have closed with it; a step may run beside another.

    One that fails for a defect holds up no other case: the workflow, which was told, meets the defect as well and
    stops before an operator.
    """
    try:
        await advance(context, reference, context.clock())
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one case, the round goes on with the others
        _log.error("step_beside_failed", reference=reference, error=type(error).__name__)


async def keep_sweeping(
    context: Context,
    engine: Sending,
    *,
    older_than: timedelta = OLDER_THAN,
    further: Sequence[Callable[[], Awaitable[None]]] = (),
    is_stopping: Callable[[], bool],
) -> None:
    """Sweep until the worker stops, with what others sweep in the same rounds; PostgreSQL away is waited out."""
    while not is_stopping():
        pause = _PAUSE
        try:
            await sweep(context, engine, older_than=older_than)
            for each in further:
                await each()
        except Unavailable:
            pause = _AWAY_PAUSE
        except Exception as error:  # noqa: BLE001 - the sweeper is the last net: it goes on whatever one round met
            _log.error("sweep_failed", error=type(error).__name__)
            pause = _AWAY_PAUSE
        await asyncio.sleep(pause)
