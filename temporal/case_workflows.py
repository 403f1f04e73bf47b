"""The workflows of cases as Temporal lists them, whatever the register says of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from temporalio.client import Client
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import Unavailable
from domain.messages import COMMAND_SIGNAL, REGISTRATION_WORKFLOW, CommandRef

_PAGE: Final = 500
_SECONDS: Final = 5.0
_AWAY: Final = (TemporalError, TimeoutError, RuntimeError, OSError)


class CaseWorkflows:
    """Lists and tells workflows on a Temporal client; each method raises `Unavailable` when Temporal is away."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def ids(self, *, is_open: bool = False) -> AsyncIterator[list[str]]:
        """Yield the ids of the workflows that Temporal lists, or of those that are open, a page at a time."""
        query = f'WorkflowType = "{REGISTRATION_WORKFLOW}"' + (' AND ExecutionStatus = "Running"' if is_open else "")
        listed = self._client.list_workflows(query, page_size=_PAGE)
        while True:
            try:
                await listed.fetch_next_page()
            except _AWAY as error:
                raise Unavailable("temporal") from error
            yield list(dict.fromkeys(each.id for each in listed.current_page or ()))
            if listed.next_page_token is None:
                return

    async def tell(self, workflow_id: str) -> bool:
        """Let a workflow look at the register again; False where none of this id is open."""
        try:
            async with asyncio.timeout(_SECONDS):
                await self._client.get_workflow_handle(workflow_id).signal(COMMAND_SIGNAL, CommandRef(command_id=""))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise Unavailable("temporal") from error
        except _AWAY as error:
            raise Unavailable("temporal") from error
        return True
