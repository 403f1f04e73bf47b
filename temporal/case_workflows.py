"""The workflows of cases as Temporal lists them, whatever the register says of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.case_types import CaseTypes
from domain.errors import Unavailable
from domain.messages import COMMAND_SIGNAL, CommandRef
from temporal.listing import AWAY, of_types, pages

_PAGE: Final = 500
_SECONDS: Final = 5.0


class CaseWorkflows:
    """Lists and tells workflows on a Temporal client; each method raises `Unavailable` when Temporal is away."""

    def __init__(self, client: Client, case_types: CaseTypes) -> None:
        self._client, self._types = client, case_types.workflows

    async def ids(self, *, is_open: bool = False) -> AsyncIterator[list[str]]:
        """Yield the ids of the workflows that Temporal lists, or of those that are open, a page at a time."""
        query = of_types(self._types) + (' AND ExecutionStatus = "Running"' if is_open else "")
        async for page in pages(self._client, query, _PAGE):
            yield list(dict.fromkeys(each.id for each in page))

    async def tell(self, workflow_id: str) -> bool:
        """Let a workflow look at the register again; False where none of this id is open."""
        try:
            async with asyncio.timeout(_SECONDS):
                await self._client.get_workflow_handle(workflow_id).signal(COMMAND_SIGNAL, CommandRef(command_id=""))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise Unavailable("temporal") from error
        except AWAY as error:
            raise Unavailable("temporal") from error
        return True
