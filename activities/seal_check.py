"""The nightly look at the whole seal: every row, leaf, node and checkpoint holds."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import astuple
from typing import Any

from temporalio import activity

from activities.errors import classified
from cases.health import rounds
from cases.shared.context import Context
from cases.shared.epochs import read_log_epochs
from domain.actors import system
from domain.messages import SealCount, SealRound
from record.seal import check
from record.seal.proofs import signers_of


class SealSteps:
    """The one step of the nightly look; it may run twice, and goes on where a worker died."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def activities(self) -> Sequence[Callable[..., Awaitable[Any]]]:
        """Return all steps, for the worker."""
        return [self.check_seal]

    @activity.defn(name="check_seal")
    async def check_seal(self, asked: SealRound) -> SealCount:
        """Check the seal from its first leaf to its last, keep what differs, and write down what it came to."""
        with classified("check_seal", asked):
            context, info = self._context, activity.info()
            details = info.heartbeat_details
            progress = check.Progress(*details) if details else check.Progress()
            names = await read_log_epochs(context)
            signers = signers_of(context.log_origin, context.keyring, names)
            while not progress.is_whole:
                found = await check.check_next(context.database, signers, progress)
                await check.keep_found(context, found, asked.at, progress)
                activity.heartbeat(*astuple(progress))
            await check.end_round(context, system("check_seal"), info.workflow_run_id or "", asked.at, progress)
            await rounds.note_end(context, rounds.Round.SEAL_CHECK)
            return SealCount(leaves=progress.leaf, differences=progress.differences)
