"""What the plain way costs Temporal, counted over all its workflows, so that it stays the plain way."""

from typing import Any, Final

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

# A case, its two permits and its sixteen notices; an activity for each step and each notice.
WORKFLOWS_A_CASE: Final = 19
ACTIVITIES_A_CASE: Final = 24
# Counted with everything by default; which events come together in one workflow task varies a little.
EVENTS_A_CASE: Final = (270, 420)


async def count(address: str, *, cases: int) -> dict[str, float]:
    """Count workflows, activities, events and workflow tasks of all cases so far, for each case."""
    client = await Client.connect(address)
    found = {"workflows": 0, "activities": 0, "events": 0, "workflow_tasks": 0, "bytes": 0}
    async for run in client.list_workflows():
        found["workflows"] += 1
        async for event in client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history_events():
            name = EventType.Name(event.event_type)
            found["events"] += 1
            found["bytes"] += event.ByteSize()
            found["activities"] += name == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"
            found["workflow_tasks"] += name == "EVENT_TYPE_WORKFLOW_TASK_COMPLETED"
    return {name: round(total / cases, 2) for name, total in found.items()}


def check(found: dict[str, Any]) -> None:
    """Refuse a comparison with something that is not the plain way any more.

    Raises:
        AssertionError: when a case takes other than the known number of workflows, activities or events.
    """
    least, most = EVENTS_A_CASE
    plain = found["workflows"] == WORKFLOWS_A_CASE and found["activities"] == ACTIVITIES_A_CASE
    if not plain or not least <= found["events"] <= most:
        raise AssertionError(f"The plain way is not the plain way any more: {found}")
