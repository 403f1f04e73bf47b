"""The nightly look at the record: every closed run is archived, and the records of every case agree."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from temporalio import activity

from activities.archive import ArchiveSteps
from activities.errors import classified
from cases.commands import reviving
from cases.health import rounds
from cases.shared.context import Context
from domain.actors import system
from domain.errors import Unavailable
from domain.messages import ReconciliationCount, ReconciliationRound, SweepCount
from record import archive, archive_incidents
from record.reconciliation import reconcile
from temporal.histories import Run, TemporalHistories
from temporal.telemetry import describe

_PAGE: Final = 40
_AT_ONCE: Final = 4
_BATCH: Final = 20
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Progress:
    """How far a round has come, as its heartbeats say it: a repeat goes on there."""

    after: str = ""
    cases: int = 0
    differing: int = 0
    differences: int = 0
    unchecked: int = 0
    without_workflow: int = 0


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was seen of a case: how many differences it has, and whether a workflow of it runs."""

    reference: str
    differences: int
    has_workflow: bool


class ReconciliationSteps:
    """Steps of the nightly round; each may run twice, and goes on where a worker died."""

    def __init__(self, context: Context, histories: TemporalHistories) -> None:
        self._context, self._histories = context, histories
        self._archive = ArchiveSteps(context, histories)

    def activities(self) -> Sequence[Callable[..., Awaitable[Any]]]:
        """Return all steps, for the worker."""
        return [self.sweep_histories, self.reconcile_cases]

    @activity.defn(name="sweep_histories")
    async def sweep_histories(self, asked: ReconciliationRound) -> SweepCount:
        """Hold everything that Temporal lists as closed against the archive; what is still missing is an incident."""
        with classified("sweep_histories", asked):
            retention = await self._histories.retention()
            now = activity.info().started_time
            seen, archived, missing = 0, 0, 0
            async for page in self._histories.closed_since(None):
                seen += len(page)
                lost = await archive.find_unarchived(self._context, page)
                for start in range(0, len(lost), _BATCH):
                    archived += await self._archive.copy(lost[start : start + _BATCH])
                    activity.heartbeat(seen)
                missing += await self._note_missing(page, retention, now)
                activity.heartbeat(seen)
            missing += await self._follow_runs()
            return SweepCount(seen=seen, archived=archived, missing=missing)

    @activity.defn(name="reconcile_cases")
    async def reconcile_cases(self, asked: ReconciliationRound) -> ReconciliationCount:
        """Compare the records of every case, keep what differs, and write down what the round came to."""
        with classified("reconcile_cases", asked):
            details = activity.info().heartbeat_details
            progress = _Progress(*details) if details else _Progress()
            while references := await reconcile.next_cases(self._context, progress.after, _PAGE):
                await self._compare(references, progress)
                progress.after = references[-1]
                activity.heartbeat(*astuple(progress))
            counted = ReconciliationCount(
                cases=progress.cases,
                differing=progress.differing,
                differences=progress.differences,
                unchecked=progress.unchecked,
                without_workflow=progress.without_workflow,
            )
            if progress.without_workflow:
                _log.warning("cases_without_workflow", cases=progress.without_workflow)
                await reviving.note_without_workflow(self._context, progress.without_workflow, "reconcile_cases")
            await reconcile.end_workflow_lines(self._context)
            round_id = activity.info().workflow_run_id or ""
            await reconcile.record_round(
                self._context, system("reconcile_cases"), round_id, counted.model_dump(mode="json")
            )
            await rounds.note_end(self._context, rounds.Round.RECONCILIATION)
            return counted

    async def _compare(self, references: Sequence[str], progress: _Progress) -> None:
        places = asyncio.Semaphore(_AT_ONCE)

        async def compare(reference: str) -> _Looked | None:
            async with places:
                return await self._compare_one(reference)

        looked_at = await asyncio.gather(*(compare(reference) for reference in references))
        for looked in looked_at:
            progress.cases += 1
            progress.unchecked += looked is None
            progress.differing += bool(looked and looked.differences)
            progress.differences += looked.differences if looked else 0
        # Asked for together, and afterwards: a case that ended while it was compared needs no workflow any more.
        asleep = [each.reference for each in looked_at if each is not None and not each.has_workflow]
        progress.without_workflow += len(await reviving.unfinished_of(self._context, asleep)) if asleep else 0

    async def _compare_one(self, reference: str) -> _Looked | None:
        """Return what a case has of differences and workflow, or None where it cannot be compared; others go on."""
        try:
            evidence, found = await reconcile.reconcile_case(self._context, self._histories, reference)
            if not evidence.record.is_live_known:
                raise Unavailable("temporal")
            await reconcile.keep_differences(self._context, reference, found, self._context.clock(), is_complete=True)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - a case that cannot be compared hides no other; an operator sees it
            _log.error("not_reconciled", reference=reference, **describe(error))
            await reconcile.note_unchecked(self._context, reference, type(error).__name__)
            return None
        return _Looked(reference, len(found), any(not kept.run.is_closed for kept in evidence.record.runs))

    async def _note_missing(self, page: Sequence[Run], retention: timedelta, now: datetime) -> int:
        missing = await archive.find_unarchived(self._context, page)
        for run in missing:
            left = retention - (now - (run.closed_at or now))
            why = f"days_left={max(left.days, 0)}"
            await archive_incidents.note(self._context, run.workflow_id, run.run_id, why)
        return len(missing)

    async def _follow_runs(self) -> int:
        """Look for the runs that archived ones of other workflows went on as: archived, open, or lost."""
        missing = 0
        for workflow_id, run_id in await archive.find_unfollowed(self._context):
            run = await self._histories.find(workflow_id, run_id)
            if run is None:
                missing += 1
                await archive_incidents.note(self._context, workflow_id, run_id, "days_left=0")
            elif run.is_closed:
                await self._archive.copy([run])
            activity.heartbeat(missing)
        return missing
