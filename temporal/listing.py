"""Lists of workflows as Temporal has them, a page at a time."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from temporalio.client import Client, WorkflowExecution
from temporalio.exceptions import TemporalError

from domain.errors import Unavailable

# What a client raises of a Temporal that is away.
AWAY: Final = (TemporalError, TimeoutError, RuntimeError, OSError)


def of_types(workflows: Sequence[str]) -> str:
    """Return the part of a query that finds workflows of these types."""
    names = ", ".join(f'"{each}"' for each in workflows)
    return f"WorkflowType IN ({names})"


async def pages(client: Client, query: str, size: int) -> AsyncIterator[Sequence[WorkflowExecution]]:
    """Yield what a query finds, so many at a time; the list lags a little behind the runs.

    Raises:
        Unavailable: when Temporal is away.
    """
    listed = client.list_workflows(query, page_size=size)
    while True:
        try:
            await listed.fetch_next_page()
        except AWAY as error:
            raise Unavailable("temporal") from error
        yield listed.current_page or ()
        if not listed.next_page_token:
            return
