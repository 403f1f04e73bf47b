"""The people at work while things break: employers register, officers and supervisors decide, by what they see."""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from bench.faults.calls import Calls, CutError, NotAnsweredError
from bench.faults.later import is_through, later_act
from bench.faults.people import Person
from bench.faults.register import Register, Row
from sandbox.demo.cases import Act, next_act

PERSONAS: Final = (
    "employer-a",
    "employer-b",
    "officer-1",
    "officer-2",
    "supervisor",
    "supervisor-2",
    "operator",
    "auditor",
)
CASES: Final = """
SELECT r.reference, r.client_reference, r.employer_id, r.stage, r.round, r.hold, r.facts_version,
    coalesce(r.objections, '[]') AS objections,
    coalesce((SELECT jsonb_agg(jsonb_build_object('number', n.number, 'stage', n.stage)) FROM renewals n
        WHERE n.reference = r.reference), '[]') AS renewals,
    coalesce((SELECT jsonb_agg(jsonb_build_object('destination', t.destination, 'stage', t.stage)) FROM permit_terms t
        WHERE t.reference = r.reference), '[]') AS terms,
    (SELECT o.destinations FROM talent_permits o WHERE o.reference = r.reference) AS destinations,
    coalesce((SELECT jsonb_agg(jsonb_build_object('destination', p.destination, 'stage', p.stage,
        'pending_act', p.pending_act)) FROM permits p WHERE p.reference = r.reference), '[]') AS permits,
    coalesce((SELECT jsonb_agg(jsonb_build_object('task_id', t.task_id, 'kind', t.kind,
        'destination', t.destination))
        FROM tasks t WHERE t.reference = r.reference AND t.state = 'open'), '[]') AS tasks
FROM cases r WHERE r.updated_at > $1
"""
_LOOK_SECONDS: Final = 0.5
_OVERLAP: Final = timedelta(seconds=15)
_WHOLE_EVERY: Final = 20
_AT_ONCE: Final = 12
# Second signatures and corrections take people a while, so that faults find cases that wait for them.
_TAKES_SECONDS: Final = {"confirm": 12.0, "correct": 6.0, "amend": 6.0, "take": 6.0, "grant": 6.0, "uphold": 4.0}
_MOST_UNDECIDED: Final = 150
_UNDECIDED: Final = frozenset(
    {"received", "assessing", "correction_requested", "under_review", "awaiting_confirmation"}
)
STALLED_SECONDS: Final = 420.0


@dataclass
class Asked:
    """What became of one request for registration, as far as its sender knows."""

    person: Person
    reference: str | None = None
    code: str = ""
    is_cut: bool = False


@dataclass
class Drive:
    """Drives all cases to the end of their fates."""

    calls: Calls
    register: Register
    people: Sequence[Person]
    seconds: float
    asked: dict[str, Asked] = field(default_factory=dict)
    cases: dict[str, Row] = field(default_factory=dict)
    acts: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    moved_at: float = field(default_factory=time.monotonic)
    is_struck: bool = False
    is_held: bool = False
    takes_seconds: Mapping[str, float] = field(default_factory=lambda: _TAKES_SECONDS)
    _by_reference: dict[str, Person] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    _desks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def __post_init__(self) -> None:
        """Know people by the names that their employers gave them."""
        self._persons = {person.client_reference: person for person in self.people}

    async def run(self) -> None:
        """Register all people; go on until every case is at its end, or nothing has moved for very long.

        While strikes are still to come (`is_struck`), it goes on for the cases that they bring; while it is held
        (`is_held`), nobody begins anything with a case that is there.
        """
        await self._work(asyncio.create_task(self._take_on()))

    async def run_on(self) -> None:
        """Go on with cases that were taken on meanwhile."""
        self.moved_at = time.monotonic()
        await self._work(asyncio.create_task(asyncio.sleep(0)))

    async def _work(self, intake: asyncio.Task[None]) -> None:
        since, round_ = datetime.min.replace(tzinfo=UTC), 0
        try:
            while self.is_struck or not (intake.done() and not self._tasks and self.is_done()):
                # All of them now and then: a step may end later than one that began after it.
                round_ += 1
                since = await self._look(datetime.min.replace(tzinfo=UTC) if round_ % _WHOLE_EVERY == 0 else since)
                self._act()
                for task in [task for task in (*self._tasks, intake) if task.done()]:
                    self._tasks.discard(task)
                    task.result()
                if self.is_done():
                    self.moved_at = time.monotonic()
                if time.monotonic() - self.moved_at > STALLED_SECONDS:
                    return
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            for task in (*self._tasks, intake):
                task.cancel()
            await asyncio.gather(*self._tasks, intake, return_exceptions=True)

    def know(self, person: Person, reference: str) -> None:
        """Take over a case that is there already."""
        self.asked[person.client_reference] = Asked(person, reference)
        self._persons[person.client_reference] = person

    async def register_person(self, person: Person) -> Asked:
        """Send one request, as patiently as its sender is."""
        asked = self.asked[person.client_reference] = Asked(person)
        self._persons[person.client_reference] = person
        try:
            async with self._desks:
                answer = await self.calls.write(
                    person.employer,
                    "/v1/registrations",
                    person.body,
                    key=person.client_reference,
                    once=person.asks_once,
                )
        except CutError:
            asked.is_cut = True
            return asked
        except NotAnsweredError:
            return asked
        if answer.status == 202:
            asked.reference = answer.body["reference"]
        else:
            asked.code = answer.code or str(answer.status)
        return asked

    def is_done(self) -> bool:
        """Whether all that were taken on are at their end."""
        here = {case["client_reference"] for case in self.cases.values()}
        if any(asked.reference and name not in here for name, asked in self.asked.items()):
            return False
        return all(is_at_end(case, self._persons[case["client_reference"]]) for case in self.cases.values())

    def undecided(self) -> int:
        """How many cases wait for a decision."""
        return sum(case["stage"] in _UNDECIDED for case in self.cases.values())

    def unfinished(self) -> list[str]:
        """The references of cases that are not at their end."""
        return [r for r, case in self.cases.items() if not is_at_end(case, self._persons[case["client_reference"]])]

    async def _take_on(self) -> None:
        """Register people evenly over the time of the plan, while officers keep up."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for place, person in enumerate(self.people):
                due = begun + place * self.seconds / len(self.people)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                while self.undecided() > _MOST_UNDECIDED:
                    await asyncio.sleep(_LOOK_SECONDS)
                group.create_task(self.register_person(person))

    async def _look(self, since: datetime) -> datetime:
        newest = since
        [now] = await self.register.rows("SELECT clock_timestamp() AS at")
        for case in await self.register.rows(CASES, since):
            if case["client_reference"] in self._persons and case != self.cases.get(case["reference"]):
                self.cases[case["reference"]] = case
                self.moved_at = time.monotonic()
            newest = now["at"] - _OVERLAP
        return newest

    def _act(self) -> None:
        for reference, case in self.cases.items():
            if self.is_held:
                return
            person = self._persons[case["client_reference"]]
            is_known = partial(self._is_known, reference)
            act = next_act(case, person.fate, is_known) or later_act(case, person, is_known)
            if act is not None:
                self._done.add(f"{reference}/{act.name}")
                self._start(self._do(reference, act))

    def _is_known(self, reference: str, name: str) -> bool:
        return f"{reference}/{name}" in self._done

    def _start(self, doing: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(doing))

    async def _do(self, reference: str, act: Act) -> None:
        name = act.name.partition("/")[0]
        await asyncio.sleep(self.takes_seconds.get(name, 0.0))
        async with self._places:
            try:
                answer = await self.calls.write(act.persona, act.path, act.body, key=f"faults/{reference}/{act.name}")
            except NotAnsweredError as error:
                self.refused.append(f"{act.name} of {reference} was never answered: {error}")
                return
        self.moved_at = time.monotonic()
        if answer.status >= 400:
            self.refused.append(f"{act.name} of {reference}: {answer.status} {answer.code}")
        else:
            self.acts[name] = self.acts.get(name, 0) + 1


def is_at_end(case: Mapping[str, Any], person: Person) -> bool:
    """Whether registration and permits of a case stand where its fate ends."""
    fate = person.fate
    permits = {permit["destination"]: permit["stage"] for permit in case["permits"]}
    stands = case["stage"] == fate.ends and permits == fate.permits_of(case["destinations"])
    return bool(stands and is_through(case, person))
