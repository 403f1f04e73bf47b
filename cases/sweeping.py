"""The sweeper: whatever was stored and not yet heard of by the engine is started or sent again."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol

import structlog

from cases import assessing, commands
from cases.advance import advance
from cases.case_file import open_case
from cases.commands import Unsent
from cases.context import Context
from cases.spreading import find_unspread, get_change
from domain.actors import system
from domain.commands import CommandKind, CommandState
from domain.errors import Unavailable
from domain.messages import StandingInput

_PAUSE: Final = 1.0
_AWAY_PAUSE: Final = 5.0
_MOST: Final = 200
_AT_ONCE: Final = 10
# The API sends what it stored right away; only what is older was lost on the way.
OLDER_THAN: Final = timedelta(seconds=5)
_log = structlog.get_logger(__name__)


class Sending(Protocol):
    """The part of the engine that the sweeper needs."""

    async def start(self, reference: str, correlation_id: str = "") -> bool:
        """Start the workflow of a case."""
        ...

    async def nudge(
        self, reference: str, command_id: str, correlation_id: str = "", *, is_resume: bool = False
    ) -> bool:
        """Tell a case of a stored command."""
        ...

    async def start_standing(self, employer_id: str, standing: StandingInput) -> bool:
        """Start spreading a change of standing."""
        ...


async def start_case(context: Context, engine: Sending, reference: str, correlation_id: str = "") -> bool:
    """Start the workflow of a case and take the case up in the register (R2); False when Temporal is away."""
    if not await engine.start(reference, correlation_id):
        return False
    await mark_started(context, reference)
    return True


async def mark_started(context: Context, reference: str) -> None:
    """Write down that a case has its workflow; a second start changes nothing."""
    at, actor = context.clock(), system("start")
    async with open_case(context, reference) as (file, _connection):
        for command in file.commands:
            if command["kind"] == CommandKind.START:
                assessing.start(file, actor, at)
                file.mark_command(command, CommandState.APPLIED.value, at, {"stage": file.stage.value})


async def sweep(context: Context, engine: Sending, *, older_than: timedelta = OLDER_THAN) -> int:
    """Send once what waits, employers in turn, and return how many were sent."""
    unsent = await commands.lease_unsent(context, older_than=older_than, most=_MOST)
    places = asyncio.Semaphore(_AT_ONCE)

    async def send(command: Unsent) -> bool:
        async with places:
            if command.kind is CommandKind.START:
                return await start_case(context, engine, command.reference)
            is_resume = command.kind is CommandKind.RESUME
            sent = await engine.nudge(command.reference, str(command.command_id), is_resume=is_resume)
            if sent and command.has_closed:
                # The workflow may have closed with the case, and the step may run beside it, too.
                await advance(context, command.reference, context.clock())
            return sent

    results = await asyncio.gather(*(send(command) for command in unsent))
    told = [command.command_id for command, sent in zip(unsent, results, strict=True) if sent and command.unanswered]
    if told:
        async with context.database.statement() as connection:
            await connection.execute(commands.answered(told))
    for change_id in await find_unspread(context, context.clock()):
        change = await get_change(context, change_id)
        await engine.start_standing(change.employer_id, StandingInput(change_id=change_id, at=context.clock()))
    return sum(results)


async def keep_sweeping(
    context: Context, engine: Sending, *, older_than: timedelta = OLDER_THAN, is_stopping: Callable[[], bool]
) -> None:
    """Sweep until the worker stops; PostgreSQL away is waited out."""
    while not is_stopping():
        pause = _PAUSE
        try:
            await sweep(context, engine, older_than=older_than)
        except Unavailable:
            pause = _AWAY_PAUSE
        except Exception as error:  # noqa: BLE001 - the sweeper is the last net: it goes on whatever one round met
            _log.error("sweep_failed", error=type(error).__name__)
            pause = _AWAY_PAUSE
        await asyncio.sleep(pause)
