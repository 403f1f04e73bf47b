"""Getting runs off a former build: sleepers are woken to go on as new; without workers they are handed over."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from domain.case_types import CaseTypes, reference_of
from domain.messages import COMMAND_SIGNAL, CommandRef
from temporal.deployments import Deployments

# No command has this id; a case that is told of one looks at what is stored for it and finds nothing new.
_OF_NO_COMMAND: Final = CommandRef(command_id="00000000-0000-0000-0000-000000000000")


@dataclass(frozen=True, slots=True)
class Adopted:
    """Runs that are bound to the current build now, those that have not come to a task yet, and those that do not fit.

    Each by its workflow's id.
    """

    runs: tuple[str, ...]
    waiting: tuple[str, ...]
    misfits: tuple[str, ...]


async def adopt_runs(
    deployments: Deployments, client: Client, build_id: str, current: str, replayer: Replayer, *, seconds: float
) -> Adopted:
    """Hand the runs of a build to the current one, each whose history the replayer's code goes through.

    A run is let go, woken where it is a case, and bound again once workers of the current build did a task of it: else
    every later build would take it on. What does not come to a task in so many seconds is bound by the next call.

    Raises:
        RPCError: Temporal is away; what was handed over stays so, and the rest comes with the next call.
    """
    waiting, misfits = set(await deployments.handed_over()), []
    for workflow_id, run_id in await deployments.runs(build_id):
        handle = client.get_workflow_handle(workflow_id, run_id=run_id)
        try:
            history = await handle.fetch_history()
            if (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure is not None:
                misfits.append(workflow_id)
                continue
            await deployments.hand_over(workflow_id, run_id)
            waiting.add(workflow_id)
            if reference_of(workflow_id) is not None:
                await handle.signal(COMMAND_SIGNAL, _OF_NO_COMMAND)
        except RPCError as error:
            # It went on as new or ended meanwhile.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
    bound: list[str] = []
    end = asyncio.get_running_loop().time() + seconds
    while True:
        done = [each for each in sorted(waiting) if await _bind(deployments, each, current)]
        bound += done
        waiting -= set(done)
        if not waiting or asyncio.get_running_loop().time() >= end:
            return Adopted(tuple(sorted(bound)), tuple(sorted(waiting)), tuple(misfits))
        await asyncio.sleep(0.2)


async def _bind(deployments: Deployments, workflow_id: str, current: str) -> bool:
    """Bind a workflow where the current build did a task of it; one that ended has nothing to bind."""
    try:
        if await deployments.build_of(workflow_id) != current:
            return False
        await deployments.bind(workflow_id)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    return True


async def move_cases(
    deployments: Deployments, client: Client, case_types: CaseTypes, current: str, *, pace: float, is_dry: bool = False
) -> dict[str, int]:
    """Tell the cases of other builds, so many a second; return how many were told, by the build they are on.

    A case that ends meanwhile is passed over. One whose build has no workers is told when they are there.

    Raises:
        RPCError: Temporal is away; those that were told go over all the same, and the rest with the next call.
    """
    told: Counter[str] = Counter()
    async for workflow_id, build_id in deployments.elsewhere(current, case_types.workflows):
        if not is_dry:
            try:
                await client.get_workflow_handle(workflow_id).signal(COMMAND_SIGNAL, _OF_NO_COMMAND)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                continue
            await asyncio.sleep(1 / pace)
        told[build_id] += 1
    return dict(told)
