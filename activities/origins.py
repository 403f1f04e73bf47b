"""Which workflow's run a step works for: every row of the ledger that it writes names it."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio import activity

from domain.messages import Asked, Origin
from store.ledger import asked_by


@contextmanager
def recorded_for(asked: Asked | None) -> Iterator[None]:
    """Let rows written in here name the run that asked for the step, and the event after which it did."""
    with asked_by(origin_of(asked)):
        yield


def origin_of(asked: Asked | None) -> Origin | None:
    """Return where in Temporal's histories a step was asked for; None outside of an activity."""
    if not activity.in_activity():
        return None
    info = activity.info()
    if not info.workflow_id:
        return None
    event_id = asked.event_id or None if asked is not None else None
    return Origin(workflow_id=info.workflow_id, run_id=info.workflow_run_id, event_id=event_id)
