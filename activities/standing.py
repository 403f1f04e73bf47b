"""Spreading a change of standing over an employer's cases, and telling the authority once of one that left the Park."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from temporalio import activity

from activities.authority import AuthorityClient, Rejected
from activities.errors import classified
from cases.programme import LeavingReport, programmes_of
from cases.shared.context import Context
from domain.errors import Unavailable
from domain.messages import StandingInput, StandingPlan
from domain.stages import Standing
from register import rollout
from temporal.engine import Engine
from temporal.telemetry import concerning

_NUDGES_AT_ONCE: Final = 10
_log = structlog.get_logger(__name__)


class StandingSteps:
    """Steps of a change of standing; each may run twice, and twice at once.

    Where a restore took the change away there is nothing to be done, and the workflow comes to its end.
    """

    def __init__(self, context: Context, authority: AuthorityClient, engine: Engine) -> None:
        self._context, self._authority, self._engine = context, authority, engine

    def activities(self) -> Sequence[Callable[..., Awaitable[Any]]]:
        """Return all steps, for the worker."""
        return [
            self.plan_standing,
            self.spread_standing,
            self.count_waiting_cases,
            self.report_departed,
            self.finish_standing,
        ]

    @activity.defn(name="plan_standing")
    async def plan_standing(self, asked: StandingInput) -> StandingPlan:
        """Return from when the change holds and whether the authority is to be told."""
        with classified("plan_standing", asked):
            change = await rollout.find_change(self._context, asked.change_id)
            if change is None:
                return StandingPlan(begins_at=asked.at)
            return StandingPlan(begins_at=change.begins_at, leaves_park=change.standing is Standing.LEFT_PARK)

    @activity.defn(name="spread_standing")
    async def spread_standing(self, asked: StandingInput) -> int:
        """Store a command for each live case and send it; a repeat goes on after the chunk last reported."""
        with classified("spread_standing", asked):
            change = await rollout.find_change(self._context, asked.change_id)
            if change is None:
                return 0
            details = activity.info().heartbeat_details
            after, told = (str(details[0]), int(details[1])) if details else ("", 0)
            while True:
                asked_of, after = await rollout.spread_chunk(self._context, change, asked.at, after)
                if not asked_of:
                    return told
                await self._nudge(asked_of)
                told += len(asked_of)
                activity.heartbeat(after, told)

    @activity.defn(name="count_waiting_cases")
    async def count_waiting_cases(self, asked: StandingInput) -> int:
        """Return how many cases of the employer have not applied what they were told."""
        with classified("count_waiting_cases", asked):
            change = await rollout.find_change(self._context, asked.change_id)
            if change is None:
                return 0
            return await rollout.count_unapplied(self._context, change)

    @activity.defn(name="report_departed")
    async def report_departed(self, asked: StandingInput) -> int:
        """Tell the authority once, in one report a programme, of all it knows that ends; return how many there were."""
        with classified("report_departed", asked):
            change = await rollout.find_change(self._context, asked.change_id)
            if change is None:
                return 0
            reports = [each.leaving for each in programmes_of(self._context) if each.leaving is not None]
            return sum([await self._report(report, change, asked.at) for report in reports])

    @activity.defn(name="finish_standing")
    async def finish_standing(self, asked: StandingInput) -> None:
        """Mark the change as one that every case has heard of."""
        with classified("finish_standing", asked):
            change = await rollout.find_change(self._context, asked.change_id)
            if change is not None:
                await rollout.finish(self._context, change)

    async def _report(self, report: LeavingReport, change: rollout.Change, at: datetime) -> int:
        """Tell the authority what a programme has to say of an employer that left, and return of how many."""
        departed = await rollout.gather_departed(self._context, report, change, at)
        if departed is None:
            return 0
        attempt = activity.info().attempt
        if attempt > 1:
            await rollout.record_lost(self._context, change, departed, at, attempt=attempt)
        try:
            await self._authority.send(departed.key, report.sends(departed.on, departed.cases))
        except Rejected as rejected:
            _log.error("report_rejected", key=departed.key, reason=rejected.reason)
            await rollout.record_rejected(self._context, change, departed, at, rejected.reason, attempt=attempt)
            return 0
        except Unavailable as away:
            await rollout.record_unanswered(self._context, change, departed, at, away.reason, attempt=attempt)
            raise
        await rollout.settle_report(self._context, change, departed, at, attempt=attempt)
        return len(departed.cases)

    async def _nudge(self, asked_of: Sequence[tuple[str, str]]) -> None:
        """Tell the workflows; whom this does not reach the sweeper tells."""
        places = asyncio.Semaphore(_NUDGES_AT_ONCE)

        async def tell(reference: str, command_id: str) -> None:
            async with places:
                with concerning(reference):
                    await self._engine.nudge(reference, command_id)

        await asyncio.gather(*(tell(reference, command_id) for reference, command_id in asked_of))
