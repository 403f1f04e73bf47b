"""The one timer of a case, kept running while it rings early enough: a timer cancelled and set again is history too."""

import asyncio
from datetime import datetime

from temporalio import workflow


class Alarm:
    """Rings at a time, or earlier where it was set for an earlier one before."""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._timer: asyncio.Task[None] | None = None

    @property
    def has_rung(self) -> bool:
        """Whether the time has come that it was last set for."""
        return self._at is None

    def set(self, at: datetime, summary: str) -> None:
        """Ring by this time at the latest; the summary stands beside the timer in the history."""
        if self._timer is not None:
            if self._at is not None and self._at <= at:
                return
            self._timer.cancel()
        self._at = at
        self._timer = asyncio.create_task(self._ring(at, summary))

    async def _ring(self, at: datetime, summary: str) -> None:
        await workflow.sleep(at - workflow.now(), summary=summary)
        self._at, self._timer = None, None
