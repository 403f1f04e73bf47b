"""Waking cases that sleep on workers of a former build, so that each goes on as new with the current one."""

import asyncio
from collections import Counter
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.messages import COMMAND_SIGNAL, REGISTRATION_WORKFLOW, CommandRef
from temporal.deployments import Deployments

# No command has this id; a case that is told of one looks at what is stored for it and finds nothing new.
_OF_NO_COMMAND: Final = CommandRef(command_id="00000000-0000-0000-0000-000000000000")


async def move_cases(
    deployments: Deployments, client: Client, current: str, *, pace: float, is_dry: bool = False
) -> dict[str, int]:
    """Tell the cases of other builds, so many a second; return how many were told, by the build they are on.

    A case that ends meanwhile is passed over. One whose build has no workers is told when they are there.

    Raises:
        RPCError: Temporal is away; those that were told go over all the same, and the rest with the next call.
    """
    told: Counter[str] = Counter()
    async for workflow_id, build_id in deployments.elsewhere(current, REGISTRATION_WORKFLOW):
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
