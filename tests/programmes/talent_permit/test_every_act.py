"""Every act in every stage: a listed move, or 409 with a ledger row and nothing else changed."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from cases.case.file import load_case, open_case
from cases.commands import store as commands
from cases.commands.advance import preview
from domain.actors import Actor
from domain.acts import Act
from domain.commands import CommandKind, CommandState
from domain.errors import PROBLEM_STATUS, Refused
from domain.stages import CLOSED, LIVE, OPEN, Stage
from programmes.talent_permit.words import PermitCommand
from store import tables
from store.rows.work import CommandRow
from tests.cases.contexts import EMPLOYER_A
from tests.cases.driver import OFFICER_2, PERSON, Case, Park, china, open_park

_REASON = [{"code": "false_statement"}]
ACTS: dict[str, tuple[Actor, dict[str, Any]]] = {
    CommandKind.CORRECT: (EMPLOYER_A, {"employment": {"position": "工程师"}, "round": 1}),
    CommandKind.CONTEST: (EMPLOYER_A, {"note": "请复核"}),
    CommandKind.WITHDRAW: (EMPLOYER_A, {}),
    PermitCommand.DEPART: (EMPLOYER_A, {"last_day": "2026-03-31", "reason": "resigned"}),
    CommandKind.CHANGE: (EMPLOYER_A, {"email": "new@example.com"}),
    PermitCommand.DISPUTE: (PERSON, {}),
    CommandKind.DECIDE: (OFFICER_2, {"action": "refuse", "round": 1, "reasons": [{"code": "employment_unproved"}]}),
    CommandKind.CONFIRM: (OFFICER_2, {"action": "confirm", "round": 1}),
    CommandKind.RECALL: (OFFICER_2, {"reason": "误操作"}),
    CommandKind.HOLD: (OFFICER_2, {"action": "place", "reason": "legal_question"}),
    PermitCommand.REVOKE: (OFFICER_2, {"reasons": _REASON}),
    PermitCommand.ELIGIBILITY: (
        OFFICER_2,
        {"destination": "HK", "action": "send", "reasons": [{"code": "document_seen"}]},
    ),
    PermitCommand.PERMIT_CONFIRM: (OFFICER_2, {"destination": "HK", "action": "confirm"}),
    PermitCommand.ENTER_OUTCOME: (OFFICER_2, {"destination": "HK", "outcome_id": "o-1"}),
    PermitCommand.CARD_LOST: (EMPLOYER_A, {"destination": "HK", "lost_on": "2026-03-02"}),
    CommandKind.RECORD_FACT: (
        OFFICER_2,
        {"field": "employment.position", "value": "工程师", "seen_in": "劳动合同", "round": 1},
    ),
    CommandKind.CONTEST_FACT: (EMPLOYER_A, {"fact": 1, "note": "有误"}),
}
_IN_REVIEW = {Stage.UNDER_REVIEW, Stage.AWAITING_CONFIRMATION}
LISTED: dict[str, set[Stage]] = {
    CommandKind.CORRECT: {Stage.CORRECTION_REQUESTED, Stage.UNDER_REVIEW},
    CommandKind.CONTEST: {Stage.CORRECTION_REQUESTED},
    CommandKind.WITHDRAW: set(OPEN),
    PermitCommand.DEPART: {Stage.APPROVED},
    CommandKind.CHANGE: set(LIVE),
    CommandKind.DECIDE: {Stage.UNDER_REVIEW},
    CommandKind.CONFIRM: {Stage.AWAITING_CONFIRMATION},
    CommandKind.HOLD: _IN_REVIEW,
    PermitCommand.REVOKE: {Stage.APPROVED},
    CommandKind.RECORD_FACT: {Stage.UNDER_REVIEW},  # the approved one here waits for no answer
    PermitCommand.DISPUTE: {Stage.ENDED},  # by a departure; the approved one here has none
}
_OF_PERMITS = {
    PermitCommand.ELIGIBILITY,
    PermitCommand.PERMIT_CONFIRM,
    PermitCommand.ENTER_OUTCOME,
    PermitCommand.CARD_LOST,
}


def test_every_act_of_the_ledger_is_written_by_something() -> None:
    root = Path(__file__).parents[3]
    rooms = ("cases", "programmes", "record", "privacy", "register")
    files = [path for room in rooms for path in sorted((root / room).rglob("*.py"))]
    code = "".join(path.read_text(encoding="utf-8") for path in files)
    unwritten = {act for act in Act if not re.search(rf"\bAct\.{act.name}\b", code)}
    assert unwritten == set()


async def test_every_command_of_a_person_needs_its_own_statement(park: Park) -> None:
    """Without a statement, with an altered one, or with another command's, it is refused with a ledger row."""
    case = await park.review()
    stored = tables.commands
    for kind, (actor, body) in ACTS.items():
        async with open_case(park.context, case.reference) as (file, _connection):
            ids = [commands.store(file, actor, kind, body, park.clock.at) for _ in range(4)]
        async with park.context.database.begin() as connection:
            rows = [(await connection.execute(select(stored).where(stored.c.command_id == i))).one() for i in ids]
            content, signature = rows[1].statement.split(".")
            forged = [None, f"{content[:-2]}AA.{signature}", rows[3].statement, f"{content}.{signature[:-4]}AAAA"]
            for row, statement in zip(rows, forged, strict=True):
                one = update(stored).where(stored.c.command_id == row.command_id)
                await connection.execute(one.values(statement=statement))
        outcomes = (await case.step()).outcomes
        assert {outcome.code for outcome in outcomes} == {"signature_invalid"}, kind
        refused = await park.rows(tables.ledger, tables.ledger.c.reason_codes == ["signature_invalid"])
        assert {row["detail"]["command_id"] for row in refused} >= {str(i) for i in ids}
    assert await case.stage() == Stage.UNDER_REVIEW


@pytest_asyncio.fixture
async def park(clean_database: str) -> AsyncIterator[Park]:
    async with open_park(clean_database, china("2026-03-02")) as park:
        yield park


async def _received(park: Park) -> Case:
    return await park.take_on()


async def _assessing(park: Park) -> Case:
    case = await park.take_on()
    async with open_case(park.context, case.reference) as (file, _):
        file.row.stage = Stage.ASSESSING.value
        file.commands[0].state = "applied"
        file.mark_command(file.commands[0], "applied", park.clock.at, {})
    return case


async def _correction_requested(park: Park) -> Case:
    return await park.review(employment={"state_worker": True})


async def _awaiting(park: Park) -> Case:
    case = await park.review()
    await case.decide("refuse", "employment_unproved")
    return case


async def _refused(park: Park) -> Case:
    case = await park.review()
    await case.refuse()
    return case


async def _lapsed(park: Park) -> Case:
    case = await _correction_requested(park)
    await case.at(await case.due(), "23:59:59")
    await case.after(seconds=1)
    return case


async def _withdrawn(park: Park) -> Case:
    case = await park.review()
    await case.do(EMPLOYER_A, CommandKind.WITHDRAW)
    return case


async def _ended(park: Park) -> Case:
    case = await park.approved()
    await case.depart("2026-03-02")
    await case.at("2026-03-03")
    return case


STAGES: dict[Stage, Callable[[Park], Awaitable[Case]]] = {
    Stage.RECEIVED: _received,
    Stage.ASSESSING: _assessing,
    Stage.CORRECTION_REQUESTED: _correction_requested,
    Stage.UNDER_REVIEW: Park.review,
    Stage.AWAITING_CONFIRMATION: _awaiting,
    Stage.APPROVED: Park.approved,
    Stage.REFUSED: _refused,
    Stage.LAPSED: _lapsed,
    Stage.WITHDRAWN: _withdrawn,
    Stage.ENDED: _ended,
}


async def _try(case: Case, kind: str) -> str | None:
    """Return the code that an act is refused with now, or None; nothing is changed."""
    actor, body = ACTS[kind]
    async with case.park.context.database.begin() as connection:
        file = await load_case(case.park.context, connection, case.reference, lock=True)
        command = CommandRow(
            command_id=uuid4(),
            reference=file.reference,
            employer_id=file.employer_id,
            kind=str(kind),
            actor=actor.model_dump(mode="json"),
            state=CommandState.STORED.value,
            at=case.park.clock.at,
        )
        file.commands.clear()
        try:
            await preview(file, connection, command, body)
        except Refused as refused:
            return refused.code
    return None


@pytest.mark.parametrize("stage", Stage)
async def test_every_act_is_a_listed_move_or_is_refused_with_a_ledger_row(park: Park, stage: Stage) -> None:
    case = await STAGES[stage](park)
    assert await case.stage() == stage
    for kind, (actor, body) in ACTS.items():
        code = await _try(case, kind)
        if stage in LISTED.get(kind, set()):
            assert code is None, kind
            continue
        assert code is not None, kind
        if stage in CLOSED and kind not in _OF_PERMITS:
            assert code == "case_closed", kind
        if code != "not_found":  # an officer names an answer that nobody gave
            assert PROBLEM_STATUS[code] == 409, (kind, code)
        if stage in (Stage.RECEIVED, Stage.ASSESSING):
            continue  # a step would take it on at once
        before = await case.row()
        async with open_case(park.context, case.reference) as (file, _connection):
            command_id = commands.store(file, actor, kind, body, park.clock.at)
        await case.step()
        state, outcome = await commands.find_outcome(park.context, command_id)
        assert (state, outcome["code"]) == ("refused", code)
        assert (await case.ledger())[-1] == "request_refused"
        after = await case.row()
        assert {**after, "version": 0, "updated_at": 0} == {**before, "version": 0, "updated_at": 0}
