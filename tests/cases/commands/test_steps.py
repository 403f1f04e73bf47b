"""Each step twice, twice at once, and again after it was killed between commit and completion: one effect."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Table

from bench.people import identity_number
from cases.calls import making
from cases.commands import store as commands
from cases.commands import sweeper
from cases.commands.advance import advance
from cases.commands.intake import Accepted
from cases.incidents import stopped
from cases.shared.context import Context
from domain.commands import CommandKind
from domain.errors import Refused
from domain.messages import Course
from programmes.talent_permit.authority import outcomes
from programmes.talent_permit.authority.answers import AuthorityAnswer
from programmes.talent_permit.requests import RegistrationRequest
from store import tables
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, OFFICER, key, registration_body
from tests.cases.driver import AUTHORITY, MENDED, OFFICER_2, Case, Park, china, open_park
from tests.cases.taking_on import accept

_NO_TIME = timedelta(seconds=-5)
Prepared = Callable[[Park], Awaitable[Case]]
Step = Callable[[Case], Awaitable[None]]


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


class _Engine:
    """An engine that counts what it is told."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.nudged: list[str] = []

    async def start(self, reference: str, correlation_id: str = "", *, employer_id: str = "") -> bool:
        self.started.append(reference)
        return True

    async def nudge(
        self, reference: str, command_id: str, correlation_id: str = "", *, is_resume: bool = False
    ) -> bool:
        self.nudged.append(command_id)
        return True


async def _advance(case: Case) -> None:
    await advance(case.park.context, case.reference, case.park.clock.at)


async def _record_taken(case: Case) -> None:
    call = f"permit/{case.reference}/HK"
    await making.record(case.park.context, case.reference, {call: None}, case.park.clock.at)


async def _record_rejected(case: Case) -> None:
    call = f"permit/{case.reference}/HK"
    await making.record(case.park.context, case.reference, {call: "name"}, case.park.clock.at)


async def _open_incident(case: Case) -> None:
    await stopped.open_incident(case.park.context, case.reference, "advance", "defect", case.park.clock.at)


async def _watch(case: Case) -> None:
    await case.park.watch()


def _answered(outcome: str) -> Step:
    async def receive(case: Case) -> None:
        given = {
            "outcome_id": f"one/{case.reference}",
            "case": f"{case.reference}/HK",
            "outcome": outcome,
            "occurred_at": china("2026-03-02"),
        }
        await outcomes.receive(case.park.context, AUTHORITY, AuthorityAnswer.model_validate(given))

    return receive


async def _stored(park: Park, kind: str, **body: object) -> Case:
    case = await park.review()
    await case.store(OFFICER, kind, **body)
    return case


async def _decided(park: Park) -> Case:
    return await _stored(park, CommandKind.DECIDE, action="approve", round=1)


async def _held(park: Park) -> Case:
    return await _stored(park, CommandKind.HOLD, action="place", reason="legal_question")


async def _confirmed(park: Park) -> Case:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    await case.store(OFFICER_2, CommandKind.CONFIRM, action="confirm", round=1)
    return case


async def _corrected(park: Park) -> Case:
    case = await park.review(employment={"state_worker": True})
    await case.store(EMPLOYER_A, CommandKind.CORRECT, **MENDED)
    return case


async def _settling(park: Park) -> Case:
    case = await park.review()
    await case.decide("approve")
    park.clock.at = china("2026-03-02", "12:10")
    return case


async def _overdue(park: Park) -> Case:
    case = await park.review()
    park.clock.at = china("2026-03-10")
    return case


async def _unanswered(park: Park) -> Case:
    case = await park.accepted(destinations=["HK"])
    park.clock.at = china("2026-03-12")
    return case


async def _departed(park: Park) -> Case:
    case = await park.issued(destinations=["HK"])
    await case.depart("2026-03-02")
    park.clock.at = china("2026-03-03")
    return case


STEPS: dict[str, tuple[Prepared, Step]] = {
    "assess": (Park.take_on, _advance),
    "decide": (_decided, _advance),
    "hold": (_held, _advance),
    "confirm": (_confirmed, _advance),
    "correct": (_corrected, _advance),
    "settle": (_settling, _advance),
    "escalate": (_overdue, _advance),
    "end of employment": (_departed, _advance),
    "late authority": (_unanswered, _watch),
    "entry taken": (Park.approved, _record_taken),
    "entry rejected": (Park.approved, _record_rejected),
    "answer accepted": (Park.submitted, _answered("accepted")),
    "answer refused": (Park.submitted, _answered("refused")),
    "early answer": (Park.submitted, _answered("revoked")),
    "incident": (Park.review, _open_incident),
}


async def _effect(case: Case) -> dict[str, object]:
    """Return everything that a step may leave behind."""
    row = await case.row()

    async def rows(table: Table) -> list[dict[str, Any]]:
        return await case.park.rows(table, table.c.reference == case.reference)

    return {
        "register": {name: row[name] for name in ("stage", "round", "version", "returns", "days_used", "pending_act")},
        "ledger": await case.ledger(),
        "notices": await case.told(),
        "tasks": Counter((await case.tasks()).keys()),
        "deadlines": await case.deadlines(),
        "commands": Counter((c["kind"], c["state"]) for c in await rows(tables.commands)),
        "calls": Counter((c["key"].split("/")[-1], c["state"]) for c in await rows(tables.calls)),
        "answers": Counter((a["outcome"], a["state"]) for a in await rows(tables.answers)),
        "incidents": len(await rows(tables.incidents)),
    }


@pytest.mark.parametrize("name", STEPS)
async def test_a_step_run_twice_or_twice_at_once_has_the_effect_of_one(park: Park, name: str) -> None:
    prepare, step = STEPS[name]
    case = await prepare(park)
    before = await _effect(case)
    await step(case)
    once = await _effect(case)
    assert once != before
    # Killed between commit and completion, the step is run again by the engine with the same input.
    await step(case)
    assert await _effect(case) == once

    park.clock.at, park.identity_number = china("2026-03-02"), "33010619860128072X"
    other = await prepare(park)
    await asyncio.gather(step(other), step(other))
    assert await _effect(other) == once


async def test_a_step_that_fails_before_its_commit_leaves_nothing(park: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    case = await _decided(park)
    before = await _effect(case)

    async def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("cases.case.file.CaseFile.save", fail)
        with pytest.raises(RuntimeError):
            await _advance(case)
    assert await _effect(case) == before
    await _advance(case)
    assert await case.stage() == "approved"


async def test_one_live_registration_under_a_race_of_fifty_requests_from_two_employers(park: Park) -> None:
    body = registration_body()
    requests = {
        EMPLOYER_A: RegistrationRequest.model_validate(body),
        EMPLOYER_B: RegistrationRequest.model_validate(body | {"employment": body["employment"]}),
    }

    async def submit(number: int) -> object:
        actor = (EMPLOYER_A, EMPLOYER_B)[number % 2]
        try:
            return await accept(park.context, actor, requests[actor], key())
        except Refused as refused:
            return refused.code

    results = await asyncio.gather(*(submit(number) for number in range(50)))
    taken = [result for result in results if isinstance(result, Accepted)]
    assert len(taken) == 1
    assert {result for result in results if not isinstance(result, Accepted)} <= {
        "live_registration_exists",
        "too_many_requests",
    }
    assert len(await park.rows(tables.cases)) == 1
    assert len(await park.rows(tables.persons)) == 1


async def test_one_key_sent_many_times_at_once_takes_one_registration(park: Park) -> None:
    request = RegistrationRequest.model_validate(registration_body())
    named = key("POST /v1/registrations", "k-1")

    async def submit() -> str:
        try:
            return (await accept(park.context, EMPLOYER_A, request, named)).reference
        except Refused as refused:
            return refused.code

    results = Counter(await asyncio.gather(*(submit() for _ in range(10))))
    results.pop("in_progress", None)
    assert len(results) == 1
    assert len(await park.rows(tables.cases)) == 1
    with pytest.raises(Refused, match="idempotency_key_reused"):
        await accept(park.context, EMPLOYER_A, request, key("POST /v1/registrations", "k-1", b"other"))


async def test_two_officers_decide_at_once_and_one_of_them_is_told(park: Park) -> None:
    case = await park.review()

    async def decide(by: object, action: str) -> str:
        try:
            await case.do(by, CommandKind.DECIDE, action=action, round=1, reasons=[])  # type: ignore[arg-type]
        except Refused as refused:
            return refused.code
        return "approved"

    results = await asyncio.gather(decide(OFFICER, "approve"), decide(OFFICER_2, "approve"))
    assert sorted(results) == ["already_decided", "approved"]
    assert len(await park.rows(tables.notices, tables.notices.c.kind == "registration_approved")) == 2


async def test_the_sweeper_starts_and_sends_what_was_lost_and_only_that(park: Park) -> None:
    engine = _Engine()
    lost = await park.take_on()
    case = await park.review(identity_number="33010619860128072X")
    await case.store(OFFICER, CommandKind.HOLD, action="place", reason="legal_question")
    assert await sweeper.sweep(park.context, engine, older_than=_NO_TIME) == 2
    assert engine.started == [lost.reference]
    assert len(engine.nudged) == 1
    await case.step()
    assert (await case.row())["hold"] is not None
    assert await sweeper.sweep(park.context, engine, older_than=_NO_TIME) == 0
    assert engine.started == [lost.reference]


async def test_the_sweeper_applies_what_is_stored_for_a_case_whose_workflow_has_closed(park: Park) -> None:
    case = await park.review()
    await case.store(OFFICER, CommandKind.HOLD, action="place", reason="legal_question")
    await case.set_row(stage="withdrawn")
    await sweeper.sweep(park.context, _Engine(), older_than=_NO_TIME)
    assert Counter(c["state"] for c in await park.rows(tables.commands)) == Counter(applied=1, refused=1)


async def test_a_closed_case_that_fails_for_a_defect_holds_up_no_other(
    park: Park, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are told and applied, and a start that was taken in the same round is noted and not sent again."""
    poisoned = await park.review()
    healthy = await park.review(identity_number="33010619860128072X")
    for case in (poisoned, healthy):
        await case.store(OFFICER, CommandKind.HOLD, action="place", reason="legal_question")
        await case.set_row(stage="withdrawn")
    begun = await park.take_on(identity_number=identity_number(7))

    async def step(context: Context, reference: str, at: datetime) -> Course:
        if reference == poisoned.reference:
            raise ValueError("the facts cannot be read")
        return await advance(context, reference, at)

    monkeypatch.setattr(sweeper, "advance", step)
    engine = _Engine()
    for _ in range(2):
        await sweeper.sweep(park.context, engine, older_than=_NO_TIME)
    assert engine.started == [begun.reference]
    holds = {c["reference"]: c["state"] for c in await park.rows(tables.commands) if c["kind"] == "hold"}
    assert holds == {poisoned.reference: "stored", healthy.reference: "refused"}


async def test_a_command_whose_statement_is_about_another_body_is_refused(park: Park) -> None:
    case = await park.review()
    await case.store(OFFICER, CommandKind.HOLD, action="place", reason="legal_question")
    (held,) = [c for c in await park.rows(tables.commands) if c["kind"] == "hold"]
    async with park.context.database.begin() as connection:
        other = tables.commands.update().where(tables.commands.c.command_id == held["command_id"])
        await connection.execute(other.values(actor=held["actor"] | {"subject": "somebody-else"}))
    await case.step()
    state, outcome = await commands.find_outcome(park.context, held["command_id"])
    assert (state, outcome["code"]) == ("refused", "signature_invalid")
    assert (await case.row())["hold"] is None
