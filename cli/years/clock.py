"""The time of a park whose workflows skip theirs: one clock that all of its parts read, and never goes back.

Temporal skips time for each workflow by itself, and a workflow that begins now begins at the machine's time. So the
activities of cases run behind a wrapper, which moves the times that they are told from the workflow's to the park's,
and those that they tell back the other way.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_type_hints

from temporalio import activity

from domain.messages import Course, Message

Activity = Callable[[Any], Awaitable[Any]]
# A workflow that is further behind than this began anew meanwhile: those that run are kept together.
_BEHIND: Final = timedelta(hours=1)


class ParkClock:
    """The park's time: the machine's, what was skipped of it, and where it began."""

    def __init__(self, start: datetime) -> None:
        self._ahead = start - datetime.now(UTC)
        self._of: dict[str, timedelta] = {}

    def __call__(self) -> datetime:
        """Return the time of the park."""
        return datetime.now(UTC) + self._ahead

    def reach(self, at: datetime) -> None:
        """Go on to a time that a workflow has come to."""
        self._ahead += max(at - self(), timedelta(0))

    def in_park(self, workflow_id: str, at: datetime) -> datetime:
        """Return a time of a workflow in the park's, which goes on to it."""
        ahead = self._of.get(workflow_id)
        now = self()
        if ahead is None or at + ahead < now - _BEHIND:
            ahead = self._of[workflow_id] = now - at
        self.reach(at + ahead)
        return at + ahead

    def shown_by(self, workflow_id: str, at: datetime) -> datetime:
        """Return a time that a workflow tells in the park's, without going on to it."""
        return at + self._of.get(workflow_id, self._ahead)

    def in_workflow(self, workflow_id: str, at: datetime) -> datetime:
        """Return a time of the park in a workflow's."""
        return at - self._of.get(workflow_id, self._ahead)


def following(activities: Iterable[Any], clock: ParkClock) -> list[Activity]:
    """Return the activities, each behind the wrapper and under its own name."""

    def told(given: Any) -> Any:
        if isinstance(given, Message) and isinstance(at := getattr(given, "at", None), datetime):
            return given.model_copy(update={"at": clock.in_park(_workflow_id(), at)})
        return given

    def answered(given: Any) -> Any:
        if isinstance(given, Course) and given.wake_at is not None:
            return given.model_copy(update={"wake_at": clock.in_workflow(_workflow_id(), given.wake_at)})
        return given

    return [behind(each, told, answered) for each in activities]


def behind(inner: Any, told: Callable[[Any], Any], answered: Callable[[Any], Any]) -> Activity:
    """Return an activity under its own name that is told, and answers, by way of two functions."""
    definition = activity._Definition.must_from_callable(inner)
    name = definition.name
    assert name is not None
    hints = get_type_hints(inner)
    (kind,) = [hint for role, hint in hints.items() if role != "return"]

    async def run(asked: Any) -> Any:
        return answered(await inner(told(asked)))

    run.__annotations__ = {"asked": kind, "return": hints["return"]}
    run.__name__ = name
    return activity.defn(name=name)(run)


def _workflow_id() -> str:
    return activity.info().workflow_id or ""
