"""Reading the histories of a case: all its runs, their events, and what tests of the clock put between them."""

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from programmes import CASE_TYPES
from tests.workflows.world import Case

# Written because a test moves the clock, not because of the workflow.
OF_SKIPPING = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
)


async def runs(case: Case) -> list[WorkflowHistory]:
    """Return the histories of all runs of a case, the first run first."""
    client = case.world.client
    found = []
    newest = await case.handle.describe()
    run_id: str | None = newest.run_id
    while run_id:
        handle = client.get_workflow_handle(CASE_TYPES.id_of(case.reference), run_id=run_id)
        history = await handle.fetch_history()
        found.append(history)
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id or None
    return found[::-1]


async def events(case: Case) -> list[HistoryEvent]:
    """Return the events of all runs, without those of skipping."""
    return [e for history in await runs(case) for e in history.events if e.event_type not in OF_SKIPPING]


async def count_events(case: Case) -> int:
    """Return how many events the case has."""
    return len(await events(case))
