"""The trace of what was asked of a case last: what the case does next is done for that."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from opentelemetry import context

    from temporal.traces import linked_to, within

# What comes later than this is a trace of its own with a link to the one before: no collector keeps one for years.
ONE_TRACE: Final = timedelta(days=1)


class Trail:
    """Remembers by which call and in which trace something was asked, and lets what follows from it join that trace."""

    def __init__(self) -> None:
        self._context = context.Context()
        self._heard_at = workflow.now()
        self.call_id = ""

    def hear(self, call_id: str = "") -> None:
        """Take the trace and the correlation id of the message that is being handled, or of what began the run."""
        self._context, self._heard_at, self.call_id = context.get_current(), workflow.now(), call_id

    def follow(self) -> AbstractContextManager[None]:
        """Do what follows in the trace of what was asked last."""
        if workflow.now() - self._heard_at > ONE_TRACE:
            self._context, self._heard_at = linked_to(self._context, "time has come"), workflow.now()
            self.call_id = ""
        return within(self._context)
