"""Copying closed runs from Temporal into the archive."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import structlog
from temporalio import activity

from activities.errors import classified
from cases.health import rounds
from cases.shared.context import Context
from domain.errors import KeyUnknown
from domain.messages import ArchiveCount, ArchiveRound
from record import archive
from record.archive_incidents import note_unreadable
from temporal.histories import Run, RunHistory, TemporalHistories
from temporal.telemetry import describe

# Temporal's list lags behind the runs, by seconds when all is well; looking again at what is archived costs little.
OVERLAP: Final = timedelta(minutes=30)
_BATCH: Final = 20
_AT_ONCE: Final = 4
_log = structlog.get_logger(__name__)


class ArchiveSteps:
    """Steps of the archive; each may run twice, and twice at once."""

    def __init__(self, context: Context, histories: TemporalHistories) -> None:
        self._context, self._histories = context, histories

    def activities(self) -> Sequence[Callable[..., Awaitable[Any]]]:
        """Return all steps, for the worker."""
        return [self.archive_histories]

    @activity.defn(name="archive_histories")
    async def archive_histories(self, asked: ArchiveRound) -> ArchiveCount:
        """Copy every closed run that is not archived yet; a repeat passes over what is, and goes on."""
        with classified("archive_histories", asked):
            cursor = await archive.find_cursor(self._context)
            # Temporal's clock, which stamps the closing of runs too, and not the one of this machine.
            begun = activity.info().started_time
            archived, seen = 0, 0
            waiting: set[str] = set()
            async for page in self._histories.closed_since(None if cursor is None else cursor - OVERLAP):
                for runs in _batches(await archive.find_unarchived(self._context, page)):
                    archived += await self.copy(runs, waiting)
                    activity.heartbeat(archived)
                seen += len(page)
                activity.heartbeat(archived)
            # The cursor stays before runs under a key that is not here yet, and the next round finds them again.
            if not waiting:
                await archive.move_cursor(self._context, begun)
            await rounds.note_end(self._context, rounds.Round.ARCHIVE)
            return ArchiveCount(seen=seen, archived=archived)

    async def copy(self, runs: Sequence[Run], waiting: set[str] | None = None) -> int:
        """Fetch runs and keep them; one that cannot be read stops no other and is put before the operator.

        One under a key that is not here waits for it, and its id is added to `waiting`: should the key not come, the
        nightly look finds the run missing.
        """
        places = asyncio.Semaphore(_AT_ONCE)

        async def fetch(run: Run) -> RunHistory | None:
            async with places:
                try:
                    return await self._histories.fetch(run)
                except KeyUnknown:
                    if waiting is not None:
                        waiting.add(run.run_id)
                    return None
                except ValueError as error:
                    _log.error("history_unreadable", run=run.run_id, **describe(error))
                    await note_unreadable(self._context, run)
                    return None

        fetched = await asyncio.gather(*(fetch(run) for run in runs))
        return await archive.archive(self._context, [history for history in fetched if history is not None])


def _batches(runs: Sequence[Run]) -> Iterator[Sequence[Run]]:
    return (runs[start : start + _BATCH] for start in range(0, len(runs), _BATCH))
