"""What the story of one person's years works with: the API as each of those who act in it, time, and what is told."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from domain.clock import CHINA
from sandbox.demo.api import Callers, until
from sandbox.stack.directory import Stack

Row = dict[str, Any]
_Read = TypeVar("_Read")
WATCHER: Final = "auditor"
_WAIT_SECONDS: Final = 30.0
_PAUSE: Final = 0.1
OUTSIDE: Final = frozenset({"employer", "person"})
_WAITING: Final = frozenset({"queued", "sent"})
_HOUR: Final = 12


class Time(Protocol):
    """A stack of its own whose time can be let pass."""

    @property
    def stack(self) -> Stack:
        """Where it runs."""

    def now(self) -> datetime:
        """Return its time."""

    def follow(self, reference: str) -> None:
        """Have time pass for a case too."""

    async def pass_to(self, moment: datetime, at_each_stop: Callable[[], Awaitable[None]]) -> None:
        """Let time pass to a moment, with a stop at each deadline on the way."""


@dataclass
class Life:
    """The story as it goes on."""

    callers: Callers
    time: Time
    tell: Callable[[date, str], None]
    told: list[tuple[date, str]] = field(default_factory=list)
    notices: dict[str, list[Row]] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    def say(self, text: str) -> None:
        """Tell what happened today."""
        today = self.time.now().astimezone(CHINA).date()
        self.told.append((today, text))
        self.tell(today, text)

    async def case(self, reference: str) -> Row:
        """Return a case as an auditor reads it."""
        case: Row = await self.callers.get(WATCHER, f"/v1/registrations/{reference}")
        return case

    async def register(self, employer: str, body: Mapping[str, Any]) -> str:
        """Hand in a registration as an employer and return its reference once it is assessed."""
        taken = await self.callers.write(employer, "POST", "/v1/registrations", body)
        reference = str(taken["reference"])
        self.time.follow(reference)
        self.notices[reference] = []
        await self.until(reference, "be assessed", lambda case: case["stage"] not in ("received", "assessing"))
        return reference

    async def act(self, persona: str, reference: str, what: str, body: Mapping[str, Any]) -> Row:
        """Ask something of a case."""
        answer: Row = await self.callers.write(persona, "POST", f"/v1/registrations/{reference}/{what}", body)
        return answer

    async def decide(self, persona: str, reference: str, action: str, *reasons: str) -> None:
        """Decide in the round that stands."""
        case = await self.case(reference)
        given = [{"code": code} for code in reasons]
        await self.act(persona, reference, "decision", {"action": action, "round": case["round"], "reasons": given})

    async def confirm(self, persona: str, reference: str) -> None:
        """Give the second signature."""
        case = await self.case(reference)
        await self.act(persona, reference, "confirmation", {"action": "confirm", "round": case["round"]})

    async def answer_task(self, persona: str, reference: str, kind: str, answer: Mapping[str, Any]) -> None:
        """Answer the open task of a kind about a case, as soon as there is one.

        Raises:
            DemoError: there comes none.
        """

        async def open_tasks() -> list[str]:
            tasks = await self.callers.pages(persona, "/v1/tasks", kind=kind)
            return [task["id"] for task in tasks if task["reference"] == reference]

        found = await _until(open_tasks, bool, lambda _: f"{reference} should have a task {kind}.")
        await self.callers.write(persona, "POST", f"/v1/tasks/{found[0]}/answer", answer)

    async def until(self, reference: str, what: str, is_so: Callable[[Row], bool]) -> Row:
        """Wait until a case is so.

        Raises:
            DemoError: it does not come to be.
        """

        def otherwise(case: Row) -> str:
            permits = {each["destination"]: each["stage"] for each in case["permits"]}
            return f"{reference} should {what} and is {case['stage']} with permits {permits}."

        return await _until(lambda: self.case(reference), is_so, otherwise)

    async def until_permits(self, reference: str, stage: str) -> Row:
        """Wait until all permits of a case are in a stage."""
        return await self.until(
            reference,
            f"have its permits {stage}",
            lambda case: bool(case["permits"]) and all(each["stage"] == stage for each in case["permits"]),
        )

    async def until_told(self, what: str, reference: str, destinations: list[str]) -> None:
        """Wait until the authority was told something of each permit of a case, once.

        Raises:
            DemoError: it was not.
        """
        wanted = sorted(f"{reference}/{destination}" for destination in destinations)

        async def told() -> list[str]:
            books = await self.callers.aside("authority", "GET", "/sandbox/books")
            return sorted(case for report in books["reports"] if report["what"] == what for case in report["cases"])

        await _until(
            told,
            lambda told: told == wanted,
            lambda told: f"The authority was told {what} of {told}, and should have been of {wanted}.",
        )

    async def pass_to(self, day: date) -> None:
        """Let time pass to noon of a day, and tell what the notices on the way say."""
        noon = datetime(day.year, day.month, day.day, _HOUR, tzinfo=CHINA)
        await self.time.pass_to(noon, self.hear)
        self.callers.sign_in_again()

    async def pass_days(self, days: int) -> None:
        """Let so many days pass."""
        await self.pass_to(self.time.now().astimezone(CHINA).date() + timedelta(days=days))

    async def hear(self) -> None:
        """Wait until each notice has gone out, and tell of those that are new.

        Raises:
            DemoError: one does not go out.
        """
        self.callers.sign_in_again()
        for reference in self.notices:
            rows = await _until(
                partial(self.callers.pages, WATCHER, f"/v1/registrations/{reference}/notices"),
                lambda rows: not _waiting(rows),
                partial(_say_what_waits, reference),
            )
            self.notices[reference] = rows
            self._tell_of(rows)

    def _tell_of(self, rows: list[Row]) -> None:
        new = [each for each in rows if each["id"] not in self._known]
        self._known |= {each["id"] for each in new}
        by_kind: dict[str, set[str]] = {}
        for each in new:
            place = f" {each['destination']}" if each.get("destination") else ""
            by_kind.setdefault(each["kind"], set()).add(f"{each['recipient']}{place}")
        for kind, whom in by_kind.items():
            self.say(f"  told: {kind.replace('_', ' ')} ({', '.join(sorted(whom))})")


async def _until(
    read: Callable[[], Awaitable[_Read]], is_so: Callable[[_Read], bool], otherwise: Callable[[_Read], str]
) -> _Read:
    return await until(read, is_so, otherwise, within=_WAIT_SECONDS, pause=_PAUSE)


def _waiting(rows: list[Row]) -> list[str]:
    """Return the kinds of the notices that have yet to go out."""
    return [each["kind"] for each in rows if each["status"] in _WAITING and each["recipient"] in OUTSIDE]


def _say_what_waits(reference: str, rows: list[Row]) -> str:
    return f"Notices of {reference} do not go out: {', '.join(_waiting(rows))}."
