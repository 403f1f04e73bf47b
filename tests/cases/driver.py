"""Drives one case as its callers, its workflow and the world outside would: acts, steps of time, answers, reads."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from cases.calls import making
from cases.case import reads
from cases.commands import watched
from cases.commands.advance import advance
from cases.commands.submit import ask, reply
from cases.programme import programme
from cases.shared.context import Context
from cases.tasks import inbox as tasks
from domain import spellings
from domain.actors import SESSION_ISSUER, Actor, Role, system
from domain.clock import CHINA
from domain.commands import CommandKind
from domain.errors import Refused
from domain.messages import Course
from programmes.talent_permit.authority import outcomes
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.tables import permits, talent_permits
from programmes.talent_permit.words import PermitCommand
from store import tables
from tests.cases.contexts import (
    EMPLOYER_A,
    OFFICER,
    SUPERVISOR,
    Clock,
    key,
    load_samples,
    open_context,
    registration_body,
    shown,
)
from tests.cases.taking_on import accept

OFFICER_2 = Actor(issuer="test", subject="officer-2", role=Role.OFFICER)
AUTHORITY = Actor(issuer="test", subject="authority", role=Role.AUTHORITY)
PERSON = Actor(issuer="test", subject="person-1", role=Role.PERSON)
MENDED = {"employment": {"consent_letter": {"issuer": "示例局", "number": "示字1号", "date": "2025-10-20"}}}


def china(day: str, hour: str = "12:00") -> datetime:
    """Return a time of a day in China."""
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(hour), CHINA)


@dataclass
class Park:
    """The register with a clock that the test sets."""

    context: Context
    clock: Clock
    answered: int = field(default=0)
    identity_number: str = "44030419900307123X"

    async def take_on(
        self, *, by: Actor = EMPLOYER_A, employment: dict[str, Any] | None = None, **person: Any
    ) -> "Case":
        """Take on a registration; it waits to be started."""
        given = {"identity_number": self.identity_number} | person
        body = registration_body(**{name: value for name, value in given.items() if name not in _WHOLE})
        body["person"] = {name: value for name, value in body["person"].items() if value is not None}
        body["employment"] |= employment or {}
        body |= {name: value for name, value in person.items() if name in _WHOLE}
        accepted = await accept(self.context, by, RegistrationRequest.model_validate(body), key())
        return Case(self, accepted.reference, by)

    async def review(self, **given: Any) -> "Case":
        """Take on a registration and bring it before an officer."""
        case = await self.take_on(**given)
        await case.step()
        return case

    async def approved(self, **given: Any) -> "Case":
        """Take on a registration, approve it and let the approval settle."""
        case = await self.review(**given)
        await case.approve()
        return case

    async def submitted(self, **given: Any) -> "Case":
        """Take on a registration whose list entries the authority's system took."""
        case = await self.approved(**given)
        await case.make_calls()
        return case

    async def accepted(self, **given: Any) -> "Case":
        """Take on a registration whose person the authority has accepted for Hong Kong."""
        case = await self.submitted(**given)
        await case.answer("accepted")
        return case

    async def issued(self, **given: Any) -> "Case":
        """Take on a registration whose permit for Hong Kong the authority has issued."""
        case = await self.accepted(**given)
        await case.answer("issued")
        return case

    async def rows(self, table: Any, *where: Any) -> list[dict[str, Any]]:
        """Return rows of a table, in the order in which they were written where they say when."""
        order = [table.c.recorded_at] if "recorded_at" in table.c else []
        async with self.context.database.begin() as connection:
            found = (await connection.execute(select(table).where(*where).order_by(*order))).mappings()
            return [dict(row) for row in found]

    async def watch(self) -> None:
        """Do what the Schedule does beside asking the authority."""
        await watched.pass_watched(self.context, self.clock.at)


_WHOLE = ("destinations", "client_reference")


@dataclass
class Case:
    """One case of the park."""

    park: Park
    reference: str
    employer: Actor = EMPLOYER_A
    course: Course | None = None

    async def step(self) -> Course:
        """Run the step of the case's workflow now."""
        self.course = await advance(self.park.context, self.reference, self.park.clock.at)
        return self.course

    async def at(self, day: str, hour: str = "12:00") -> Course:
        """Let it be another time, and run the step."""
        self.park.clock.at = china(day, hour)
        return await self.step()

    async def after(self, **time_passed: float) -> Course:
        """Let time pass, and run the step."""
        self.park.clock.at += timedelta(**time_passed)
        return await self.step()

    async def known(self, actor: Actor) -> Actor:
        """Return `PERSON` as the person of the case, as they act once they signed in, and anybody else as they are."""
        if actor is not PERSON:
            return actor
        return PERSON.model_copy(update={"issuer": SESSION_ISSUER, "subject": str((await self.row())["person_id"])})

    async def store(self, actor: Actor, kind: str, **body: Any) -> Any:
        """Ask something of the case, without its being applied yet."""
        actor = await self.known(actor)
        declared = programme(self.park.context, spellings.TALENT_PERMIT).commands[kind]
        own = {name: body.pop(name) for name in declared.named if name in body}
        own = {name: value if isinstance(value, int) else str(value) for name, value in own.items()}
        model = None if declared.body is None else declared.body.model_validate(body)
        content: Any = model
        if own or model is None:
            content = own | (model.model_dump(mode="json", exclude_unset=True) if model else {})
        idempotency = key(str(kind), body=json.dumps(body, default=str).encode())
        return await ask(self.park.context, actor, self.reference, kind, content, idempotency), idempotency

    async def do(self, actor: Actor, kind: str, **body: Any) -> dict[str, Any]:
        """Ask something of the case, have it applied, and return the answer."""
        asked, idempotency = await self.store(actor, kind, **body)
        await self.step()
        if not programme(self.park.context, spellings.TALENT_PERMIT).commands[kind].is_awaited(actor.role):
            return dict(shown(asked.reply.body))
        replied = await reply(self.park.context, actor, asked, idempotency, is_answered=True)
        assert replied.progress == ("stored" if kind is PermitCommand.DEPART else "applied"), replied
        return dict(shown(replied.body))

    async def refused(self, actor: Actor, kind: str, **body: Any) -> str:
        """Ask something that is refused, and return the code."""
        try:
            await self.do(actor, kind, **body)
        except Refused as refused:
            return refused.code
        raise AssertionError(f"{kind} was not refused")

    async def decide(self, action: str, *reasons: str, by: Actor = OFFICER, **more: Any) -> dict[str, Any]:
        """Decide as an officer, in the round that stands."""
        given = [{"code": code} for code in reasons]
        return await self.do(by, CommandKind.DECIDE, action=action, round=await self.round(), reasons=given, **more)

    async def approve(self, *reasons: str, by: Actor = OFFICER) -> None:
        """Approve and let the approval settle."""
        await self.decide("approve", *reasons, by=by)
        await self.after(minutes=10)

    async def sign(self, action: str = "confirm", *reasons: str, by: Actor = OFFICER_2) -> dict[str, Any]:
        """Give or refuse the second signature on the registration, and return the answer."""
        given = [{"code": code} for code in reasons]
        return await self.do(by, CommandKind.CONFIRM, action=action, round=await self.round(), reasons=given)

    async def confirm(self, action: str = "confirm", *reasons: str, by: Actor = OFFICER_2) -> dict[str, Any]:
        """Give or refuse the second signature on the registration, and let what cools off take effect."""
        answer = await self.sign(action, *reasons, by=by)
        return await self._cooled() if "signed_by" in (answer["pending"] or {}) else answer

    async def sign_permit(self, action: str = "confirm", *reasons: str, by: Actor = OFFICER_2) -> dict[str, Any]:
        """Give or refuse the second signature on what was proposed for Hong Kong, and return the answer."""
        given = [{"code": code} for code in reasons]
        return await self.do(by, PermitCommand.PERMIT_CONFIRM, destination="HK", action=action, reasons=given)

    async def confirm_permit(self, action: str = "confirm", *reasons: str, by: Actor = OFFICER_2) -> dict[str, Any]:
        """Give or refuse the second signature on what was proposed for Hong Kong, and let it take effect."""
        answer = await self.sign_permit(action, *reasons, by=by)
        return await self._cooled() if any(permit["settles_at"] for permit in answer["permits"]) else answer

    async def _cooled(self) -> dict[str, Any]:
        await self.after(minutes=10)
        return await self.view()

    async def refuse(self, *reasons: str) -> None:
        """Refuse with two signatures."""
        await self.decide("refuse", *(reasons or ("employment_unproved",)))
        await self.confirm()

    async def depart(self, last_day: str, reason: str = "resigned", by: Actor | None = None) -> dict[str, Any]:
        """Report the last day of the employment."""
        return await self.do(by or self.employer, PermitCommand.DEPART, last_day=last_day, reason=reason)

    async def make_calls(self) -> None:
        """Have the authority's system take every call that is due."""
        course = await making.current_course(self.park.context, self.reference)
        for call in course.calls:
            orders = await making.find_orders(self.park.context, self.reference, call.key, self.park.clock.at)
            taken = {order.key: None for order in orders}
            assert taken
            self.course = await making.record(self.park.context, self.reference, taken, self.park.clock.at)

    async def answer(
        self, outcome: str, destination: str = "HK", message_id: str | None = None, body: bytes = b"", **more: Any
    ) -> tuple[int, str]:
        """Take in an answer of the authority, and let the workflow hear of it where it has to."""
        self.park.answered += 1
        given = {
            "outcome_id": f"o-{self.park.answered}",
            "case": f"{self.reference}/{destination}",
            "outcome": outcome,
            "occurred_at": self.park.clock.at,
        }
        if outcome in ("issued", "replaced"):
            given |= {
                "authority_number": "C-HK-0001",
                "valid_from": "2026-03-10",
                "valid_until": "2029-03-09",
                "stay_days": 30,
                "entries": "multiple",
            }
        received = await outcomes.receive(
            self.park.context,
            AUTHORITY,
            AuthorityAnswer.model_validate(given | more),
            message_id=message_id,
            body=body,
        )
        if received.command_id is not None:
            await self.step()
        return received.reply.progress.kept, received.reply.body["status"]

    async def view(self, actor: Actor = OFFICER) -> dict[str, Any]:
        """Read the case."""
        return dict(shown(await reads.get_case(self.park.context, await self.known(actor), self.reference)))

    async def row(self) -> dict[str, Any]:
        """Return the register's row, with what the programme keeps of the case."""
        (row,) = await self.park.rows(tables.cases, tables.cases.c.reference == self.reference)
        (own,) = await self.park.rows(talent_permits, talent_permits.c.reference == self.reference)
        return own | row

    async def round(self) -> int:
        """Return the round that stands."""
        return int((await self.row())["round"])

    async def stage(self) -> str:
        """Return the stage of the registration."""
        return str((await self.row())["stage"])

    async def permit(self, destination: str = "HK") -> dict[str, Any]:
        """Return the row of a permit."""
        p = permits.c
        (row,) = await self.park.rows(permits, p.reference == self.reference, p.destination == destination)
        return row

    async def due(self) -> str:
        """Return the day on which the case is due."""
        return str((await self.row())["due_at"].astimezone(CHINA).date())

    async def ledger(self) -> list[str]:
        """Return the acts of the case in order."""
        query = select(tables.ledger.c.act).where(tables.ledger.c.chain == self.reference).order_by(tables.ledger.c.seq)
        async with self.park.context.database.begin() as connection:
            return list((await connection.execute(query)).scalars())

    async def last(self, act: str) -> dict[str, Any]:
        """Return the newest ledger row of an act, its detail among the columns."""
        rows = await self.park.rows(tables.ledger, tables.ledger.c.chain == self.reference, tables.ledger.c.act == act)
        row = max(rows, key=lambda row: row["seq"])
        return {**row, **row["detail"]}

    async def told(self, kind: str | None = None, destination: str | None = None) -> Counter[str]:
        """Return how many notices each reader was told, of a kind or of all kinds as `kind/reader`."""
        rows = await self.park.rows(tables.notices, tables.notices.c.reference == self.reference)
        chosen = [r for r in rows if kind in (None, r["kind"]) and destination in (None, r["destination"])]
        return Counter(r["recipient"] if kind else f"{r['kind']}/{r['recipient']}" for r in chosen)

    async def notices(self, kind: str, recipient: str = "employer") -> list[dict[str, Any]]:
        """Return the notices of a kind to a reader, in order."""
        n = tables.notices.c
        where = (n.reference == self.reference, n.kind == kind, n.recipient == recipient)
        return sorted(await self.park.rows(tables.notices, *where), key=lambda row: row["at"])

    async def tasks(self) -> dict[str, dict[str, Any]]:
        """Return the open tasks by kind, with the destination where they have one."""
        t = tables.tasks.c
        rows = await self.park.rows(tables.tasks, t.reference == self.reference, t.state == "open")
        return {row["kind"] + (f"/{row['destination']}" if row["destination"] else ""): row for row in rows}

    async def task_id(self, kind: str) -> UUID:
        """Return the id of an open task."""
        found: UUID = (await self.tasks())[kind]["task_id"]
        return found

    async def claim(self, kind: str, by: Actor = OFFICER) -> None:
        """Claim a task."""
        await tasks.claim(self.park.context, by, await self.task_id(kind), key())

    async def deadlines(self) -> dict[str, list[datetime]]:
        """Return the waiting deadlines by kind."""
        d = tables.deadlines.c
        found: dict[str, list[datetime]] = {}
        for row in await self.park.rows(tables.deadlines, d.reference == self.reference, d.state == "waiting"):
            found.setdefault(row["kind"], []).append(row["at"].astimezone(CHINA))
        return {kind: sorted(moments) for kind, moments in found.items()}

    async def set_standing(self, standing: str, valid_from: date) -> None:
        """Let the employer have another standing, and the case hear of it."""
        values = {
            "change_id": UUID(int=self.park.clock.at.toordinal() * 100 + len(standing)),
            "employer_id": self.employer.employer_id,
            "standing": standing,
            "valid_from": valid_from,
            "state": "in_force",
            "proposed_by": {"issuer": "test", "subject": SUPERVISOR.subject, "role": "supervisor"},
            "at": self.park.clock.at,
        }
        async with self.park.context.database.begin() as connection:
            await connection.execute(tables.employer_standings.insert().values(**values))
        await self.system(CommandKind.STANDING)

    async def system(self, kind: str) -> None:
        """Store a command of the engine itself and have it applied."""
        values = {
            "command_id": UUID(int=self.park.clock.at.toordinal() * 1000 + self.park.answered),
            "reference": self.reference,
            "employer_id": self.employer.employer_id,
            "kind": str(kind),
            "actor": system("test").model_dump(mode="json"),
            "state": "stored",
            "at": self.park.clock.at,
        }
        self.park.answered += 1
        async with self.park.context.database.begin() as connection:
            await connection.execute(tables.commands.insert().values(**values))
        await self.step()

    async def set_row(self, **values: Any) -> None:
        """Set columns of the register, as no act would."""
        r = tables.cases
        async with self.park.context.database.begin() as connection:
            await connection.execute(update(r).where(r.c.reference == self.reference).values(**values))


@asynccontextmanager
async def open_park(url: str, at: datetime) -> AsyncIterator[Park]:
    """Open a park with the sample employers at a time."""
    clock = Clock(at)
    async with open_context(url, clock) as context:
        await load_samples(context)
        # The keys are shared by all tests of a process: what one of them missed is no other one's.
        for keys in context.keyring.sets():
            keys.missed.seen.clear()
        yield Park(context, clock)
