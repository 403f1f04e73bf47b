"""Business time of a test: a start that the test chooses, whatever day the machine has.

A workflow begins at the machine's time. The real activities run behind a wrapper that moves each time they are told by
a fixed offset, and the times they tell back by the same, so that a test may begin on a Tuesday before Spring Festival.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.years.clock import Activity, behind
from domain.messages import Course, Message, PollInput


class ShiftedClock:
    """The business clock: the machine's time, what was skipped of it, and the test's offset; it never goes back."""

    def __init__(self, start: datetime) -> None:
        self.offset = start - datetime.now(UTC)
        self._skipped = timedelta(0)

    def __call__(self) -> datetime:
        """Return the business time."""
        return datetime.now(UTC) + self._skipped + self.offset

    def reach(self, at: datetime) -> None:
        """Go on to a business time that a workflow has come to."""
        self._skipped += max(at - self(), timedelta(0))

    def jump(self, duration: timedelta) -> None:
        """Let time pass where no workflow runs; those that begin later begin at the time that it is then."""
        self.offset += self._skipped + duration
        self._skipped = timedelta(0)

    def told(self, given: Any) -> Any:
        """Return a message to an activity in business time."""
        if isinstance(given, PollInput):
            return given.model_copy(update={"at": self()})
        if isinstance(given, Message) and isinstance(at := getattr(given, "at", None), datetime):
            self.reach(at + self.offset)
            return given.model_copy(update={"at": at + self.offset})
        return given

    def answered(self, given: Any) -> Any:
        """Return an activity's result in the workflow's time."""
        if isinstance(given, Course) and given.wake_at is not None:
            return given.model_copy(update={"wake_at": given.wake_at - self.offset})
        if isinstance(given, Message) and isinstance(at := getattr(given, "begins_at", None), datetime):
            return given.model_copy(update={"begins_at": at - self.offset})
        return given


def shifted(activities: Iterable[Any], clock: ShiftedClock) -> list[Activity]:
    """Return the activities, each behind the wrapper and under its own name."""
    return [behind(each, clock.told, clock.answered) for each in activities]
