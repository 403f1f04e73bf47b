"""The nightly round of retention: in batches, each a short transaction, going on where a worker died."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import UUID

from temporalio import activity

from activities.errors import classified
from cases.health import rounds
from cases.shared.context import Context
from domain.actors import system
from domain.messages import RetentionCount, RetentionRound
from privacy import erasure_replay, retention

_BATCH: Final = 100
_FEW: Final = 20
_FIRST: Final = UUID(int=0)


class RetentionSteps:
    """Steps of the nightly round; each may run twice, and a repeat finds only what is still to be done."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def activities(self) -> Sequence[Callable[..., Awaitable[Any]]]:
        """Return all steps, for the worker."""
        return [self.forget_old, self.erase_due]

    @activity.defn(name="forget_old")
    async def forget_old(self, asked: RetentionRound) -> RetentionCount:
        """Forget answers and rosters that are too old, and show the operator erasures that a restore took back."""
        with classified("forget_old", asked):
            missing = await erasure_replay.note_missing(self._context, asked.at)
            answers, rosters = 0, 0
            while count := await retention.forget_answers(self._context, asked.at):
                answers += count
                activity.heartbeat(answers)
            while count := await retention.empty_rosters(self._context, asked.at, _FEW):
                rosters += count
                activity.heartbeat(answers, rosters)
            return RetentionCount(answers=answers, rosters=rosters, not_replayed=missing)

    @activity.defn(name="erase_due")
    async def erase_due(self, asked: RetentionRound) -> RetentionCount:
        """Erase every person whose cases were all kept long enough, one transaction each, in the order of their ids."""
        with classified("erase_due", asked):
            details = activity.info().heartbeat_details
            last, erased, kept = details if details else (str(_FIRST), 0, 0)
            while persons := await retention.next_due(self._context, asked.at, UUID(last), _BATCH):
                for person_id in persons:
                    done = await retention.erase_due(self._context, system("erase_due"), person_id)
                    erased, kept, last = erased + done, kept + (not done), str(person_id)
                    activity.heartbeat(last, erased, kept)
            await rounds.note_end(self._context, rounds.Round.RETENTION)
            return RetentionCount(erased=erased, kept=kept)
